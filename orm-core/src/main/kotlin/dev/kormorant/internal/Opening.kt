package dev.kormorant.internal

import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.Prelude

/** BEGIN and SAVEPOINT of the levels that the server does not know yet, outermost first, and what becomes of them. */
internal class Opening private constructor(private val connection: Connection, private val steps: List<Step>, setting: String?) {
    private class Step(val level: Level, val statements: List<String>)

    val prelude = Prelude(steps.flatMap { it.statements } + listOfNotNull(setting))

    /** Whether the server has taken all of it. */
    val isAnswered: Boolean get() = prelude.answered == prelude.statements.size

    /** Called when the server has answered, or has not and the connection is closed. */
    suspend fun settle() {
        var end = 0
        for (step in steps) {
            val level = step.level
            end += step.statements.size
            if (prelude.answered >= end) level.begun = true
            if (level.kind == LevelKind.TRANSACTION) settleRoot(level)
        }
    }

    private suspend fun settleRoot(level: Level) {
        // A BEGIN that was cancelled may have come through all the same.
        if (connection.status == ConnectionStatus.IN_TRANSACTION || connection.status == ConnectionStatus.FAILED) level.begun = true
        if (level.begun) {
            if (level.opened.identified) level.transactionId = prelude.value?.toString()?.toLongOrNull()
            level.session.onBegun(level)
        } else if (prelude.answered > 0) {
            // Settings for a transaction that has not begun would be those of the next one.
            connection.close()
        }
    }

    companion object {
        /** What has to go ahead of a statement of [level], if anything; [setting] goes last. */
        fun of(level: Level, connection: Connection, setting: String?): Opening? {
            if (level.begun && setting == null) return null
            val pending = level.chain.takeWhile { !it.begun }.toList().asReversed()
            return Opening(connection, pending.map { Step(it, it.beginStatements(connection.dialect)) }, setting)
        }
    }
}
