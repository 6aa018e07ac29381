package dev.kormorant.test.conformance

import dev.kormorant.DataException
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import dev.kormorant.batchInsert
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.selectAll
import dev.kormorant.update
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import org.jetbrains.exposed.v1.core.BasicBinaryColumnType
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.datetime.date as kotlinDate
import org.jetbrains.exposed.v1.datetime.datetime as kotlinDatetime
import org.jetbrains.exposed.v1.datetime.duration as kotlinDuration
import org.jetbrains.exposed.v1.datetime.time as kotlinTime
import org.jetbrains.exposed.v1.datetime.timestamp as kotlinTimestamp
import org.jetbrains.exposed.v1.core.isNull
import org.jetbrains.exposed.v1.core.java.UUIDColumnType
import org.jetbrains.exposed.v1.core.java.javaUUID
import org.jetbrains.exposed.v1.core.statements.api.ExposedBlob
import org.jetbrains.exposed.v1.javatime.date
import org.jetbrains.exposed.v1.javatime.datetime
import org.jetbrains.exposed.v1.javatime.duration
import org.jetbrains.exposed.v1.javatime.time
import org.jetbrains.exposed.v1.javatime.timestamp
import org.jetbrains.exposed.v1.javatime.timestampWithTimeZone
import org.jetbrains.exposed.v1.json.json
import org.jetbrains.exposed.v1.json.jsonb
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.math.BigDecimal
import java.time.Duration
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.util.TimeZone
import java.util.UUID
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.uuid.Uuid

/**
 * Every column type keeps every value: written and read by the DSL, found again by an equal value, changed by an update, written many
 * rows at a time, and NULL. One line a type.
 */
public abstract class ValueSuite(backend: Backend) : Suite(backend, Named) {
    @Test
    public fun `signed integers keep their bounds`() {
        keeps(0, 1, -1, Byte.MAX_VALUE, Byte.MIN_VALUE) { byte(it) }
        keeps<Short>(0, Short.MAX_VALUE, Short.MIN_VALUE) { short(it) }
        keeps(0, Int.MAX_VALUE, Int.MIN_VALUE) { integer(it) }
        keeps(0L, Long.MAX_VALUE, Long.MIN_VALUE, 1L shl 53 or 1) { long(it) }
    }

    @Test
    public fun `unsigned integers keep their bounds`() {
        keeps(0.toUByte(), UByte.MAX_VALUE) { ubyte(it) }
        keeps(0.toUShort(), UShort.MAX_VALUE) { ushort(it) }
        keeps(0u, UInt.MAX_VALUE) { uinteger(it) }
        keeps(0uL, Long.MAX_VALUE.toULong()) { ulong(it) }
        if (can.unsigned64) keeps(ULong.MAX_VALUE, ULong.MAX_VALUE - 1u) { ulong(it) }
    }

    @Test
    public fun `floating-point numbers keep every bit`() {
        keeps(0f, 1.1f, -1.17549435E-38f, Float.MAX_VALUE, findable = false) { float(it) }
        keeps(0.0, 0.1, 1.0 / 3, Double.MAX_VALUE, -2.2250738585072014E-308, findable = false) { double(it) }
    }

    @Test
    public fun `decimals keep every digit`() {
        keeps(decimal("0.00"), decimal("-99999999.99"), decimal("0.01")) { decimal(it, 10, 2) }
        if (can.exactDecimals) keeps(decimal("1234567890123456789012345678.0123456789"), decimal("-0.0000000001")) { decimal(it, 38, 10) }
    }

    @Test
    public fun `booleans, characters and enums come back as they are`() {
        keeps(true, false) { bool(it) }
        keeps('a', 'é', '\'') { char(it) }
        keeps(Colour.RED, Colour.BLUE) { enumeration<Colour>(it) }
        keeps(Colour.RED, Colour.BLUE) { enumerationByName<Colour>(it, 10) }
    }

    @Test
    public fun `text keeps every character, quotes, backslashes and question marks included`() {
        val texts = arrayOf("", " ", "plain", "it's \"quoted\" \\ and `ticked`", "? ?? $1 :name %s", "line\nbreak\ttab", "ÄÖÜ ß ñ", "日本語", "😀👩‍👩‍👧 𝄞", "-- no comment /* */")
        keeps(*texts) { varchar(it, 100) }
        keeps(*texts, findable = false) { text(it) }
    }

    @Test
    public fun `ten megabytes of text and of bytes come back whole`() {
        keeps("0123456789é".repeat(1_000_000), findable = false) { largeText(it) }
        val bytes = ByteArray(10_000_000) { (it * 31).toByte() }
        keeps(bytes, findable = false, same = ByteArray::contentEquals) { registerColumn(it, LongBinary(can.longBinary)) }
    }

    @Test
    public fun `bytes come back whole`() {
        val all = ByteArray(256) { it.toByte() }
        keeps(ExposedBlob(ByteArray(0)), ExposedBlob(all), findable = false, same = { a, b -> a.bytes.contentEquals(b.bytes) }) { blob(it) }
        keeps(all, byteArrayOf(0), same = ByteArray::contentEquals) { binary(it, 300) }
    }

    @Test
    public fun `UUIDs of both kinds come back equal`() {
        keeps(UUID(0, 0), UUID(-1, -1), UUID.fromString("6ba7b810-9dad-11d1-80b4-00c04fd430c8")) { javaUUID(it) }
        keeps(Uuid.NIL, Uuid.parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")) { uuid(it) }
    }

    @Test
    public fun `dates and times keep years and microseconds, far from now as well`() {
        keeps(LocalDate.of(1970, 1, 1), LocalDate.of(1582, 10, 4), LocalDate.of(1000, 1, 1), LocalDate.of(9999, 12, 31), LocalDate.of(2024, 2, 29)) { date(it) }
        keeps(LocalTime.MIDNIGHT, LocalTime.of(23, 59, 59)) { time(it) }
        if (can.timeMicroseconds) keeps(LocalTime.of(23, 59, 59, 999_999_000), LocalTime.of(12, 0, 0, 1000)) { time(it) }
        keeps(
            LocalDateTime.of(1970, 1, 1, 0, 0),
            LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999_999_000),
            LocalDateTime.of(1000, 1, 1, 0, 0),
            LocalDateTime.of(9999, 12, 31, 23, 59, 59),
            LocalDateTime.of(2024, 3, 31, 2, 30, 0, 123_456_000),
        ) { datetime(it) }
        keeps(Duration.ZERO, Duration.ofNanos(1), Duration.ofDays(-400)) { duration(it) }
    }

    @Test
    public fun `instants are the same whatever the zone of the program`() {
        for (zone in listOf("UTC", "Asia/Kolkata", "America/New_York", "Pacific/Chatham")) {
            inZone(zone) {
                keeps(Instant.parse("1971-01-02T00:00:00Z"), Instant.parse("2024-07-01T12:00:00.000001Z"), Instant.parse("2037-12-31T00:00:00Z")) { timestamp(it) }
                if (can.wideInstants) keeps(Instant.EPOCH, Instant.parse("1969-12-31T23:59:59.999999Z"), Instant.parse("1900-01-01T00:00:00Z")) { timestamp(it) }
                if (can.zonedTimestamps) keeps(
                    OffsetDateTime.parse(if (can.zonedMicroseconds) "2024-07-01T12:00:00.123456+05:30" else "2024-07-01T12:00:00.123+05:30"),
                    OffsetDateTime.parse("1971-01-01T00:00:00Z"),
                    OffsetDateTime.parse("2037-12-31T23:59:59-11:00"),
                    same = { a, b -> a.toInstant() == b.toInstant() },
                ) { timestampWithTimeZone(it) }
            }
        }
    }

    @Test
    public fun `a point in time with a zone is the same for a program in another zone`() {
        needs(can.zonedTimestamps, "points in time with a zone")
        val instants = InstantTable("zoned_${NUMBERS.incrementAndGet()}")
        val value = OffsetDateTime.of(2024, 7, 1, 12, 0, 0, 0, ZoneOffset.UTC)
        inZone("Asia/Tokyo") {
            test {
                Schema.create(instants)
                instants.insert { it[at] = value }
            }
        }
        inZone("America/New_York") { test { assertEquals(value.toInstant(), instants.selectAll().single()[instants.at].toInstant()) } }
        test { Schema.drop(instants) }
    }

    @Test
    public fun `the columns of kotlinx-datetime keep theirs as those of java-time do`() {
        keeps(kotlinx.datetime.LocalDate(1000, 1, 1), kotlinx.datetime.LocalDate(9999, 12, 31)) { kotlinDate(it) }
        keeps(kotlinx.datetime.LocalTime(0, 0), kotlinx.datetime.LocalTime(23, 59, 59)) { kotlinTime(it) }
        keeps(kotlinx.datetime.LocalDateTime(1969, 12, 31, 23, 59, 59, 999_999_000), kotlinx.datetime.LocalDateTime(9999, 12, 31, 0, 0)) { kotlinDatetime(it) }
        keeps(kotlin.time.Instant.parse("2024-07-01T12:00:00.000001Z")) { kotlinTimestamp(it) }
        keeps(kotlin.time.Duration.ZERO, (-400).days, 1.nanoseconds) { kotlinDuration(it) }
    }

    @Test
    public fun `JSON keeps its value`() {
        val documents = listOf("""{"a":[1,2.5,null,true],"é😀":"it's ? \"x\""}""", "[]", "null", "\"text\"", "[1,[2,[3]]]").map { Json.parseToJsonElement(it) }
        keeps(*documents.toTypedArray(), findable = false) { json<JsonElement>(it, { value -> value.toString() }, Json::parseToJsonElement) }
        if (can.jsonb) keeps(*documents.toTypedArray(), findable = false) { jsonb<JsonElement>(it, { value -> value.toString() }, Json::parseToJsonElement) }
    }

    @Test
    public fun `arrays keep order, nothing, and quotes`() {
        needs(can.arrays, "array columns")
        keeps(emptyList(), listOf(1, -1, Int.MAX_VALUE)) { array<Int>(it) }
        keeps(emptyList(), listOf("", "NULL", "a,b", "\"q\" \\ {x}", "😀")) { array<String>(it) }
        keeps(listOf(true, false)) { array<Boolean>(it) }
        keeps(listOf(0.1, Double.MAX_VALUE)) { array<Double>(it) }
        keeps(listOf(UUID(1, 2))) { array(it, UUIDColumnType()) }
    }

    @Test
    public fun `a transformed column keeps what it is transformed to`() {
        keeps(Celsius(-273), Celsius(100)) { integer(it).transform({ Celsius(it) }, { value -> value.degrees }) }
        keeps(listOf("a", "b"), listOf("c")) { varchar(it, 50).transform({ it.split(',') }, { value -> value.joinToString(",") }) }
    }

    @Test
    public fun `a value longer than its column names the column and is not sent`() {
        test {
            val sent = statementsOf {
                val errors = listOf(
                    assertFails<DataException> { NamedModel.new { name = "abcd" } },
                    assertFails<DataException> { Named.insert { it[name] = "abcd" } },
                    assertFails<DataException> { Named.update { it[name] = "abcd" } },
                    assertFails<DataException> { Named.batchInsert(listOf("abc", "abcd")) { this[Named.name] = it } },
                )
                for (error in errors) {
                    assertEquals("name", error.details.column)
                    assertTrue("kept_names.name" in error.problem, error.problem)
                    assertTrue("abcd" !in error.toString())
                }
            }
            assertEquals(emptyList<String>(), sent)
        }
    }

    // ---- How a value is tried

    private fun <T : Any> keeps(vararg values: T, findable: Boolean = true, same: (T, T) -> Boolean = { a, b -> a == b }, column: Table.(String) -> Column<T>): Unit =
        keepsAll(values.asList(), findable, same, column)

    private fun <T : Any> keepsAll(values: List<T>, findable: Boolean, same: (T, T) -> Boolean, column: Table.(String) -> Column<T>) = test {
        val table = ValueTable("value_${NUMBERS.incrementAndGet()}", column)
        fun check(expected: T, actual: T?, how: String) =
            assertTrue(actual != null && same(expected, actual), "${table.required.columnType.javaClass.simpleName}: $how ${shorten(expected)} came back as ${shorten(actual)}")
        Schema.create(table)
        try {
            val first = table.insertAndGetId {
                it[required] = values[0]
                it[optional] = null
            }
            assertNull(table.selectAll().where { table.id eq first }.single()[table.optional])
            assertEquals(1, table.selectAll().where { table.optional.isNull() }.count())
            for (value in values) {
                val id = table.insertAndGetId {
                    it[required] = value
                    it[optional] = value
                }
                val row = table.selectAll().where { table.id eq id }.single()
                check(value, row[table.required], "the inserted")
                check(value, row[table.optional], "the inserted nullable")
                if (findable) assertTrue(table.selectAll().where { table.required eq value }.count() >= 1, "${shorten(value)} is found")
                table.update({ table.id eq first }) { it[optional] = value }
                check(value, table.selectAll().where { table.id eq first }.single()[table.optional], "the updated")
            }
            val rows = table.batchInsert(values) { this[table.required] = it }
            values.zip(rows).forEach { (value, row) -> check(value, table.selectAll().where { table.id eq row[table.id] }.single()[table.required], "the batch's") }
        } finally {
            Schema.drop(table)
        }
    }

    private fun shorten(value: Any?) = value.toString().take(80)

    private fun inZone(zone: String, block: () -> Unit) {
        val before = TimeZone.getDefault()
        TimeZone.setDefault(TimeZone.getTimeZone(zone))
        try {
            block()
        } finally {
            TimeZone.setDefault(before)
        }
    }

    private companion object {
        val NUMBERS = AtomicInteger()

        fun decimal(text: String) = BigDecimal(text)
    }
}

private enum class Colour { RED, BLUE }

private data class Celsius(val degrees: Int)

/** A table with one column of a type, and the same column nullable. */
private class ValueTable<T : Any>(name: String, column: Table.(String) -> Column<T>) : LongIdTable(name) {
    val required: Column<T> = column("required")
    val optional: Column<T?> = column("optional").nullable()
}

private class InstantTable(name: String) : LongIdTable(name) {
    val at = timestampWithTimeZone("at")
}

private object Named : LongIdTable("kept_names") {
    val name = varchar("name", 3)
}

private class NamedModel : LongModel() {
    var name by Named.name

    companion object : LongModelClass<NamedModel>(Named, ::NamedModel)
}

/** Bytes beyond what the blob type of every product holds. */
private class LongBinary(private val type: String) : BasicBinaryColumnType() {
    override fun sqlType(): String = type
}
