package dev.kormorant.test.conformance

import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConstraintViolationException
import dev.kormorant.TransactionClosedException
import dev.kormorant.batchInsert
import dev.kormorant.begin
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greaterEq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds

/** Queries with `fetchSize`: rows as they are asked for, on a connection that is held and given back clean. */
public abstract class StreamSuite(backend: Backend) : Suite(backend, Pages) {
    private fun rows() = Pages.selectAll().orderBy(Pages.key).fetchSize(10)

    private fun key(number: Int) = number.toString().padStart(5, '0')

    private suspend fun fill(count: Int) {
        Pages.batchInsert(1..count, shouldReturnGeneratedValues = false) { this[Pages.key] = key(it) }
    }

    @Test
    public fun `a stream gives every row once and in order (Q10)`(): Unit = test {
        for (count in listOf(0, 1, 9, 10, 11, 255)) {
            emptyTables()
            fill(count)
            assertEquals((1..count).map(::key), rows().map { it[Pages.key] }.toList())
            assertEquals(0, db.pool.inUse)
        }
    }

    @Test
    public fun `a stream is cold and takes its conditions along`(): Unit = test {
        fill(30)
        val late = rows().where { Pages.key greaterEq key(25) }
        assertEquals(6, late.map { it[Pages.key] }.toList().size)
        Pages.insert { it[key] = key(31) }
        assertEquals(7, late.map { it[Pages.key] }.toList().size)
    }

    @Test
    public fun `a stream that is left early gives its connection back at once (Q10)`(): Unit = test {
        fill(500)
        repeat(5) {
            assertEquals(listOf(key(1), key(2), key(3)), rows().take(3).map { it[Pages.key] }.toList())
            assertEquals(0, db.pool.inUse)
        }
        assertEquals(500, Pages.selectAll().count())
    }

    @Test
    public fun `an error of the collector ends the stream and is the one that is thrown`(): Unit = test {
        class Stop : RuntimeException()
        fill(100)
        assertFails<Stop> { rows().collect { if (it[Pages.key] == key(15)) throw Stop() } }
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `a stream whose collector is cancelled gives its connection back`(): Unit = test {
        fill(100)
        val begun = CompletableDeferred<Unit>()
        val collecting = launch {
            rows().collect {
                begun.complete(Unit)
                awaitCancellation()
            }
        }
        begun.await()
        collecting.cancelAndJoin()
        assertEquals(0, db.pool.inUse)
        assertEquals(100, Pages.selectAll().count())
    }

    @Test
    public fun `a stream in a transaction sees its rows, and leaving it early keeps the transaction`(): Unit = test {
        transaction {
            fill(50)
            assertEquals(listOf(key(1)), rows().take(1).map { it[Pages.key] }.toList())
            Pages.insert { it[key] = "later" }
            assertEquals(51, rows().map { it[Pages.key] }.toList().size)
        }
        assertEquals(51, Pages.selectAll().count())
    }

    @Test
    public fun `a statement of the coroutine that is collecting in the same transaction is an error at once (Q10)`(): Unit = test {
        needs(!can.statementsDuringStreams, "need to refuse a statement during a stream")
        fill(50)
        transaction {
            assertFails<ConnectionBusyException> { rows().collect { Pages.selectAll().count() } }
            assertEquals(50, Pages.selectAll().count())
        }
    }

    @Test
    public fun `statements of every kind run between the rows of a stream in a transaction (Q10)`(): Unit = test {
        needs(can.statementsDuringStreams, "statements during a stream")
        fill(50)
        transaction {
            var seen = 0
            rows().collect { row ->
                seen++
                assertEquals(row[Pages.key], Pages.selectAll().where { Pages.key eq row[Pages.key] }.single()[Pages.key])
                if (seen % 20 == 0) {
                    Pages.insert { it[key] = "new $seen" }
                    assertFails<ConstraintViolationException> { transaction { Pages.insert { it[key] = "new $seen" } } }
                    assertEquals(listOf(key(1)), rows().take(1).map { it[Pages.key] }.toList())
                }
            }
            assertEquals(50, seen)
        }
        assertEquals(52, Pages.selectAll().count())
    }

    @Test
    public fun `an error during a stream in a transaction is the one that is thrown, and the transaction can only be rolled back`(): Unit = test {
        needs(can.statementsDuringStreams, "statements during a stream")
        fill(50)
        assertFails<ConstraintViolationException> {
            transaction { rows().collect { row -> Pages.insert { it[key] = row[Pages.key] } } }
        }
        assertEquals(0, db.pool.inUse)
        assertEquals(50, Pages.selectAll().count())
    }

    @Test
    public fun `a stream in a transaction whose collector is cancelled leaves the transaction as it was`(): Unit = test {
        fill(50)
        transaction {
            val begun = CompletableDeferred<Unit>()
            val collecting = launch {
                rows().collect {
                    begun.complete(Unit)
                    awaitCancellation()
                }
            }
            begun.await()
            collecting.cancelAndJoin()
            Pages.insert { it[key] = "later" }
        }
        assertEquals(51, Pages.selectAll().count())
    }

    @Test
    public fun `a statement that a collector waits for in another coroutine gets ConnectionBusyException after streamTimeout (Q10)`(): Unit = runBlocking {
        needs(!can.statementsDuringStreams, "need to wait for a stream")
        open { streamTimeout = 100.milliseconds }.use { other ->
            withContext(other) {
                fill(50)
                transaction {
                    rows().take(1).collect {
                        val error = async(Dispatchers.Default) { assertFails<ConnectionBusyException> { Pages.selectAll().count() } }.await()
                        assertTrue("100ms" in error.message!!, error.message)
                    }
                    assertEquals(50, Pages.selectAll().count())
                }
            }
        }
    }

    @Test
    public fun `a stream whose collector ends the transaction fails, and never reads on the connection that somebody else has by then`(): Unit = test {
        fill(50)
        val other = db.begin()
        var seen = 0
        val error = runCatching {
            transaction { tx ->
                rows().collect {
                    if (seen++ > 0) return@collect
                    tx.afterCommit { }
                    tx.commit()
                    other { Pages.insert { it[key] = "other" } }
                }
            }
        }.exceptionOrNull()
        // Where the stream has the connection for itself the commit is what fails.
        assertTrue(if (seen == 1) error is ConnectionBusyException else error is TransactionClosedException, "$error")
        other.use { it.commit() }
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `a sibling's statement waits for the end of the stream`(): Unit = test {
        fill(50)
        transaction {
            val begun = CompletableDeferred<Unit>()
            val sibling = launch {
                begun.await()
                Pages.insert { it[key] = "sibling" }
            }
            var seen = 0
            rows().collect {
                begun.complete(Unit)
                seen++
            }
            assertEquals(50, seen)
            sibling.join()
            assertEquals(51, Pages.selectAll().count())
        }
    }

    @Test
    public fun `a fetch size is more than zero`(): Unit = test {
        assertFails<IllegalArgumentException> { Pages.selectAll().fetchSize(0).collect {} }
    }
}
