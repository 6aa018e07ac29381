package dev.kormorant.async;

import dev.kormorant.Isolation;
import dev.kormorant.Propagation;
import dev.kormorant.Retry;
import dev.kormorant.async.internal.OptionsKt;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * How a transaction is to be run: {@code options().isolation(Isolation.SERIALIZABLE).readOnly(true)}. Immutable; each method returns
 * a changed copy. A time that is not more than zero makes the transaction fail with an {@code IllegalArgumentException}.
 */
public final class TransactionOptions {
    private static final TransactionOptions DEFAULTS = new TransactionOptions();

    private Isolation isolation;
    private boolean readOnly;
    private Propagation propagation = Propagation.NESTED;
    private Retry retry;
    private Duration timeout;
    private Duration statementTimeout;
    private Duration lockTimeout;
    private boolean deferrable;
    private boolean resolvable;

    private TransactionOptions() {}

    private TransactionOptions changed(Consumer<TransactionOptions> change) {
        var copy = new TransactionOptions();
        copy.isolation = isolation;
        copy.readOnly = readOnly;
        copy.propagation = propagation;
        copy.retry = retry;
        copy.timeout = timeout;
        copy.statementTimeout = statementTimeout;
        copy.lockTimeout = lockTimeout;
        copy.deferrable = deferrable;
        copy.resolvable = resolvable;
        change.accept(copy);
        return copy;
    }

    dev.kormorant.TransactionOptions asKotlin() {
        return OptionsKt.transactionOptions(
                isolation, readOnly, propagation, retry, timeout, statementTimeout, lockTimeout, deferrable, resolvable);
    }

    /**
     * The isolation level of the database's configuration, read-write, {@link Propagation#NESTED}, one attempt, the database's timeouts.
     *
     * @return the defaults
     */
    public static TransactionOptions options() {
        return DEFAULTS;
    }

    /**
     * The isolation level; only for an outermost transaction. By default that of the configuration.
     *
     * @param level the level
     * @return a changed copy
     */
    public TransactionOptions isolation(Isolation level) {
        return changed(copy -> copy.isolation = level);
    }

    /**
     * Whether the database may refuse writes; by default it must not. SQLite runs a read-only transaction beside the writer.
     *
     * @param value whether the transaction only reads
     * @return a changed copy
     */
    public TransactionOptions readOnly(boolean value) {
        return changed(copy -> copy.readOnly = value);
    }

    /**
     * What to do when it is started on the handle of a transaction; by default a savepoint inside that, {@link Propagation#NESTED}.
     *
     * @param value the propagation
     * @return a changed copy
     */
    public TransactionOptions propagation(Propagation value) {
        Objects.requireNonNull(value, "value");
        return changed(copy -> copy.propagation = value);
    }

    /**
     * Runs the function again, on a handle of its own, after a serialization failure or a deadlock and after nothing else; by default it
     * runs once. Models changed by it, or by dependents of the calls on its handle, get back what they were before the next attempt; what
     * an executor of the program's own changes is not seen, until it is saved. A nested transaction leaves it to the outermost.
     *
     * @param attempts how often it runs at most, 1 or more; pauses grow from at most 20 ms to at most 1 s
     * @return a changed copy
     */
    public TransactionOptions retry(int attempts) {
        return retry(attempts, Duration.ofMillis(20), Duration.ofSeconds(1));
    }

    /**
     * Runs the function again; see the other {@code retry}.
     *
     * @param attempts how often it runs at most, 1 or more
     * @param backoff the longest pause before the second attempt; it doubles with each further one
     * @param maxBackoff the longest pause of all
     * @return a changed copy
     */
    public TransactionOptions retry(int attempts, Duration backoff, Duration maxBackoff) {
        var value = OptionsKt.retry(attempts, backoff, maxBackoff);
        return changed(copy -> copy.retry = value);
    }

    /**
     * Within which the transaction must be done, all attempts included; by default there is no bound. It bounds each statement, on the
     * server too, and each wait for a connection or a turn; after it nothing is sent but a ROLLBACK, and the error is a
     * {@code QueryTimeoutException}.
     *
     * @param value more than zero
     * @return a changed copy
     */
    public TransactionOptions timeout(Duration value) {
        return changed(copy -> copy.timeout = value);
    }

    /**
     * How long each statement of the transaction may run before it is cancelled on the server and fails with a
     * {@code QueryTimeoutException}. By default that of the configuration. The server is told too.
     *
     * @param value more than zero
     * @return a changed copy
     */
    public TransactionOptions statementTimeout(Duration value) {
        return changed(copy -> copy.statementTimeout = value);
    }

    /**
     * How long a statement may wait for a lock before it fails with a {@code DeadlockException}; by default the server decides. MySQL and
     * MariaDB round up to seconds; SQLite has none, {@code UnsupportedByDialectException}.
     *
     * @param value more than zero
     * @return a changed copy
     */
    public TransactionOptions lockTimeout(Duration value) {
        return changed(copy -> copy.lockTimeout = value);
    }

    /**
     * Lets a serializable read-only transaction wait for its begin until it cannot fail any more. PostgreSQL only, else
     * {@code UnsupportedByDialectException}.
     *
     * @param value whether it may wait
     * @return a changed copy
     */
    public TransactionOptions deferrable(boolean value) {
        return changed(copy -> copy.deferrable = value);
    }

    /**
     * Asks the server for the id of the transaction, so that {@link AsyncDatabase#resolve} can find out how it ended should the link be
     * lost during COMMIT. PostgreSQL only, else {@code UnsupportedByDialectException}.
     *
     * @param value whether to ask
     * @return a changed copy
     */
    public TransactionOptions resolvable(boolean value) {
        return changed(copy -> copy.resolvable = value);
    }
}
