package dev.kormorant.internal

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CountDownLatch
import kotlin.coroutines.cancellation.CancellationException
import kotlin.coroutines.startCoroutine
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class UncancellableTest {
    private val timer = ManualTimer()
    private val steps = StepDispatcher()
    private val scope = CoroutineScope(Job() + steps)
    private val outcome = ArrayList<Any?>()

    private fun start(block: suspend () -> Any?): Job = scope.launch {
        try {
            outcome += block()
        } catch (e: Throwable) {
            outcome += e
        }
    }.also { steps.runAll() }

    @Test
    fun `a caller cancelled before runs the block and gets its value`() {
        val gate = CompletableDeferred<String>()
        start {
            currentCoroutineContext().cancel()
            uncancellable(timer, 1.seconds) { gate.await() }
        }
        gate.complete("rolled back")
        steps.runAll()
        assertEquals(listOf<Any?>("rolled back"), outcome)
        assertEquals(0, timer.pending)
    }

    @Test
    fun `a caller cancelled meanwhile gets the value`() {
        val gate = CompletableDeferred<String>()
        val job = start { uncancellable(timer, 1.seconds) { gate.await() } }
        job.cancel()
        steps.runAll()
        gate.complete("rolled back")
        steps.runAll()
        assertEquals(listOf<Any?>("rolled back"), outcome)
    }

    @Test
    fun `after the bound the block is cancelled and the answer is null`() {
        var cancelled = false
        start {
            currentCoroutineContext().cancel()
            uncancellable<Any>(timer, 1.seconds) {
                try {
                    awaitCancellation()
                } finally {
                    cancelled = true
                }
            }
        }
        timer.advance(1.seconds)
        steps.runAll()
        assertTrue(cancelled)
        assertEquals(listOf<Any?>(null), outcome)
    }

    @Test
    fun `an error of the block is thrown and cancels nobody`() {
        val job = start { uncancellable<Any>(timer, 1.seconds) { throw IllegalStateException("no") } }
        assertEquals("no", (outcome.single() as IllegalStateException).message)
        assertFalse(job.isCancelled)
        assertEquals(0, timer.pending)
    }

    @Test
    fun `a bounded block is cancelled with its caller`() {
        val job = start { bounded<Any>(timer, 1.seconds) { awaitCancellation() } }
        job.cancel()
        steps.runAll()
        assertTrue(outcome.single() is CancellationException)
        assertEquals(0, timer.pending)
    }

    @Test
    fun `a bounded block that takes too long answers null and leaves the caller active`() {
        val job = start {
            bounded<Any>(timer, 1.seconds) { awaitCancellation() }.also { assertEquals(0, currentCoroutineContext().job.children.count()) }
        }
        timer.advance(1.seconds)
        steps.runAll()
        assertEquals(listOf<Any?>(null), outcome)
        assertFalse(job.isCancelled)
    }

    @Test
    fun `a caller without a job is served as well`() {
        val block: suspend () -> Any? = { bounded(timer, 1.seconds) { 1 } to uncancellable(timer, 1.seconds) { 2 } }
        var result: Any? = null
        block.startCoroutine(kotlin.coroutines.Continuation(kotlin.coroutines.EmptyCoroutineContext) { result = it.getOrThrow() })
        assertEquals(1 to 2, result)
    }

    @Test
    fun `the bound is real time under virtual time`() = runTest {
        assertEquals("done", uncancellable(SystemTimer, 1.days) { delay(1_000.days); "done" })
        assertNull(bounded<Any>(SystemTimer, 1.milliseconds) { awaitCancellation() })
    }

    @Test
    fun `the second error is suppressed into the first`() {
        val first = IllegalStateException("first")
        val second = IllegalStateException("second")
        assertSame(first, first.suppressing { throw second })
        assertSame(first, first.suppressing { throw first })
        assertEquals(listOf(second), first.suppressed.toList())
    }

    @Test
    fun `an alarm of the system timer goes off once, a closed one never`() {
        val fired = CountDownLatch(1)
        SystemTimer.schedule(Duration.INFINITE) { outcome += "never" }.close()
        SystemTimer.schedule(Duration.ZERO) { fired.await() } // keeps its only thread until the next one is closed
        SystemTimer.schedule(Duration.ZERO) { outcome += "closed" }.close()
        fired.countDown()
        val after = CountDownLatch(1)
        SystemTimer.schedule(Duration.ZERO) { after.countDown() }
        after.await()
        assertEquals(emptyList<Any?>(), outcome)
    }
}
