package dev.kormorant.test.conformance

import dev.kormorant.Database
import dev.kormorant.TransactionClosedException
import dev.kormorant.connection
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine

/** Coroutines and the transaction they are in: children, siblings, those that outlive it, and those outside. */
public abstract class TransactionScopeSuite(backend: Backend) : Suite(backend, Pages) {
    private class Stop : RuntimeException("stop")

    private suspend fun add(vararg keys: String) = keys.forEach { value -> Pages.insert { it[key] = value } }

    private suspend fun keys(): List<String> = Pages.selectAll().orderBy(Pages.key).toList().map { it[Pages.key] }

    @Test
    public fun `children run in the transaction, one statement at a time, and roll back with it (T7)`(): Unit = test {
        assertFails<Stop> {
            transaction {
                (1..20).map { launch { add("k$it") } }.joinAll()
                assertEquals(20, Page.count())
                assertEquals(1, db.pool.inUse)
                throw Stop()
            }
        }
        assertEquals(0, Page.count())
        transaction { repeat(20) { launch(Dispatchers.Default) { add("k$it") } } }
        assertEquals(20, Page.count())
    }

    @Test
    public fun `a child that fails rolls the transaction back (T7)`(): Unit = test {
        assertFails<Stop> {
            transaction {
                add("a")
                launch { throw Stop() }
            }
        }
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `a sibling's statement waits while a nested block is open, and never lands in it (T7, U1)`(): Unit = test {
        transaction {
            val opened = CompletableDeferred<Unit>()
            val nested = async {
                runCatching {
                    transaction {
                        add("nested")
                        opened.complete(Unit)
                        delay(30)
                        throw Stop()
                    }
                }
            }
            opened.await()
            add("sibling")
            assertTrue(nested.await().exceptionOrNull() is Stop)
        }
        assertEquals(listOf("sibling"), keys())
    }

    @Test
    public fun `nested blocks of siblings take turns (T8)`(): Unit = test {
        transaction {
            (1..12).map { number ->
                launch(Dispatchers.Default) {
                    runCatching {
                        transaction {
                            add("a$number")
                            delay(1)
                            add("b$number")
                            if (number % 3 == 0) throw Stop()
                        }
                    }
                }
            }.joinAll()
        }
        assertEquals((1..12).filter { it % 3 != 0 }.flatMap { listOf("a$it", "b$it") }.sorted(), keys())
    }

    @Test
    public fun `concurrent transactions with inner failures are all correct (T6, T8)`(): Unit = test {
        coroutineScope {
            repeat(3) { number ->
                launch(Dispatchers.Default) {
                    transaction {
                        add("outer$number")
                        assertFails<Stop> { transaction { add("inner$number"); throw Stop() } }
                        transaction { add("last$number") }
                    }
                }
            }
        }
        assertEquals((0..2).flatMap { listOf("last$it", "outer$it") }.sorted(), keys())
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `use after the end is an error that says where the transaction was opened (T13)`(): Unit = test {
        var leaked: CoroutineContext = EmptyCoroutineContext
        transaction {
            add("a")
            leaked = currentCoroutineContext().minusKey(Job)
        }
        repeat(2) {
            val error = assertFails<TransactionClosedException> { withContext(leaked) { add("b") } }
            assertTrue("TransactionScopeSuite.kt" in error.problem, error.problem)
        }
        assertFails<TransactionClosedException> { withContext(leaked) { transaction { add("c") } } }
        assertEquals(listOf("a"), keys())
    }

    @Test
    public fun `a coroutine that outlives the block never uses somebody else's connection (T13)`(): Unit = test {
        val go = CompletableDeferred<Unit>()
        lateinit var outcome: Deferred<Result<Unit>>
        transaction {
            val context = currentCoroutineContext().minusKey(Job)
            outcome = this@test.async(context) {
                go.await()
                runCatching { add("late") }
            }
            add("a")
        }
        go.complete(Unit)
        assertTrue(outcome.await().exceptionOrNull() is TransactionClosedException)
        assertEquals(listOf("a"), keys())
    }

    @Test
    public fun `a transaction needs no job in its context (L3)`() {
        val outcome = CompletableFuture<Result<Int>>()
        val block: suspend () -> Int = { transaction { add("a"); 1 } }
        block.startCoroutine(
            object : Continuation<Int> {
                override val context: CoroutineContext = db

                override fun resumeWith(result: Result<Int>) {
                    outcome.complete(result)
                }
            },
        )
        assertEquals(1, outcome.get(60, TimeUnit.SECONDS).getOrThrow())
        test { assertEquals(listOf("a"), keys()) }
    }

    @Test
    public fun `two databases nest without seeing each other (T6)`(): Unit = runBlocking {
        val place = backend.create()
        Database.open(place.url).use { other ->
            withContext(db) {
                transaction {
                    add("a")
                    other.transaction {
                        assertEquals(1, (other.exec("SELECT 1").scalar() as Number).toInt())
                        assertEquals(1, other.pool.inUse)
                        db.transaction { add("b") }
                    }
                    assertEquals(0, other.pool.inUse)
                }
                assertEquals(listOf("a", "b"), keys())
            }
        }
        place.drop()
    }

    @Test
    public fun `one statement in a transaction keeps one session from begin to end (N2)`(): Unit = test {
        val question = backend.dialogue.sessionId
        needs(question != null, "session ids")
        transaction {
            val ids = (1..5).map { async(Dispatchers.Default) { transaction { db.exec(question!!).scalar() } } }.awaitAll()
            assertEquals(1, ids.toSet().size)
        }
    }
}
