package dev.kormorant.jasync.postgresql

import dev.kormorant.driver.SqlArray
import dev.kormorant.driver.SqlType
import dev.kormorant.jasync.postgresql.Format.BINARY
import dev.kormorant.jasync.postgresql.Format.TEXT
import io.netty.buffer.ByteBuf
import io.netty.buffer.ByteBufUtil
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.util.UUID

/** The two forms of a value on the wire. */
internal object Format {
    const val TEXT: Int = 0
    const val BINARY: Int = 1
}

/** OID of the type a parameter is declared with; 0 lets the server choose. */
internal fun oidOf(type: SqlType, value: Any?): Int = when (type) {
    SqlType.BOOLEAN -> 16
    SqlType.SMALLINT -> 21
    SqlType.INTEGER -> 23
    SqlType.BIGINT -> 20
    SqlType.REAL -> 700
    SqlType.DOUBLE -> 701
    SqlType.DECIMAL -> 1700
    SqlType.TEXT -> 25
    SqlType.BINARY -> 17
    SqlType.UUID -> 2950
    SqlType.DATE -> 1082
    SqlType.TIME -> 1083
    SqlType.TIMESTAMP -> 1114
    SqlType.TIMESTAMP_WITH_TIME_ZONE -> 1184
    SqlType.JSON -> 114
    SqlType.JSONB -> 3802
    SqlType.ARRAY -> if (value == null) 0 else arrayOidOf((value as SqlArray).elementType)
    SqlType.UNKNOWN -> 0
}

private fun arrayOidOf(element: SqlType): Int = when (element) {
    SqlType.BOOLEAN -> 1000
    SqlType.SMALLINT -> 1005
    SqlType.INTEGER -> 1007
    SqlType.BIGINT -> 1016
    SqlType.REAL -> 1021
    SqlType.DOUBLE -> 1022
    SqlType.DECIMAL -> 1231
    SqlType.TEXT -> 1009
    SqlType.BINARY -> 1001
    SqlType.UUID -> 2951
    SqlType.DATE -> 1182
    SqlType.TIME -> 1183
    SqlType.TIMESTAMP -> 1115
    SqlType.TIMESTAMP_WITH_TIME_ZONE -> 1185
    SqlType.JSON -> 199
    SqlType.JSONB -> 3807
    SqlType.ARRAY, SqlType.UNKNOWN -> 0
}

/** [Format] of a parameter: a fixed-width value is as short in binary, and bytes are not doubled as hexadecimal digits. */
internal fun formatOf(type: SqlType): Int = when (type) {
    SqlType.BOOLEAN, SqlType.SMALLINT, SqlType.INTEGER, SqlType.BIGINT, SqlType.REAL, SqlType.DOUBLE, SqlType.BINARY, SqlType.UUID -> BINARY
    else -> TEXT
}

/** Writes the length of a value, -1 for `null`, and the value in the form [formatOf] tells. */
internal fun ByteBuf.writeParameter(type: SqlType, value: Any?) {
    when {
        value == null -> writeInt(-1)
        formatOf(type) == TEXT -> writeSized { writeCharSequence(textOf(type, value), Charsets.UTF_8) }
        else -> writeSized {
            when (type) {
                SqlType.BOOLEAN -> writeBoolean(value as Boolean)
                SqlType.SMALLINT -> writeShort((value as Short).toInt())
                SqlType.INTEGER -> writeInt(value as Int)
                SqlType.BIGINT -> writeLong(value as Long)
                SqlType.REAL -> writeFloat(value as Float)
                SqlType.DOUBLE -> writeDouble(value as Double)
                SqlType.BINARY -> writeBytes(value as ByteArray)
                else -> (value as UUID).let { writeLong(it.mostSignificantBits).writeLong(it.leastSignificantBits) }
            }
        }
    }
}

private fun textOf(type: SqlType, value: Any): String = when (type) {
    SqlType.BOOLEAN -> (value as Boolean).toString()
    SqlType.SMALLINT -> (value as Short).toString()
    SqlType.INTEGER -> (value as Int).toString()
    SqlType.BIGINT -> (value as Long).toString()
    SqlType.REAL -> (value as Float).toString()
    SqlType.DOUBLE -> (value as Double).toString()
    SqlType.DECIMAL -> (value as BigDecimal).toString()
    SqlType.TEXT, SqlType.JSON, SqlType.JSONB, SqlType.UNKNOWN -> value as String
    SqlType.BINARY -> "\\x" + ByteBufUtil.hexDump(value as ByteArray)
    SqlType.UUID -> (value as UUID).toString()
    SqlType.DATE -> formatDate(value as LocalDate)
    SqlType.TIME -> formatTime(value as LocalTime)
    SqlType.TIMESTAMP -> formatDateTime(value as LocalDateTime)
    SqlType.TIMESTAMP_WITH_TIME_ZONE -> formatOffsetDateTime(value as OffsetDateTime)
    SqlType.ARRAY -> (value as SqlArray).let { array -> formatArray(array.elements) { textOf(array.elementType, it) } }
}
