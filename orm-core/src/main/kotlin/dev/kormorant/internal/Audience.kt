package dev.kormorant.internal

import dev.kormorant.ConnectionEvent
import dev.kormorant.ContextListeners
import dev.kormorant.Database
import dev.kormorant.DatabaseListener
import dev.kormorant.DecodeEvent
import dev.kormorant.OrmException
import dev.kormorant.StatementEvent
import dev.kormorant.TransactionEvent
import dev.kormorant.driver.Connection
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/**
 * Who hears of the work of a database: its own listeners, and those in the context of the coroutine at work. While there is nobody,
 * no time is taken and nothing is remembered.
 */
internal class Audience(val database: Database, private val own: List<DatabaseListener>) {
    /** What is known of connections that are lent while somebody listens. */
    private val loans = ConcurrentHashMap<Connection, Loan>()

    private class Loan(val listeners: List<DatabaseListener>, val since: Long, @Volatile var waited: Duration)

    /** The listeners of the calling coroutine, `null` if there are none. */
    suspend fun here(): List<DatabaseListener>? {
        val passing = currentCoroutineContext()[ContextListeners]?.listeners ?: return own.ifEmpty { null }
        return own + passing
    }

    /** What [acquire] returns, unless a listener throws: then it is given to [release]. */
    suspend fun acquiring(release: (PooledConnection) -> Unit, acquire: suspend () -> PooledConnection): PooledConnection {
        val listeners = here() ?: return acquire()
        val start = System.nanoTime()
        val lent = try {
            acquire()
        } catch (error: Throwable) {
            tell(listeners, ConnectionEvent.Refused(database, since(start), error))
            throw error
        }
        val now = System.nanoTime()
        val loan = Loan(listeners, now, (now - start).nanoseconds)
        loans[lent.connection] = loan
        try {
            tell(listeners, ConnectionEvent.Acquired(database, loan.waited))
        } catch (error: Throwable) {
            loans -= lent.connection
            release(lent)
            throw error
        }
        return lent
    }

    fun released(connection: Connection) {
        if (loans.isEmpty()) return
        val loan = loans.remove(connection) ?: return
        tell(loan.listeners, ConnectionEvent.Released(database, since(loan.since)))
    }

    suspend fun opening(connect: suspend () -> Connection): Connection {
        if (own.isEmpty()) return connect()
        val start = System.nanoTime()
        val connection = try {
            connect()
        } catch (error: Throwable) {
            tell(own, ConnectionEvent.OpenFailed(database, error))
            throw error
        }
        try {
            tell(own, ConnectionEvent.Opened(database, since(start)))
        } catch (error: Throwable) {
            connection.close()
            throw error
        }
        return connection
    }

    /** Runs [execute], in which [statement] is sent after [prelude] and answered. */
    suspend fun executing(connection: Connection, statement: SqlStatement, prelude: Prelude?, execute: suspend () -> RawResult): RawResult {
        val listeners = here() ?: return execute()
        val start = System.nanoTime()
        var rows = 0L
        var failure: Throwable? = null
        try {
            return execute().also { rows = it.affected }
        } catch (error: Throwable) {
            failure = error
            throw error
        } finally {
            // What has gone ahead of a statement has no time of its own, but the first one has waited for the connection.
            for (sql in prelude?.run { statements.take(answered) }.orEmpty()) {
                tell(listeners, StatementEvent(database, sql, waitedFor(connection), Duration.ZERO, 0, null))
            }
            // Any other failure is a mistake in the call, and nothing was sent.
            if (failure == null || failure is OrmException || failure is CancellationException) tell(listeners, connection, statement, start, rows, failure)
        }
    }

    /** Runs [decode], which makes something of [rows] rows. */
    suspend inline fun <T> decoding(rows: Int, decode: () -> T): T {
        val listeners = here() ?: return decode()
        val start = System.nanoTime()
        val made = decode()
        val event = DecodeEvent(database, rows, since(start))
        for (listener in listeners) listener.onDecode(event)
        return made
    }

    suspend fun tell(event: () -> TransactionEvent) {
        val listeners = here() ?: return
        val told = event()
        for (listener in listeners) listener.onTransaction(told)
    }

    /** Tells of [statement], sent at [start] on [connection], and of its [rows] or the [error] that ended it. */
    fun tell(listeners: List<DatabaseListener>, connection: Connection, statement: SqlStatement, start: Long, rows: Long, error: Throwable?): Unit =
        tell(listeners, StatementEvent(database, statement.sql, waitedFor(connection), since(start), rows, error))

    private fun tell(listeners: List<DatabaseListener>, event: StatementEvent) {
        for (listener in listeners) listener.onStatement(event)
    }

    /** The time that the first statement on a connection has waited for it; later ones have not. */
    private fun waitedFor(connection: Connection): Duration {
        val loan = loans[connection] ?: return Duration.ZERO
        return loan.waited.also { loan.waited = Duration.ZERO }
    }

    private fun tell(listeners: List<DatabaseListener>, event: ConnectionEvent) {
        for (listener in listeners) listener.onConnection(event)
    }

    fun since(start: Long) = (System.nanoTime() - start).nanoseconds
}
