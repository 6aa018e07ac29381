package dev.kormorant.jasync.mysql

import dev.kormorant.DataException
import dev.kormorant.DecodeException
import dev.kormorant.driver.SqlType
import dev.kormorant.test.ServerKind
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.math.BigDecimal
import java.math.BigInteger
import java.time.Duration
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.util.UUID

class MySqlOnMySqlValuesTest : MySqlValuesTests(ServerKind.MYSQL)

class MySqlOnMariaDbValuesTest : MySqlValuesTests(ServerKind.MARIADB)

abstract class MySqlValuesTests(kind: ServerKind) {
    private val fixture = MySqlFixture.of(kind)
    private val isMariaDb = kind == ServerKind.MARIADB

    private fun connected(test: suspend (MySqlConnection) -> Unit) = fixture.connected(test = test)

    /** Sends each value as [type] into a column of [columnType] and reads it back as binary and as text. */
    private fun roundTrip(type: SqlType, columnType: String, vararg values: Any?, expected: (Any?) -> Any? = { it }) = connected { db ->
        db.run("CREATE TEMPORARY TABLE round_trip (id INT AUTO_INCREMENT PRIMARY KEY, v $columnType NULL)")
        for (value in values.toList() + null) {
            val id = db.prepared("INSERT INTO round_trip (v) VALUES (?)", type to value).lastInsertId
            same(expected(value), db.prepared("SELECT v FROM round_trip WHERE id = ?", SqlType.BIGINT to id).single, "$columnType binary")
            same(expected(value), db.text("SELECT v FROM round_trip WHERE id = $id").single, "$columnType text")
        }
    }

    private fun same(expected: Any?, actual: Any?, what: String) {
        if (expected is ByteArray) assertArrayEquals(expected, actual as ByteArray?, what) else assertEquals(expected, actual, what)
        assertEquals(expected?.javaClass, actual?.javaClass, what)
    }

    @Test
    fun booleans() {
        roundTrip(SqlType.BOOLEAN, "BOOLEAN", true, false) { if (it == null) null else if (it as Boolean) 1.toByte() else 0.toByte() }
        roundTrip(SqlType.BOOLEAN, "BIT(1)", true, false)
    }

    @Test
    fun integers() {
        roundTrip(SqlType.SMALLINT, "SMALLINT", Short.MIN_VALUE, 0.toShort(), Short.MAX_VALUE)
        roundTrip(SqlType.INTEGER, "INT", Int.MIN_VALUE, -1, 0, Int.MAX_VALUE)
        roundTrip(SqlType.BIGINT, "BIGINT", Long.MIN_VALUE, -1L, 0L, Long.MAX_VALUE)
        roundTrip(SqlType.INTEGER, "MEDIUMINT", -8_388_608, 0, 8_388_607)
        roundTrip(SqlType.SMALLINT, "TINYINT", (-128).toShort(), 127.toShort()) { (it as Short?)?.toByte() }
        roundTrip(SqlType.INTEGER, "YEAR", 1901, 2155) { (it as Int?)?.toShort() }
    }

    @Test
    fun `traps 6 and 11, unsigned integers are widened`() {
        roundTrip(SqlType.SMALLINT, "TINYINT UNSIGNED", 0.toShort(), 128.toShort(), 255.toShort())
        roundTrip(SqlType.INTEGER, "SMALLINT UNSIGNED", 0, 32_768, 65_535)
        roundTrip(SqlType.INTEGER, "MEDIUMINT UNSIGNED", 0, 16_777_215)
        roundTrip(SqlType.BIGINT, "INT UNSIGNED", 0L, 2_147_483_648L, 4_294_967_295L)
        roundTrip(SqlType.UNKNOWN, "BIGINT UNSIGNED", "0", "9223372036854775807", "9223372036854775808", "18446744073709551615") { value ->
            value?.let { BigInteger(it as String) }?.let { if (it.bitLength() < 64) it.toLong() else it }
        }
    }

    @Test
    fun `floating point numbers`() {
        roundTrip(SqlType.DOUBLE, "DOUBLE", 0.0, -1.5, 0.1234567890123, Double.MAX_VALUE, -Double.MAX_VALUE, 1e-300)
        connected { db ->
            db.run("CREATE TEMPORARY TABLE floats (v FLOAT)")
            for (value in listOf(0f, 1.1f, -16_777_216f, 16_777_215f, Float.MAX_VALUE, -Float.MAX_VALUE, 1e-30f)) {
                db.prepared("INSERT INTO floats VALUES (?)", SqlType.REAL to value)
                assertEquals(value, db.prepared("SELECT v FROM floats").single)
                assertEquals(value, db.run("SELECT v FROM floats").single)
                db.run("DELETE FROM floats")
            }
        }
    }

    @Test
    fun decimals() {
        roundTrip(
            SqlType.DECIMAL,
            "DECIMAL(65, 30)",
            BigDecimal("0E-30"),
            BigDecimal("99999999999999999999999999999999999.999999999999999999999999999999"),
            BigDecimal("-99999999999999999999999999999999999.999999999999999999999999999999"),
            BigDecimal("0.000000000000000000000000000001"),
        )
        connected { db ->
            assertEquals(BigDecimal("1200"), db.prepared("SELECT CAST(? AS DECIMAL(10))", SqlType.DECIMAL to BigDecimal("1.2E+3")).single)
        }
    }

    @Test
    fun texts() {
        val texts = arrayOf<Any?>("", " ", "a'\"\\`?\u0000\n\u001a", "äöü€", "\uD83D\uDE00 \uD834\uDD1E", "x".repeat(250), "x".repeat(251), "é".repeat(20_000))
        roundTrip(SqlType.TEXT, "LONGTEXT", *texts)
        roundTrip(SqlType.UNKNOWN, "MEDIUMTEXT", *texts)
        roundTrip(SqlType.TEXT, "VARCHAR(300)", *texts.take(7).toTypedArray())
        roundTrip(SqlType.TEXT, "CHAR(10) CHARACTER SET latin1", "äöü")
        roundTrip(SqlType.UNKNOWN, "ENUM('a', 'ö')", "a", "ö")
        roundTrip(SqlType.UNKNOWN, "SET('a', 'b', 'c')", "", "a,c")
    }

    @Test
    fun bytes() {
        val all = ByteArray(256) { it.toByte() }
        roundTrip(SqlType.BINARY, "LONGBLOB", ByteArray(0), all, ByteArray(70_000) { (it / 7).toByte() })
        roundTrip(SqlType.BINARY, "VARBINARY(256)", ByteArray(0), all)
        roundTrip(SqlType.BINARY, "BINARY(4)", byteArrayOf(0, -1, 1, 0))
        roundTrip(SqlType.BINARY, "BIT(16)", byteArrayOf(-128, 1))
    }

    @Test
    fun uuids() {
        val uuids = arrayOf<Any?>(UUID(0, 0), UUID(-1, -1), UUID.randomUUID())
        roundTrip(SqlType.UUID, "CHAR(36)", *uuids) { it?.toString() }
        if (isMariaDb) roundTrip(SqlType.UUID, "UUID", *uuids) { it?.toString() }
    }

    @Test
    fun dates() {
        roundTrip(SqlType.DATE, "DATE", LocalDate.of(1, 1, 1), LocalDate.of(1582, 10, 10), LocalDate.of(2024, 2, 29), LocalDate.of(9999, 12, 31))
        connected { db ->
            assertThrows<IllegalArgumentException> { db.prepared("SELECT ?", SqlType.DATE to LocalDate.of(10_000, 1, 1)) }
            assertThrows<IllegalArgumentException> { db.prepared("SELECT ?", SqlType.DATE to LocalDate.of(-1, 1, 1)) }
        }
    }

    @Test
    fun `trap 12, times of day are exact to the microsecond`() {
        roundTrip(
            SqlType.TIME,
            "TIME(6)",
            LocalTime.MIDNIGHT,
            LocalTime.of(10, 20, 30),
            LocalTime.of(10, 20, 30, 123_456_000),
            LocalTime.of(0, 0, 0, 1_000),
            LocalTime.of(23, 59, 59, 999_999_000),
        )
        roundTrip(SqlType.TIME, "TIME", LocalTime.of(1, 2, 3))
    }

    @Test
    fun `traps 11 and 12, negative, long and fractional TIME`() {
        roundTrip(
            SqlType.UNKNOWN,
            "TIME(6)",
            "-10:20:30.000000",
            "-00:00:00.000001",
            "838:59:59.000000",
            "-838:59:59.000000",
            "24:00:00.500000",
            "10:20:30.123456",
        ) { value ->
            when (value) {
                "-10:20:30.000000" -> Duration.ofHours(-10).minusMinutes(20).minusSeconds(30)
                "-00:00:00.000001" -> Duration.ofNanos(-1_000)
                "838:59:59.000000" -> Duration.ofHours(838).plusMinutes(59).plusSeconds(59)
                "-838:59:59.000000" -> Duration.ofHours(-838).minusMinutes(59).minusSeconds(59)
                "24:00:00.500000" -> Duration.ofHours(24).plusMillis(500)
                "10:20:30.123456" -> LocalTime.of(10, 20, 30, 123_456_000)
                else -> null
            }
        }
    }

    @Test
    fun `trap 12, a parameter that follows a time is not shifted`() = connected { db ->
        val row = db.prepared(
            "SELECT CAST(? AS TIME(6)), ?, CAST(? AS DATETIME(6)), ?, CAST(? AS DATE), ?",
            SqlType.TIME to LocalTime.of(1, 2, 3, 4_000), SqlType.TEXT to "7",
            SqlType.TIMESTAMP to LocalDateTime.of(2024, 1, 2, 3, 4, 5, 6_000), SqlType.TEXT to "8",
            SqlType.DATE to LocalDate.of(2024, 1, 2), SqlType.TEXT to "9",
        ).rows.single()
        assertEquals(
            listOf(LocalTime.of(1, 2, 3, 4_000), "7", LocalDateTime.of(2024, 1, 2, 3, 4, 5, 6_000), "8", LocalDate.of(2024, 1, 2), "9"),
            row.toList(),
        )
    }

    @Test
    fun `dates with time are exact to the microsecond`() {
        roundTrip(
            SqlType.TIMESTAMP,
            "DATETIME(6)",
            LocalDateTime.of(1, 1, 1, 0, 0),
            LocalDateTime.of(2024, 2, 29, 0, 0),
            LocalDateTime.of(2024, 3, 31, 2, 30),
            LocalDateTime.of(2024, 2, 29, 23, 59, 59, 123_456_000),
            LocalDateTime.of(9999, 12, 31, 23, 59, 59, 999_999_000),
        )
        roundTrip(SqlType.TIMESTAMP, "DATETIME", LocalDateTime.of(2024, 2, 29, 1, 2, 3))
        connected { db ->
            val nanos = LocalDateTime.of(2024, 1, 1, 0, 0, 0, 123_456_789)
            assertEquals(nanos.withNano(123_456_000), db.prepared("SELECT CAST(? AS DATETIME(6))", SqlType.TIMESTAMP to nanos).single)
        }
    }

    @Test
    fun `instants do not depend on their offset`() {
        val instants = arrayOf<Any?>(
            OffsetDateTime.of(1970, 1, 1, 0, 0, 1, 0, ZoneOffset.UTC),
            OffsetDateTime.of(2024, 6, 1, 12, 0, 0, 123_456_000, ZoneOffset.ofHoursMinutes(5, 30)),
            OffsetDateTime.of(2038, 1, 19, 3, 14, 7, 0, ZoneOffset.UTC),
        )
        val inUtc: (Any?) -> Any? = { (it as OffsetDateTime?)?.withOffsetSameInstant(ZoneOffset.UTC) }
        roundTrip(SqlType.TIMESTAMP_WITH_TIME_ZONE, "TIMESTAMP(6)", *instants, expected = inUtc)
        roundTrip(SqlType.TIMESTAMP_WITH_TIME_ZONE, "DATETIME(6)", *instants) { (inUtc(it) as OffsetDateTime?)?.toLocalDateTime() }
    }

    @Test
    fun json() {
        val normal: (Any?) -> Any? = { it }
        roundTrip(SqlType.JSON, "JSON", "{\"a\": [1, null, \"ä\uD83D\uDE00\"]}", "null", "[]", expected = normal)
        roundTrip(SqlType.JSONB, "JSON", "{\"a\": 1}", expected = normal)
    }

    @Test
    fun `trap 13, dates of zeros are null`() = connected { db ->
        db.run("SET sql_mode = ''")
        db.run("CREATE TEMPORARY TABLE zeros (a DATE, b DATETIME, c DATETIME(6), d TIMESTAMP NULL, e TIME)")
        db.run("INSERT INTO zeros VALUES ('0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '00:00:00')")
        for (result in listOf(db.prepared("SELECT * FROM zeros"), db.text("SELECT * FROM zeros"))) {
            assertEquals(listOf(null, null, null, null, LocalTime.MIDNIGHT), result.rows.single().toList())
        }
    }

    @Test
    fun `trap 13, geometry is bytes`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE shapes (p POINT)")
        db.run("INSERT INTO shapes VALUES (ST_GeomFromText('POINT(1 2)'))")
        assertEquals(25, (db.prepared("SELECT p FROM shapes").single as ByteArray).size)
        assertEquals("geometry", db.text("SELECT p FROM shapes").columns.single().type)
        assertEquals("after", db.prepared("SELECT 'after'").single)
    }

    @Test
    fun `NULL of every type and rows of many columns`() = connected { db ->
        for (type in SqlType.entries - SqlType.ARRAY) assertNull(db.prepared("SELECT CAST(? AS CHAR)", type to null).single, "$type")
        for (count in listOf(6, 7, 14, 15, 500)) {
            val expected = List(count) { if (it % 3 == 0) null else "$it" }
            val row = db.prepared("SELECT " + expected.joinToString { if (it == null) "NULL" else "'$it'" }).rows.single()
            assertEquals(expected, row.toList())
            val sent = db.prepared("SELECT " + expected.joinToString { "CAST(? AS CHAR)" }, *expected.map { SqlType.TEXT to it }.toTypedArray())
            assertEquals(expected, sent.rows.single().toList())
        }
    }

    @Test
    fun `trap 12, the same text always has the same parameter types`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE types (d DOUBLE, b BIGINT)")
        val sql = "INSERT INTO types VALUES (?, ?)"
        db.prepared(sql, SqlType.DOUBLE to 1.0, SqlType.BIGINT to 1L)
        db.prepared(sql, SqlType.DOUBLE to null, SqlType.BIGINT to null)
        db.prepared(sql, SqlType.DOUBLE to 0.1234567890123, SqlType.BIGINT to 3_000_000_000L)
        val rows = db.prepared("SELECT d, b FROM types").rows.map { it.toList() }
        assertEquals(listOf(listOf(1.0, 1L), listOf(null, null), listOf(0.1234567890123, 3_000_000_000L)), rows)
    }

    @Test
    fun `a number out of range is an error of the statement`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE ranges (u INT UNSIGNED)")
        assertThrows<DataException> { db.prepared("INSERT INTO ranges VALUES (?)", SqlType.INTEGER to -1) }
        assertThrows<DataException> { db.prepared("INSERT INTO ranges VALUES (?)", SqlType.BIGINT to 4_294_967_296L) }
        assertTrue(db.prepared("SELECT u FROM ranges").rows.isEmpty())
    }

    @Test
    fun `the types of expressions are decoded too`() = connected { db ->
        val row = db.prepared("SELECT COUNT(*), SUM(1), 1 = 1, 1.5, 1e0, 'a', NULL, CAST(5 AS UNSIGNED), NOW(6), CURDATE(), X'01'").rows.single()
        assertEquals(1L, row[0])
        assertEquals(BigDecimal("1"), row[1])
        assertEquals(1L, (row[2] as Number).toLong())
        assertEquals(BigDecimal("1.5"), row[3])
        assertEquals(1.0, row[4])
        assertEquals("a", row[5])
        assertNull(row[6])
        assertEquals(5L, (row[7] as Number).toLong())
        assertTrue(row[8] is LocalDateTime)
        assertTrue(row[9] is LocalDate)
        assertArrayEquals(byteArrayOf(1), row[10] as ByteArray)
        assertEquals(BigInteger.TWO.pow(64) - BigInteger.ONE, db.prepared("SELECT ~0").single)
    }

    @Test
    fun `the cause of a DecodeException does not repeat the value`() = connected { db ->
        db.run("SET sql_mode = ''")
        db.run("CREATE TEMPORARY TABLE odd_dates (d DATETIME)")
        db.run("INSERT INTO odd_dates VALUES ('2024-00-10')")
        val error = assertThrows<DecodeException> { db.text("SELECT d FROM odd_dates") }
        assertTrue(generateSequence<Throwable>(error) { it.cause }.none { "2024" in it.toString() })
    }
}
