package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.currentScope
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement

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
    suspend fun run(access: Access) {
        val level = database.currentScope()?.level ?: return database.onConnection(access) { drain(it, open(it)) }
        val session = level.session
        val cursor = session.withConnection(level) { connection ->
            val stream = open(connection)
            if (stream.leavesConnectionFree) return@withConnection stream
            session.turns.streaming()
            drain(connection, stream)
            null
        }
        if (cursor != null) drain(level, cursor)
    }

    private suspend fun open(connection: Connection): RowStream =
        database.stopping(connection) { database.within(statement) { connection.stream(statement, fetchSize) } }

    /** The whole of a [stream] that has the connection for itself. */
    private suspend fun drain(connection: Connection, stream: RowStream) = database.stopping(connection, stream::close) {
        onColumns(stream.columns)
        while (true) onRows(next(stream).ifEmpty { break })
    }

    /** The whole of a [cursor] that leaves the connection to others between its portions. */
    private suspend fun drain(level: Level, cursor: RowStream) {
        val session = level.session
        try {
            onColumns(cursor.columns)
            while (true) {
                val rows = session.withConnection(level) { connection -> database.stopping(connection) { next(cursor) } }
                onRows(rows.ifEmpty { break })
            }
        } catch (error: Throwable) {
            throw error.suppressing { database.uncancellable { session.withTurn(level) { cursor.close() } } }
        }
        session.withTurn(level) { cursor.close() }
    }

    private suspend fun next(stream: RowStream): List<Array<Any?>> = database.within(statement) { stream.next() ?: emptyList() }
}
