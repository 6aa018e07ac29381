package dev.kormorant.jasync.mysql

import dev.kormorant.driver.SqlType
import dev.kormorant.test.ServerKind
import org.jetbrains.exposed.v1.core.BinaryColumnType
import org.jetbrains.exposed.v1.core.BlobColumnType
import org.jetbrains.exposed.v1.core.BooleanColumnType
import org.jetbrains.exposed.v1.core.ByteColumnType
import org.jetbrains.exposed.v1.core.DecimalColumnType
import org.jetbrains.exposed.v1.core.DoubleColumnType
import org.jetbrains.exposed.v1.core.FloatColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.LongColumnType
import org.jetbrains.exposed.v1.core.ShortColumnType
import org.jetbrains.exposed.v1.core.TextColumnType
import org.jetbrains.exposed.v1.core.UByteColumnType
import org.jetbrains.exposed.v1.core.UIntegerColumnType
import org.jetbrains.exposed.v1.core.ULongColumnType
import org.jetbrains.exposed.v1.core.UShortColumnType
import org.jetbrains.exposed.v1.core.java.UUIDColumnType
import org.jetbrains.exposed.v1.javatime.JavaLocalDateColumnType
import org.jetbrains.exposed.v1.javatime.JavaLocalDateTimeColumnType
import org.jetbrains.exposed.v1.javatime.JavaLocalTimeColumnType
import org.jetbrains.exposed.v1.javatime.JavaOffsetDateTimeColumnType
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.ZoneOffset
import java.util.UUID

class MySqlOnMySqlColumnsTest : MySqlColumnsTests(ServerKind.MYSQL)

class MySqlOnMariaDbColumnsTest : MySqlColumnsTests(ServerKind.MARIADB)

/** What the driver decodes is taken by the column types whose DDL makes such columns. */
abstract class MySqlColumnsTests(kind: ServerKind) {
    private val fixture = MySqlFixture.of(kind)

    private fun <T> read(column: IColumnType<T>, sqlType: String, literal: String): T? {
        var value: T? = null
        fixture.connected { db ->
            db.run("CREATE TEMPORARY TABLE natural_columns (v $sqlType)")
            db.run("INSERT INTO natural_columns VALUES ($literal)")
            value = column.valueFromDB(checkNotNull(db.prepared("SELECT v FROM natural_columns").single))
            val text = column.valueFromDB(checkNotNull(db.text("SELECT v FROM natural_columns").single))
            if (text !is ByteArray) assertEquals(value, text)
        }
        return value
    }

    @Test
    fun `numbers and booleans`() {
        for (type in listOf("BOOLEAN", "BIT(1)", "TINYINT", "INT")) {
            assertEquals(true, read(BooleanColumnType(), type, "1"))
            assertEquals(false, read(BooleanColumnType(), type, "0"))
        }
        assertEquals((-128).toByte(), read(ByteColumnType(), "TINYINT", "-128"))
        assertEquals(5.toByte(), read(ByteColumnType(), "TINYINT(1)", "5"))
        assertEquals(UByte.MAX_VALUE, read(UByteColumnType(), "TINYINT UNSIGNED", "255"))
        assertEquals(Short.MIN_VALUE, read(ShortColumnType(), "SMALLINT", "-32768"))
        assertEquals(UShort.MAX_VALUE, read(UShortColumnType(), "SMALLINT UNSIGNED", "65535"))
        assertEquals(Int.MIN_VALUE, read(IntegerColumnType(), "INT", "-2147483648"))
        assertEquals(UInt.MAX_VALUE, read(UIntegerColumnType(), "INT UNSIGNED", "4294967295"))
        assertEquals(Long.MIN_VALUE, read(LongColumnType(), "BIGINT", "-9223372036854775808"))
        assertEquals(ULong.MAX_VALUE, read(ULongColumnType(), "BIGINT UNSIGNED", "18446744073709551615"))
        assertEquals(1UL, read(ULongColumnType(), "BIGINT UNSIGNED", "1"))
        assertEquals(1.5f, read(FloatColumnType(), "FLOAT", "1.5"))
        assertEquals(0.1, read(DoubleColumnType(), "DOUBLE", "0.1"))
        assertEquals("12.340".toBigDecimal(), read(DecimalColumnType(10, 3), "DECIMAL(10, 3)", "12.34"))
    }

    @Test
    fun `texts and bytes`() {
        assertEquals("ä\uD83D\uDE00", read(TextColumnType(), "TEXT", "'ä\uD83D\uDE00'"))
        assertArrayEquals(byteArrayOf(0, -1), read(BinaryColumnType(2), "VARBINARY(2)", "X'00FF'"))
        assertArrayEquals(byteArrayOf(0, -1), read(BlobColumnType(), "BLOB", "X'00FF'")?.bytes)
        val uuid = UUID.randomUUID()
        assertEquals(uuid, read(UUIDColumnType(), "BINARY(16)", "X'${uuid.toString().replace("-", "")}'"))
        assertEquals(uuid, read(UUIDColumnType(), "CHAR(36)", "'$uuid'"))
    }

    @Test
    fun `dates and times`() {
        assertEquals(LocalDate.of(2024, 2, 29), read(JavaLocalDateColumnType(), "DATE", "'2024-02-29'"))
        assertEquals(LocalTime.of(1, 2, 3), read(JavaLocalTimeColumnType(), "TIME", "'01:02:03'"))
        val time = LocalDateTime.of(2024, 2, 29, 1, 2, 3, 456_789_000)
        assertEquals(time, read(JavaLocalDateTimeColumnType(), "DATETIME(6)", "'2024-02-29 01:02:03.456789'"))
        assertEquals(
            time.atOffset(ZoneOffset.UTC),
            read(JavaOffsetDateTimeColumnType(), "TIMESTAMP(6)", "'2024-02-29 01:02:03.456789'"),
        )
    }

    @Test
    fun `the first id of an insert is a long, whatever its column`() = fixture.connected { db ->
        for (type in listOf("TINYINT UNSIGNED", "INT", "BIGINT UNSIGNED")) {
            db.run("CREATE TEMPORARY TABLE auto_ids (id $type AUTO_INCREMENT PRIMARY KEY, v INT)")
            db.run("ALTER TABLE auto_ids AUTO_INCREMENT = 100")
            assertEquals(100L, db.prepared("INSERT INTO auto_ids (v) VALUES (?)", SqlType.INTEGER to 1).lastInsertId)
            db.run("DROP TEMPORARY TABLE auto_ids")
        }
    }
}
