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

    /** A relation was loaded for one model after another; told where [DatabaseConfig.repeatedLoads] or [withoutRepeatedLoads] asks for it. */
    public fun onRepeatedLoad(event: RepeatedLoadEvent) {}
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
