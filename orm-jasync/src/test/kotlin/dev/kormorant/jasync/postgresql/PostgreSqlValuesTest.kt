package dev.kormorant.jasync.postgresql

import dev.kormorant.DataException
import dev.kormorant.driver.Connection
import dev.kormorant.driver.SqlArray
import dev.kormorant.driver.SqlType
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.OffsetTime
import java.time.ZoneOffset
import java.util.UUID

/** Every value is read three times: as text by the first execution, as binary by the next, and as text by the simple protocol. */
class PostgreSqlValuesTest {
    /** [value] as a parameter comes back as [expected]. */
    private suspend fun Connection.trip(type: SqlType, column: String, value: Any?, expected: Any? = value) {
        repeat(3) { assertSame(expected, prepared("SELECT ?::$column", type to value).single, "$column, execution $it") }
        run("DROP TABLE IF EXISTS trip; CREATE TEMP TABLE trip (v $column)")
        run("INSERT INTO trip VALUES (?)", type to value)
        assertSame(expected, run("SELECT v FROM trip").single, "$column, stored")
    }

    private suspend fun Connection.trips(type: SqlType, column: String, vararg values: Any?) {
        for (value in values) trip(type, column, value)
        trip(type, column, null)
    }

    /** The SQL expression is read as [expected]. */
    private suspend fun Connection.reads(expression: String, expected: Any?) {
        repeat(3) { assertSame(expected, prepared("SELECT $expression").single, "$expression, execution $it") }
        assertSame(expected, run("SELECT $expression").single, "$expression, simple")
    }

    private fun assertSame(expected: Any?, actual: Any?, message: String) = when (expected) {
        is ByteArray -> assertArrayEquals(expected, actual as ByteArray?, message)
        else -> assertEquals(expected, actual, message)
    }

    @Test
    fun `numbers and booleans keep their values to the limits`() = connected { db ->
        db.trips(SqlType.BOOLEAN, "boolean", true, false)
        db.trips(SqlType.SMALLINT, "smallint", Short.MIN_VALUE, 0.toShort(), Short.MAX_VALUE)
        db.trips(SqlType.INTEGER, "integer", Int.MIN_VALUE, -1, 0, Int.MAX_VALUE)
        db.trips(SqlType.BIGINT, "bigint", Long.MIN_VALUE, -1L, 0L, Long.MAX_VALUE)
        db.trips(SqlType.REAL, "real", 0f, 0.1f, Float.MIN_VALUE, Float.MAX_VALUE, Float.NaN, Float.NEGATIVE_INFINITY)
        db.trips(SqlType.DOUBLE, "float8", 0.0, 0.1, 0.1234567890123, Double.MIN_VALUE, Double.MAX_VALUE)
        db.trips(SqlType.DOUBLE, "float8", Double.NaN, Double.POSITIVE_INFINITY)
        db.trips(SqlType.DECIMAL, "numeric", BigDecimal.ZERO, BigDecimal("0.10"), BigDecimal("1E-40").setScale(40))
        db.trip(SqlType.DECIMAL, "numeric", BigDecimal("-12345678901234567890123456789.000000001"))
        db.trip(SqlType.DECIMAL, "numeric", BigDecimal("1E+3"), BigDecimal("1000"))
        db.reads("'NaN'::numeric", Double.NaN)
        db.reads("'-Infinity'::numeric", Double.NEGATIVE_INFINITY)
        db.reads("4294967295::oid", 4294967295)
        db.reads("ARRAY['NaN', '1.50']::numeric[]", listOf(Double.NaN, BigDecimal("1.50")))
    }

    @Test
    fun `text keeps every character, and ten million of them`() = connected { db ->
        db.trips(SqlType.TEXT, "text", "", "plain", "it's \"quoted\" \\ ? \$1 \n\t", "ὕβρις 漢字 🦤", "NULL")
        db.trip(SqlType.TEXT, "varchar(5)", "12345")
        db.trip(SqlType.TEXT, "char(5)", "ab", "ab   ")
        db.trip(SqlType.TEXT, "text", "ä🦤".repeat(2_000_000))
        assertThrows<DataException> { db.prepared("SELECT ?::text", SqlType.TEXT to "nul \u0000") }
        db.reads("'x'::\"char\"", "x")
        db.reads("'x'::name", "x")
    }

    @Test
    fun `bytes keep every value, and ten million of them`() = connected { db ->
        db.trips(SqlType.BINARY, "bytea", ByteArray(0), ByteArray(256) { it.toByte() })
        db.trip(SqlType.BINARY, "bytea", ByteArray(10_000_000) { (it * 31).toByte() })
        db.run("SET bytea_output = 'escape'")
        assertArrayEquals(byteArrayOf(0, 92, 65, -1), db.run("SELECT '\\x005c41ff'::bytea").single as ByteArray)
    }

    @Test
    fun `dates and times keep BC, far years and microseconds`() = connected { db ->
        db.trips(SqlType.DATE, "date", LocalDate.of(2024, 2, 29), LocalDate.of(1, 1, 1), LocalDate.of(0, 12, 31), LocalDate.of(-43, 3, 15))
        db.trips(SqlType.DATE, "date", LocalDate.of(-4712, 1, 1), LocalDate.of(12345, 6, 7))
        db.trips(SqlType.TIME, "time", LocalTime.MIDNIGHT, LocalTime.of(23, 59, 59, 999_999_000), LocalTime.MAX, LocalTime.of(1, 2))
        db.trips(
            SqlType.TIMESTAMP, "timestamp",
            LocalDateTime.of(2024, 1, 2, 3, 4, 5, 123_456_000), LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999_999_000),
            LocalDateTime.of(-43, 3, 15, 12, 0), LocalDateTime.of(294_276, 12, 31, 23, 59, 59),
        )
        db.trips(
            SqlType.TIMESTAMP_WITH_TIME_ZONE, "timestamptz", OffsetDateTime.of(2024, 1, 2, 3, 4, 5, 123_456_000, ZoneOffset.UTC),
            OffsetDateTime.of(-43, 3, 15, 12, 0, 0, 0, ZoneOffset.UTC), OffsetDateTime.of(12345, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC),
        )
        val halfHour = OffsetDateTime.of(2024, 1, 1, 0, 0, 0, 0, ZoneOffset.ofHoursMinutes(5, 30))
        db.trip(SqlType.TIMESTAMP_WITH_TIME_ZONE, "timestamptz", halfHour, halfHour.withOffsetSameInstant(ZoneOffset.UTC))
        db.trip(SqlType.TIME, "time", LocalTime.of(1, 2, 3, 4_999), LocalTime.of(1, 2, 3, 4_000))
        assertThrows<DataException> { db.prepared("SELECT ?::date", SqlType.DATE to LocalDate.of(-5000, 1, 1)) }
        db.reads("'24:00'::time", LocalTime.MAX)
        db.reads("'01:02:03.5+05:30'::timetz", OffsetTime.of(1, 2, 3, 500_000_000, ZoneOffset.ofHoursMinutes(5, 30)))
        db.reads("'01:02:03-01:02:03'::timetz", OffsetTime.of(1, 2, 3, 0, ZoneOffset.ofHoursMinutesSeconds(-1, -2, -3)))
    }

    @Test
    fun `infinite dates are the MAX and MIN of their class`() = connected { db ->
        db.trips(SqlType.DATE, "date", LocalDate.MAX, LocalDate.MIN)
        db.trips(SqlType.TIMESTAMP, "timestamp", LocalDateTime.MAX, LocalDateTime.MIN)
        db.trips(SqlType.TIMESTAMP_WITH_TIME_ZONE, "timestamptz", OffsetDateTime.MAX, OffsetDateTime.MIN)
        db.reads("ARRAY['infinity', '-infinity']::date[]", listOf(LocalDate.MAX, LocalDate.MIN))
        db.reads("'infinity'::timestamptz", OffsetDateTime.MAX)
    }

    @Test
    fun `uuid, json, enums and other types by their text`() = connected { db ->
        db.trips(SqlType.UUID, "uuid", UUID(0, 0), UUID(-1, -1), UUID.randomUUID())
        db.trips(SqlType.JSON, "json", "{\"a\" :  [1,null]}", "\"ö\"")
        db.trips(SqlType.JSONB, "jsonb", "{\"a\": [1, null]}", "\"ö\"")
        db.run("CREATE TYPE pg_temp.mood AS ENUM ('glad', 'sad')")
        db.trips(SqlType.UNKNOWN, "pg_temp.mood", "glad")
        db.trips(SqlType.UNKNOWN, "int4range", "[1,5)")
        db.trips(SqlType.UNKNOWN, "inet", "10.0.0.1/8")
        db.trips(SqlType.UNKNOWN, "interval", "P-1Y-2M3DT3H55M6.000001S", "PT0S", "PT-0.000001S")
        db.reads("'1 year -2 months +3 days 04:05:06.789'::interval", "P10M3DT4H5M6.789S")
    }

    @Test
    fun `arrays of every type, with NULL, quotes and further dimensions`() = connected { db ->
        val uuid = UUID.randomUUID()
        val arrays = listOf(
            Triple(SqlType.BOOLEAN, "boolean[]", listOf(true, null, false)),
            Triple(SqlType.SMALLINT, "smallint[]", listOf<Short?>(1, null)),
            Triple(SqlType.INTEGER, "integer[]", listOf(Int.MIN_VALUE, null, Int.MAX_VALUE)),
            Triple(SqlType.BIGINT, "bigint[]", listOf(Long.MIN_VALUE, null)),
            Triple(SqlType.REAL, "real[]", listOf(0.1f, Float.NaN, null)),
            Triple(SqlType.DOUBLE, "float8[]", listOf(0.1, Double.NEGATIVE_INFINITY, null)),
            Triple(SqlType.DECIMAL, "numeric[]", listOf(BigDecimal("1.50"), null)),
            Triple(SqlType.TEXT, "text[]", listOf("", "NULL", null, "a,b", "{\"x\\y\"}", " spaced ", "漢🦤")),
            Triple(SqlType.UUID, "uuid[]", listOf(uuid, null)),
            Triple(SqlType.DATE, "date[]", listOf(LocalDate.of(-43, 3, 15), null)),
            Triple(SqlType.TIME, "time[]", listOf(LocalTime.of(1, 2, 3, 4_000), null)),
            Triple(SqlType.TIMESTAMP, "timestamp[]", listOf(LocalDateTime.of(12345, 1, 2, 3, 4, 5, 6_000), null)),
            Triple(SqlType.TIMESTAMP_WITH_TIME_ZONE, "timestamptz[]", listOf(OffsetDateTime.parse("2024-01-02T03:04:05.000006Z"), null)),
            Triple(SqlType.JSON, "json[]", listOf("{\"a\":\"\\\"\"}", null)),
            Triple(SqlType.JSONB, "jsonb[]", listOf("{\"a\": [1]}", null)),
            Triple(SqlType.INTEGER, "integer[]", listOf(listOf(1, 2), listOf(3, null))),
            Triple(SqlType.TEXT, "text[]", emptyList<Any>()),
        )
        for ((type, column, elements) in arrays) {
            db.trip(SqlType.ARRAY, column, SqlArray(type, elements), elements)
            repeat(2) { assertEquals(elements, db.prepared("SELECT ?", SqlType.ARRAY to SqlArray(type, elements)).single, column) }
        }
        val array = SqlArray(SqlType.BINARY, listOf(byteArrayOf(0, -1), null))
        val bytes = db.prepared("SELECT ?::bytea[]", SqlType.ARRAY to array).single as List<*>
        assertArrayEquals(byteArrayOf(0, -1), bytes[0] as ByteArray)
        assertEquals(null, bytes[1])
        db.trip(SqlType.ARRAY, "integer[]", null)
        db.run("CREATE TYPE pg_temp.mood AS ENUM ('glad', 'sad')")
        db.trip(SqlType.ARRAY, "pg_temp.mood[]", SqlArray(SqlType.UNKNOWN, listOf("glad", null)), listOf("glad", null))
    }

    @Test
    fun `arrays with bounds and of unusual element types`() = connected { db ->
        db.reads("'[0:1]={1,2}'::int[]", listOf(1, 2))
        db.reads("'[2:2][-1:0]={{1,2}}'::int[]", listOf(listOf(1, 2)))
        db.reads("ARRAY['(1,1),(0,0)', '(2,2),(0,0)']::box[]", listOf("(1,1),(0,0)", "(2,2),(0,0)"))
        db.reads("ARRAY['[1,2)', NULL]::int4range[]", listOf("[1,2)", null))
        db.reads("ARRAY['1 day']::interval[]", listOf("P1D"))
        db.reads("ARRAY['01:02+05:30']::timetz[]", listOf(OffsetTime.of(1, 2, 0, 0, ZoneOffset.ofHoursMinutes(5, 30))))
    }

    @Test
    fun `a NULL has the type of its column`() = connected { db ->
        assertEquals(true, db.prepared("SELECT ? IS NULL", SqlType.TEXT to null).single)
        assertEquals("{\"a\": null}", db.prepared("SELECT jsonb_build_object('a', ?)", SqlType.BIGINT to null).single)
        assertEquals("x", db.prepared("SELECT concat('x', ?)", SqlType.DECIMAL to null).single)
    }
}
