package dev.kormorant.test.conformance

import dev.kormorant.after
import dev.kormorant.batchInsert
import dev.kormorant.deleteWhere
import dev.kormorant.insert
import dev.kormorant.pages
import dev.kormorant.select
import dev.kormorant.selectAll
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.lowerCase
import org.jetbrains.exposed.v1.core.neq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Results in portions: keyset pagination and batches. */
public abstract class PagingSuite(backend: Backend) : Suite(backend, Events, Pages, Loose) {
    private object Events : LongIdTable("event") {
        val day = integer("day")
        val place = varchar("place", 10).nullable()
    }

    private object Loose : Table("loose") {
        val name = varchar("name", 10)
    }

    /** 30 events on 4 days in 3 places or none. */
    private suspend fun events() = Events.batchInsert((0 until 30).toList()) { number ->
        this[Events.day] = number % 4
        this[Events.place] = listOf("Bonn", null, "Cork", "Ahaus")[number / 4 % 4]
    }

    /** Reads pages of 7 by [order] and compares them with what the database says without pages. */
    private suspend fun assertPages(vararg order: Pair<Expression<*>, SortOrder>) {
        val query = Events.selectAll().orderBy(*order)
        val all = query.toList().map { it[Events.id] }
        val pages = query.pages(7).toList()
        assertEquals(listOf(7, 7, 7, 7, 2), pages.map { it.size })
        assertEquals(all, pages.flatten().map { it[Events.id] })
    }

    @Test
    public fun `pages follow one key in both directions`(): Unit = test {
        events()
        assertPages(Events.id to SortOrder.ASC)
        assertPages(Events.id to SortOrder.DESC)
    }

    @Test
    public fun `pages follow several keys in mixed directions`(): Unit = test {
        events()
        for (first in listOf(SortOrder.ASC, SortOrder.DESC)) {
            for (second in listOf(SortOrder.ASC, SortOrder.DESC)) assertPages(Events.day to first, Events.id to second)
        }
    }

    @Test
    public fun `pages follow a nullable key wherever NULL stands`(): Unit = test {
        events()
        for (order in SortOrder.entries - SortOrder.ASC - SortOrder.DESC) {
            assertPages(Events.place to order, Events.id to SortOrder.ASC)
            assertPages(Events.day to SortOrder.DESC, Events.place to order, Events.id to SortOrder.DESC)
        }
    }

    @Test
    public fun `pages follow a column on the outer side of a join, which says where NULL stands`(): Unit = test {
        events()
        for (name in listOf("Bonn", "Cork")) Pages.insert { it[key] = name }
        val query = Events.join(Pages, JoinType.LEFT, additionalConstraint = { Pages.key eq Events.place }).selectAll()
        for (order in SortOrder.entries - SortOrder.ASC - SortOrder.DESC) {
            val sorted = query.copy().orderBy(Pages.key to order, Events.id to SortOrder.ASC)
            assertEquals(sorted.toList().map { it[Events.id] }, sorted.pages(7).take(6).toList().flatten().map { it[Events.id] }, "$order")
        }
        assertFails<IllegalArgumentException> { query.copy().orderBy(Pages.key to SortOrder.ASC, Events.id to SortOrder.ASC).after(null, 1L) }
    }

    @Test
    public fun `after takes plain values, and a row`(): Unit = test {
        Pages.batchInsert((1..5).toList()) { this[Pages.key] = "page$it" }
        val query = Pages.selectAll().orderBy(Pages.key to SortOrder.DESC, Pages.id to SortOrder.ASC)
        val third: ResultRow = query.toList()[2]
        assertEquals(listOf("page2", "page1"), query.copy().after("page3", third[Pages.id].value).toList().map { it[Pages.key] })
        assertEquals(listOf("page2", "page1"), query.copy().after("page3", third[Pages.id]).toList().map { it[Pages.key] })
        assertEquals(listOf("page2", "page1"), query.copy().after(third).toList().map { it[Pages.key] })
        assertEquals(5, query.toList().size)
        val lower = Pages.selectAll().orderBy(Pages.key.lowerCase() to SortOrder.ASC).after("page3").toList()
        assertEquals(listOf("page4", "page5"), lower.map { it[Pages.key] })
    }

    @Test
    public fun `after is one more condition`(): Unit = test {
        Pages.batchInsert((1..5).toList()) { this[Pages.key] = "page$it" }
        val query = Pages.selectAll().where { Pages.key eq "page1" }.orWhere { Pages.key neq "page4" }.orderBy(Pages.key)
        assertEquals(listOf("page3", "page5"), query.copy().after("page2").toList().map { it[Pages.key] })
    }

    @Test
    public fun `each page is one statement, sent when its turn comes, and none is held in between`(): Unit = test {
        Pages.batchInsert((1..10).toList()) { this[Pages.key] = "page$it" }
        val query = Pages.selectAll().orderBy(Pages.id)
        assertEquals(2, statementsOf { query.pages(2).take(2).toList() }.size)
        val seen = ArrayList<Int>()
        query.pages(4).collect { page ->
            seen += page.size
            assertEquals(0, db.pool.inUse)
            if (seen.size == 1) Pages.deleteWhere { key eq "page2" }
        }
        assertEquals(listOf(4, 4, 2), seen)
        assertEquals(emptyList<List<ResultRow>>(), Pages.selectAll().where { Pages.key eq "nobody" }.orderBy(Pages.id).pages(4).toList())
    }

    @Test
    public fun `a collector that fails or is cancelled between pages leaves nothing behind`(): Unit = test {
        Pages.batchInsert((1..10).toList()) { this[Pages.key] = "page$it" }
        val query = Pages.selectAll().orderBy(Pages.id)
        assertFails<IllegalStateException> { query.pages(2).collect { error("stop") } }
        val seen = CompletableDeferred<Int>()
        val reader = launch { query.pages(2).collect { seen.complete(it.size); awaitCancellation() } }
        assertEquals(2, seen.await())
        reader.cancelAndJoin()
        assertEquals(0, db.pool.inUse)
        assertEquals(5, query.pages(2).toList().size)
    }

    @Test
    public fun `a query without the makings of pages is refused at once`(): Unit = test {
        assertFails<IllegalArgumentException> { Events.selectAll().after(1L) }
        assertFails<IllegalArgumentException> { Events.selectAll().orderBy(Events.id).after(1L, 2L) }
        assertFails<IllegalArgumentException> { Events.selectAll().orderBy(Events.place).after("Bonn") }
        assertFails<IllegalArgumentException> { Events.selectAll().pages(10) }
        assertFails<IllegalArgumentException> { Events.selectAll().orderBy(Events.id).pages(0) }
        assertFails<IllegalArgumentException> { Events.selectAll().orderBy(Events.id).limit(5).pages(10) }
        events()
        assertFails<IllegalArgumentException> { Events.select(Events.place).orderBy(Events.id).pages(3).toList() }
    }

    @Test
    public fun `fetchBatchedResults reads by the auto-increment column in both directions`(): Unit = test {
        Pages.batchInsert((1..10).toList()) { this[Pages.key] = "page$it" }
        suspend fun batches(size: Int, order: SortOrder) =
            Pages.selectAll().where { Pages.key neq "page5" }.fetchBatchedResults(size, order).toList().map { batch -> batch.toList().map { it[Pages.key] } }
        val all = (1..10).filter { it != 5 }.map { "page$it" }
        assertEquals(all.chunked(4), batches(4, SortOrder.ASC))
        assertEquals(all.reversed().chunked(4), batches(4, SortOrder.DESC))
        assertEquals(all.chunked(3), batches(3, SortOrder.ASC))
        assertEquals(all, Pages.selectAll().where { Pages.key neq "page5" }.fetchBatchedResults().toList().flatMap { it.toList() }.map { it[Pages.key] })
        Loose.insert { it[name] = "x" }
        assertFails<UnsupportedOperationException> { Loose.selectAll().fetchBatchedResults() }
        assertFails<IllegalArgumentException> { Pages.selectAll().orderBy(Pages.key).fetchBatchedResults() }
        assertFails<IllegalArgumentException> { Pages.selectAll().limit(3).fetchBatchedResults() }
        assertTrue(Pages.selectAll().fetchBatchedResults(100).toList().single().toList().size == 10)
    }
}
