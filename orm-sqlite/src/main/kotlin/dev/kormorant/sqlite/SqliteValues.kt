package dev.kormorant.sqlite

import dev.kormorant.DataException
import dev.kormorant.ErrorDetails
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.SqlArray
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import java.math.BigDecimal
import java.math.BigInteger
import java.nio.ByteBuffer
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import java.time.format.DateTimeFormatterBuilder
import java.time.temporal.ChronoField
import java.util.UUID

/**
 * The values of [statement] as SQLite stores them: integer, real, text, blob or `NULL`.
 *
 * Booleans are 0 and 1, a UUID is its 16 bytes, dates and times are text in the form Exposed reads, which also sorts by time.
 * Decimals are numbers, never text: text compared with an expression is always the greater one. So SQLite keeps them
 * exactly as integers of 64 bits, else to 15 digits.
 */
internal fun boundValues(statement: SqlStatement): Array<Any?> = Array(statement.values.size) { i ->
    bound(statement.types[i], statement.values[i], statement)
}

private fun bound(type: SqlType, value: Any?, statement: SqlStatement): Any? = when (value) {
    null, is Long, is Int, is Short, is ByteArray -> value
    is String -> if (type in NUMBERS) value.toBigDecimalOrNull()?.let(::number) ?: value else value
    is Boolean -> if (value) 1 else 0
    is Byte -> value.toInt()
    is Double -> if (value.isNaN()) throw notANumber(statement) else value
    is Float -> if (value.isNaN()) throw notANumber(statement) else value
    is BigDecimal -> number(value)
    is BigInteger -> number(value.toBigDecimal())
    is UUID -> ByteBuffer.allocate(16).putLong(value.mostSignificantBits).putLong(value.leastSignificantBits).array()
    is LocalDate -> value.toString()
    is LocalTime -> TIME.format(value)
    is LocalDateTime -> dateTime(value)
    is OffsetDateTime -> INSTANT.format(value.withOffsetSameInstant(ZoneOffset.UTC))
    is Char -> value.toString()
    is SqlArray -> throw UnsupportedByDialectException(
        "SQLite has no arrays.",
        "Store the list as JSON, or its elements as rows of a table.",
    )
    else -> throw IllegalArgumentException("SQLite cannot store a value of ${value.javaClass.name}.")
}

private fun number(value: BigDecimal): Any =
    if (value.signum() == 0 || value.precision() - value.scale() <= LONG_DIGITS && value.stripTrailingZeros().scale() <= 0) {
        value.toBigInteger().let { if (it.bitLength() < Long.SIZE_BITS) it.toLong() else it.toDouble() }
    } else {
        value.toDouble()
    }

/** Milliseconds at least, as Exposed writes them, so that equal times are equal texts. */
private fun dateTime(value: LocalDateTime): String = (if (value.nano % NANOS_PER_MILLI == 0) MILLISECONDS else NANOSECONDS).format(value)

private fun notANumber(statement: SqlStatement) =
    DataException("SQLite cannot store NaN: it would become NULL.", ErrorDetails(sql = statement.sql), null)

private const val LONG_DIGITS = 19
private const val NANOS_PER_MILLI = 1_000_000

private val NUMBERS = setOf(SqlType.SMALLINT, SqlType.INTEGER, SqlType.BIGINT, SqlType.REAL, SqlType.DOUBLE, SqlType.DECIMAL)

private val TIME = DateTimeFormatterBuilder()
    .appendPattern("HH:mm:ss")
    .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
    .toFormatter()

private val DATE_AND_SECONDS = DateTimeFormatterBuilder()
    .append(DateTimeFormatter.ISO_LOCAL_DATE)
    .appendLiteral(' ')
    .appendPattern("HH:mm:ss")
    .toFormatter()

private val MILLISECONDS = DateTimeFormatterBuilder()
    .append(DATE_AND_SECONDS)
    .appendFraction(ChronoField.NANO_OF_SECOND, 3, 3, true)
    .toFormatter()

private val NANOSECONDS = DateTimeFormatterBuilder()
    .append(DATE_AND_SECONDS)
    .appendFraction(ChronoField.NANO_OF_SECOND, 4, 9, true)
    .toFormatter()

/** Exposed reads three digits of fraction and no more. */
private val INSTANT = DateTimeFormatterBuilder()
    .append(MILLISECONDS)
    .appendLiteral('Z')
    .toFormatter()
