package dev.kormorant.test.conformance

import dev.kormorant.Schema
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.batchInsert
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.postgresql.Interval
import dev.kormorant.postgresql.Range
import dev.kormorant.postgresql.adjacentTo
import dev.kormorant.postgresql.after
import dev.kormorant.postgresql.append
import dev.kormorant.postgresql.before
import dev.kormorant.postgresql.cardinality
import dev.kormorant.postgresql.citext
import dev.kormorant.postgresql.containedBy
import dev.kormorant.postgresql.contains
import dev.kormorant.postgresql.dateRange
import dev.kormorant.postgresql.get
import dev.kormorant.postgresql.hasAllKeys
import dev.kormorant.postgresql.hasAnyKey
import dev.kormorant.postgresql.hasKey
import dev.kormorant.postgresql.hstore
import dev.kormorant.postgresql.int4Range
import dev.kormorant.postgresql.int8Range
import dev.kormorant.postgresql.intersection
import dev.kormorant.postgresql.interval
import dev.kormorant.postgresql.isEmpty
import dev.kormorant.postgresql.keys
import dev.kormorant.postgresql.matches
import dev.kormorant.postgresql.merge
import dev.kormorant.postgresql.numRange
import dev.kormorant.postgresql.overlaps
import dev.kormorant.postgresql.phraseToTsQuery
import dev.kormorant.postgresql.plainToTsQuery
import dev.kormorant.postgresql.remove
import dev.kormorant.postgresql.toTsQuery
import dev.kormorant.postgresql.toTsVector
import dev.kormorant.postgresql.tsHeadline
import dev.kormorant.postgresql.tsRange
import dev.kormorant.postgresql.tsRank
import dev.kormorant.postgresql.tsRankCd
import dev.kormorant.postgresql.tsVector
import dev.kormorant.postgresql.tstzRange
import dev.kormorant.postgresql.webSearchToTsQuery
import dev.kormorant.postgresql.without
import dev.kormorant.selectAll
import dev.kormorant.update
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.anyFrom
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.inList
import org.jetbrains.exposed.v1.core.intParam
import org.jetbrains.exposed.v1.core.slice
import org.jetbrains.exposed.v1.core.stringLiteral
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.math.BigDecimal
import java.time.Duration
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.OffsetDateTime

/** The column types and operators that only PostgreSQL has; elsewhere they are refused before anything is sent. */
public abstract class PostgreSqlTypesSuite(backend: Backend) : Suite(backend) {
    private val isPostgreSql get() = backend.product == "PostgreSQL"

    private fun <T : Any> on(column: Table.(String) -> Column<T>, block: suspend One<T>.() -> Unit) = test {
        needs(isPostgreSql, "such types")
        for (extension in listOf("hstore", "citext")) db.exec("CREATE EXTENSION IF NOT EXISTS $extension")
        val table = One("one", column)
        Schema.drop(table)
        Schema.create(table)
        table.block()
        Schema.drop(table)
    }

    /** Each of [values] comes back from an insert, an update, a batch and a condition; and NULL does. */
    private fun <T : Any> keeps(vararg values: T, column: Table.(String) -> Column<T>) = on(column) {
        val first = insertAndGetId { it[value] = null }
        assertNull(selectAll().single()[value])
        for (kept in values) {
            val id = insertAndGetId { it[value] = kept }
            assertEquals(kept, selectAll().where { this@on.id eq id }.single()[value])
            assertTrue(selectAll().where { value eq kept }.count() >= 1)
            update({ this@on.id eq first }) { it[value] = kept }
            assertEquals(kept, selectAll().where { this@on.id eq first }.single()[value])
        }
        val rows = batchInsert(values.asList() + listOf(null)) { this[value] = it }
        assertEquals(values.asList() + listOf(null), rows.map { row -> selectAll().where { this@on.id eq row[this@on.id] }.single()[value] })
        assertEquals(values.size, selectAll().where { value inList values.asList() }.toList().map { it[value] }.distinct().size)
    }

    private suspend fun <T> One<*>.value(expression: Expression<T>): T = selectAll().scalar(expression)

    private suspend fun One<*>.holds(condition: Op<Boolean>) = !selectAll().where(condition).empty()

    @Test
    public fun `the types are refused where there are none`(): Unit = test {
        needs(!isPostgreSql, "want of such types")
        val table = object : Table("refused") {
            val pairs = hstore("pairs")
            val name = varchar("name", 10)
        }
        val statements = statementsOf {
            assertFails<UnsupportedByDialectException> { Schema.createStatements(table) }
            assertFails<UnsupportedByDialectException> { table.insert { it[pairs] = mapOf("a" to "b") } }
            assertFails<UnsupportedByDialectException> { table.selectAll().where { table.pairs.hasKey("a") }.toList() }
            assertFails<UnsupportedByDialectException> { table.selectAll().where { toTsVector(table.name) matches toTsQuery("a") }.toList() }
        }
        assertTrue(statements.none { "refused" in it }, statements.toString())
    }

    // ---- hstore

    @Test
    public fun `hstore keeps keys with texts and nulls (D3)`(): Unit = keeps(
        emptyMap(),
        mapOf("a" to "1", "b" to null, "" to ""),
        mapOf("it's \"quoted\" \\ => , ?" to "é😀 \"\\ NULL", "NULL" to "NULL"),
    ) { hstore(it) }

    @Test
    public fun `the operators of hstore (D3)`(): Unit = on({ hstore(it) }) {
        insert { it[value] = mapOf("a" to "1", "it's ?" to null) }
        assertEquals("1", value(value["a"]))
        assertNull(value(value["it's ?"]))
        assertEquals(listOf(true, true, false), listOf(value.hasKey("a"), value.hasKey("it's ?"), value.hasKey("b")).map { holds(it) })
        assertEquals(listOf(true, false, true, false), listOf(value.hasAnyKey("a", "z"), value.hasAnyKey("y", "z"), value.hasAllKeys("a", "it's ?"), value.hasAllKeys("a", "z")).map { holds(it) })
        assertEquals(listOf(true, false), listOf(value contains mapOf("a" to "1"), value contains mapOf("a" to "2")).map { holds(it) })
        assertEquals(listOf(false, true), listOf(value containedBy mapOf("a" to "1"), value containedBy mapOf("a" to "1", "it's ?" to null, "c" to "d")).map { holds(it) })
        assertEquals(setOf("a", "it's ?"), value(value.keys())!!.toSet())
        update { it[value] = value.merge(mapOf("b" to "2")).without("it's ?") }
        assertEquals(mapOf("a" to "1", "b" to "2"), selectAll().single()[value])
    }

    // ---- citext

    @Test
    public fun `citext is compared without regard to case, and keeps it`(): Unit = on({ citext(it) }) {
        insert { it[value] = "MixedCase" }
        assertEquals("MixedCase", selectAll().where { value eq "mixedcase" }.single()[value])
        assertEquals("MixedCase", selectAll().where { value inList listOf("MIXEDCASE", "x") }.single()[value])
    }

    // ---- Ranges

    @Test
    public fun `ranges keep their bounds, none, and nothing`() {
        keeps(Range.of(1, 5), Range.of(null, 5), Range.of(1, null), Range.unbounded(), Range.empty(), Range.of(-7, 0)) { int4Range(it) }
        keeps(Range.of(Long.MIN_VALUE, Long.MAX_VALUE)) { int8Range(it) }
        keeps(Range.of(BigDecimal("1.5"), BigDecimal("2.25"), false, true), Range.empty()) { numRange(it) }
        keeps(Range.of(LocalDate.of(1000, 1, 1), LocalDate.of(2024, 2, 29)), Range.of(null, LocalDate.of(2024, 1, 1))) { dateRange(it) }
        keeps(Range.of(LocalDateTime.of(2024, 1, 1, 0, 0), LocalDateTime.of(2024, 1, 1, 12, 30, 15, 123_456_000), upperInclusive = true)) { tsRange(it) }
        keeps(Range.of(OffsetDateTime.parse("2024-01-01T00:00Z"), OffsetDateTime.parse("2024-07-01T12:00:00.5Z"))) { tstzRange(it) }
    }

    @Test
    public fun `a range of whole numbers comes back in the form of the server`(): Unit = on({ int4Range(it) }) {
        insert { it[value] = Range.of(1, 3, lowerInclusive = false, upperInclusive = true) }
        assertEquals(Range.of(2, 4), selectAll().single()[value])
    }

    @Test
    public fun `the operators of ranges`(): Unit = on({ int4Range(it) }) {
        insert { it[value] = Range.of(10, 20) }
        assertEquals(listOf(true, false, true, false), listOf(value contains 10, value contains 20, value contains Range.of(11, 12), value contains Range.of(5, 12)).map { holds(it) })
        assertEquals(listOf(true, true, false), listOf(value containedBy Range.of(0, 99), value overlaps Range.of(19, 30), value overlaps Range.of(20, 30)).map { holds(it) })
        assertEquals(listOf(true, true, true, false), listOf(value adjacentTo Range.of(20, 30), value before Range.of(20, 30), value after Range.of(1, 5), value.isEmpty()).map { holds(it) })
        assertEquals(Range.of(15, 20), value(value intersection Range.of(15, 40)))
    }

    // ---- interval

    @Test
    public fun `intervals keep months, days and time apart, each with its sign`(): Unit = keeps(
        Interval(),
        Interval(months = 14, days = 3, time = Duration.ofHours(4).plusMinutes(5).plusNanos(6_700_001_000)),
        Interval(months = -1, days = 40, time = Duration.ofSeconds(-90)),
        Interval(time = Duration.ofHours(-30)),
        Interval(days = -1),
    ) { interval(it) }

    // ---- Arrays

    @Test
    public fun `the operators of arrays`(): Unit = on({ array<Int>(it) }) {
        insert { it[value] = listOf(1, 2, 3) }
        assertEquals(listOf(true, false), listOf(value contains listOf(3, 1), value contains listOf(4)).map { holds(it) })
        assertEquals(listOf(true, false), listOf(value containedBy listOf(1, 2, 3, 4), value containedBy listOf(1)).map { holds(it) })
        assertEquals(listOf(true, false), listOf(value overlaps listOf(9, 2), value overlaps emptyList()).map { holds(it) })
        assertEquals(listOf(true, false), listOf(intParam(2) eq anyFrom(value), intParam(9) eq anyFrom(value)).map { holds(it) })
        assertEquals(3, value(value.cardinality()))
        assertEquals(listOf(2, 3), value(value.slice(2, 3)))
        update { it[value] = value.append(listOf(4, 1)).remove(1) }
        assertEquals(listOf(2, 3, 4), selectAll().single()[value])
    }

    // ---- Full-text search

    @Test
    public fun `texts are searched by their words`(): Unit = on({ text(it) }) {
        batchInsert(listOf("The quick brown foxes jumped", "A lazy dog, a fox", "It's about ? cats")) { this[value] = it }
        val vector = toTsVector(value, "english")
        suspend fun found(condition: Op<Boolean>) = selectAll().where(condition).orderBy(id).toList().map { it[value]!!.substringBefore(' ') }
        assertEquals(listOf("The", "A"), found(vector matches toTsQuery("fox | dog", "english")))
        assertEquals(listOf("The"), found(vector matches plainToTsQuery("jumping fox", "english")))
        assertEquals(listOf("The"), found(vector matches phraseToTsQuery("brown fox", "english")))
        assertEquals(listOf("A"), found(vector matches webSearchToTsQuery("fox -quick", "english")))
        assertEquals(listOf("It's"), found(toTsVector(value) matches plainToTsQuery("it's cats ?")))
        val query = plainToTsQuery("fox", "english")
        val ranked = selectAll().where { vector matches query }.orderBy(tsRank(vector, query) to SortOrder.DESC, tsRankCd(vector, query) to SortOrder.DESC).toList()
        assertEquals(2, ranked.size)
        assertTrue("<b>foxes</b>" in selectAll().where { value eq "The quick brown foxes jumped" }.scalar(tsHeadline(value, query, "english"))!!)
    }

    @Test
    public fun `a column of words is searched`(): Unit = on({ tsVector(it) }) {
        insert { it[value] = "'fox':2 'quick':1" }
        assertTrue(holds(value matches toTsQuery("fox & quick")))
        update { it[value] = toTsVector(stringLiteral("the lazy dogs"), "english") }
        assertEquals(listOf(true, false), listOf(value matches plainToTsQuery("dog", "english"), value matches toTsQuery("fox")).map { holds(it) })
    }

    private class One<T : Any>(name: String, column: Table.(String) -> Column<T>) : LongIdTable(name) {
        val value: Column<T?> = column("value").nullable()
    }
}
