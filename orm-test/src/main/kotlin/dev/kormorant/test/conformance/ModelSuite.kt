package dev.kormorant.test.conformance

import dev.kormorant.ColumnNotLoadedException
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.RecordNotFoundException
import dev.kormorant.TooManyRowsException
import dev.kormorant.delete
import dev.kormorant.insert
import dev.kormorant.save
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.isNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.UUID

/** Models without their relations. */
public abstract class ModelSuite(backend: Backend) : Suite(backend, Pages, Tickets, Devices, Seats, Blanks) {
    // ---- Creating

    @Test
    public fun `create inserts at once, with one INSERT, and sets the generated id (M7, O1)`(): Unit = test {
        lateinit var page: Page
        val statements = statementsOf { page = Page.create { key = "title" } }
        assertEquals(1, statements.size, "$statements")
        assertTrue(statements.single().startsWith("INSERT"))
        assertFalse(page.isNew || page.isDirty)
        assertEquals(Pages.selectAll().single()[Pages.id], page.id)
    }

    @Test
    public fun `defaults of the program and of the database are in a created model (M7)`(): Unit = test {
        assertEquals("", Page.create { key = "title" }.text)
        val ticket = Ticket.create { title = "door" }
        assertEquals("open", ticket.state)
        assertEquals("closed", Ticket.create { title = "gate"; state = "closed" }.state)
    }

    @Test
    public fun `a value the client gives is not asked back from the database (M7)`(): Unit = test {
        val statement = statementsOf { Ticket.create { title = "gate"; state = "closed" } }.single()
        assertFalse("state" in statement.substringAfter("RETURNING", ""), statement)
    }

    @Test
    public fun `a key made by the client is kept (M7, O18)`(): Unit = test {
        val device = Device.create { label = "lamp" }
        assertEquals("lamp", Device.get(device.id).label)
        val own = UUID.fromString("00000000-0000-0000-0000-00000000002a")
        assertEquals(own, Device.getOrCreate(own) { label = "bell" }.first.id.value)
        assertEquals("bell", Device.get(own).label)
    }

    @Test
    public fun `the constructor makes a model that the first save inserts (O10)`(): Unit = test {
        val page = Page.new { key = "title" }
        assertTrue(page.isNew && page.isDirty)
        assertThrows(ColumnNotLoadedException::class.java) { page.id }
        assertEquals(0, Page.count())
        assertTrue(page.save())
        assertFalse(page.isNew)
        assertEquals("title", Page.get(page.id).key)
    }

    @Test
    public fun `a new model without values is an insert of defaults (O10)`(): Unit = test {
        val blank = Blank()
        assertTrue(blank.save())
        assertNull(blank.note)
        assertEquals(blank.id, Blank.all().single().id)
        val others = Blank.createAll(List(3) { Blank() })
        assertEquals(4, (others.map { it.id } + blank.id).toSet().size)
        assertEquals(4, Blank.count { Blanks.note.isNull() })
    }

    @Test
    public fun `a required value that is missing is a not-null violation of the database`(): Unit = test {
        val error = assertFails<ConstraintViolationException> { Ticket.create { state = "new" } }
        assertEquals(ConstraintKind.NOT_NULL, error.kind)
        assertEquals(0, Ticket.count())
    }

    // ---- Getting

    @Test
    public fun `get takes an id or a condition (M6, O2)`(): Unit = test {
        val page = Page.create { key = "title"; text = "one" }
        Page.create { key = "other"; text = "one" }
        assertEquals("title", Page.get(page.id.value).key)
        assertEquals("title", Page.get(page.id).key)
        assertEquals(page.id, Page.get { Pages.key eq "title" }.id)
        assertTrue(Page.get { Pages.text eq "one" }.key in setOf("title", "other"))
        assertFails<TooManyRowsException> { Page.find { Pages.text eq "one" }.single() }
    }

    @Test
    public fun `a row that is not there is an error with table and SQL, or null (M6, O3, O4)`(): Unit = test {
        val byId = assertFails<RecordNotFoundException> { Page.get(0) }
        assertTrue("page_block" in byId.problem && "SELECT" in byId.sql.orEmpty(), "$byId")
        assertHint(byId, "OrNull")
        val byCondition = assertFails<RecordNotFoundException> { Page.get { Pages.key eq "secret value" } }
        assertTrue("page_block" in byCondition.problem && "SELECT" in byCondition.sql.orEmpty())
        assertFalse("secret value" in byCondition.stackTraceToString())
        assertNull(Page.getOrNull(0))
        assertNull(Page.getOrNull { Pages.key eq "nobody" })
    }

    @Test
    public fun `find filters, sorts and limits, and is a flow of models`(): Unit = test {
        Page.createAll((1..5).map { Page.new { key = "k$it"; text = if (it % 2 == 0) "even" else "odd" } })
        assertEquals(listOf("k2", "k4"), Page.find { Pages.text eq "even" }.orderBy(Pages.key).toList().map { it.key })
        assertEquals(listOf("k5", "k4"), Page.all().orderBy(Pages.key, SortOrder.DESC).limit(2).map { it.key }.toList())
        assertEquals("k3", Page.all().orderBy(Pages.key).offset(2).first().key)
        assertEquals(3, Page.count { Pages.text eq "odd" })
        assertEquals(5, Page.count())
        assertEquals(2, Page.all().limit(2).count())
        assertEquals(5, Page.all().limit(2).count(ignoreLimit = true))
        assertTrue(Page.exists { Pages.key eq "k1" })
        assertFalse(Page.exists { Pages.key eq "k9" })
    }

    @Test
    public fun `each run of a model query makes new, independent models (M20, N18)`(): Unit = test {
        Page.create { key = "title"; text = "one" }
        val query = Page.all()
        val first = query.first()
        val second = query.first()
        first.text = "changed"
        assertEquals("one", second.text)
        assertEquals(1, statementsOf { assertEquals(1, query.toList().size) }.size)
    }

    @Test
    public fun `reading a model needs no database (N9)`() {
        lateinit var device: Device
        test { device = Device.create { label = "lamp" } }
        assertEquals("lamp", device.label)
        assertNull(device.owner)
        assertTrue(device.id.value.toString() in device.toString())
        assertFalse("lamp" in device.toString())
    }

    @Test
    public fun `a column the query left out is not loaded`(): Unit = test {
        Page.create { key = "title"; text = "one" }
        val page = Page.wrapRow(Pages.select(Pages.id, Pages.key).single())
        assertEquals("title", page.key)
        val error = assertThrows(ColumnNotLoadedException::class.java) { page.text }
        assertTrue("text" in error.problem)
    }

    // ---- Saving

    @Test
    public fun `save writes the changed columns only, never the key (M8)`(): Unit = test {
        val page = Page.get(Page.create { key = "title"; text = "one" }.id)
        page.text = "two"
        val update = statementsOf { assertTrue(page.save()) }.single()
        val set = update.substringAfter("SET").substringBefore("WHERE")
        assertTrue("text" in set && "key" !in set && "id" !in set, update)
        assertEquals("two", Page.get(page.id).text)
        assertFalse(page.isDirty)
    }

    @Test
    public fun `saving a clean model is false and sends nothing (M8, O10)`(): Unit = test {
        val page = Page.create { key = "title" }
        assertEquals(emptyList<String>(), statementsOf { assertFalse(page.save()) })
        page.key = "title"
        assertEquals(emptyList<String>(), statementsOf { assertFalse(page.save()) })
    }

    @Test
    public fun `save of some columns leaves the others dirty (M8)`(): Unit = test {
        val page = Page.create { key = "title"; text = "one" }
        page.key = "new"
        page.text = "two"
        assertTrue(page.save(only = setOf(Pages.text)))
        assertTrue(page.isDirty)
        assertEquals("title" to "two", Page.get(page.id).let { it.key to it.text })
        assertTrue(page.save())
        assertEquals("new", Page.get(page.id).key)
        assertFalse(page.save(only = setOf(Pages.key)))
        assertFails<IllegalArgumentException> { Page.new { key = "x" }.save(only = setOf(Pages.key)) }
    }

    @Test
    public fun `a key set anew is nothing to save`(): Unit = test {
        val page = Page.create { key = "title" }
        page[Pages.id] = EntityID(page.id.value + 1, Pages)
        assertFalse(page.isDirty)
        assertQueries(0) { assertFalse(page.save()) }
    }

    @Test
    public fun `saving a row that is gone is false (M8)`(): Unit = test {
        val page = Page.create { key = "title" }
        Page.deleteById(page.id.value)
        page.text = "two"
        assertFalse(page.save())
        assertTrue(page.isDirty)
    }

    @Test
    public fun `saving what others wrote meanwhile counts as a match (M8, Q14)`(): Unit = test {
        val page = Page.create { key = "title"; text = "one" }
        page.text = "two"
        Pages.update { it[text] = "two" }
        assertTrue(page.save())
    }

    @Test
    public fun `a change of other columns between load and save survives (N18)`(): Unit = test {
        val page = Page.create { key = "title"; text = "one" }
        Pages.update { it[text] = "by another" }
        page.key = "new"
        page.save()
        assertEquals("new" to "by another", Page.get(page.id).let { it.key to it.text })
    }

    // ---- Deleting

    @Test
    public fun `deleteById counts the rows (O7)`(): Unit = test {
        val page = Page.create { key = "title" }
        assertEquals(1, Page.deleteById(page.id.value))
        assertEquals(0, Page.deleteById(page.id.value))
    }

    @Test
    public fun `a deleted model is new again and can be saved (O11)`(): Unit = test {
        val page = Page.create { key = "title"; text = "one" }
        assertEquals(1, page.delete())
        assertTrue(page.isNew)
        assertEquals(0, Page.count())
        assertTrue(page.save())
        assertEquals("one", Page.get { Pages.key eq "title" }.text)
    }

    @Test
    public fun `deleting a row that is gone counts 0, and a new model cannot be deleted`(): Unit = test {
        val page = Page.create { key = "title" }
        Page.deleteById(page.id.value)
        assertEquals(0, page.delete())
        assertFails<IllegalStateException> { Page.new { key = "x" }.delete() }
    }

    // ---- Many at once

    @Test
    public fun `createAll inserts with one statement and sets ids and defaults (O8)`(): Unit = test {
        val pages = (1..5).map { Page.new { key = "k$it" } }
        val statements = statementsOf { assertEquals(pages, Page.createAll(pages)) }
        assertEquals(1, statements.size, "$statements")
        val stored = Pages.selectAll().toList().associate { it[Pages.id] to it[Pages.key] }
        assertEquals(stored, pages.associate { it.id to it.key })
        assertTrue(pages.none { it.isNew || it.isDirty })
        assertEquals(setOf("open"), Ticket.createAll((1..3).map { Ticket.new { title = "t$it" } }).map { it.state }.toSet())
    }

    @Test
    public fun `createAll of nothing sends nothing, and refuses what is saved already (O8)`(): Unit = test {
        assertEquals(emptyList<String>(), statementsOf { Page.createAll(emptyList()) })
        val page = Page.create { key = "title" }
        assertFails<IllegalArgumentException> { Page.createAll(listOf(page)) }
    }

    @Test
    public fun `batches are all or nothing (O8)`(): Unit = test {
        val pages = (1..9).map { Page.new { key = if (it == 9) "k1" else "k$it" } }
        assertFails<ConstraintViolationException> { Page.createAll(pages, batchSize = 4) }
        assertEquals(0, Page.count())
        val good = (1..9).map { Page.new { key = "k$it" } }
        assertEquals(3, statementsOf { Page.createAll(good, batchSize = 4) }.count { it.startsWith("INSERT") })
        assertEquals(good.map { it.id }, Page.all().orderBy(Pages.id).toList().map { it.id })
    }

    // ---- Get or create

    @Test
    public fun `getOrCreate finds, or creates with the defaults (M10, O5)`(): Unit = test {
        val (created, first) = Page.getOrCreate({ key = "title" }) { text = "fresh" }
        assertTrue(first)
        assertEquals("title" to "fresh", created.key to created.text)
        val (found, second) = Page.getOrCreate({ key = "title" }) { text = "ignored" }
        assertFalse(second)
        assertEquals(created.id to "fresh", found.id to found.text)
        assertFails<IllegalArgumentException> { Page.getOrCreate({ }) }
    }

    @Test
    public fun `of 50 concurrent callers of getOrCreate exactly one creates (O5)`(): Unit = test {
        val results = (1..50).map { async(Dispatchers.Default) { Page.getOrCreate({ key = "race" }) { text = "caller $it" } } }.awaitAll()
        assertEquals(1, results.count { it.second })
        assertEquals(1, results.map { it.first.id }.toSet().size)
        assertEquals(1, results.map { it.first.text }.toSet().size)
        assertEquals(1, Page.count())
    }

    @Test
    public fun `of 50 concurrent transactions with getOrCreate exactly one creates (M10)`(): Unit = test {
        val results = (1..50).map {
            async(Dispatchers.Default) {
                transaction {
                    Page.count()
                    Page.getOrCreate({ key = "race" })
                }
            }
        }.awaitAll()
        assertEquals(1, results.count { it.second })
        assertEquals(1, results.map { it.first.id }.toSet().size)
        assertEquals(1, Page.count())
    }

    @Test
    public fun `getOrCreate passes on a violation that is not about the lookup (M10)`(): Unit = test {
        Page.create { key = "taken" }
        val error = assertFails<ConstraintViolationException> { transaction { Page.getOrCreate({ text = "unique?" }) { key = "taken" } } }
        assertEquals(ConstraintKind.UNIQUE, error.kind)
    }

    @Test
    public fun `getOrCreate finds what others committed after the transaction began to read (M10)`(): Unit = test {
        needs(can.concurrentWriters, "second writer")
        transaction {
            assertEquals(0, Page.count())
            outside { Page.create { key = "race" } }
            val (page, created) = Page.getOrCreate({ key = "race" })
            assertFalse(created)
            assertEquals("race", page.key)
            Page.create { key = "mine" }
        }
        assertEquals(2, Page.count())
    }

    // ---- Composite keys

    @Test
    public fun `a composite key gets, saves and deletes (O17)`(): Unit = test {
        fun id(line: Int, number: Int) = CompositeID {
            it[Seats.line] = line
            it[Seats.number] = number
        }
        val (seat, created) = Seat.getOrCreate(id(3, 7)) { guest = "ann" }
        assertTrue(created)
        assertEquals(id(3, 7), seat.id.value)
        assertNull(Seat.getOrNull(id(3, 8)))
        val loaded = Seat.get(id(3, 7))
        loaded.guest = "bob"
        assertTrue(loaded.save())
        Seats.insert { it[line] = 3; it[number] = 8 }
        assertEquals(1, Seat.count { Seats.guest.isNull() })
        assertEquals("bob", Seat.get(id(3, 7)).guest)
        assertEquals(1, Seat.deleteById(id(3, 7)))
        assertEquals(1, Seat.count())
    }
}
