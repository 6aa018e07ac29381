package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.TransactionClosedException
import dev.kormorant.currentLevel
import dev.kormorant.driver.Access
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.Connection
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.isActive

/**
 * One statement whose rows are handed over in portions. Its connection is held from the first to the last. In a transaction the turn is
 * held too, unless the stream leaves the connection free: then it is taken for each portion.
 */
internal class Streaming(
    private val database: Database,
    private val statement: SqlStatement,
    private val fetchSize: Int,
    private val onColumns: (List<RawColumn>) -> Unit,
    private val onRows: suspend (List<Array<Any?>>) -> Unit,
) {
    private var connection: Connection? = null

    /** The transaction that a stream was opened in, of those that its level may have one after the other. */
    private var begun: BeginOptions? = null
    private var start = 0L

    /** Nanoseconds that others took with the rows. */
    private var elsewhere = 0L
    private var count = 0L

    /** Runs it, and tells those who listen. */
    suspend fun run(access: Access) {
        val listeners = database.audience.here() ?: return perform(access)
        var failure: Throwable? = null
        try {
            perform(access)
        } catch (error: Throwable) {
            // A collector that has enough ends a stream by an exception, too.
            if (error !is CancellationException || !currentCoroutineContext().isActive) failure = error
            throw error
        } finally {
            connection?.let { database.audience.tell(listeners, it, statement, start + elsewhere, count, failure) }
        }
    }

    private suspend fun perform(access: Access) {
        val level = database.currentLevel() ?: return database.onConnection(access) { drain(it, open(it)) }
        val session = level.session
        val cursor = session.withConnection(level) { connection ->
            val stream = open(connection)
            begun = level.root?.opened
            if (stream.leavesConnectionFree) return@withConnection stream
            session.turns.streaming()
            drain(connection, stream)
            null
        }
        if (cursor != null) drain(level, cursor)
    }

    private suspend fun open(connection: Connection): RowStream {
        this.connection = connection
        start = System.nanoTime()
        return database.stopping(connection) { database.within(statement, database.currentLevel()) { connection.stream(statement, fetchSize) } }
    }

    /** The whole of a [stream] that has the connection for itself. */
    private suspend fun drain(connection: Connection, stream: RowStream) = database.stopping(connection, stream::close) {
        onColumns(stream.columns)
        while (true) handOver(next(stream).ifEmpty { break })
    }

    /** The whole of a [cursor] that leaves the connection to others between its portions. */
    private suspend fun drain(level: Level, cursor: RowStream) {
        val session = level.session
        try {
            onColumns(cursor.columns)
            while (true) {
                val rows = session.withConnection(level) { connection ->
                    if (level.root?.opened !== begun) throw endedError(level)
                    database.stopping(connection) { next(cursor) }
                }
                handOver(rows.ifEmpty { break })
            }
        } catch (error: Throwable) {
            throw error.suppressing { database.uncancellable { close(level, cursor) } }
        }
        close(level, cursor)
    }

    /** The connection may be somebody else's by now, after a commit; the cursor has ended with its transaction then. */
    private suspend fun close(level: Level, cursor: RowStream) =
        level.session.withTurn(level) { if (level.session.connection === connection) cursor.close() }

    private fun endedError(level: Level) = TransactionClosedException(
        "The transaction opened ${level.origin} was ended while a stream in it still had rows.",
        "Collect the rows into a list first, or end the transaction after the stream.",
    )

    private suspend fun handOver(rows: List<Array<Any?>>) {
        count += rows.size
        val begin = System.nanoTime()
        try {
            onRows(rows)
        } finally {
            elsewhere += System.nanoTime() - begin
        }
    }

    private suspend fun next(stream: RowStream): List<Array<Any?>> = database.within(statement, database.currentLevel()) { stream.next() ?: emptyList() }
}
