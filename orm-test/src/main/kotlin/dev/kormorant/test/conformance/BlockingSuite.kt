package dev.kormorant.test.conformance

import dev.kormorant.BlockingNotAllowedException
import dev.kormorant.BlockingPolicy
import dev.kormorant.Database
import dev.kormorant.NoDatabaseException
import dev.kormorant.Schema
import dev.kormorant.allowBlocking
import dev.kormorant.blocking
import dev.kormorant.transaction
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import java.util.concurrent.ThreadFactory
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** Waiting for the database on a thread: who may, and what it costs others. */
public abstract class BlockingSuite(backend: Backend) : Suite(backend, Pages) {
    @AfterEach
    public fun forbidAgain() {
        db.blockingPolicy = BlockingPolicy.FORBID
    }

    /** What [block] throws on a thread of its own. */
    private fun failureOnNewThread(block: () -> Unit): Throwable? {
        val outcome = CompletableFuture<Throwable?>()
        thread(isDaemon = true) { outcome.complete(runCatching(block).exceptionOrNull()) }
        return outcome.get(GUARD.inWholeSeconds, TimeUnit.SECONDS)
    }

    @Test
    public fun `a thread must not wait unless it is allowed to, and the error names the remedies (S1, S2, L4, P3)`() {
        val before = sent.size
        val error = assertThrows<BlockingNotAllowedException> { db.blocking { addPages("never") } }
        assertHint(error, "allowBlocking", "BlockingPolicy")
        test { transaction { assertThrows<BlockingNotAllowedException> { db.blocking { addPages("never") } } } }
        assertEquals(before, sent.size)
        runBlocking { assertHint(assertFails<NoDatabaseException> { addPages("nowhere") }, "withContext") }
    }

    @Test
    public fun `allowBlocking opens it for a block, nested, and what was before comes back after an exception too (S4, M18)`() {
        db.allowBlocking {
            db.blocking { Schema.create(Pages); addPages("a") }
            db.allowBlocking { db.blocking { addPages("b") } }
            db.blocking { addPages("c") }
            assertEquals(0, db.pool.inUse)
        }
        assertThrows<BlockingNotAllowedException> { db.blocking { pageKeys() } }
        assertThrows<Stop> { db.allowBlocking { throw Stop() } }
        assertThrows<BlockingNotAllowedException> { db.blocking { pageKeys() } }
        db.allowBlocking().use { assertEquals(listOf("a", "b", "c"), db.blocking { pageKeys() }) }
        val twice = db.allowBlocking()
        twice.close()
        twice.close()
        db.allowBlocking { db.blocking { pageKeys() } }
        assertThrows<BlockingNotAllowedException> { db.blocking { pageKeys() } }
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `allowBlocking is for its own thread and database (S4)`(): Unit = runBlocking {
        val place = backend.create()
        Database.open(place.url).use { other ->
            db.allowBlocking {
                assertThrows<BlockingNotAllowedException> { other.blocking { } }
                assertTrue(failureOnNewThread { db.blocking { } } is BlockingNotAllowedException)
            }
        }
        place.drop()
    }

    @Test
    public fun `the policy may be changed at any time, and those that log let it pass (S2)`() {
        for (policy in listOf(BlockingPolicy.LOG_ERROR, BlockingPolicy.LOG_WARN, BlockingPolicy.ALLOW)) {
            db.blockingPolicy = policy
            assertEquals(policy.ordinal, db.blocking { addPages(policy.name); pageKeys().size })
        }
        db.blockingPolicy = BlockingPolicy.FORBID
        assertThrows<BlockingNotAllowedException> { db.blocking { } }
        assertEquals(BlockingPolicy.FORBID, db.config.blocking)
    }

    @Test
    public fun `value, exception and what is bound to the thread pass through, transactions work (P1)`() {
        db.blockingPolicy = BlockingPolicy.ALLOW
        val bound = ThreadLocal<String>()
        bound.set("7")
        assertEquals("7", db.blocking { addPages("a"); bound.get() })
        assertThrows<Stop> { db.blocking { transaction { addPages("b"); throw Stop() } } }
        assertEquals(listOf("a"), db.blocking { transaction { pageKeys() } })
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `a thread that many share is refused even where it is allowed (S5)`() {
        db.blockingPolicy = BlockingPolicy.ALLOW
        runBlocking {
            withContext(Dispatchers.Default) {
                val error = assertFails<BlockingNotAllowedException> { db.blocking { } }
                assertHint(error, "Dispatchers.IO")
                assertFails<BlockingNotAllowedException> { db.allowBlocking { db.blocking { } } }
            }
            assertEquals(1, withContext(Dispatchers.IO) { db.blocking { addPages("a"); pageKeys().size } })
        }
    }

    @Test
    public fun `the threads of a driver are refused (S5)`() {
        db.blockingPolicy = BlockingPolicy.ALLOW
        val loop = runCatching {
            Class.forName("io.netty.util.concurrent.DefaultThreadFactory").getConstructor(String::class.java).newInstance("loop") as ThreadFactory
        }.getOrNull()
        assumeTrue(loop != null, "Netty is not here")
        val outcome = CompletableFuture<Throwable?>()
        loop!!.newThread { outcome.complete(runCatching { db.blocking { } }.exceptionOrNull()) }.start()
        assertTrue(outcome.get(GUARD.inWholeSeconds, TimeUnit.SECONDS) is BlockingNotAllowedException)
    }

    @Test
    public fun `only the calling thread waits (S5)`(): Unit = runBlocking {
        db.blockingPolicy = BlockingPolicy.ALLOW
        val results = (1..8).map { number -> CompletableFuture.supplyAsync({ db.blocking { addPages("k$number"); number } }, { thread(isDaemon = true, block = it::run) }) }
        assertEquals((1..8).toList(), results.map { it.get(GUARD.inWholeSeconds, TimeUnit.SECONDS) })
        withContext(db) { assertEquals(8, pageKeys().size) }
    }

    @Test
    public fun `a virtual thread may always wait, and holds no other thread meanwhile (S5)`() {
        val executor = virtualThreads()
        assumeTrue(executor != null, "virtual threads came with Java 21")
        val results = (1..200).map { number ->
            CompletableFuture.supplyAsync({ db.blocking { addPages("k$number"); number } }, executor!!)
        }
        assertEquals((1..200).toList(), results.map { it.get(GUARD.inWholeSeconds, TimeUnit.SECONDS) })
        test { assertEquals(200, pageKeys().size) }
    }

    @Test
    public fun `reading every property of a model runs nothing (S6, N9)`(): Unit = test {
        val page = Page.create { key = "a" }
        assertEquals(emptyList<String>(), statementsOf { assertFalse("${page.id} ${page.key} ${page.text} $page".isEmpty()) })
    }

    @Test
    public fun `an interrupt ends the wait and the work (S5)`() {
        db.blockingPolicy = BlockingPolicy.ALLOW
        val outcome = CompletableFuture<Throwable?>()
        val waiting = thread(isDaemon = true) { outcome.complete(runCatching { db.blocking { db.exec(backend.dialogue.slowStatement) } }.exceptionOrNull()) }
        test { eventually("it runs") { db.pool.inUse == 1 } }
        waiting.interrupt()
        assertTrue(outcome.get(GUARD.inWholeSeconds, TimeUnit.SECONDS) is InterruptedException)
        test { eventually("its connection is back") { db.pool.inUse == 0 } }
    }
}

/** An executor with a virtual thread for each task; `null` before Java 21. */
internal fun virtualThreads(): Executor? = try {
    Executors::class.java.getMethod("newVirtualThreadPerTaskExecutor").invoke(null) as Executor
} catch (_: NoSuchMethodException) {
    null
}
