package dev.kormorant.jasync.mysql

import dev.kormorant.ErrorDetails
import dev.kormorant.QueryTimeoutException
import dev.kormorant.SyntaxException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlSyntax
import dev.kormorant.jasync.ServerSql
import io.netty.buffer.ByteBuf
import io.netty.buffer.ByteBufUtil
import kotlinx.coroutines.CancellableContinuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

private const val QUERY = 0x03
private const val PREPARE = 0x16
private const val ERROR = 0xFF

/** What a connection does from the first byte of a request to the last byte of its answer; always on the event loop. */
internal abstract class Exchange(protected val connection: MySqlConnection) {
    /** Why it failed. */
    var failure: Throwable? = null
        private set

    /** Sends the first request. */
    abstract fun begin()

    abstract fun packet(buf: ByteBuf, end: Int)

    /** The connection can be used again: the time to tell whoever waits. */
    abstract fun released()

    /** Ends the exchange; the answer has been read whole, or none will come. */
    open fun finish(failure: Throwable?) {
        this.failure = failure
        connection.finished(this)
    }

    protected fun sendText(command: Int, sql: String) {
        connection.send(ByteBufUtil.utf8MaxBytes(sql) + 1) { buf ->
            buf.writeByte(command)
            ByteBufUtil.writeUtf8(buf, sql)
        }
    }

    protected fun response(known: Prepared?, consumer: RowConsumer) = Response(connection.deprecateEof, known, consumer)

    /** Feeds [response] and tells whether it is whole. */
    protected fun read(response: Response, buf: ByteBuf, end: Int): Boolean {
        val whole = response.packet(buf, end)
        if (response.fileRequested) connection.sendNoFile()
        if (whole && response.error == null) connection.serverStatus = response.status
        return whole
    }
}

/** Statements of the library itself, sent as text in one write, answered one by one. */
internal class Batch(
    connection: MySqlConnection,
    private val statements: List<String>,
    /** The first of them, to be told what has succeeded. */
    private val prelude: Prelude?,
    private val continuation: CancellableContinuation<List<RawResult>>,
) : Exchange(connection) {
    private val results = ArrayList<RawResult>()
    private var error: Throwable? = null
    private var rows = CollectedRows()
    private var response = response(null, rows)

    override fun begin() = statements.forEach { sendText(QUERY, it) }

    override fun packet(buf: ByteBuf, end: Int) {
        if (!read(response, buf, end)) return
        error = error ?: response.error?.toException(statements[results.size])
        if (error == null && prelude != null && results.size < prelude.statements.size) prelude.onAnswer()
        results += rows.result(response)
        rows = CollectedRows()
        response = response(null, rows)
        if (results.size == statements.size) finish(error)
    }

    override fun released() = failure?.let(continuation::resumeWithException) ?: continuation.resume(results)
}

/** Rows kept in memory. */
private class CollectedRows : RowConsumer {
    private var columns: List<RawColumn> = emptyList()
    private val rows = ArrayList<Array<Any?>>()

    override fun columns(columns: List<RawColumn>) {
        this.columns = columns
    }

    override fun row(row: Array<Any?>) {
        rows += row
    }

    fun result(response: Response) =
        RawResult(
            columns,
            rows,
            if (columns.isEmpty()) response.affected else rows.size.toLong(),
            response.lastInsertId.takeIf { it != 0L },
        )
}

/** One statement of the user: prepared if that pays or is needed, executed, and answered to [rows]. */
internal abstract class Execution(connection: MySqlConnection, private val statement: SqlStatement) : Exchange(connection), RowConsumer {
    private enum class Step { PREPARE, DEFINITIONS, RESPONSE }

    private val sql by lazy(LazyThreadSafetyMode.NONE) { ServerSql.parse(statement.sql, SqlSyntax.MYSQL) }
    private var step = Step.PREPARE
    private var retried = false
    private var prepared: Prepared? = null
    private var closeAfterUse = false
    private var definitionsLeft = 0
    private var serverParameters = 0
    protected lateinit var response: Response
        private set

    /** Whether somebody still waits for the outcome. */
    abstract val wanted: Boolean

    override fun begin() {
        if (isStopped()) return
        val types = statement.types.size
        val values = statement.values.size
        if (types != values) return finish(IllegalArgumentException("The statement has $types types for $values values."))
        val cached = if (statement.reusable) connection.statements[statement.sql] else null
        val expected = cached?.parameterCount ?: sql.parameterCount
        when {
            expected != values -> finish(IllegalArgumentException("The statement has $expected parameters but $values values."))
            values > MySqlFamily.MAX_PARAMETERS -> finish(
                UnsupportedByDialectException(
                    "The statement has $values parameters, the database takes ${MySqlFamily.MAX_PARAMETERS}.",
                    "Split it into several statements.",
                ),
            )
            cached != null -> execute(cached)
            values == 0 && !statement.reusable && !mayReturnRows(statement.sql) -> query()
            else -> prepare()
        }
    }

    /** The point between two requests: nothing is sent any more if nobody waits, or somebody wants the statement stopped. */
    private fun isStopped(): Boolean {
        val stopped = connection.isStopping || !wanted
        if (stopped) {
            val details = ErrorDetails(sql = statement.sql)
            finish(QueryTimeoutException("The statement was stopped before it was sent.", null, details, null))
        }
        return stopped
    }

    private fun prepare() {
        step = Step.PREPARE
        guarded { sendText(PREPARE, sql.text) }
    }

    private fun query() {
        step = Step.RESPONSE
        response = response(null, this)
        guarded { sendText(QUERY, sql.text) }
    }

    private fun execute(statement: Prepared) {
        val id = statement.id ?: return query()
        prepared = statement
        step = Step.RESPONSE
        response = response(statement, this)
        guarded { connection.send(SIZE_HINT) { buf -> writeExecute(buf, id, this.statement) } }
    }

    /** A value that cannot be written ends the statement before anything is sent. */
    private inline fun guarded(send: () -> Unit) {
        try {
            send()
        } catch (e: RuntimeException) {
            finish(e)
        }
    }

    override fun packet(buf: ByteBuf, end: Int) {
        when (step) {
            Step.PREPARE -> if (buf.readUnsignedByte().toInt() == ERROR) notPrepared(ServerError.read(buf, end)) else preparedAs(buf)
            Step.DEFINITIONS -> if (--definitionsLeft == 0) definitionsRead()
            Step.RESPONSE -> if (read(response, buf, end)) answered()
        }
    }

    private fun notPrepared(error: ServerError) {
        when {
            error.code == ServerError.UNPREPARABLE && statement.values.isEmpty() -> {
                if (statement.reusable) keep(Prepared(null, 0))
                if (!isStopped()) query()
            }
            error.code == ServerError.TOO_MANY_STATEMENTS && !retried -> {
                connection.statements.clear().forEach(connection::closeStatement)
                retry()
            }
            else -> finish(error.toException(statement.sql))
        }
    }

    private fun preparedAs(buf: ByteBuf) {
        val id = buf.readIntLE()
        val columns = buf.readUnsignedShortLE()
        serverParameters = buf.readUnsignedShortLE()
        prepared = Prepared(id, serverParameters)
        definitionsLeft = definitions(columns) + definitions(serverParameters)
        step = Step.DEFINITIONS
        if (definitionsLeft == 0) definitionsRead()
    }

    /** Packets that define so many columns or parameters. The definitions of the columns come again with the response. */
    private fun definitions(count: Int) = if (count == 0 || connection.deprecateEof) count else count + 1

    private fun definitionsRead() {
        val prepared = checkNotNull(prepared)
        if (serverParameters != statement.values.size) {
            closeAfterUse = true
            return finish(
                SyntaxException(
                    "The server finds $serverParameters parameters in the statement where ${statement.values.size} were counted.",
                    "MySQL and MariaDB have no operator `??`; with the SQL mode NO_BACKSLASH_ESCAPES write no backslash before a quote.",
                    ErrorDetails(sql = statement.sql),
                    null,
                ),
            )
        }
        if (statement.reusable) keep(prepared) else closeAfterUse = true
        if (!isStopped()) execute(prepared)
    }

    private fun keep(statement: Prepared) {
        val dropped = connection.statements.put(this.statement.sql, statement)
        if (dropped === statement) closeAfterUse = true else dropped?.let(connection::closeStatement)
    }

    private fun answered() {
        val error = response.error ?: return finish(response.failure)
        if (!retried && (error.code == ServerError.NEEDS_PREPARE || error.code == ServerError.STATEMENT_UNKNOWN)) {
            connection.statements.remove(statement.sql)
            prepared?.let(connection::closeStatement)
            closeAfterUse = false
            retry()
        } else {
            finish(error.toException(statement.sql))
        }
    }

    private fun retry() {
        retried = true
        if (!isStopped()) prepare()
    }

    override fun finish(failure: Throwable?) {
        if (closeAfterUse) prepared?.let(connection::closeStatement)
        super.finish(failure)
    }

    private companion object {
        const val SIZE_HINT = 256

        /** Statements that answer with rows go prepared in any case: text loses digits of FLOAT. */
        val ROWS = Regex("""[\s(]*(SELECT|WITH|TABLE|VALUES|CALL|EXECUTE)\b""", RegexOption.IGNORE_CASE)

        fun mayReturnRows(sql: String) = ROWS.matchesAt(sql, 0) || sql.contains("RETURNING", ignoreCase = true)
    }
}

/** A statement whose rows are kept until the answer is whole. */
internal class BufferedExecution(
    connection: MySqlConnection,
    statement: SqlStatement,
    private val continuation: CancellableContinuation<RawResult>,
) : Execution(connection, statement) {
    private val rows = CollectedRows()

    override val wanted: Boolean get() = continuation.isActive

    override fun columns(columns: List<RawColumn>) = rows.columns(columns)

    override fun row(row: Array<Any?>) {
        if (wanted) rows.row(row)
    }

    override fun released() = failure?.let(continuation::resumeWithException) ?: continuation.resume(rows.result(response))
}
