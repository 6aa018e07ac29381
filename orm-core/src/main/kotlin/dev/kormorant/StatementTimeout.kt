package dev.kormorant

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.withContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/**
 * How long each statement of the coroutine may run, as a context element; wins over [DatabaseConfig.statementTimeout], and an inner
 * one over an outer one.
 *
 * A statement that runs longer is cancelled on the server and fails with [QueryTimeoutException]; the connection stays usable. In a
 * stream it bounds the wait for each portion. COMMIT and ROLLBACK are not cut off by it.
 *
 * @throws IllegalArgumentException if [timeout] is not more than zero; `Duration.INFINITE` switches a timeout off.
 */
public class StatementTimeout(public val timeout: Duration) : AbstractCoroutineContextElement(StatementTimeout) {
    init {
        require(timeout.isPositive()) { "A statement timeout must be more than zero, not $timeout." }
    }

    override fun toString(): String = "StatementTimeout($timeout)"

    /** The key in a coroutine context. */
    public companion object Key : CoroutineContext.Key<StatementTimeout>
}

/** Runs [block], a single call or a whole transaction, with a [StatementTimeout]. */
public suspend fun <T> withStatementTimeout(timeout: Duration, block: suspend CoroutineScope.() -> T): T =
    withContext(StatementTimeout(timeout), block)
