package dev.kormorant.test.conformance

import dev.kormorant.RecordNotFoundException
import dev.kormorant.TooManyRowsException
import dev.kormorant.batchInsert
import dev.kormorant.compiled
import dev.kormorant.cte
import dev.kormorant.delete
import dev.kormorant.deleteWhere
import dev.kormorant.hole
import dev.kormorant.insert
import dev.kormorant.mapTo
import dev.kormorant.save
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.union
import dev.kormorant.update
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.greaterEq
import org.jetbrains.exposed.v1.core.inList
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.lessEq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import java.util.concurrent.atomic.AtomicInteger

/** Queries whose SQL is made once, and the SQL that the library keeps of its own statements. */
public abstract class CompiledSuite(backend: Backend) : Suite(backend, Pages) {
    private data class PageRow(val id: Long, val key: String)

    private suspend fun pages(count: Int) = Pages.batchInsert((1..count).toList()) { this[Pages.key] = "page$it" }

    @Test
    public fun `a compiled query is rendered once and run with other values`(): Unit = test {
        pages(5)
        val renderings = AtomicInteger()
        val between = compiled(hole(Pages.key), hole(Pages.key)) { from, to ->
            Pages.selectAll().where {
                renderings.incrementAndGet()
                (Pages.key greaterEq from) and (Pages.key lessEq to) and (Pages.text eq "")
            }.orderBy(Pages.id)
        }
        assertEquals(listOf("page2", "page3"), between("page2", "page3").toList().map { it[Pages.key] })
        assertEquals(listOf("page4"), between("page4", "page4").toList().map { it[Pages.key] })
        assertEquals(5, between("page1", "page9").map { it[Pages.key] }.toList().size)
        assertEquals(1, renderings.get())
    }

    @Test
    public fun `plain ids fill the hole of an id column, and mapping is part of what is compiled`(): Unit = test {
        val ids = pages(3).map { it[Pages.id].value }
        val byId = compiled(hole(Pages.id)) { id -> Pages.select(Pages.id, Pages.key).where { Pages.id eq id }.mapTo<PageRow>() }
        for ((index, id) in ids.withIndex()) assertEquals(PageRow(id, "page${index + 1}"), byId(id).single())
        assertNull(byId(-1).singleOrNull())
        assertNull(byId(-1).firstOrNull())
        assertFails<RecordNotFoundException> { byId(-1).first() }
        val after = compiled(hole(Pages.id)) { id -> Pages.selectAll().where { Pages.id greater id } }
        assertFails<TooManyRowsException> { after(ids[0]).single() }
        assertEquals(ids[1], after(ids[0]).first()[Pages.id].value)
    }

    @Test
    public fun `it has none, one, or several holes, and constants between them`(): Unit = test {
        pages(12)
        val all = compiled { Pages.selectAll().where { Pages.key inList listOf("page1", "page2") } }
        assertEquals(2, all().toList().size)
        val three = compiled(hole(Pages.key), hole(Pages.text), hole(Pages.key)) { from, text, to ->
            Pages.selectAll().where { (Pages.key greater from) and (Pages.key like "page%") and (Pages.text eq text) and (Pages.key lessEq to) }
        }
        assertEquals(2, three("page2", "", "page4").toList().size)
        val four = compiled(hole(Pages.key), hole(Pages.key), hole(Pages.key), hole(Pages.key)) { a, b, c, d ->
            Pages.select(Pages.key).where { (Pages.key eq a) and (Pages.key eq b) }.union(Pages.select(Pages.key).where { (Pages.key eq c) and (Pages.key eq d) })
        }
        assertEquals(2, four("page1", "page1", "page7", "page7").toList().size)
    }

    @Test
    public fun `one hole may be used more than once, and in a common table expression`(): Unit = test {
        pages(3)
        val key = hole(Pages.key)
        val some = cte("some_pages", Pages.select(Pages.key).where { Pages.key greaterEq key })
        val query = compiled(key) { some.selectAll().where { some[Pages.key] lessEq key } }
        assertEquals("page2", query("page2").single()[some[Pages.key]])
    }

    @Test
    public fun `it streams when its query does`(): Unit = test {
        pages(20)
        val streamed = compiled(hole(Pages.key)) { from -> Pages.selectAll().where { Pages.key greater from }.fetchSize(3) }
        assertEquals(19, streamed("page1").toList().size)
        assertEquals(19, streamed("page1").map { it[Pages.key] }.toList().distinct().size)
        assertEquals(2, streamed("page1").take(2).toList().size)
        assertFails<IllegalStateException> { streamed("page1").collect { error("stop") } }
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `many coroutines share it`(): Unit = test {
        pages(9)
        val byKey = compiled(hole(Pages.key)) { key -> Pages.selectAll().where { Pages.key eq key } }
        val found = (0 until 200).map { number -> async(Dispatchers.Default) { byKey("page${number % 9 + 1}").single()[Pages.key] } }.awaitAll()
        assertEquals((0 until 200).map { "page${it % 9 + 1}" }, found)
    }

    @Test
    public fun `a hole that was not given is an error before anything is sent`(): Unit = test {
        val lost = hole(Pages.key)
        val query = compiled { Pages.selectAll().where { Pages.key eq lost } }
        assertEquals(emptyList<String>(), statementsOf { assertFails<IllegalArgumentException> { query().toList() } })
    }

    @Test
    public fun `the SQL kept for models is what would be rendered anew`(): Unit = test {
        val page = Page.create { key = "a"; text = "b" }
        val id = page.id.value
        suspend fun kept(block: suspend () -> Unit): String {
            val (first, second) = List(2) { statementsOf(block).first() }
            assertEquals(first, second)
            return first.plain()
        }
        suspend fun anew(block: suspend () -> Unit): String = statementsOf(block).first().plain()
        var number = 0
        assertEquals(Pages.selectAll().where { Pages.id eq id }.sql().plain(), kept { Page.getOrNull(id) })
        assertEquals(anew { Pages.update({ Pages.id eq id }) { it[text] = "c" } }, kept { page.text = "c${number++}"; page.save() })
        assertEquals(
            anew { Pages.insert { it[key] = "x"; it[text] = "y" } },
            kept { Page.create { key = "k${number++}"; text = "d" } },
        )
        val doomed = List(2) { Page.create { key = "k${number++}" } }.iterator()
        assertEquals(anew { Pages.deleteWhere { Pages.id eq id } }, kept { doomed.next().delete() })
    }

    /** Without what does not matter: the table before its columns, and spaces. */
    private fun String.plain(): String = replace("page_block.", "").replace(" ", "")
}
