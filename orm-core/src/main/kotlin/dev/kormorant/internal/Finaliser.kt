package dev.kormorant.internal

import dev.kormorant.CommitOutcomeUnknownException
import dev.kormorant.ConnectionException
import dev.kormorant.OrmException
import dev.kormorant.TransactionAbortedException
import dev.kormorant.TransactionEvent
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.SqlStatement

/**
 * How a level ends: one row of this `when` per row of the table in `docs/transactions.md`.
 *
 * Runs with the turn of the level. Nothing here is cancellable: the caller's cancellation waits until the server has answered,
 * for `cancelTimeout` at most, after which the connection is closed, which undoes everything.
 */
internal suspend fun <T> finish(level: Level, outcome: Result<T>): T {
    val connection = level.session.connection
    val failure = outcome.exceptionOrNull()
    if (!level.begun || connection == null) {
        if (failure != null) throw failure
        level.spoiledBy?.let { throw aborted(level, it) }
        if (level.rollbackOnly) level.forgetActions()
        return outcome.getOrThrow()
    }
    val late = if (failure == null && level.deadline?.hasPassed == true) level.deadline.error("The transaction opened ${level.origin}", null) else null
    val state = connection.status
    when {
        failure != null -> {
            rollback(level, connection, failure)?.let(failure::addSuppressed)
            throw failure
        }
        state == ConnectionStatus.CLOSED -> throw level.session.lastError?.takeIf { it.connectionLost }?.let { aborted(level, it) } ?: level.lostError()
        state == ConnectionStatus.FAILED || level.spoiledBy != null || level.endedBy != null -> {
            val cause = level.spoiledBy ?: level.endedBy ?: level.session.lastError
            throw aborted(level, cause).also { error -> rollback(level, connection, error)?.let(error::addSuppressed) }
        }
        late != null -> throw late.also { error -> rollback(level, connection, error)?.let(error::addSuppressed) }
        level.rollbackOnly -> {
            level.forgetActions()
            rollback(level, connection)?.let { throw it }
        }
        else -> commit(level, connection)
    }
    return outcome.getOrThrow()
}

/**
 * Undoes [level] on the server. Returns the error if that fails: the connection is closed then, or, if it was a savepoint that the
 * server does not know, the whole transaction can only be rolled back.
 */
internal suspend fun rollback(level: Level, connection: Connection, reason: Throwable? = null): Throwable? {
    level.tell(TransactionEvent.Kind.ROLLBACK, reason)
    val interceptors = level.endInterceptors ?: return undo(level, connection)
    val before = runCatching { interceptors.beforeRollback() }.exceptionOrNull()
    val error = undo(level, connection)
    val after = runCatching { interceptors.afterRollback() }.exceptionOrNull()
    return listOfNotNull(error, before, after).reduceOrNull { first, further -> first.apply { addSuppressed(further) } }
}

private suspend fun undo(level: Level, connection: Connection): Throwable? {
    if (connection.status == ConnectionStatus.CLOSED) return null
    if (level.kind == LevelKind.SAVEPOINT && level.endedBy != null) return null
    val database = level.session.database
    return try {
        val done = database.uncancellable { end(level, connection, level.rollbackStatements(connection.dialect)) }
        if (done == null) connection.close()
        if (level.kind == LevelKind.SAVEPOINT) level.root?.forgetLimit()
        null
    } catch (error: OrmException) {
        if (level.kind == LevelKind.SAVEPOINT && !error.connectionLost) level.endedBy = error else connection.close()
        error
    }
}

private suspend fun commit(level: Level, connection: Connection) {
    val interceptors = level.endInterceptors ?: return complete(level, connection)
    try {
        interceptors.beforeCommit()
    } catch (error: Throwable) {
        rollback(level, connection, error)?.let(error::addSuppressed)
        throw error
    }
    complete(level, connection)
    interceptors.afterCommit()
}

/** Those who want to know of the end of [this] level, which must be that of the transaction. */
private val Level.endInterceptors: Interceptors? get() = if (kind == LevelKind.TRANSACTION) exposed?.interceptors else null

private suspend fun complete(level: Level, connection: Connection) {
    val database = level.session.database
    val statement = level.commitStatement(connection.dialect)
    try {
        if (database.uncancellable { end(level, connection, listOf(statement)) } == null) {
            throw ConnectionException("The end of the transaction opened ${level.origin} was not answered in time.", null, null)
        }
        level.journal?.isCommitted = true
        level.tell(TransactionEvent.Kind.COMMIT)
    } catch (error: OrmException) {
        level.session.lastError = error
        if (error.connectionLost) {
            connection.close()
            throw if (level.kind == LevelKind.TRANSACTION) outcomeUnknown(level, error) else error
        }
        if (connection.status != ConnectionStatus.IDLE) rollback(level, connection, error)?.let(error::addSuppressed) else level.tell(TransactionEvent.Kind.ROLLBACK, error)
        throw error
    }
}

/** Sends [statements], and along with them what puts the session back. If only that fails the connection is not kept. */
private suspend fun end(level: Level, connection: Connection, statements: List<SqlStatement>) {
    val database = level.session.database
    val restore = level.restoreStatements(connection.dialect)
    if (restore.isEmpty()) return statements.forEach { database.send(connection, it) }
    val prelude = Prelude(statements.map { it.sql } + restore.dropLast(1), guards = false)
    try {
        database.send(connection, Level.control(restore.last()), prelude)
    } catch (error: OrmException) {
        if (prelude.answered < statements.size) throw error
        connection.close()
    }
}

internal fun aborted(level: Level, cause: Throwable?) = TransactionAbortedException(
    "The transaction opened ${level.origin} cannot be committed and was rolled back.",
    "An error inside the block was caught there; put the statement that may fail into a transaction { } of its own.",
    cause,
)

private fun outcomeUnknown(level: Level, cause: Throwable?) = CommitOutcomeUnknownException(
    "The link was lost while the transaction opened ${level.origin} was being committed.",
    if (level.transactionId == null) "Look for the effect of the transaction before running it again." else "Ask the server with Database.resolve.",
    cause,
    level.transactionId,
)
