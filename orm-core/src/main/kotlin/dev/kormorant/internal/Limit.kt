package dev.kormorant.internal

import dev.kormorant.StatementTimeout
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.currentCoroutineContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** The timeout that the caller has set for its calls, if any. */
internal suspend fun callTimeout(): Duration? = currentCoroutineContext()[StatementTimeout]?.timeout?.takeIf { it.isFinite() }

/**
 * The bound that the server is given for [timeout]: a little more, so that the program's own cancel comes first as long as there is a
 * program. A server that stops a statement by itself may take that for success, as MySQL does with SLEEP.
 */
internal fun forServer(timeout: Duration): Duration = timeout + timeout / 10 + 100.milliseconds

/** What the server is told ahead of a statement, so that it ends the statement after [timeout] even if the program is gone. */
internal class Limit private constructor(val sql: String, val timeout: Duration?) {
    companion object {
        /** `null` if the server needs not be told, or cannot. */
        fun of(level: Level, statement: SqlStatement, ownTimeout: Duration?, dialect: Dialect): Limit? {
            val root = level.root
            val wanted = when {
                root == null -> forServer(ownTimeout ?: return null)
                else -> {
                    val own = ownTimeout.takeIf { it != root.statementTimeout }?.let(::forServer)
                    val opened = root.opened.statementTimeout
                    val wanted = if (own == null || opened == null) own ?: opened else minOf(own, opened)
                    if (if (root.begun) wanted == root.serverLimit else own == null) return null
                    wanted
                }
            }
            return dialect.limit(statement, wanted)?.let { Limit(it, wanted) }
        }
    }
}
