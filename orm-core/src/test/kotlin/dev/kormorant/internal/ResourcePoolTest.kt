package dev.kormorant.internal

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.coroutines.cancellation.CancellationException
import kotlin.coroutines.suspendCoroutine
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ResourcePoolTest {
    private val timer = ManualTimer()
    private val steps = StepDispatcher()
    private val scope = CoroutineScope(Job() + steps)
    private val attempts = ArrayList<CompletableDeferred<Int>>()
    private val destroyed = ArrayList<Int>()
    private fun pool(max: Int, create: suspend () -> Int = { CompletableDeferred<Int>().also { attempts += it }.await() }) =
        ResourcePool(max, timer, steps, create, { destroyed += it })

    /** Someone who wants a resource and remembers what came of it. */
    private inner class Borrower(pool: ResourcePool<Int>, timeout: Duration = Duration.INFINITE) {
        var got: Int? = null
        var error: Throwable? = null
        val job: Job = scope.launch {
            try {
                got = pool.acquire(timeout)
            } catch (e: Throwable) {
                error = e
            }
        }

        init {
            steps.runAll()
        }
    }

    private fun finish(attempt: Int, resource: Int) {
        attempts[attempt].complete(resource)
        steps.runAll()
    }

    private fun fail(attempt: Int) {
        attempts[attempt].completeExceptionally(IllegalStateException("refused"))
        steps.runAll()
    }

    /** A pool whose resources 1..[count] are all lent. */
    private fun lentPool(count: Int, max: Int = count): ResourcePool<Int> {
        val pool = pool(max)
        repeat(count) {
            val borrower = Borrower(pool)
            finish(attempts.lastIndex, it + 1)
            assertEquals(it + 1, borrower.got)
        }
        return pool
    }

    private fun ResourcePool<Int>.figures() = stats.run { "inUse=$inUse idle=$idle connecting=$connecting waiting=$waiting" }

    @Test
    fun `nothing is created before somebody asks`() {
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool(3).figures())
        assertEquals(0, attempts.size)
    }

    @Test
    fun `the resource used last is lent first`() {
        val pool = lentPool(3)
        for (resource in listOf(2, 3, 1)) pool.release(resource, keep = true)
        assertEquals(listOf(1, 3, 2), pool.idle())
        assertEquals(listOf(1, 3, 2), List(3) { Borrower(pool).got })
    }

    @Test
    fun `an idle resource is lent without suspension and without an alarm`() {
        val pool = lentPool(1)
        pool.release(1, keep = true)
        assertEquals(1, pool.tryAcquire())
        pool.release(1, keep = true)
        assertEquals(1, Borrower(pool, 1.seconds).got)
        assertEquals(0, timer.pending)
    }

    @Test
    fun `there are never more than max`() {
        val pool = pool(2)
        repeat(5) { Borrower(pool) }
        assertEquals("inUse=0 idle=0 connecting=2 waiting=5", pool.figures())
        finish(0, 1)
        finish(1, 2)
        assertEquals("inUse=2 idle=0 connecting=0 waiting=3", pool.figures())
        assertEquals(2, attempts.size)
    }

    @Test
    fun `waiters are served in the order of their arrival`() {
        val pool = lentPool(1)
        val borrowers = List(5) { Borrower(pool) }
        repeat(5) { turn ->
            pool.release(1, keep = true)
            steps.runAll()
            assertEquals(turn + 1, borrowers.count { it.got != null })
            assertEquals(1, borrowers[turn].got)
        }
    }

    @Test
    fun `a newcomer does not overtake a waiter to whom the resource is on its way`() {
        val pool = lentPool(1)
        val first = Borrower(pool)
        pool.release(1, keep = true) // on its way, not yet arrived
        assertNull(pool.tryAcquire())
        val second = Borrower(pool)
        assertEquals(1, first.got)
        assertNull(second.got)
    }

    @Test
    fun `a waiter gets what is released although one is being created for it, and that one is parked`() {
        val pool = lentPool(1, max = 2)
        val waiter = Borrower(pool)
        assertEquals("inUse=1 idle=0 connecting=1 waiting=1", pool.figures())
        pool.release(1, keep = true)
        steps.runAll()
        assertEquals(1, waiter.got)
        finish(1, 2)
        assertEquals(listOf(2), pool.idle())
    }

    @Test
    fun `a destroyed resource makes room for a new one for the first waiter`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool)
        pool.release(1, keep = false)
        steps.runAll()
        assertEquals(listOf(1), destroyed)
        finish(1, 2)
        assertEquals(2, waiter.got)
    }

    @Test
    fun `releasing twice is an error, not a second resource`() {
        val pool = lentPool(1)
        pool.release(1, keep = false)
        assertThrows(IllegalStateException::class.java) { pool.release(1, keep = false) }
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures())
    }

    // ---- Waiters who leave

    @Test
    fun `race - a waiter cancelled before the hand-over leaves the queue`() {
        val pool = lentPool(1)
        val first = Borrower(pool)
        val second = Borrower(pool)
        first.job.cancel()
        assertEquals(1, pool.stats.waiting)
        pool.release(1, keep = true)
        steps.runAll()
        assertInstanceOf(CancellationException::class.java, first.error)
        assertEquals(1, second.got)
    }

    @Test
    fun `race - a waiter cancelled while the resource is on its way passes it to the next`() {
        val pool = lentPool(1)
        val first = Borrower(pool)
        val second = Borrower(pool)
        pool.release(1, keep = true)
        first.job.cancel()
        steps.runAll()
        assertNull(first.got)
        assertEquals(1, second.got)
    }

    @Test
    fun `race - a resource on its way to the last waiter, who is cancelled, becomes idle`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool)
        pool.release(1, keep = true)
        waiter.job.cancel()
        steps.runAll()
        assertNull(waiter.got)
        assertEquals("inUse=0 idle=1 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `race - a waiter cancelled after the hand-over owns the resource`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool)
        pool.release(1, keep = true)
        steps.runAll()
        waiter.job.cancel()
        assertEquals(1, waiter.got)
        assertEquals("inUse=1 idle=0 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `race - a resource finished for a waiter who is cancelled at that moment goes to the next`() {
        val pool = pool(1)
        val first = Borrower(pool)
        val second = Borrower(pool)
        attempts[0].complete(7)
        first.job.cancel()
        steps.runAll()
        assertEquals(7, second.got)
    }

    @Test
    fun `a caller cancelled before it asks gets and queues nothing`() {
        val pool = lentPool(1)
        val job = scope.launch { pool.acquire(1.seconds) }
        job.cancel()
        steps.runAll()
        assertEquals("inUse=1 idle=0 connecting=0 waiting=0", pool.figures())
        assertEquals(0, timer.pending)
    }

    @Test
    fun `what is created for a requester who leaves is finished and parked`() {
        val pool = pool(1)
        val requester = Borrower(pool)
        requester.job.cancel()
        steps.runAll()
        assertEquals("inUse=0 idle=0 connecting=1 waiting=0", pool.figures())
        finish(0, 7)
        assertEquals(listOf(7), pool.idle())
    }

    @Test
    fun `a later requester is served by the attempt of one who left`() {
        val pool = pool(5)
        Borrower(pool).job.cancel()
        val later = Borrower(pool)
        assertEquals(1, attempts.size)
        finish(0, 7)
        assertEquals(7, later.got)
    }

    // ---- Timeouts

    @Test
    fun `a waiter whose time is up gets a signal that is no cancellation, and the queue moves on`() {
        val pool = lentPool(1)
        val first = Borrower(pool, 1.seconds)
        val second = Borrower(pool)
        timer.advance(1.seconds)
        steps.runAll()
        assertInstanceOf(AcquireTimeout::class.java, first.error)
        assertFalse(first.error is CancellationException)
        pool.release(1, keep = true)
        steps.runAll()
        assertEquals(1, second.got)
    }

    @Test
    fun `race - release before timeout lends`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool, 1.seconds)
        pool.release(1, keep = true)
        timer.advance(1.seconds)
        steps.runAll()
        assertEquals(1, waiter.got)
        assertEquals(0, timer.pending)
    }

    @Test
    fun `race - timeout before release leaves the resource idle`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool, 1.seconds)
        timer.advance(1.seconds)
        pool.release(1, keep = true)
        steps.runAll()
        assertInstanceOf(AcquireTimeout::class.java, waiter.error)
        assertEquals("inUse=0 idle=1 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `race - a waiter cancelled when its time is up leaves the queue once`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool, 1.seconds)
        timer.advance(1.seconds)
        waiter.job.cancel()
        steps.runAll()
        assertNotNull(waiter.error)
        assertEquals("inUse=1 idle=0 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `no alarm is left behind by a waiter that was served or cancelled`() {
        val pool = lentPool(1)
        Borrower(pool, 1.seconds)
        val cancelled = Borrower(pool, 1.seconds)
        assertEquals(2, timer.pending)
        cancelled.job.cancel()
        pool.release(1, keep = true)
        steps.runAll()
        assertEquals(0, timer.pending)
    }

    // ---- Failed attempts

    @Test
    fun `a failed attempt that leaves nobody to wait for fails all waiters`() {
        val pool = pool(1)
        val waiters = List(3) { Borrower(pool) }
        fail(0)
        for (waiter in waiters) assertEquals("refused", assertInstanceOf(CreationFailed::class.java, waiter.error).error.message)
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures())
        assertEquals("refused", pool.lastFailure?.message)
    }

    @Test
    fun `a failed attempt fails nobody while a lent resource may come back`() {
        val pool = lentPool(1, max = 2)
        val waiter = Borrower(pool)
        fail(1)
        assertEquals("inUse=1 idle=0 connecting=0 waiting=1", pool.figures())
        pool.release(1, keep = true)
        steps.runAll()
        assertEquals(1, waiter.got)
    }

    @Test
    fun `a failed attempt fails nobody while another is on its way`() {
        val pool = pool(2)
        val first = Borrower(pool)
        val second = Borrower(pool)
        fail(0)
        finish(1, 7)
        assertEquals(7, first.got)
        assertNull(second.error)
        pool.release(7, keep = true)
        steps.runAll()
        assertEquals(7, second.got)
    }

    @Test
    fun `after a failure one attempt at a time is made, at growing distances`() {
        val pool = pool(10)
        repeat(10) { Borrower(pool) }
        repeat(10) { fail(it) }
        assertEquals(10, attempts.size)
        val waits = List(8) {
            repeat(10) { Borrower(pool) }
            var waited = 0
            while (attempts.lastIndex < 10 + it) {
                timer.advance(10.milliseconds)
                steps.runAll()
                waited += 10
            }
            assertEquals(10 + it, attempts.lastIndex, "one attempt, not ten")
            fail(10 + it)
            waited
        }
        val bounds = listOf(100, 200, 400, 800, 1600, 2000, 2000, 2000)
        for ((waited, bound) in waits.zip(bounds)) assertTrue(waited in bound / 2..bound + 10, "$waits")
    }

    @Test
    fun `after a failure those who arrive during an attempt wait for its outcome`() {
        val pool = pool(10)
        Borrower(pool)
        fail(0)
        timer.advance(2.seconds)
        val waiters = List(5) { Borrower(pool) }
        assertEquals(2, attempts.size)
        fail(1)
        for (waiter in waiters) assertInstanceOf(CreationFailed::class.java, waiter.error)
    }

    @Test
    fun `the first success ends the caution and every waiter is served`() {
        val pool = pool(3)
        Borrower(pool)
        fail(0)
        val waiters = List(3) { Borrower(pool) }
        timer.advance(2.seconds)
        steps.runAll()
        assertEquals(2, attempts.size)
        finish(1, 1)
        assertEquals(4, attempts.size)
        finish(2, 2)
        finish(3, 3)
        assertEquals(listOf(1, 2, 3), waiters.map { it.got })
        assertNull(pool.lastFailure)
    }

    @Test
    fun `no permit is lost by failed attempts`() {
        val pool = pool(2)
        repeat(20) {
            Borrower(pool)
            timer.advance(2.seconds)
            steps.runAll()
            fail(attempts.lastIndex)
        }
        val waiters = List(2) { Borrower(pool) }
        timer.advance(2.seconds)
        steps.runAll()
        finish(attempts.lastIndex, 1)
        finish(attempts.lastIndex, 2)
        assertEquals(listOf(1, 2), waiters.map { it.got })
    }

    // ---- Stocking up and taking out

    @Test
    fun `fill creates what is missing without waiters`() {
        val pool = lentPool(1, max = 5)
        pool.fill(3)
        steps.runAll()
        pool.fill(3)
        steps.runAll()
        assertEquals(3, attempts.size)
        finish(1, 2)
        finish(2, 3)
        assertEquals("inUse=1 idle=2 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `what is taken out of the idle stack belongs to the taker, the rest keeps its order`() {
        val pool = lentPool(4)
        for (resource in 1..4) pool.release(resource, keep = true)
        assertEquals(listOf(1, 3), pool.take(setOf(1, 3, 99)))
        assertEquals(listOf(4, 2), pool.idle())
        assertEquals("inUse=2 idle=2 connecting=0 waiting=0", pool.figures())
        pool.release(1, keep = false)
        pool.release(3, keep = true)
        assertEquals(listOf(3, 4, 2), pool.idle())
    }

    // ---- Closing

    @Test
    fun `close destroys what is idle, fails who waits and lends nothing more`() {
        val pool = lentPool(2)
        pool.release(1, keep = true)
        val holder = Borrower(pool)
        val waiter = Borrower(pool)
        pool.release(2, keep = true)
        steps.runAll()
        assertEquals(2, waiter.got)
        pool.release(2, keep = true)
        pool.close()
        assertEquals(listOf(2), destroyed)
        assertInstanceOf(ResourcePoolClosed::class.java, Borrower(pool).error)
        assertNull(pool.tryAcquire())
        assertEquals(1, holder.got)
    }

    @Test
    fun `close fails waiters at once`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool, 1.seconds)
        pool.close()
        steps.runAll()
        assertInstanceOf(ResourcePoolClosed::class.java, waiter.error)
        assertEquals(0, timer.pending)
    }

    @Test
    fun `what comes back to a closed pool is destroyed, and then it is drained`() {
        val pool = lentPool(1)
        pool.close()
        pool.close()
        val drained = scope.async { pool.awaitDrained() }
        steps.runAll()
        assertFalse(drained.isCompleted)
        pool.release(1, keep = true)
        steps.runAll()
        assertEquals(listOf(1), destroyed)
        assertTrue(drained.isCompleted)
    }

    @Test
    fun `race - close while a resource is on its way to a waiter, who gets it`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool)
        pool.release(1, keep = true)
        pool.close()
        steps.runAll()
        assertEquals(1, waiter.got)
        pool.release(1, keep = true)
        assertEquals(listOf(1), destroyed)
    }

    @Test
    fun `race - close while a resource is on its way to a waiter, who is cancelled`() {
        val pool = lentPool(1)
        val waiter = Borrower(pool)
        pool.release(1, keep = true)
        pool.close()
        waiter.job.cancel()
        steps.runAll()
        assertNull(waiter.got)
        assertEquals(listOf(1), destroyed)
    }

    @Test
    fun `race - close cancels an attempt in progress and is drained by its end`() {
        val pool = pool(1)
        val waiter = Borrower(pool)
        pool.close()
        steps.runAll()
        assertInstanceOf(ResourcePoolClosed::class.java, waiter.error)
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures())
        val drained = scope.async { pool.awaitDrained() }
        steps.runAll()
        assertTrue(drained.isCompleted)
    }

    @Test
    fun `race - close before an attempt has begun`() {
        val pool = pool(1)
        scope.launch { runCatching { pool.acquire(1.seconds) } }
        while (pool.stats.connecting == 0) steps.runOne(Random(1))
        pool.close()
        steps.runAll()
        assertEquals(0, attempts.size)
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `race - a resource that arrives although its attempt was cancelled is destroyed`() {
        lateinit var arrive: () -> Unit
        val pool = pool(1) {
            suspendCoroutine { continuation -> arrive = { continuation.resumeWith(Result.success(7)) } }
        }
        Borrower(pool)
        pool.close()
        steps.runAll()
        assertEquals(1, pool.stats.connecting)
        arrive()
        steps.runAll()
        assertEquals(listOf(7), destroyed)
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures())
    }
}
