package dev.kormorant.jasync.mysql

import dev.kormorant.ErrorDetails
import dev.kormorant.QueryTimeoutException
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.CancellableContinuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/**
 * A statement whose rows are handed over in portions. As long as one waits for the reader, nothing more is read from the socket, and the
 * server waits too. Everything but the calls of [RowStream] runs on the event loop.
 */
internal class StreamedExecution(
    connection: MySqlConnection,
    private val statement: SqlStatement,
    private val fetchSize: Int,
    private val opening: CancellableContinuation<RowStream>,
) : Execution(connection, statement), RowStream {
    override var columns: List<RawColumn> = emptyList()
        private set

    private val ready = ArrayDeque<Array<Any?>>()
    private var reader: CancellableContinuation<List<Array<Any?>>?>? = null
    private var open = false
    private var dropping = false
    private var over = false

    override val wanted: Boolean get() = open || opening.isActive

    override fun columns(columns: List<RawColumn>) {
        this.columns = columns
        opened()
    }

    private fun opened() {
        open = true
        if (opening.isActive) opening.resume(this) else drop()
    }

    override fun row(row: Array<Any?>) {
        if (dropping) return
        ready += row
        if (ready.size < fetchSize) return
        if (reader == null) connection.pauseReading() else handOver()
    }

    private fun handOver() {
        reader?.resume(List(minOf(fetchSize, ready.size)) { ready.removeFirst() })
        reader = null
    }

    /** From now on rows are read and thrown away. */
    fun drop() {
        dropping = true
        ready.clear()
        connection.resumeReading()
    }

    override fun released() {
        over = true
        if (!open) {
            failure?.let(opening::resumeWithException) ?: opening.resume(this)
        } else {
            reader?.let(::answer)
        }
        reader = null
    }

    override suspend fun next(): List<Array<Any?>>? = connection.onLoop { continuation ->
        when {
            ready.size >= fetchSize || over -> answer(continuation)
            else -> {
                reader = continuation
                connection.resumeReading()
            }
        }
    }

    private fun answer(continuation: CancellableContinuation<List<Array<Any?>>?>) {
        val failure = failure
        when {
            ready.isNotEmpty() -> {
                reader = continuation
                handOver()
                if (!over && ready.size < fetchSize) connection.resumeReading()
            }
            failure != null -> continuation.resumeWithException(failure)
            dropping -> continuation.resumeWithException(
                QueryTimeoutException("The stream was stopped.", null, ErrorDetails(sql = statement.sql), null),
            )
            else -> continuation.resume(null)
        }
    }

    override suspend fun close() {
        val running = connection.onLoop<Boolean> { continuation ->
            if (!over) drop()
            continuation.resume(!over)
        }
        if (running) connection.cancel()
    }
}
