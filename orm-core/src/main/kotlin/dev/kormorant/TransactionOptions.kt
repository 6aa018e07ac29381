package dev.kormorant

import kotlin.time.Duration

/**
 * How a transaction is to be run; every property has a default. Immutable, so one may serve many transactions.
 *
 * Isolation, lock timeout, deferrability and resolvability are properties of an outermost transaction; a nested block that asks for
 * one is an [IllegalArgumentException]. A nested block leaves [retry] to the outermost.
 *
 * @throws IllegalArgumentException if a time is not more than zero.
 */
public class TransactionOptions(
    /** Isolation level; `null` is [DatabaseConfig.defaultIsolation]. */
    public val isolation: Isolation? = null,
    /** Lets the database refuse writes; SQLite runs such a transaction beside the writer. */
    public val readOnly: Boolean = false,
    public val propagation: Propagation = Propagation.NESTED,
    /** Runs the whole block again if the transaction lost against a concurrent one; `null`, the default, does not. */
    public val retry: Retry? = null,
    /**
     * Within which the transaction must be done, all attempts included; `null` sets no bound. What is left of it bounds each statement,
     * on the server too, and each wait for a connection or a turn; after it nothing is sent any more but a ROLLBACK. The error is a
     * [QueryTimeoutException], or a [PoolTimeoutException] if there was no connection in time. Code between statements is not interrupted: that is what `withTimeout` does.
     */
    public val timeout: Duration? = null,
    /** How long each statement may run; `null` is [DatabaseConfig.statementTimeout]. The server is told too. */
    public val statementTimeout: Duration? = null,
    /**
     * How long a statement may wait for a lock before it fails with a [DeadlockException]; `null` leaves it to the server. MySQL and
     * MariaDB round up to seconds. [UnsupportedByDialectException] on SQLite, which has one lock, taken at the begin.
     */
    public val lockTimeout: Duration? = null,
    /**
     * Lets a serializable read-only transaction wait for its begin until it cannot fail any more. PostgreSQL only, else
     * [UnsupportedByDialectException].
     */
    public val deferrable: Boolean = false,
    /** What becomes of coroutines started in the block; `null` is [DatabaseConfig.children]. Nested blocks inherit it. */
    public val children: Children? = null,
    /**
     * Asks the server for the id of the transaction, so that [Database.resolve] can find out how it ended should the link be lost during
     * COMMIT. No round trip, but the server assigns an id even to a transaction that only reads. PostgreSQL only, else
     * [UnsupportedByDialectException].
     */
    public val resolvable: Boolean = false,
) {
    init {
        for (time in listOf(timeout, statementTimeout, lockTimeout)) {
            require(time == null || time.isPositive()) { "A timeout of a transaction must be more than zero, not $time." }
        }
        require(!deferrable || readOnly) { "Only a read-only transaction can be deferrable." }
    }

    /** Whether a nested block could not have what is asked for. */
    internal val concernsServer: Boolean get() = isolation != null || lockTimeout != null || deferrable || resolvable
}
