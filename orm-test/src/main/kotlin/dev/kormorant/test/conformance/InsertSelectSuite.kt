package dev.kormorant.test.conformance

import dev.kormorant.batchInsert
import dev.kormorant.insert
import dev.kormorant.insertIgnore
import dev.kormorant.replace
import dev.kormorant.select
import dev.kormorant.selectAll
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.concat
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.intLiteral
import org.jetbrains.exposed.v1.core.intParam
import org.jetbrains.exposed.v1.core.stringLiteral
import org.jetbrains.exposed.v1.core.upperCase
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** Rows that come from a query. */
public abstract class InsertSelectSuite(backend: Backend) : Suite(backend, Pages, Words) {
    private suspend fun pages() = Pages.batchInsert(listOf("a", "b", "c")) { this[Pages.key] = it }

    private suspend fun words() = Words.selectAll().orderBy(Words.name to SortOrder.ASC).toList().map { it[Words.name] to it[Words.hits] }

    @Test
    public fun `an insert takes the rows of a query`(): Unit = test {
        pages()
        val query = Pages.select(Pages.key.upperCase(), intParam(7)).where { Pages.key greater "a" }
        assertEquals(2, Words.insert(query, listOf(Words.name, Words.hits)))
        assertEquals(listOf("B" to 7, "C" to 7), words())
        assertEquals("open", Words.selectAll().first()[Words.state])
    }

    @Test
    public fun `without columns it fills all but the id that the database makes`(): Unit = test {
        pages()
        assertEquals(3, Pages.insert(Pages.select(concat(Pages.key, stringLiteral("2")), Pages.text)))
        assertEquals(6, Pages.selectAll().count())
    }

    @Test
    public fun `insertIgnore leaves out the rows that are there`(): Unit = test {
        pages()
        Words.insert { it[name] = "b"; it[hits] = 5 }
        assertEquals(2, Words.insertIgnore(Pages.select(Pages.key, intLiteral(7)), listOf(Words.name, Words.hits)))
        assertEquals(listOf("a" to 7, "b" to 5, "c" to 7), words())
    }

    @Test
    public fun `replace takes the rows of a query`(): Unit = test {
        needs(can.replace, "REPLACE")
        pages()
        Words.insert { it[name] = "b"; it[hits] = 5 }
        Words.replace(Pages.select(Pages.key, intLiteral(7)), listOf(Words.name, Words.hits))
        assertEquals(listOf("a" to 7, "b" to 7, "c" to 7), words())
    }
}
