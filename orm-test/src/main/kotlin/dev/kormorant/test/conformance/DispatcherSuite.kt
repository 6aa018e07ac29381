package dev.kormorant.test.conformance

import dev.kormorant.ErrorDetails
import dev.kormorant.Retry
import dev.kormorant.SerializationException
import dev.kormorant.begin
import dev.kormorant.insert
import dev.kormorant.save
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.Executors
import kotlin.concurrent.thread
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.coroutineContext
import kotlin.time.Duration.Companion.ZERO

/** One database serves every dispatcher, and the caller resumes on its own. */
public abstract class DispatcherSuite(backend: Backend) : Suite(backend, Pages) {
    /** Work of every kind: models, a query, a transaction with a nested block and children. */
    private suspend fun work() {
        val own = coroutineContext[ContinuationInterceptor]
        val page = Page.create { key = "title" }
        assertSame(own, coroutineContext[ContinuationInterceptor])
        transaction {
            page.text = "changed"
            page.save()
            transaction { Pages.insert { it[key] = "nested" } }
            repeat(3) { number -> launch { Pages.insert { it[key] = "child$number" } } }
        }
        transaction(retry = Retry(backoff = ZERO)) { tx ->
            assertEquals("changed", page.text)
            page.text = "changed in attempt ${tx.attempt}"
            launch { page.save() }.join()
            if (tx.attempt < 3) throw SerializationException("Lost.", ErrorDetails("40001", 1213), null)
            tx.rollback()
        }
        db.begin().use { tx -> addPages("by hand"); tx.rollback() }
        assertEquals(5, Pages.selectAll().toList().size)
        assertEquals("changed", Page.get(page.id).text)
    }

    /** Resumes each time on a new thread. */
    internal object Hopping : CoroutineDispatcher() {
        override fun dispatch(context: CoroutineContext, block: Runnable) {
            thread(isDaemon = true, block = block::run)
        }
    }

    @Test
    public fun `on a dispatcher that changes the thread at every step (N2, M3)`(): Unit = runBlocking { withContext(Hopping + db) { work() } }

    @Test
    public fun `a block keeps its session and its transaction, however often the thread changes (N2)`(): Unit = runBlocking {
        val question = if (can.transactionIds) "SELECT txid_current()" else backend.dialogue.sessionId
        needs(question != null, "session ids")
        withContext(Hopping + db) {
            transaction {
                assertEquals(1, (1..20).map { db.exec(question!!).scalar() }.toSet().size)
                assertEquals(1, (1..5).map { async { yield(); db.exec(question!!).scalar() } }.awaitAll().toSet().size)
            }
        }
    }

    @Test
    public fun `on the default dispatcher (M3)`(): Unit = runBlocking { withContext(Dispatchers.Default + db) { work() } }

    @Test
    public fun `unconfined (M3)`(): Unit = runBlocking { withContext(Dispatchers.Unconfined + db) { work() } }

    @Test
    public fun `on virtual threads, a new one at each step (M3, N2)`(): Unit = runBlocking {
        val executor = virtualThreads()
        assumeTrue(executor != null, "virtual threads came with Java 21")
        withContext(executor!!.asCoroutineDispatcher() + db) { work() }
    }

    @Test
    public fun `on the thread that blocks for it (M3)`(): Unit = runBlocking(db) { work() }

    @OptIn(ExperimentalCoroutinesApi::class)
    @Test
    public fun `under a test scheduler, whose time stands still (M3)`(): Unit = runTest(db) {
        work()
        assertEquals(0, testScheduler.currentTime)
    }

    @Test
    public fun `on a single thread, which is free while the database works (M3, N3)`(): Unit = runBlocking {
        Executors.newSingleThreadExecutor { Thread(it, "only").apply { isDaemon = true } }.asCoroutineDispatcher().use { single ->
            withContext(single + db) {
                val ticking = launch { while (true) delay(1) }
                work()
                assertEquals("only", Thread.currentThread().name.substringBefore(' '))
                ticking.cancel()
            }
        }
    }

    @Test
    public fun `the caller resumes on its own dispatcher, not on a thread of the driver (M3)`(): Unit = runBlocking {
        Executors.newSingleThreadExecutor { Thread(it, "only").apply { isDaemon = true } }.asCoroutineDispatcher().use { single ->
            withContext(single + db) {
                repeat(5) {
                    db.exec("SELECT 1")
                    assertTrue(Thread.currentThread().name.startsWith("only"), Thread.currentThread().name)
                }
            }
        }
    }
}
