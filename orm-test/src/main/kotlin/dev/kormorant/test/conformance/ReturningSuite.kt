package dev.kormorant.test.conformance

import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.batchInsert
import dev.kormorant.deleteReturning
import dev.kormorant.insertReturning
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.updateReturning
import dev.kormorant.upsertReturning
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.single
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.plus
import org.jetbrains.exposed.v1.core.upperCase
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** Data changes that answer with rows. */
public abstract class ReturningSuite(backend: Backend) : Suite(backend, Words) {
    private suspend fun words() = Words.batchInsert(listOf("a" to 1, "b" to 2, "c" to 3)) { (text, count) ->
        this[Words.name] = text
        this[Words.hits] = count
    }

    @Test
    public fun `an insert returns the row, and runs once for each collection (Q3)`(): Unit = test {
        needs(can.insertReturning, "INSERT … RETURNING")
        val insert = Words.insertReturning { it[name] = "a" }
        assertEquals(0, Words.selectAll().count())
        val row = insert.single()
        assertEquals(Words.selectAll().single()[Words.id], row[Words.id])
        assertEquals("open" to 1, row[Words.state] to row[Words.hits])
        assertEquals(ConstraintKind.UNIQUE, assertFails<ConstraintViolationException> { insert.toList() }.kind)
    }

    @Test
    public fun `an insert returns expressions, and nothing when it ignores a conflict (Q3)`(): Unit = test {
        needs(can.insertReturning, "INSERT … RETURNING")
        val loud = Words.name.upperCase().alias("loud")
        val insert = Words.insertReturning(listOf(Words.id, loud), ignoreErrors = true) { it[name] = "a" }
        assertEquals("A", insert.single()[loud])
        assertEquals(0, insert.toList().size)
    }

    @Test
    public fun `an upsert returns the row as it is stored (Q3)`(): Unit = test {
        needs(can.insertReturning, "INSERT … RETURNING")
        val keys: Array<Column<*>> = if (can.upsertKeys) arrayOf(Words.name) else emptyArray()
        val upsert = Words.upsertReturning(*keys, returning = listOf(Words.hits), onUpdate = { it[Words.hits] = Words.hits + 5 }) { it[name] = "a" }
        assertEquals(listOf(1, 6, 11), List(3) { upsert.single()[Words.hits] })
    }

    @Test
    public fun `an update returns the rows it has changed (Q3)`(): Unit = test {
        needs(can.updateReturning, "UPDATE … RETURNING")
        words()
        val changed = Words.updateReturning(listOf(Words.name, Words.hits), { Words.hits greater 1 }) { it[hits] = hits + 10 }
        assertEquals(setOf("b" to 12, "c" to 13), changed.map { it[Words.name] to it[Words.hits] }.toList().toSet())
        assertEquals(3, Words.updateReturning { it[note] = "all" }.toList().size)
    }

    @Test
    public fun `a delete returns the rows it has deleted (Q3)`(): Unit = test {
        needs(can.deleteReturning, "DELETE … RETURNING")
        words()
        assertEquals(listOf("b"), Words.deleteReturning(where = { Words.name eq "b" }).map { it[Words.name] }.toList())
        assertEquals(setOf("a", "c"), Words.deleteReturning(listOf(Words.name)).map { it[Words.name] }.toList().toSet())
        assertEquals(0, Words.selectAll().count())
    }

    @Test
    public fun `a collection that breaks off has changed all rows (Q3)`(): Unit = test {
        needs(can.deleteReturning, "DELETE … RETURNING")
        words()
        Words.deleteReturning().first()
        assertEquals(0, Words.selectAll().count())
    }

    @Test
    public fun `a rollback undoes what has been returned (Q3)`(): Unit = test {
        needs(can.deleteReturning, "DELETE … RETURNING")
        words()
        transaction { tx ->
            assertEquals(3, Words.deleteReturning().toList().size)
            tx.setRollbackOnly()
        }
        assertEquals(3, Words.selectAll().count())
    }

    @Test
    public fun `what the dialect cannot return is refused before anything is sent (Q3)`(): Unit = test {
        val statements = statementsOf {
            if (!can.insertReturning) assertFails<UnsupportedByDialectException> { Words.insertReturning { it[name] = "a" }.toList() }
            if (!can.insertReturning) assertFails<UnsupportedByDialectException> { Words.upsertReturning { it[name] = "a" }.toList() }
            if (!can.updateReturning) assertFails<UnsupportedByDialectException> { Words.updateReturning { it[note] = "a" }.toList() }
            if (!can.deleteReturning) assertFails<UnsupportedByDialectException> { Words.deleteReturning().toList() }
        }
        assertEquals(emptyList<String>(), statements)
    }
}
