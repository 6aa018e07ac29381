package dev.kormorant.async;

import java.time.Duration;

/**
 * Hears of every statement a database has answered. Called synchronously on the thread that ran the work: be quick and do not throw.
 */
@FunctionalInterface
public interface StatementListener {
    /**
     * A statement has been answered, with rows or with an error.
     *
     * @param statement the statement and how it went
     */
    void onStatement(Statement statement);

    /**
     * One statement and its answer.
     *
     * @param sql the statement with its {@code ?} placeholders, never with values
     * @param executeTime from sending the statement to its whole answer
     * @param rows rows returned, or rows affected
     * @param error what the statement failed with, or {@code null}
     */
    record Statement(String sql, Duration executeTime, long rows, Throwable error) {}
}
