package dev.kormorant

import kotlin.time.Duration

/**
 * Hears what a database does. Every method does nothing unless overridden.
 *
 * Called on the coroutine that ran the work, synchronously: be quick and do not throw. Nothing is measured while nobody listens.
 */
public interface DatabaseListener {
    /** A statement has been answered, with rows or with an error. */
    public fun onStatement(event: StatementEvent) {}

    /** Something has happened to an outermost transaction. What nobody's coroutine does, such as a leak, is told on another thread. */
    public fun onTransaction(event: TransactionEvent) {}
}

/** Something that happened to an outermost transaction. */
public class TransactionEvent internal constructor(
    public val kind: Kind,
    /** Where the transaction was opened, as `at File.kt:12`. */
    public val origin: String,
    /** The run of its block it is in, from 1; more with [TransactionOptions.retry]. */
    public val attempt: Int,
    /** What it ended with, or why there is another attempt. */
    public val error: Throwable?,
    /** How long it has run no statement; for [Kind.IDLE] only. */
    public val idle: Duration?,
    /** Where its coroutine is suspended, as `at File.kt:12`, as far as that can be told; for [Kind.IDLE] only. */
    public val suspendedAt: String?,
) {
    /** What can happen to a transaction. */
    public enum class Kind {
        /** The server has opened it, which is with its first statement. */
        BEGIN,
        COMMIT,
        ROLLBACK,

        /** It lost against a concurrent one; [attempt] is going to run. */
        RETRY,

        /** The owner of a [ManualTransaction] has gone without closing it; it is rolled back. */
        LEAK,

        /** It has run no statement for longer than [DatabaseConfig.idleThreshold]. */
        IDLE,
    }

    override fun toString(): String =
        "$kind of the transaction opened $origin, attempt $attempt" + idle?.let { ", idle for $it" }.orEmpty() +
            suspendedAt?.let { ", suspended $it" }.orEmpty() + error?.let { ": $it" }.orEmpty()
}

/** One statement and its answer. */
public class StatementEvent(
    /** The statement with its `?` placeholders, never with values. */
    public val sql: String,
    /** From sending the statement to its whole answer. */
    public val executeTime: Duration,
    /** Rows returned, or rows affected. */
    public val rows: Long,
    /** What the statement failed with. */
    public val error: Throwable?,
) {
    override fun toString(): String = "$sql [$executeTime, $rows rows${error?.let { ", failed" }.orEmpty()}]"
}
