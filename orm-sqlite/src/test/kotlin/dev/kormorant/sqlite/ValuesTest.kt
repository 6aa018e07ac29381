package dev.kormorant.sqlite

import dev.kormorant.DataException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.SqlArray
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import org.jetbrains.exposed.v1.core.BooleanColumnType
import org.jetbrains.exposed.v1.core.DecimalColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.ULongColumnType
import org.jetbrains.exposed.v1.core.datetime.LocalDateColumnType
import org.jetbrains.exposed.v1.core.datetime.LocalDateTimeColumnType
import org.jetbrains.exposed.v1.core.datetime.LocalTimeColumnType
import org.jetbrains.exposed.v1.core.java.UUIDColumnType
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.math.BigDecimal
import java.math.BigInteger
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.format.DateTimeFormatter
import java.util.UUID

class ValuesTest {
    private suspend fun stored(type: SqlType, value: Any?, column: String = ""): Any? = inMemory { c ->
        c.run("CREATE TABLE t (v $column)")
        c.execute(SqlStatement("INSERT INTO t VALUES (?)", listOf(type), listOf(value)))
        assertEquals(1, c.execute(SqlStatement("SELECT 1 FROM t WHERE v IS ?", listOf(type), listOf(value))).affected, "equal to itself: $value")
        c.value("SELECT v FROM t")
    }

    private suspend fun <T> IColumnType<T>.read(type: SqlType, value: Any, column: String = ""): T? = valueFromDB(stored(type, value, column)!!)

    @Test
    fun `NULL is NULL whatever the type`() = test {
        for (type in SqlType.entries) assertEquals(null, stored(type, null))
    }

    @Test
    fun `whole numbers come back as Long`() = test {
        for (value in listOf(Long.MIN_VALUE, -1L, 0L, Int.MAX_VALUE + 1L, Long.MAX_VALUE)) assertEquals(value, stored(SqlType.BIGINT, value, "BIGINT"))
        assertEquals(Int.MIN_VALUE.toLong(), stored(SqlType.INTEGER, Int.MIN_VALUE))
        assertEquals(7L, stored(SqlType.SMALLINT, 7.toShort()))
        assertEquals(7L, stored(SqlType.SMALLINT, 7.toByte()))
    }

    @Test
    fun `fractions come back as Double`() = test {
        for (value in listOf(-0.1, Double.MIN_VALUE, Double.MAX_VALUE, Double.POSITIVE_INFINITY)) assertEquals(value, stored(SqlType.DOUBLE, value, "REAL"))
        assertEquals(0.1f, (stored(SqlType.REAL, 0.1f) as Double).toFloat())
    }

    @Test
    fun `NaN is refused, because SQLite would store NULL`() = test {
        assertThrows<DataException> { stored(SqlType.DOUBLE, Double.NaN) }
        assertThrows<DataException> { stored(SqlType.REAL, Float.NaN) }
    }

    @Test
    fun `booleans are 0 and 1, which Exposed reads`() = test {
        for (value in listOf(true, false)) assertEquals(value, BooleanColumnType().read(SqlType.BOOLEAN, value, "BOOLEAN"))
    }

    @Test
    fun `text keeps every character`() = test {
        for (value in listOf("", "O'Brien", "äöü€", "\uD83D\uDE00", "a\u0000b", "12", "x".repeat(100_000))) {
            assertEquals(value, stored(SqlType.TEXT, value, "TEXT"))
            assertEquals(value, stored(SqlType.JSON, value))
            assertEquals(value, stored(SqlType.UNKNOWN, value))
        }
    }

    @Test
    fun `bytes come back, none too`() = test {
        for (value in listOf(byteArrayOf(), byteArrayOf(0), ByteArray(256) { it.toByte() })) assertArrayEquals(value, stored(SqlType.BINARY, value, "BLOB") as ByteArray)
    }

    @Test
    fun `a UUID is the 16 bytes Exposed reads`() = test {
        for (value in listOf(UUID.randomUUID(), UUID(0, 0), UUID(-1, -1))) assertEquals(value, UUIDColumnType().read(SqlType.UUID, value, "BINARY(16)"))
    }

    @Test
    fun `decimals of 15 digits and whole numbers of 64 bits are exact`() = test {
        val type = DecimalColumnType(20, 4)
        for (text in listOf("0.0000", "-12.3400", "12345678901.2345", "0.1000", "9223372036854775807.0000", "-1000.0000")) {
            assertEquals(BigDecimal(text), type.read(SqlType.DECIMAL, BigDecimal(text), "DECIMAL(20, 4)"))
        }
        assertEquals(9007199254740993L, stored(SqlType.DECIMAL, BigInteger("9007199254740993")))
        assertEquals(1e30, stored(SqlType.DECIMAL, BigDecimal("1E+30")))
        assertEquals(1e100_0.coerceAtMost(Double.MAX_VALUE), (stored(SqlType.DECIMAL, BigDecimal("1E+1000")) as Double).coerceAtMost(Double.MAX_VALUE))
    }

    @Test
    fun `a decimal compares with an expression as a number, not as text`() = test {
        inMemory { c ->
            val sql = "SELECT 10 * 2 > ?, 10 * 2 < ?"
            val row = c.execute(SqlStatement(sql, List(2) { SqlType.DECIMAL }, listOf(BigDecimal("9.5"), BigDecimal("100")))).rows.single()
            assertEquals(listOf<Any?>(1L, 1L), row.toList())
        }
    }

    @Test
    fun `an unsigned long that Exposed hands over as text is a number`() = test {
        for (value in listOf(0uL, 1uL, Long.MAX_VALUE.toULong(), ULong.MAX_VALUE)) {
            for (type in listOf(SqlType.BIGINT, SqlType.DECIMAL)) assertEquals(value, ULongColumnType().read(type, value.toString(), "NUMERIC(20)"))
        }
    }

    @Test
    fun `dates and times are kept to the nanosecond, and Exposed reads them`() = test {
        val dates = listOf("0001-01-01", "1969-12-31", "2024-02-29", "9999-12-31", "+12345-06-07", "-0044-03-15").map(LocalDate::parse)
        val times = listOf("00:00", "12:30:05", "23:59:59.999999999", "01:02:03.4", "01:02:03.000001").map(LocalTime::parse)
        for (date in dates) assertEquals(date, Dates.read(SqlType.DATE, date, "TEXT"))
        for (time in times) assertEquals(time, Times.read(SqlType.TIME, time, "TIME"))
        for (date in dates.take(4)) for (time in times) assertEquals(date.atTime(time), DateTimes.read(SqlType.TIMESTAMP, date.atTime(time), "TEXT"))
    }

    @Test
    fun `dates and times are the texts Exposed writes, and sort by time`() = test {
        assertEquals("2024-02-29 12:30:00.000", stored(SqlType.TIMESTAMP, LocalDateTime.parse("2024-02-29T12:30")))
        assertEquals("2024-02-29 12:30:00.120", stored(SqlType.TIMESTAMP, LocalDateTime.parse("2024-02-29T12:30:00.12")))
        assertEquals("2024-02-29 12:30:00.1234", stored(SqlType.TIMESTAMP, LocalDateTime.parse("2024-02-29T12:30:00.1234")))
        assertEquals("12:30:00", stored(SqlType.TIME, LocalTime.parse("12:30")))
        assertEquals("2024-02-29", stored(SqlType.DATE, LocalDate.parse("2024-02-29")))
        assertEquals("2024-02-29 10:30:00.123Z", stored(SqlType.TIMESTAMP_WITH_TIME_ZONE, OffsetDateTime.parse("2024-02-29T12:30:00.1239+02:00")))
        val exposed = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss[.SSS][XXX]")
        for (text in listOf("2024-02-29T12:30:00.123+02:00", "1969-12-31T23:59:59-03:30", "0001-01-01T00:00:00Z").map(OffsetDateTime::parse)) {
            val read = OffsetDateTime.parse(stored(SqlType.TIMESTAMP_WITH_TIME_ZONE, text) as String, exposed)
            assertEquals(text.toInstant(), read.toInstant())
        }
        val already = "2024-02-29 12:30:00.123+02:00"
        assertEquals(already, stored(SqlType.TIMESTAMP_WITH_TIME_ZONE, already))
    }

    @Test
    fun `an array is refused before anything is executed`() = test {
        assertThrows<UnsupportedByDialectException> { stored(SqlType.ARRAY, SqlArray(SqlType.INTEGER, listOf(1))) }
    }

    @Test
    fun `a class that is unknown is named without its value`() = test {
        val value = object {
            override fun toString() = "secret"
        }
        assertFalse("secret" in assertThrows<IllegalArgumentException> { stored(SqlType.TEXT, value) }.message!!)
    }

    private object Dates : LocalDateColumnType<LocalDate>() {
        override fun toLocalDate(value: LocalDate) = kotlinx.datetime.LocalDate.parse(value.toString())
        override fun fromLocalDate(value: kotlinx.datetime.LocalDate): LocalDate = LocalDate.parse(value.toString())
    }

    private object Times : LocalTimeColumnType<LocalTime>() {
        override fun toLocalTime(value: LocalTime) = kotlinx.datetime.LocalTime.parse(value.toString())
        override fun fromLocalTime(value: kotlinx.datetime.LocalTime): LocalTime = LocalTime.parse(value.toString())
    }

    private object DateTimes : LocalDateTimeColumnType<LocalDateTime>() {
        override fun toLocalDateTime(value: LocalDateTime) = kotlinx.datetime.LocalDateTime.parse(value.toString())
        override fun fromLocalDateTime(value: kotlinx.datetime.LocalDateTime): LocalDateTime = LocalDateTime.parse(value.toString())
    }
}
