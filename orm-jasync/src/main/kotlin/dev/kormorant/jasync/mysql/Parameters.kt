package dev.kormorant.jasync.mysql

import com.github.jasync.sql.db.mysql.column.ColumnTypes
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import io.netty.buffer.ByteBuf
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.util.UUID

private const val EXECUTE = 0x17
private const val NANOS_PER_MICRO = 1_000
private val YEARS = 0..9999

/** Writes COM_STMT_EXECUTE. The types come from the statement, so that the same text always declares the same ones. */
internal fun writeExecute(buf: ByteBuf, statementId: Int, statement: SqlStatement) {
    buf.writeByte(EXECUTE).writeIntLE(statementId)
    buf.writeByte(0) // no cursor
    buf.writeIntLE(1) // iterations
    val count = statement.values.size
    if (count == 0) return
    val nulls = buf.writerIndex()
    buf.writeZero((count + 7) / 8)
    buf.writeByte(1) // types follow
    for (type in statement.types) buf.writeShortLE(wireType(type))
    for (i in 0 until count) {
        val value = statement.values[i]
        if (value == null) {
            val at = nulls + i / 8
            buf.setByte(at, buf.getByte(at).toInt() or (1 shl i % 8))
        } else {
            try {
                writeValue(buf, statement.types[i], value)
            } catch (_: ClassCastException) {
                throw IllegalArgumentException("Parameter ${i + 1} is ${statement.types[i]} but its value is a ${value.javaClass.name}.")
            }
        }
    }
}

private fun wireType(type: SqlType): Int = when (type) {
    SqlType.BOOLEAN -> ColumnTypes.FIELD_TYPE_TINY
    SqlType.SMALLINT -> ColumnTypes.FIELD_TYPE_SHORT
    SqlType.INTEGER -> ColumnTypes.FIELD_TYPE_LONG
    SqlType.BIGINT -> ColumnTypes.FIELD_TYPE_LONGLONG
    SqlType.REAL -> ColumnTypes.FIELD_TYPE_FLOAT
    SqlType.DOUBLE -> ColumnTypes.FIELD_TYPE_DOUBLE
    SqlType.DECIMAL -> ColumnTypes.FIELD_TYPE_NEW_DECIMAL
    SqlType.TEXT, SqlType.UUID, SqlType.JSON, SqlType.JSONB, SqlType.UNKNOWN -> ColumnTypes.FIELD_TYPE_VAR_STRING
    SqlType.BINARY -> ColumnTypes.FIELD_TYPE_BLOB
    SqlType.DATE -> ColumnTypes.FIELD_TYPE_DATE
    SqlType.TIME -> ColumnTypes.FIELD_TYPE_TIME
    SqlType.TIMESTAMP, SqlType.TIMESTAMP_WITH_TIME_ZONE -> ColumnTypes.FIELD_TYPE_DATETIME
    SqlType.ARRAY -> throw UnsupportedByDialectException(
        "MySQL and MariaDB have no arrays.",
        "Send the elements as parameters of their own, or as JSON.",
    )
}

private fun writeValue(buf: ByteBuf, type: SqlType, value: Any) {
    when (type) {
        SqlType.BOOLEAN -> buf.writeByte(if (value as Boolean) 1 else 0)
        SqlType.SMALLINT -> buf.writeShortLE((value as Short).toInt())
        SqlType.INTEGER -> buf.writeIntLE(value as Int)
        SqlType.BIGINT -> buf.writeLongLE(value as Long)
        SqlType.REAL -> buf.writeFloatLE((value as Float).also { requireFinite(it.isFinite()) })
        SqlType.DOUBLE -> buf.writeDoubleLE((value as Double).also { requireFinite(it.isFinite()) })
        SqlType.DECIMAL -> buf.writeSizedText((value as BigDecimal).toPlainString())
        SqlType.TEXT, SqlType.JSON, SqlType.JSONB, SqlType.UNKNOWN -> buf.writeSizedText(value as String)
        SqlType.UUID -> buf.writeSizedText((value as UUID).toString())
        SqlType.BINARY -> {
            buf.writeLength((value as ByteArray).size)
            buf.writeBytes(value)
        }
        SqlType.DATE -> {
            buf.writeByte(4)
            writeDate(buf, value as LocalDate)
        }
        SqlType.TIME -> writeTime(buf, value as LocalTime)
        SqlType.TIMESTAMP -> writeDateTime(buf, value as LocalDateTime)
        SqlType.TIMESTAMP_WITH_TIME_ZONE ->
            writeDateTime(buf, (value as OffsetDateTime).withOffsetSameInstant(ZoneOffset.UTC).toLocalDateTime())
        SqlType.ARRAY -> Unit // refused with its type
    }
}

/** The server would take them for 0 without a word. */
private fun requireFinite(finite: Boolean) = require(finite) { "MySQL and MariaDB have no infinity and no NaN." }

private fun writeDate(buf: ByteBuf, date: LocalDate) {
    require(date.year in YEARS) { "MySQL and MariaDB keep the years 0 to 9999 only." }
    buf.writeShortLE(date.year).writeByte(date.monthValue).writeByte(date.dayOfMonth)
}

private fun writeDateTime(buf: ByteBuf, value: LocalDateTime) {
    buf.writeByte(11)
    writeDate(buf, value.toLocalDate())
    buf.writeByte(value.hour).writeByte(value.minute).writeByte(value.second)
    buf.writeIntLE(value.nano / NANOS_PER_MICRO)
}

private fun writeTime(buf: ByteBuf, value: LocalTime) {
    buf.writeByte(12)
    buf.writeByte(0) // not negative
    buf.writeIntLE(0) // days
    buf.writeByte(value.hour).writeByte(value.minute).writeByte(value.second)
    buf.writeIntLE(value.nano / NANOS_PER_MICRO)
}
