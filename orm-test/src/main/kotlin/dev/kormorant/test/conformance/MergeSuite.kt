package dev.kormorant.test.conformance

import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.batchInsert
import dev.kormorant.insert
import dev.kormorant.mergeFrom
import dev.kormorant.select
import dev.kormorant.selectAll
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.neq
import org.jetbrains.exposed.v1.core.plus
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** MERGE with a table and with a query. */
public abstract class MergeSuite(backend: Backend) : Suite(backend, Words, Pages) {
    private suspend fun rows() {
        Words.batchInsert(listOf("a" to 1, "b" to 2)) { (text, count) ->
            this[Words.name] = text
            this[Words.hits] = count
        }
        Pages.batchInsert(listOf("b", "c")) { this[Pages.key] = it }
    }

    private suspend fun words() = Words.selectAll().orderBy(Words.name).toList().map { it[Words.name] to it[Words.hits] }

    @Test
    public fun `a merge with a table inserts and changes what its clauses say`(): Unit = test {
        needs(can.merge, "MERGE")
        rows()
        val count = Words.mergeFrom(Pages, { Words.name eq Pages.key }) {
            whenMatchedUpdate { it[Words.hits] = Words.hits + 10 }
            whenNotMatchedInsert {
                it[Words.name] = Pages.key
                it[Words.hits] = 7
            }
        }
        assertEquals(2, count)
        assertEquals(listOf("a" to 1, "b" to 12, "c" to 7), words())
    }

    @Test
    public fun `a merge with a query deletes, or does nothing, on a condition`(): Unit = test {
        needs(can.merge, "MERGE")
        rows()
        val source = Pages.select(Pages.key).where { Pages.key neq "it's ?" }.alias("source")
        val count = Words.mergeFrom(source, { Words.name eq source[Pages.key] }) {
            whenMatchedDelete(Words.hits greater 1)
            whenNotMatchedDoNothing()
        }
        assertEquals(1, count)
        assertEquals(listOf("a" to 1), words())
    }

    @Test
    public fun `a merge without a condition goes by the primary keys`(): Unit = test {
        needs(can.merge, "MERGE")
        Words.insert { it[id] = 1_000_001; it[name] = "a" }
        Pages.insert { it[id] = 1_000_001; it[key] = "page" }
        assertEquals(1, Words.mergeFrom(Pages) { whenMatchedUpdate { it[Words.note] = Pages.key } })
        assertEquals("page", Words.selectAll().single()[Words.note])
    }

    @Test
    public fun `a merge is refused where there is none`(): Unit = test {
        needs(!can.merge, "want of MERGE")
        val statements = statementsOf {
            assertFails<UnsupportedByDialectException> { Words.mergeFrom(Pages, { Words.name eq Pages.key }) { whenMatchedDelete() } }
        }
        assertEquals(emptyList<String>(), statements)
    }
}
