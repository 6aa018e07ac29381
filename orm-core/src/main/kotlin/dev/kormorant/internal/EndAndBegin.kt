package dev.kormorant.internal

import dev.kormorant.independent

/** Ends [level] by the rules of the end of its block, or undoes it, and makes it as good as new; for good unless [begin]. */
internal suspend fun endAndBegin(level: Level, begin: Boolean, isRollback: Boolean) {
    checkNotNull(level.root) { "There is no transaction to end: this block runs without one." }
    val session = level.session
    val actions = session.withTurn(level) {
        var succeeded = false
        try {
            if (isRollback) undo(level) else finish(level, SUCCESS)
            succeeded = true
        } finally {
            if (begin && succeeded) level.reset() else level.isClosed = true
            if (!succeeded) level.forgetActions()
            level.begun = false
        }
        level.committedActions().also { actions ->
            // They run outside, and may need the connection.
            if (actions.isNotEmpty() && level.parent == null) session.release()
        }
    }
    if (actions.isNotEmpty()) session.database.independent { for (action in actions) action() }
}

private val SUCCESS = Result.success(Unit)

/** Rolls [level] back, if there is anything to roll back. */
internal suspend fun undo(level: Level) {
    level.forgetActions()
    val connection = level.session.connection ?: return
    if (level.begun) rollback(level, connection)?.let { throw it }
}
