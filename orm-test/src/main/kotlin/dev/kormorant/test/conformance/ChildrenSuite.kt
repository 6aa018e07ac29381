package dev.kormorant.test.conformance

import dev.kormorant.Children
import dev.kormorant.ConnectionBusyException
import dev.kormorant.Propagation
import dev.kormorant.TransactionOptions
import dev.kormorant.independent
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds

/** What becomes of coroutines started in a transaction, and waits that could never end. */
public abstract class ChildrenSuite(backend: Backend) : Suite(backend, Pages) {
    private fun children(mode: Children) = TransactionOptions(children = mode)

    private fun names(error: Throwable, file: String = "ChildrenSuite.kt"): Int = Regex(Regex.escape(file) + ":\\d+").findAll(error.message.orEmpty()).count()

    // ---- Modes

    @Test
    public fun `children queue by default, write where their parent has written, and are undone with it (T7, T15, N6)`(): Unit = test {
        assertFails<Stop> {
            transaction {
                addPages("parent")
                (1..10).map { async(Dispatchers.Default) { addPages("child$it"); pageKeys().size } }.awaitAll()
                assertEquals(11, pageKeys().size)
                throw Stop()
            }
        }
        assertEquals(emptyList<String>(), pageKeys())
    }

    @Test
    public fun `with FAIL a child's statement is an error that names both places, and the block goes on (T7)`(): Unit = test {
        transaction(children(Children.FAIL)) {
            addPages("a")
            withContext(Dispatchers.Default) { addPages("b") }
            coroutineScope { addPages("c") }
            val error = async { runCatching { addPages("child") }.exceptionOrNull() }.await()
            assertTrue(error is IllegalStateException, "$error")
            assertEquals(2, names(error!!), error.message)
            async { assertFails<IllegalStateException> { transaction { addPages("child") } } }.await()
            transaction { addPages("nested"); async { assertFails<IllegalStateException> { pageKeys() } }.await() }
        }
        assertEquals(listOf("a", "b", "c", "nested"), pageKeys())
    }

    @Test
    public fun `with DETACH children are outside - they commit by themselves and do not see the parent's rows (T7)`(): Unit = test {
        needs(can.concurrentWriters, "second writer")
        assertFails<Stop> {
            transaction(children(Children.DETACH)) {
                addPages("detach parent")
                async {
                    assertEquals(emptyList<String>(), pageKeys())
                    addPages("detach child")
                    transaction { addPages("detach own"); launch { addPages("detach grandchild") } }
                }.await()
                withContext(Dispatchers.Default) { assertEquals(listOf("detach child", "detach grandchild", "detach own", "detach parent"), pageKeys()) }
                throw Stop()
            }
        }
        assertEquals(listOf("detach child", "detach grandchild", "detach own"), pageKeys())
    }

    @Test
    public fun `independent is outside for one block (T7)`(): Unit = test {
        needs(can.concurrentWriters, "second writer")
        assertFails<Stop> {
            transaction {
                addPages("independent inside")
                independent {
                    assertEquals(emptyList<String>(), pageKeys())
                    addPages("independent apart")
                    transaction(propagation = Propagation.NEVER) { addPages("independent own") }
                }
                assertEquals(listOf("independent apart", "independent inside", "independent own"), pageKeys())
                throw Stop()
            }
        }
        assertEquals(listOf("independent apart", "independent own"), pageKeys())
        independent { addPages("independent alone") }
        assertEquals(listOf("independent alone", "independent apart", "independent own"), pageKeys())
    }

    @Test
    public fun `what is outside reads beside the transaction (T7, T15)`(): Unit = test {
        needs(can.concurrentReads, "reads beside an open transaction")
        transaction {
            addPages("a")
            assertEquals(emptyList<String>(), independent { pageKeys() })
            transaction(propagation = Propagation.NOT_SUPPORTED) { assertEquals(emptyList<String>(), pageKeys()) }
        }
        assertEquals(listOf("a"), pageKeys())
    }

    @Test
    public fun `the mode of the database holds where a transaction says nothing (T7)`(): Unit = runBlocking {
        needs(can.shared, "second Database on the same data")
        open { children = Children.FAIL }.use { other ->
            withContext(other) {
                transaction {
                    addPages("a")
                    async { assertFails<IllegalStateException> { addPages("child") } }.await()
                }
                transaction(children(Children.QUEUE)) { async { addPages("child") }.await() }
                assertEquals(listOf("a", "child"), pageKeys())
            }
        }
    }

    // ---- Waits that could never end

    @Test
    public fun `a detached child that waits for its own ancestor's connection is told at once (T15)`(): Unit = runBlocking {
        val single = if (can.concurrentWriters) open { pool { max = 1 } } else db
        withContext(single) {
            transaction(children(Children.DETACH)) {
                addPages("parent")
                val error = async { assertFails<ConnectionBusyException> { addPages("child") } }.await()
                assertEquals(2, names(error), error.message)
                val waiting = listOf<suspend () -> Unit>(
                    { independent { addPages("independent") } },
                    { independent { transaction { addPages("own transaction") } } },
                    { transaction(propagation = Propagation.REQUIRES_NEW) { addPages("requires new") } },
                    { transaction(propagation = Propagation.REQUIRES_NEW) { independent { addPages("two away") } } },
                    { transaction(propagation = Propagation.NOT_SUPPORTED) { addPages("not supported") } },
                )
                for (wait in waiting) assertFails<ConnectionBusyException> { wait() }
                addPages("second")
            }
            assertEquals(listOf("parent", "second"), pageKeys())
        }
        if (single !== db) single.close()
    }

    @Test
    public fun `one that its ancestor does not wait for waits as any other (T15)`(): Unit = runBlocking {
        val single = if (can.concurrentWriters) open { pool { max = 1 } } else db
        withContext(single) {
            val outside = this
            val waiting = CompletableDeferred<Job>()
            transaction(children(Children.DETACH)) {
                addPages("parent")
                val context = currentCoroutineContext().minusKey(Job)
                waiting.complete(outside.launch(context) { addPages("child") })
                eventually("it waits") { single.pool.waiting == 1 }
            }
            waiting.await().join()
            assertEquals(listOf("child", "parent"), pageKeys())
        }
        if (single !== db) single.close()
    }

    @Test
    public fun `work on the outer transaction inside a nested one that waits for it is told at once (U1)`(): Unit = test {
        transaction { outer ->
            addPages("outer")
            val context = currentCoroutineContext().minusKey(Job)
            transaction {
                addPages("nested")
                val errors = listOf(
                    assertFails<ConnectionBusyException> { outer.commit() },
                    assertFails<ConnectionBusyException> { withContext(context) { addPages("never") } },
                    assertFails<ConnectionBusyException> { coroutineScope { launch(context) { pageKeys() } } },
                )
                for (error in errors) assertEquals(2, names(error), error.message)
            }
            addPages("after")
        }
        assertEquals(listOf("after", "nested", "outer"), pageKeys())
    }

    @Test
    public fun `a wait among siblings is bounded, and the error names both places (T7)`(): Unit = runBlocking {
        needs(can.shared, "second Database on the same data")
        open { transactionWaitTimeout = 20.milliseconds }.use { other ->
            withContext(other) {
                val error = assertFails<ConnectionBusyException> {
                    transaction {
                        addPages("a")
                        val opened = CompletableDeferred<Unit>()
                        val sibling = CompletableDeferred<Unit>()
                        launch {
                            transaction {
                                addPages("nested")
                                opened.complete(Unit)
                                sibling.await()
                            }
                        }
                        opened.await()
                        addPages("sibling")
                        sibling.complete(Unit)
                    }
                }
                assertEquals(2, names(error), error.message)
                assertEquals(emptyList<String>(), pageKeys())
            }
        }
    }

    @Test
    public fun `a coroutine that collects a stream and runs a statement is told at once, also on another dispatcher (Q10)`(): Unit = test {
        needs(!can.statementsDuringStreams, "need to wait for a stream")
        addPages("a", "b", "c")
        transaction {
            val rows = Pages.selectAll().fetchSize(1)
            assertFails<ConnectionBusyException> { rows.collect { withContext(Dispatchers.Default) { pageKeys() } } }
        }
    }

    @Test
    public fun `siblings in random order give the rows they should or one named error (N6)`(): Unit = test {
        seeded { random ->
            repeat(30) { round ->
                val plan = List(4) { Triple(random.nextInt(3), random.nextBoolean(), random.nextBoolean()) }
                val written = plan.mapIndexedNotNull { number, (_, nested, fails) -> "r$round-$number".takeIf { !(nested && fails) } }
                transaction {
                    for ((number, step) in plan.withIndex()) {
                        val (depth, nested, fails) = step
                        launch(if (depth == 0) Dispatchers.Default else Dispatchers.Unconfined) {
                            if (!nested) return@launch addPages("r$round-$number")
                            runCatching {
                                transaction {
                                    if (depth == 2) transaction { addPages("r$round-$number") } else addPages("r$round-$number")
                                    if (fails) throw Stop()
                                }
                            }
                        }
                    }
                }
                assertEquals(written.sorted(), pageKeys().filter { it.startsWith("r$round-") })
            }
        }
    }
}
