package dev.kormorant.test.conformance

import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.Schema
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.batchInsert
import dev.kormorant.batchReplace
import dev.kormorant.batchUpsert
import dev.kormorant.insertAndGetId
import dev.kormorant.replace
import dev.kormorant.selectAll
import dev.kormorant.upsert
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.less
import org.jetbrains.exposed.v1.core.plus
import org.jetbrains.exposed.v1.core.stringLiteral
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Rows that may be there already: upsert and replace, one by one and in batches. */
public abstract class UpsertSuite(backend: Backend) : Suite(backend, Words, Marks, Users, Tweets) {
    /** MySQL looks at all unique keys and takes none by name. */
    private val byName: Array<Column<*>> get() = if (can.upsertKeys) arrayOf(Words.name) else emptyArray()

    private suspend fun word(text: String) = Words.selectAll().where { Words.name eq text }.single()

    @Test
    public fun `an upsert inserts a row that is not there, defaults included`(): Unit = test {
        val inserted = Words.upsert(*byName) { it[name] = "a" }
        assertEquals(1, inserted.insertedCount)
        assertEquals("open" to 1, inserted[Words.state] to inserted[Words.hits])
        assertEquals(word("a")[Words.id], inserted[Words.id])
    }

    @Test
    public fun `an upsert changes the row that is there and has it as it is stored`(): Unit = test {
        val first = Words.insertAndGetId { it[name] = "a"; it[hits] = 2; it[note] = "old" }
        val changed = Words.upsert(*byName) { it[name] = "a"; it[hits] = 7 }
        assertEquals(1, changed.insertedCount)
        assertEquals(first, changed[Words.id])
        assertEquals(7, changed[Words.hits])
        assertEquals("old", changed[Words.note])
        assertEquals(listOf(7), Words.selectAll().toList().map { it[Words.hits] })
    }

    @Test
    public fun `an upsert that changes nothing is one row all the same`(): Unit = test {
        val first = Words.upsert(*byName) { it[name] = "a"; it[hits] = 2 }
        val again = Words.upsert(*byName) { it[name] = "a"; it[hits] = 2 }
        assertEquals(1, again.insertedCount)
        assertEquals(first[Words.id], again[Words.id])
    }

    @Test
    public fun `an upsert computes from the stored and from the inserted value`(): Unit = test {
        repeat(3) { round ->
            val row = Words.upsert(*byName, onUpdate = { it[Words.hits] = Words.hits + insertValue(Words.hits) }) { it[name] = "a"; it[hits] = 10 }
            assertEquals(10 * (round + 1), row[Words.hits])
        }
        val marked = Words.upsert(*byName, onUpdate = { it[Words.note] = "seen" }) { it[name] = "a"; it[hits] = 1 }
        assertEquals("seen" to 30, marked[Words.note] to marked[Words.hits])
    }

    @Test
    public fun `an upsert leaves out the columns it is told to`(): Unit = test {
        Words.upsert(*byName) { it[name] = "a"; it[hits] = 1; it[note] = "first" }
        val row = Words.upsert(*byName, onUpdateExclude = listOf(Words.note)) { it[name] = "a"; it[hits] = 2; it[note] = "second" }
        assertEquals("first" to 2, row[Words.note] to row[Words.hits])
    }

    @Test
    public fun `an upsert with a condition leaves other rows as they are`(): Unit = test {
        needs(can.upsertKeys, "condition in an upsert")
        Words.upsert(Words.name) { it[name] = "a"; it[hits] = 5 }
        val kept = Words.upsert(Words.name, where = { Words.hits less 5 }) { it[name] = "a"; it[hits] = 1 }
        assertEquals(0, kept.insertedCount)
        assertTrue(kept.resultedValues!!.isEmpty())
        assertEquals(5, word("a")[Words.hits])
        val changed = Words.upsert(Words.name, where = { Words.hits less 6 }) { it[name] = "a"; it[hits] = 9 }
        assertEquals(1 to 9, changed.insertedCount to changed[Words.hits])
    }

    @Test
    public fun `an upsert without keys goes by the primary key`(): Unit = test {
        Marks.upsert { it[page] = 1; it[line] = 2; it[text] = "a" }
        val changed = Marks.upsert { it[page] = 1; it[line] = 2; it[text] = "b" }
        assertEquals("b", changed[Marks.text])
        assertEquals(listOf("b"), Marks.selectAll().toList().map { it[Marks.text] })
    }

    @Test
    public fun `what an upsert cannot do is refused before anything is sent`(): Unit = test {
        needs(!can.upsertKeys, "want of keys in an upsert")
        val statements = statementsOf {
            assertFails<UnsupportedByDialectException> { Words.upsert(Words.name) { it[name] = "a" } }
            assertFails<UnsupportedByDialectException> { Words.upsert(where = { Words.hits less 1 }) { it[name] = "a" } }
            assertFails<UnsupportedByDialectException> { Words.batchUpsert(listOf("a"), Words.name) { this[Words.name] = it } }
        }
        assertEquals(emptyList<String>(), statements)
    }

    @Test
    public fun `an upsert finds a row whose text is equal in the database's eyes only`(): Unit = test {
        needs(!can.upsertKeys, "collation that ignores case")
        val first = Words.upsert { it[name] = "word" }
        val second = Words.upsert { it[name] = "WORD"; it[hits] = 4 }
        assertEquals(first[Words.id], second[Words.id])
        assertEquals(4, word("word")[Words.hits])
    }

    @Test
    public fun `a value longer than its column names the column, in upserts and batches too`(): Unit = test {
        val long = "x".repeat(21)
        val statements = statementsOf {
            assertEquals("name", assertFails<DataException> { Words.upsert { it[name] = long } }.details.column)
            assertEquals("name", assertFails<DataException> { Words.batchUpsert(listOf("a", long)) { this[Words.name] = it } }.details.column)
            assertEquals("name", assertFails<DataException> { Words.replace { it[Words.name] = long } }.details.column)
        }
        assertEquals(emptyList<String>(), statements)
    }

    // ---- Batches

    @Test
    public fun `batchUpsert inserts and changes, and returns all rows in order`(): Unit = test {
        val old = Words.insertAndGetId { it[name] = "b"; it[hits] = 1 }
        val rows = Words.batchUpsert(listOf("a" to 10, "b" to 20, "c" to 30), *byName) { (text, count) ->
            this[Words.name] = text
            this[Words.hits] = count
        }
        assertEquals(listOf("a" to 10, "b" to 20, "c" to 30), rows.map { it[Words.name] to it[Words.hits] })
        assertEquals(old, rows[1][Words.id])
        assertEquals(listOf("open", "open", "open"), rows.map { it[Words.state] })
        assertEquals(Words.selectAll().toList().associate { it[Words.name] to it[Words.id] }, rows.associate { it[Words.name] to it[Words.id] })
    }

    @Test
    public fun `a batch may meet the same row twice`(): Unit = test {
        val rows = Words.batchUpsert(
            listOf("a" to 1, "b" to 2, "a" to 3),
            *byName,
            onUpdate = { it[Words.hits] = Words.hits + insertValue(Words.hits) },
        ) { (text, count) ->
            this[Words.name] = text
            this[Words.hits] = count
        }
        assertEquals(listOf("a", "b", "a"), rows.map { it[Words.name] })
        assertEquals(4, word("a")[Words.hits])
        assertEquals(rows[0][Words.id], rows[2][Words.id])
    }

    @Test
    public fun `a batch is as few statements as possible, all or none of them`(): Unit = test {
        val elements = (1..2_000).toList()
        val fresh = statementsOf { Words.batchUpsert(elements, *byName, shouldReturnGeneratedValues = false) { this[Words.name] = "w$it" } }
        assertEquals(1, fresh.size)
        val many = (1..12_000).toList()
        Words.batchUpsert(many, *byName, onUpdate = { it[Words.hits] = Words.hits + 1 }, shouldReturnGeneratedValues = false) { this[Words.name] = "w$it" }
        assertEquals(12_000, Words.selectAll().count())
        assertEquals(2_000, Words.selectAll().where { Words.hits eq 2 }.count())
        assertFails<DataException> { Words.batchUpsert(listOf("ok") + "x".repeat(21), *byName) { this[Words.name] = it } }
        assertEquals(0, Words.selectAll().where { Words.name eq "ok" }.count())
    }

    @Test
    public fun `a batch of several statements of which one fails writes nothing`(): Unit = test {
        val known = Users.insertAndGetId { it[name] = "ann" }
        val unknown = EntityID(known.value + 1, Users)
        assertFails<ConstraintViolationException> {
            Tweets.batchUpsert(listOf(known, unknown)) { writer ->
                this[Tweets.id] = 1
                this[Tweets.author] = writer
                this[Tweets.text] = "x"
            }
        }
        assertEquals(0, Tweets.selectAll().count())
        val rows = Tweets.batchUpsert(listOf("first", "second")) { words ->
            this[Tweets.id] = 1
            this[Tweets.author] = known
            this[Tweets.text] = words
        }
        assertEquals(2, rows.size)
        assertEquals("second", Tweets.selectAll().single()[Tweets.text])
    }

    @Test
    public fun `rows of a batch may set different columns`(): Unit = test {
        val elements = sequenceOf("a" to null, "b" to "noted", "c" to null)
        val inserted = Words.batchInsert(elements) { (text, remark) ->
            this[Words.name] = text
            if (remark != null) this[Words.note] = remark
        }
        assertEquals(listOf(null, "noted", null), inserted.map { it[Words.note] })
        assertEquals(listOf("open", "open", "open"), inserted.map { it[Words.state] })
        assertEquals(listOf(1, 1, 1), inserted.map { it[Words.hits] })
        val changed = Words.batchUpsert(elements, *byName) { (text, remark) ->
            this[Words.name] = text
            if (remark == null) this[Words.state] = "shut"
        }
        assertEquals(listOf("shut", "open", "shut"), changed.map { it[Words.state] })
        assertEquals(listOf(null, "noted", null), Words.selectAll().orderBy(Words.name).toList().map { it[Words.note] })
    }

    @Test
    public fun `each row of a batch may give its id, and the columns with defaults, or leave them to the database`(): Unit = test {
        val inserted = Words.batchInsert(listOf("a" to null, "b" to 70L, "c" to null, "d" to 80L)) { (text, number) ->
            if (number != null) {
                this[Words.id] = number
                this[Words.state] = "shut"
            }
            this[Words.name] = text
        }
        assertEquals(listOf("a", "b", "c", "d"), inserted.map { it[Words.name] })
        assertEquals(listOf("open", "shut", "open", "shut"), inserted.map { it[Words.state] })
        assertEquals(listOf(70L, 80L), listOf(1, 3).map { inserted[it][Words.id].value })
        assertEquals(inserted.map { it[Words.id] }, inserted.map { word(it[Words.name])[Words.id] })
    }

    @Test
    public fun `a batch with ignore returns the rows that were inserted`(): Unit = test {
        Words.batchInsert(listOf("b", "d")) { this[Words.name] = it }
        val rows = Words.batchInsert(listOf("a", "b", "c", "d", "e"), ignore = true) { this[Words.name] = it }
        assertEquals(listOf("a", "c", "e"), rows.map { it[Words.name] })
        assertEquals(rows.map { it[Words.id] }, rows.map { word(it[Words.name])[Words.id] })
        assertEquals(emptyList<String>(), Words.batchInsert(listOf("a", "b"), ignore = true) { this[Words.name] = it }.map { it[Words.name] })
        needs(backend.product != "MySQL", "way to tell which rows were left out without ids")
        val given = Words.batchInsert(listOf("a", "f", "b", "g"), ignore = true, shouldReturnGeneratedValues = false) { this[Words.name] = it }
        assertEquals(listOf("f", "g"), given.map { it[Words.name] })
    }

    @Test
    public fun `ids of a batch come from the table's sequence`(): Unit = test {
        needs(can.sequences, "sequences")
        Schema.create(Counted)
        val rows = Counted.batchInsert(listOf("a", "b", "c")) { this[Counted.name] = it }
        assertEquals(listOf("a", "b", "c"), rows.map { it[Counted.name] })
        val stored = Counted.selectAll().orderBy(Counted.number).toList().map { it[Counted.number] to it[Counted.name] }
        assertEquals(stored, rows.map { it[Counted.number] to it[Counted.name] })
        Schema.drop(Counted)
    }

    // ---- REPLACE

    @Test
    public fun `replace puts a new row in the place of the old one`(): Unit = test {
        needs(can.replace, "REPLACE")
        val old = Words.insertAndGetId { it[name] = "a"; it[hits] = 5; it[note] = "old"; it[state] = "shut" }
        val row = Words.replace { it[name] = "a"; it[hits] = 6 }
        assertEquals(1, row.insertedCount)
        assertNotEquals(old, row[Words.id])
        assertEquals(listOf("a", 6, null, "open"), listOf(row[Words.name], row[Words.hits], row[Words.note], row[Words.state]))
        val stored = Words.selectAll().single()
        assertEquals(row[Words.id], stored[Words.id])
        assertEquals(null, stored[Words.note])
    }

    @Test
    public fun `batchReplace returns the new rows in order`(): Unit = test {
        needs(can.replace, "REPLACE")
        Words.batchInsert(listOf("a", "b")) { this[Words.name] = it }
        val rows = Words.batchReplace(listOf("b" to 2, "c" to 3)) { (text, count) ->
            this[Words.name] = text
            this[Words.hits] = count
        }
        assertEquals(listOf("b" to 2, "c" to 3), rows.map { it[Words.name] to it[Words.hits] })
        assertEquals(listOf("a", "b", "c"), Words.selectAll().orderBy(Words.name to SortOrder.ASC).toList().map { it[Words.name] })
        assertEquals(rows.map { it[Words.id] }, rows.map { word(it[Words.name])[Words.id] })
    }

    @Test
    public fun `replace is refused where there is none`(): Unit = test {
        needs(!can.replace, "want of REPLACE")
        val statements = statementsOf {
            assertFails<UnsupportedByDialectException> { Words.replace { it[name] = "a" } }
            assertFails<UnsupportedByDialectException> { Words.batchReplace(listOf("a")) { this[Words.name] = it } }
            assertFails<UnsupportedByDialectException> { Words.replace(Words.selectAll(), Words.columns) }
        }
        assertEquals(emptyList<String>(), statements)
    }
}

internal object Words : LongIdTable("word") {
    val name = varchar("name", 20).uniqueIndex()
    val hits = integer("hits").default(1)
    val note = varchar("note", 40).nullable()
    val state = varchar("state", 10).defaultExpression(stringLiteral("open"))
}

internal object Marks : Table("mark") {
    val page = integer("page")
    val line = integer("line")
    val text = varchar("text", 40)
    override val primaryKey = PrimaryKey(page, line)
}

private object Counted : Table("counted") {
    val number = integer("number").autoIncrement("counted_numbers")
    val name = varchar("name", 20)
    override val primaryKey = PrimaryKey(number)
}
