package dev.kormorant

import kotlin.time.Duration

/** Something that happened to an outermost transaction. */
public class TransactionEvent internal constructor(
    /** Where it ran. */
    public val database: Database,
    public val kind: Kind,
    /** Where the transaction was opened, as `at File.kt:12`. */
    public val origin: String,
    /** The run of its block it is in, from 1; more with [TransactionOptions.retry]. */
    public val attempt: Int,
    /** What it ended with, or why there is another attempt. */
    public val error: Throwable? = null,
    /** How long it has run no statement; for [Kind.IDLE] only. */
    public val idle: Duration? = null,
    /** Where its coroutine is suspended, as `at File.kt:12`, as far as that can be told; for [Kind.IDLE] only. */
    public val suspendedAt: String? = null,
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
