package dev.kormorant.internal

import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.DatabaseException
import dev.kormorant.OrmException
import dev.kormorant.TransactionEvent
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import java.util.concurrent.atomic.AtomicInteger

/**
 * One connection held by a block of the user, and the stack of transaction levels on it.
 *
 * The connection is taken from the pool by the first statement, not by the start of the block, and every level sends its BEGIN or
 * SAVEPOINT with its own first statement: a block that runs none costs nothing. From then on the session owns the
 * connection until [close]; whoever holds the turn uses it.
 */
internal class Session(
    val database: Database,
    val access: Access,
    /** The innermost level of another session that was open where this one was made. */
    val ancestor: Level?,
) {
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

    /** Siblings count at the same time; MySQL forgets a savepoint when another one takes its name. */
    private val savepoints = AtomicInteger()
    private val watch = database.config.idleThreshold?.let { IdleWatch(this, it) }

    fun nextSavepoint(): String = "s${savepoints.incrementAndGet()}"

    suspend fun execute(level: Level, statement: SqlStatement): RawResult = use(level) { connection ->
        val ownTimeout = callTimeout()
        val limit = Limit.of(level, statement, ownTimeout, connection.dialect)
        val opening = Opening.of(level, connection, limit?.sql)
        limit?.let { level.root?.tellLimit(it.timeout) }
        val plain = if (isAltered) SqlStatement(statement.sql, statement.types, statement.values, reusable = false) else statement
        val sent = if (ownTimeout == null || ownTimeout == level.root?.statementTimeout) plain else connection.dialect.limited(plain, forServer(ownTimeout))
        try {
            database.execute(connection, sent, opening?.prelude, level)
        } finally {
            opening?.settle()
            if (limit != null && opening?.isAnswered != true) level.root?.forgetLimit()
        }
    }

    /** Runs [block] with the turn and a connection on which every level down to [level] has begun. */
    suspend fun <T> withConnection(level: Level, block: suspend (Connection) -> T): T = use(level) { connection ->
        Opening.of(level, connection, null)?.let { opening ->
            try {
                for (sql in opening.prelude.statements) {
                    val result = database.execute(connection, Level.control(sql), null, level)
                    opening.prelude.onAnswer(result.rows.lastOrNull()?.firstOrNull())
                }
            } finally {
                opening.settle()
            }
        }
        block(connection)
    }

    private suspend fun <T> use(level: Level, block: suspend (Connection) -> T): T = withTurn(level) {
        try {
            val connection = (lent ?: acquire(level)).connection
            if (connection.status == ConnectionStatus.CLOSED) throw level.lostError()
            level.endedBy?.let { throw aborted(level, it) }
            watch?.begin()
            block(connection)
        } catch (error: OrmException) {
            lastError = error
            if (error is DatabaseException && connection?.dialect?.endsTransaction(error) == true) level.endedBy = error
            throw error
        } finally {
            watch?.end(level)
        }
    }

    private suspend fun acquire(level: Level): PooledConnection =
        database.acquire(access, level.deadline, ancestor).also { lent = it }

    suspend fun <T> withTurn(level: Level, block: suspend () -> T): T {
        turns.take(level)
        try {
            if (level.isClosed) throw level.closedError()
            return block()
        } finally {
            turns.give()
        }
    }

    suspend fun onBegun(level: Level) {
        watch?.start()
        level.tell(TransactionEvent.Kind.BEGIN)
    }

    /** Gives the connection back; the pool keeps it only in the state it was lent. */
    fun close() {
        watch?.close()
        release()
    }

    /** Gives the connection back until the next statement. */
    fun release() {
        if (isAltered) connection?.close()
        val lent = lent ?: return
        this.lent = null
        database.release(access, lent)
    }
}

/** Tells those who listen what has happened to [this] transaction; nothing if it is a savepoint. */
internal suspend fun Level.tell(kind: TransactionEvent.Kind, error: Throwable? = null) {
    if (this.kind != LevelKind.TRANSACTION) return
    session.database.audience.tell { TransactionEvent(session.database, kind, origin, attempt, error) }
}

internal fun Level.lostError(): ConnectionException =
    ConnectionException("The connection of the transaction opened $origin is lost.", "Its work is rolled back; run it again.", session.lastError)
