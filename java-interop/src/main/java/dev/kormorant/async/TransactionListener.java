package dev.kormorant.async;

import dev.kormorant.TransactionEvent;
import java.time.Duration;

/**
 * Hears what happens to the outermost transactions of a database. Called synchronously on the thread that ran the work, or, for what no
 * caller's thread does, such as a leak, on another: be quick and do not throw.
 */
@FunctionalInterface
public interface TransactionListener {
    /**
     * Something has happened to a transaction.
     *
     * @param event what
     */
    void onTransaction(Event event);

    /**
     * Something that happened to a transaction.
     *
     * @param kind what
     * @param origin where the transaction was opened, as {@code at File.java:12}
     * @param attempt the run of its function it is in, from 1
     * @param error what it ended with, or why there is another attempt, or {@code null}
     * @param idle how long it has run no statement, for {@code IDLE} only, else {@code null}
     */
    record Event(TransactionEvent.Kind kind, String origin, int attempt, Throwable error, Duration idle) {}
}
