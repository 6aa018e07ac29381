package dev.kormorant.jasync.mysql

import com.github.jasync.sql.db.mysql.column.ColumnTypes
import dev.kormorant.DecodeException
import dev.kormorant.driver.RawColumn
import io.netty.buffer.ByteBuf
import java.math.BigDecimal
import java.math.BigInteger
import java.time.DateTimeException
import java.time.Duration
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.ZoneOffset

private const val UNSIGNED = 32
private const val ENUM = 0x100
private const val SET = 0x800
private const val BINARY_CHARSET = 63
private const val VECTOR = 242

private const val NANOS_PER_MICRO = 1_000
private const val NANOS_PER_SECOND = 1_000_000_000L
private const val SECONDS_PER_DAY = 86_400L

/** Reads one value of a binary row; `null` for a date that is all zeros. */
private typealias BinaryDecoder = (ByteBuf) -> Any?

/** Reads one value of a row of text that is so many bytes long. */
private typealias TextDecoder = (ByteBuf, Int) -> Any?

/** A column of a result, its decoders chosen once. [definition] is what the server sent, to know the column again. */
internal class Column private constructor(private val definition: ByteArray, name: String, kind: ColumnKind) {
    val raw = RawColumn(name, kind.typeName)
    private val binary = kind.binaryDecoder()
    private val text = kind.textDecoder()

    fun readBinary(buf: ByteBuf): Any? = guarded { binary(buf) }

    fun readText(buf: ByteBuf): Any? {
        val length = buf.readLength().toInt()
        if (length < 0) return null
        val next = buf.readerIndex() + length
        return guarded { text(buf, length) }.also { buf.readerIndex(next) }
    }

    private inline fun guarded(decode: () -> Any?): Any? = try {
        decode()
    } catch (e: DateTimeException) {
        throw undecodable(e)
    } catch (e: NumberFormatException) {
        throw undecodable(e)
    }

    /** The cause would repeat the value. */
    private fun undecodable(cause: Exception) = DecodeException(
        "A value of column ${raw.name} cannot be read as ${raw.type} (${cause.javaClass.simpleName}).",
        "Convert it in the query, for instance with CAST(${raw.name} AS CHAR).",
        null,
    )

    /** Whether the payload from the reader index of [buf] to [end] is the definition of this very column. */
    fun isDefinedBy(buf: ByteBuf, end: Int): Boolean {
        val start = buf.readerIndex()
        if (end - start != definition.size) return false
        for (i in definition.indices) if (buf.getByte(start + i) != definition[i]) return false
        return true
    }

    companion object {
        fun read(buf: ByteBuf, end: Int): Column {
            val definition = ByteArray(end - buf.readerIndex())
            buf.getBytes(buf.readerIndex(), definition)
            repeat(4) { buf.skipSized() } // catalogue, schema, table, original table
            val name = buf.readSizedText()
            buf.skipSized() // original name
            buf.readLength() // length of the fixed fields
            val charset = buf.readUnsignedShortLE()
            val length = buf.readUnsignedIntLE()
            val type = buf.readUnsignedByte().toInt()
            val flags = buf.readUnsignedShortLE()
            return Column(definition, name, ColumnKind(type, flags, charset, length))
        }
    }
}

/** The columns of a result, and how its rows are read. */
internal class RowLayout(val columns: List<Column>) {
    val raw: List<RawColumn> = columns.map { it.raw }

    /** A header of one byte, a bit for each NULL behind two unused ones, the values. */
    fun readBinary(buf: ByteBuf, end: Int): Array<Any?> {
        val nulls = buf.readerIndex() + 1
        buf.skipBytes(1 + (columns.size + 9) / 8)
        return read(buf, end) { i ->
            val bit = i + 2
            if (buf.getByte(nulls + (bit ushr 3)).toInt() and (1 shl (bit and 7)) == 0) columns[i].readBinary(buf) else null
        }
    }

    fun readText(buf: ByteBuf, end: Int): Array<Any?> = read(buf, end) { columns[it].readText(buf) }

    private inline fun read(buf: ByteBuf, end: Int, value: (Int) -> Any?): Array<Any?> {
        val row = arrayOfNulls<Any?>(columns.size)
        for (i in row.indices) row[i] = value(i)
        if (buf.readerIndex() != end) throw IndexOutOfBoundsException()
        return row
    }

    companion object {
        val NONE = RowLayout(emptyList())
    }
}

/** What decides how the values of a column are read. */
private class ColumnKind(val type: Int, val flags: Int, charset: Int, val length: Long) {
    private val unsigned = flags and UNSIGNED != 0
    private val bytes = charset == BINARY_CHARSET

    val typeName: String
        get() = when (type) {
            ColumnTypes.FIELD_TYPE_TINY -> integer("tinyint")
            ColumnTypes.FIELD_TYPE_SHORT -> integer("smallint")
            ColumnTypes.FIELD_TYPE_INT24 -> integer("mediumint")
            ColumnTypes.FIELD_TYPE_LONG -> integer("int")
            ColumnTypes.FIELD_TYPE_LONGLONG -> integer("bigint")
            ColumnTypes.FIELD_TYPE_FLOAT -> "float"
            ColumnTypes.FIELD_TYPE_DOUBLE -> "double"
            ColumnTypes.FIELD_TYPE_DECIMAL, ColumnTypes.FIELD_TYPE_NEW_DECIMAL -> "decimal"
            ColumnTypes.FIELD_TYPE_DATE, ColumnTypes.FIELD_TYPE_NEWDATE -> "date"
            ColumnTypes.FIELD_TYPE_TIME -> "time"
            ColumnTypes.FIELD_TYPE_DATETIME -> "datetime"
            ColumnTypes.FIELD_TYPE_TIMESTAMP -> "timestamp"
            ColumnTypes.FIELD_TYPE_YEAR -> "year"
            ColumnTypes.FIELD_TYPE_BIT -> "bit"
            ColumnTypes.FIELD_TYPE_JSON -> "json"
            ColumnTypes.FIELD_TYPE_GEOMETRY -> "geometry"
            ColumnTypes.FIELD_TYPE_NULL -> "null"
            VECTOR -> "vector"
            ColumnTypes.FIELD_TYPE_TINY_BLOB, ColumnTypes.FIELD_TYPE_BLOB, ColumnTypes.FIELD_TYPE_MEDIUM_BLOB,
            ColumnTypes.FIELD_TYPE_LONG_BLOB,
            -> if (bytes) "blob" else "text"
            ColumnTypes.FIELD_TYPE_STRING, ColumnTypes.FIELD_TYPE_ENUM, ColumnTypes.FIELD_TYPE_SET -> when {
                type == ColumnTypes.FIELD_TYPE_ENUM || flags and ENUM != 0 -> "enum"
                type == ColumnTypes.FIELD_TYPE_SET || flags and SET != 0 -> "set"
                else -> if (bytes) "binary" else "char"
            }
            else -> if (bytes) "varbinary" else "varchar"
        }

    private fun integer(name: String) = if (unsigned) "$name unsigned" else name

    private val isText: Boolean
        get() = type == ColumnTypes.FIELD_TYPE_JSON || !bytes && type != ColumnTypes.FIELD_TYPE_GEOMETRY && type != VECTOR

    fun binaryDecoder(): BinaryDecoder = when (type) {
        ColumnTypes.FIELD_TYPE_TINY -> if (unsigned) { buf -> buf.readUnsignedByte() } else { buf -> buf.readByte() }
        ColumnTypes.FIELD_TYPE_SHORT -> if (unsigned) { buf -> buf.readUnsignedShortLE() } else { buf -> buf.readShortLE() }
        ColumnTypes.FIELD_TYPE_YEAR -> { buf -> buf.readShortLE() }
        ColumnTypes.FIELD_TYPE_INT24 -> { buf -> buf.readIntLE() }
        ColumnTypes.FIELD_TYPE_LONG -> if (unsigned) { buf -> buf.readUnsignedIntLE() } else { buf -> buf.readIntLE() }
        ColumnTypes.FIELD_TYPE_LONGLONG -> if (unsigned) { buf -> unsignedLong(buf.readLongLE()) } else { buf -> buf.readLongLE() }
        ColumnTypes.FIELD_TYPE_FLOAT -> { buf -> buf.readFloatLE() }
        ColumnTypes.FIELD_TYPE_DOUBLE -> { buf -> buf.readDoubleLE() }
        ColumnTypes.FIELD_TYPE_DATE, ColumnTypes.FIELD_TYPE_NEWDATE -> { buf -> readDateTime(buf)?.toLocalDate() }
        ColumnTypes.FIELD_TYPE_DATETIME -> { buf -> readDateTime(buf) }
        ColumnTypes.FIELD_TYPE_TIMESTAMP -> { buf -> readDateTime(buf)?.atOffset(ZoneOffset.UTC) }
        ColumnTypes.FIELD_TYPE_TIME -> ::readTime
        else -> {
            val text = textDecoder();
            { buf -> text(buf, buf.readLength().toInt()) }
        }
    }

    fun textDecoder(): TextDecoder = when (type) {
        ColumnTypes.FIELD_TYPE_TINY -> if (unsigned) parse { it.toShort() } else parse { it.toByte() }
        ColumnTypes.FIELD_TYPE_SHORT -> if (unsigned) parse { it.toInt() } else parse { it.toShort() }
        ColumnTypes.FIELD_TYPE_YEAR -> parse { it.toShort() }
        ColumnTypes.FIELD_TYPE_INT24 -> parse { it.toInt() }
        ColumnTypes.FIELD_TYPE_LONG -> if (unsigned) parse { it.toLong() } else parse { it.toInt() }
        ColumnTypes.FIELD_TYPE_LONGLONG -> if (unsigned) parse { unsignedLong(it.toULong().toLong()) } else parse { it.toLong() }
        ColumnTypes.FIELD_TYPE_FLOAT -> parse { it.toFloat() }
        ColumnTypes.FIELD_TYPE_DOUBLE -> parse { it.toDouble() }
        ColumnTypes.FIELD_TYPE_DECIMAL, ColumnTypes.FIELD_TYPE_NEW_DECIMAL -> parse(::BigDecimal)
        ColumnTypes.FIELD_TYPE_DATE, ColumnTypes.FIELD_TYPE_NEWDATE -> parse { if (isZero(it)) null else LocalDate.parse(it) }
        ColumnTypes.FIELD_TYPE_DATETIME -> parse(::parseDateTime)
        ColumnTypes.FIELD_TYPE_TIMESTAMP -> parse { parseDateTime(it)?.atOffset(ZoneOffset.UTC) }
        ColumnTypes.FIELD_TYPE_TIME -> parse(::parseTime)
        ColumnTypes.FIELD_TYPE_BIT -> if (length == 1L) { buf, _ -> buf.readByte().toInt() != 0 } else ::readBytes
        else -> if (isText) { buf, size -> buf.readText(size) } else ::readBytes
    }

    private inline fun parse(crossinline parse: (String) -> Any?): TextDecoder = { buf, size -> parse(buf.readText(size)) }
}

private fun readBytes(buf: ByteBuf, length: Int): ByteArray = ByteArray(length).also { buf.readBytes(it) }

private fun unsignedLong(bits: Long): Number = if (bits >= 0) bits else BigInteger(java.lang.Long.toUnsignedString(bits))

/** Date, date with time, or date with time and microseconds: the length tells. */
private fun readDateTime(buf: ByteBuf): LocalDateTime? {
    val length = buf.readUnsignedByte().toInt()
    if (length == 0) return null
    val next = buf.readerIndex() + length
    try {
        val year = buf.readUnsignedShortLE()
        val month = buf.readByte().toInt()
        val day = buf.readByte().toInt()
        if (year == 0 && month == 0 && day == 0) return null
        if (length < 7) return LocalDateTime.of(year, month, day, 0, 0)
        val hour = buf.readByte().toInt()
        val minute = buf.readByte().toInt()
        val second = buf.readByte().toInt()
        return LocalDateTime.of(year, month, day, hour, minute, second, if (length < 11) 0 else buf.readIntLE() * NANOS_PER_MICRO)
    } finally {
        buf.readerIndex(next)
    }
}

private fun readTime(buf: ByteBuf): Any {
    val length = buf.readUnsignedByte().toInt()
    if (length == 0) return LocalTime.MIDNIGHT
    val negative = buf.readByte().toInt() != 0
    val days = buf.readUnsignedIntLE()
    val seconds = days * SECONDS_PER_DAY + buf.readByte() * 3_600L + buf.readByte() * 60L + buf.readByte()
    return timeOf(negative, seconds, if (length < 12) 0 else buf.readIntLE())
}

/** TIME is a time of day as well as a span; only what is no time of day becomes a [Duration]. */
private fun timeOf(negative: Boolean, seconds: Long, micros: Int): Any {
    val nanos = micros * NANOS_PER_MICRO.toLong()
    return when {
        !negative && seconds < SECONDS_PER_DAY -> LocalTime.ofNanoOfDay(seconds * NANOS_PER_SECOND + nanos)
        else -> Duration.ofSeconds(seconds, nanos).let { if (negative) it.negated() else it }
    }
}

private fun isZero(date: String): Boolean = date.startsWith("0000-00-00")

private fun parseDateTime(text: String): LocalDateTime? = if (isZero(text)) null else LocalDateTime.parse(text.replace(' ', 'T'))

private fun parseTime(text: String): Any {
    val (hours, minutes, rest) = text.removePrefix("-").split(':', limit = 3)
    val seconds = hours.toLong() * 3_600 + minutes.toLong() * 60 + rest.substringBefore('.').toLong()
    return timeOf(text.startsWith('-'), seconds, rest.substringAfter('.', "").padEnd(6, '0').toInt())
}
