package dev.kormorant.test.conformance

import dev.kormorant.insert
import dev.kormorant.save
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.Executors
import kotlin.concurrent.thread
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.coroutineContext

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
    public fun `on the default dispatcher (M3)`(): Unit = runBlocking { withContext(Dispatchers.Default + db) { work() } }

    @Test
    public fun `unconfined (M3)`(): Unit = runBlocking { withContext(Dispatchers.Unconfined + db) { work() } }

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
