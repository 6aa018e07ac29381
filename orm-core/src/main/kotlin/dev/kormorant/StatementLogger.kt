package dev.kormorant

import org.slf4j.Logger
import org.slf4j.LoggerFactory
import java.util.Locale
import kotlin.time.Duration
import kotlin.time.DurationUnit

/**
 * Logs statements: each at DEBUG, and those that took [slow] or longer at WARN, to the SLF4J logger `dev.kormorant.sql`, with their
 * time, wait for a connection, number of rows and, where they failed, the class of the error. A statement is logged with the MDC of
 * the coroutine that ran it.
 *
 * Values of parameters are never logged, nor are literals in the text: each is a `?`.
 *
 * @param slow from what time on a statement is slow, its wait for a connection not counted; `null`, the default, calls none slow.
 */
public class StatementLogger(
    private val slow: Duration? = null,
    private val logger: Logger = LoggerFactory.getLogger("dev.kormorant.sql"),
) : DatabaseListener {
    override fun onStatement(event: StatementEvent) {
        if (slow != null && event.executeTime >= slow) {
            logger.warn("Slow statement: {}", describe(event))
        } else if (logger.isDebugEnabled) {
            logger.debug(describe(event))
        }
    }

    private fun describe(event: StatementEvent) = buildString {
        append(milliseconds(event.executeTime))
        if (event.acquireTime.isPositive()) append(", waited ").append(milliseconds(event.acquireTime))
        val error = event.error
        if (error == null) append(", ").append(event.rows).append(" rows") else append(", failed with ").append(error.javaClass.simpleName)
        append(": ").append(event.redactedSql)
    }

    private fun milliseconds(time: Duration) = "%.3f ms".format(Locale.ROOT, time.toDouble(DurationUnit.MILLISECONDS))
}

/** Logs every statement at DEBUG, and slow ones at WARN if [slow] is given; see [StatementLogger]. */
public fun DatabaseConfig.logStatements(slow: Duration? = null): Unit = listener(StatementLogger(slow))
