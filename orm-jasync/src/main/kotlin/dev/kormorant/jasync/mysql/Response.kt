package dev.kormorant.jasync.mysql

import dev.kormorant.DecodeException
import dev.kormorant.OrmException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.RawColumn
import io.netty.buffer.ByteBuf

private const val MORE_RESULTS = 0x0008
private const val OK = 0
private const val LOCAL_FILE = 0xFB
private const val END = 0xFE
private const val ERROR = 0xFF

/** Who gets the rows of a response while they arrive. */
internal interface RowConsumer {
    fun columns(columns: List<RawColumn>)

    fun row(row: Array<Any?>)
}

/**
 * Reads the whole response to one COM_QUERY or COM_STMT_EXECUTE. Of several results (CALL) the first one with columns is handed on, the
 * others are read and dropped. A row that cannot be decoded does not end the reading: the first such failure is kept in [failure].
 *
 * @param known the prepared statement whose binary rows these are; `null` for rows of text
 */
internal class Response(private val deprecateEof: Boolean, private val known: Prepared?, private val consumer: RowConsumer) {
    private enum class Step { HEADER, COLUMNS, COLUMNS_END, ROWS }

    private var step = Step.HEADER
    private var columns = ArrayList<Column>()
    private var columnsLeft = 0
    private var layout = RowLayout.NONE
    private var taken = false
    private var dropping = false

    /** Rows counted by the last result without columns. */
    var affected: Long = 0
        private set

    /** First id an insert has generated, 0 for none. */
    var lastInsertId: Long = 0
        private set

    /** Status flags of the server at the end. */
    var status: Int = 0
        private set

    var error: ServerError? = null
        private set

    var failure: OrmException? = null
        private set

    /** Set when the server asks for a file; an empty packet has to be sent then. */
    var fileRequested: Boolean = false
        private set

    /** Takes the next packet; `true` once the response is whole. */
    fun packet(buf: ByteBuf, end: Int): Boolean {
        fileRequested = false
        return when (step) {
            Step.HEADER -> header(buf, end)
            Step.COLUMNS -> column(buf, end)
            Step.COLUMNS_END -> {
                step = Step.ROWS
                false
            }
            Step.ROWS -> row(buf, end)
        }
    }

    private fun header(buf: ByteBuf, end: Int): Boolean = when (buf.getUnsignedByte(buf.readerIndex()).toInt()) {
        OK -> {
            buf.skipBytes(1)
            affected = buf.readLength()
            buf.readLength().let { if (it != 0L) lastInsertId = it }
            endOfResult(buf.readUnsignedShortLE())
        }
        ERROR -> error(buf, end)
        LOCAL_FILE -> {
            fileRequested = true
            failure = UnsupportedByDialectException(
                "LOAD DATA LOCAL is not supported.",
                "Let the server read its own file, or insert the rows.",
            )
            false
        }
        else -> {
            columns = ArrayList(buf.readLength().toInt().also { columnsLeft = it })
            dropping = taken
            taken = true
            step = Step.COLUMNS
            false
        }
    }

    private fun error(buf: ByteBuf, end: Int): Boolean {
        buf.skipBytes(1)
        error = ServerError.read(buf, end)
        return true
    }

    private fun endOfResult(flags: Int): Boolean {
        status = flags
        step = Step.HEADER
        return flags and MORE_RESULTS == 0
    }

    /** The definitions come with every execution; decoders of a statement executed before are used again where they fit. */
    private fun column(buf: ByteBuf, end: Int): Boolean {
        columns += known?.layout?.columns?.getOrNull(columns.size)?.takeIf { it.isDefinedBy(buf, end) } ?: Column.read(buf, end)
        if (--columnsLeft > 0) return false
        step = if (deprecateEof) Step.ROWS else Step.COLUMNS_END
        if (!dropping) {
            layout = known?.layout?.takeIf { it.columns == columns } ?: RowLayout(columns)
            known?.layout = layout
            consumer.columns(layout.raw)
        }
        return false
    }

    private fun row(buf: ByteBuf, end: Int): Boolean {
        val first = buf.getUnsignedByte(buf.readerIndex()).toInt()
        if (first == ERROR) return error(buf, end)
        if (first == END && end - buf.readerIndex() < if (deprecateEof) MAX_PACKET else 9) {
            buf.skipBytes(1)
            if (deprecateEof) {
                buf.readLength()
                buf.readLength()
            } else {
                buf.skipBytes(2) // warnings
            }
            return endOfResult(buf.readUnsignedShortLE())
        }
        if (dropping || failure != null) return false
        try {
            consumer.row(if (known != null) layout.readBinary(buf, end) else layout.readText(buf, end))
        } catch (e: DecodeException) {
            failure = e
        } catch (e: IndexOutOfBoundsException) {
            failure = DecodeException("A row is not of the form its columns announce.", null, e)
        }
        return false
    }
}

/** A statement the server has prepared; [id] is `null` if it cannot be and has to go as text. */
internal class Prepared(val id: Int?, val parameterCount: Int) {
    /** Of the last result. */
    var layout: RowLayout = RowLayout.NONE
}
