package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.ErrorMessage
import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import dev.kormorant.ConnectionException
import dev.kormorant.DatabaseException
import dev.kormorant.DecodeException
import dev.kormorant.ErrorDetails
import dev.kormorant.OrmException
import dev.kormorant.driver.SqlStatement
import io.netty.buffer.ByteBuf

/** What a running statement uses of its connection. */
internal class Session(
    val link: Link,
    val statements: PreparedStatements,
    val types: TypeCatalog,
    /** Called on the event loop when a statement is answered whole, before its caller is told. */
    val free: () -> Unit,
)

/** The part of running a statement that [ExecuteCommand] and [StreamCommand] share: preparing, describing, decoding, failing. */
internal abstract class StatementCommand(
    protected val session: Session,
    protected val statement: SqlStatement,
    /** `null` in the simple protocol. */
    protected var prepared: Prepared?,
) : Command() {
    protected var rows: MutableList<Array<Any?>> = ArrayList()
    protected var layout: RowLayout = RowLayout.EMPTY
    protected var description: RowDescriptionMessage? = null
    protected var lookup: TypeLookup? = null
    private var reused = false
    private var bound = false
    private var copied = false
    private var serverError: ErrorMessage? = null
    private var decodeFailure: DecodeException? = null
    private var lost: ConnectionException? = null

    protected val failed: Boolean get() = serverError != null || decodeFailure != null

    /** Messages that start the statement; called again for a second attempt. */
    protected abstract fun ByteBuf.start(prepared: Prepared?)

    /** Messages that come before those of the statement, in the same round trip. */
    protected open fun ByteBuf.goAhead(prepared: Prepared?) = Unit

    /** The text that an error of the server is about. */
    protected open fun failedSql(): String = statement.sql

    fun encode(): ByteBuf {
        val buffer = session.link.buffer()
        try {
            val prepared = prepared
            if (prepared != null) {
                session.statements.writeClosing(buffer)
            }
            buffer.goAhead(prepared)
            if (prepared != null) {
                reused = prepared.parsed
                if (!reused) buffer.parse(prepared.name, prepared.sql, prepared.key.oids)
                layout = layoutOf(prepared)
            }
            buffer.start(prepared)
            if (prepared != null) session.statements.onClosingSent()
            return buffer
        } catch (e: Throwable) {
            buffer.release()
            throw e
        }
    }

    /** How rows look that come without a description. */
    protected open fun layoutOf(prepared: Prepared): RowLayout = prepared.layout ?: RowLayout.EMPTY

    override fun onMessage(type: Char, body: ByteBuf) {
        when (type) {
            'D' -> onRow(body)
            'C' -> onComplete(commandTag(body))
            'I' -> onComplete("")
            '1' -> if (lookup == null) session.statements.onParsed(checkNotNull(prepared))
            '2' -> bound = true
            'n' -> describe(null)
            's' -> onSuspended()
            '3' -> onClosed()
            't', 'd', 'c' -> Unit
            'H' -> copied = true
            'G' -> {
                copied = true
                onCopyIn(session.link.buffer().copyFail("not supported"))
            }
            else -> error("The message $type is not part of an answer to a statement.")
        }
    }

    override fun onDescription(description: RowDescriptionMessage) {
        lookup?.onDescription(description) ?: describe(description)
    }

    /** The columns are known, or that there are none. */
    protected open fun describe(description: RowDescriptionMessage?) {
        this.description = description
        layout = if (description == null) RowLayout.EMPTY else RowLayout.text(description, session.types)
        if (missingTypes().isEmpty()) prepared?.layout = binaryLayout()
    }

    protected fun missingTypes(): Set<Int> = description?.let { session.types.missing(it) }.orEmpty()

    protected fun startLookup(): TypeLookup = TypeLookup(missingTypes(), session.statements.newName()).also { lookup = it }

    /** The types that were looked up are known now. */
    protected fun finishLookup(lookup: TypeLookup) {
        this.lookup = null
        session.types.learn(lookup.oids, lookup.rows)
        prepared?.layout = binaryLayout()
    }

    private fun binaryLayout() = description?.let { RowLayout.binary(it, session.types) } ?: RowLayout.EMPTY

    private fun onRow(body: ByteBuf) {
        val lookup = lookup
        when {
            lookup != null -> lookup.onRow(body)
            decodeFailure == null && wantsRows -> decoding { rows += layout.decode(body) }
        }
    }

    /** Whether rows are still read, not only skipped. */
    protected open val wantsRows: Boolean get() = true

    protected inline fun decoding(action: () -> Unit) {
        try {
            action()
        } catch (e: DecodeException) {
            decodeFailure = e
            rows = ArrayList()
        }
    }

    protected abstract fun onComplete(tag: String)

    protected open fun onSuspended(): Unit = error("A statement was suspended that has no row limit.")

    protected open fun onClosed() = Unit

    /** The server wants data; sends [refusal]. A Sync sent before was swallowed by the COPY. */
    protected abstract fun onCopyIn(refusal: ByteBuf)

    override fun onError(error: ErrorMessage) {
        if (serverError == null) serverError = error
    }

    override fun onLost(failure: ConnectionException) {
        lost = failure
        finish()
    }

    /** Starts again if the server has dropped or outgrown the prepared statement and nothing else was lost by that. */
    protected fun retried(): Boolean {
        val old = prepared ?: return false
        if (serverError?.wantsNewPrepare != true || bound || !reused || !old.isNamed) return false
        if (session.link.transaction != 'I') {
            session.statements.forget(old)
            return false
        }
        prepared = session.statements.replace(old)
        serverError = null
        session.link.submit(this, encode())
        return true
    }

    /** Frees the connection, then tells those who wait. */
    protected fun finish() {
        session.free()
        done()
        resume()
    }

    /** Wakes the caller, who looks at [failure] and the results. */
    protected abstract fun resume()

    /** Why the statement failed; made where it is thrown. */
    protected fun failure(): OrmException? {
        lost?.let { return it }
        if (copied) {
            return DatabaseException(
                "COPY from or to the client is no statement with rows.",
                "Use copyIn() or copyOut().",
                ErrorDetails("0A000", sql = statement.sql),
                null,
            )
        }
        return serverError?.let { databaseError(it, failedSql()) } ?: decodeFailure
    }

    companion object {
        fun commandTag(body: ByteBuf): String = body.toString(body.readerIndex(), body.readableBytes() - 1, Charsets.US_ASCII)

        /** The number at the end of `INSERT 0 5` or `SELECT 3`; 0 when there is none. */
        fun affected(tag: String): Long = tag.substring(tag.lastIndexOf(' ') + 1).toLongOrNull() ?: 0
    }
}
