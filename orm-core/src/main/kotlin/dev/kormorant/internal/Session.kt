package dev.kormorant.internal

import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.DatabaseException
import dev.kormorant.OrmException
import dev.kormorant.TransactionClosedException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/**
 * One connection held by a block of the user, and the stack of transaction levels on it.
 *
 * The connection is taken from the pool by the first statement, not by the start of the block, and every level sends its BEGIN or
 * SAVEPOINT just before its own first statement: a block that runs none costs nothing. From then on the session owns the
 * connection until [close]; whoever holds the turn uses it.
 */
internal class Session(val database: Database, private val access: Access) {
    val turns = Turns(database.timer, database.config.transactionWaitTimeout, database.config.streamTimeout)

    /** Written by the holder of the turn. */
    @Volatile
    private var lent: PooledConnection? = null

    /** `null` until the first statement. */
    val connection: Connection? get() = lent?.connection

    /** The last error a statement ended with: what an aborted transaction is blamed on. */
    @Volatile
    var lastError: OrmException? = null

    /** Whether the connection has settings of its own by now, so that nobody else may get it and no statement be kept prepared. */
    @Volatile
    var isAltered = false

    private var savepoints = 0

    fun nextSavepoint(): String = "s${++savepoints}"

    suspend fun execute(level: Level, statement: SqlStatement): RawResult = withConnection(level) { connection ->
        database.execute(connection, if (isAltered) SqlStatement(statement.sql, statement.types, statement.values, reusable = false) else statement)
    }

    /** Runs [block] with the turn and a connection on which every level down to [level] has begun. */
    suspend fun <T> withConnection(level: Level, block: suspend (Connection) -> T): T = withTurn(level) {
        try {
            val connection = (lent ?: database.acquire(access).also { lent = it }).connection
            if (connection.status == ConnectionStatus.CLOSED) throw level.lostError()
            level.endedBy?.let { throw aborted(level, it) }
            begin(level, connection)
            block(connection)
        } catch (error: OrmException) {
            lastError = error
            if (error is DatabaseException && connection?.dialect?.endsTransaction(error) == true) level.endedBy = error
            throw error
        }
    }

    suspend fun <T> withTurn(level: Level, block: suspend () -> T): T {
        turns.take(level)
        try {
            if (level.isClosed) throw level.closedError()
            return block()
        } finally {
            turns.give()
        }
    }

    private suspend fun begin(level: Level, connection: Connection) {
        if (level.begun) return
        level.parent?.let { begin(it, connection) }
        try {
            for (sql in level.beginStatements(connection.dialect)) database.execute(connection, SqlStatement(sql, reusable = false))
            level.begun = true
        } catch (error: Throwable) {
            // A BEGIN that was cancelled may have come through all the same.
            if (level.kind == LevelKind.TRANSACTION) level.begun = connection.status == ConnectionStatus.IN_TRANSACTION
            throw error
        }
    }

    /** Gives the connection back; the pool keeps it only in the state it was lent. */
    fun close() {
        if (isAltered) connection?.close()
        lent?.let { database.release(access, it) }
        lent = null
    }
}

/** The transaction level a coroutine runs in, kept in its context under a key of its database, so two databases never meet. */
internal class Scope(val level: Level) : AbstractCoroutineContextElement(level.session.database.scopeKey)

internal class ScopeKey : CoroutineContext.Key<Scope>

internal fun Level.closedError(): TransactionClosedException = TransactionClosedException(
    "The transaction $origin has ended.",
    "Work that outlives the block needs a transaction of its own; start children inside the block's scope.",
)

internal fun Level.lostError(): ConnectionException =
    ConnectionException("The connection of the transaction $origin is lost.", "Its work is rolled back; run it again.", session.lastError)
