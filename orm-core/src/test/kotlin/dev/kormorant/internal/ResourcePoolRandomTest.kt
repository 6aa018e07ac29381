package dev.kormorant.internal

import dev.kormorant.PoolStats
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.coroutines.cancellation.CancellationException
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ResourcePoolRandomTest {
    @Test
    fun `in any schedule no permit is lost, nobody is overtaken and no resource is lent twice`() = programs(4_000) { Program(it).run() }

    @Test
    fun `without failures the pool does exactly what a list and a queue would do`() = programs(4_000) { ModelProgram(it).run() }

    private fun programs(count: Int, run: (Random) -> Unit) {
        for (seed in 1..count) {
            try {
                run(Random(seed))
            } catch (e: Throwable) {
                throw AssertionError("The program with seed $seed fails: ${e.message}", e)
            }
        }
    }

    private abstract class World(val random: Random) {
        val timer = ManualTimer()
        val steps = StepDispatcher()
        val scope = CoroutineScope(Job() + steps)
        val max = random.nextInt(1, 5)
        val attempts = ArrayList<CompletableDeferred<Int>>()
        var created = 0
        val alive = HashSet<Int>()

        val pool = ResourcePool(
            max,
            timer,
            steps,
            create = {
                val attempt = CompletableDeferred<Int>()
                attempts += attempt
                try {
                    attempt.await().also { alive += it }
                } finally {
                    attempts -= attempt
                }
            },
            destroy = { assertTrue(alive.remove(it), "resource $it was destroyed twice") },
        )

        fun <E> List<E>.any(): E? = if (isEmpty()) null else this[random.nextInt(size)]

        fun finishAttempt() {
            attempts.filter { !it.isCompleted }.any()?.complete(++created)
        }
    }

    private class Program(random: Random) : World(random) {
        private inner class Borrower(timeout: Duration) {
            var arrival = 0
            var held: Int? = null
            var served = false
            var error: Throwable? = null
            val isWaiting get() = arrival > 0 && !served && error == null
            val job = scope.launch {
                arrival = ++arrivals
                try {
                    held = pool.acquire(timeout)
                    served = true
                } catch (e: Throwable) {
                    error = e
                }
            }
        }

        private var arrivals = 0
        private var closed = false
        private val borrowers = ArrayList<Borrower>()
        private val taken = ArrayList<Int>()

        fun run() {
            repeat(random.nextInt(5, 60)) {
                step()
                check()
            }
            finish()
        }

        private fun step() {
            when (random.nextInt(100)) {
                in 0..<25 -> borrowers += Borrower(if (random.nextBoolean()) Duration.INFINITE else random.nextInt(0, 100).milliseconds)
                in 25..<33 -> borrowers.any()?.job?.cancel()
                in 33..<50 -> release(random.nextInt(5) > 0)
                in 50..<60 -> finishAttempt()
                in 60..<65 -> attempts.filter { !it.isCompleted }.any()?.completeExceptionally(IllegalStateException("refused"))
                in 65..<70 -> timer.advance(random.nextInt(1, 1500).milliseconds)
                in 70..<85 -> steps.runOne(random)
                in 85..<93 -> steps.runAll()
                in 93..<95 -> pool.fill(random.nextInt(0, max + 2))
                in 95..<97 -> taken += pool.take(pool.idle().filterTo(HashSet()) { random.nextBoolean() })
                in 97..<99 -> taken.removeFirstOrNull()?.let { pool.release(it, keep = random.nextBoolean()) }
                else -> if (random.nextInt(10) == 0) {
                    closed = true
                    pool.close()
                }
            }
        }

        private fun release(keep: Boolean) {
            val borrower = borrowers.filter { it.held != null }.any() ?: return
            val resource = borrower.held!!
            borrower.held = null
            pool.release(resource, keep)
        }

        private fun check() {
            val stats = pool.stats
            assertTrue(stats.inUse + stats.idle + stats.connecting <= max, "more than $max: $stats")
            val held = borrowers.mapNotNull { it.held } + taken
            assertEquals(held.size, held.toSet().size, "lent twice: $held")
            assertTrue(alive.containsAll(held), "lent but destroyed: ${held - alive}")
            assertTrue(pool.idle().none { it in held }, "idle and lent")
            for (borrower in borrowers) {
                val error = borrower.error
                assertTrue(error == null || error is NotAcquired || (error is CancellationException && borrower.job.isCancelled), "$error")
            }
            if (steps.isIdle) {
                assertEquals(held.size, stats.inUse, "in use")
                assertEquals(borrowers.count { it.isWaiting }, stats.waiting, "waiting")
                assertTrue(stats.waiting == 0 || stats.idle == 0, "somebody waits beside an idle resource: $stats")
                val oldestWaiting = borrowers.filter { it.isWaiting }.minOfOrNull { it.arrival } ?: Int.MAX_VALUE
                assertTrue(borrowers.none { it.served && it.arrival > oldestWaiting }, "a waiter was overtaken")
            }
        }

        private fun finish() {
            var rounds = 0
            while (borrowers.any { !it.job.isCompleted } || taken.isNotEmpty() || pool.stats.run { inUse + connecting } > 0) {
                assertTrue(++rounds < 1_000, "somebody waits for ever: ${pool.stats}")
                timer.advance(2.seconds)
                steps.runAll()
                finishAttempt()
                steps.runAll()
                release(keep = true)
                taken.removeFirstOrNull()?.let { pool.release(it, keep = true) }
                steps.runAll()
                check()
            }
            if (!closed) {
                val last = List(max) { Borrower(Duration.INFINITE) }
                borrowers += last
                while (last.any { it.held == null }) {
                    assertTrue(++rounds < 2_000, "a permit was lost: ${pool.stats}")
                    timer.advance(2.seconds)
                    steps.runAll()
                    finishAttempt()
                    steps.runAll()
                }
                pool.close()
                repeat(max) { release(keep = true) }
            }
            assertTrue(alive.isEmpty(), "not destroyed: $alive")
        }
    }

    /** Everything dispatched runs at once, so what must happen is known exactly. */
    private class ModelProgram(random: Random) : World(random) {
        private val idle = ArrayList<Int>()
        private val queue = ArrayList<Int>()
        private val expected = HashMap<Int, Int>()
        private val actual = HashMap<Int, Int>()
        private val jobs = HashMap<Int, Job>()
        private var connecting = 0

        fun run() = repeat(random.nextInt(5, 60)) {
            step()
            steps.runAll()
            assertEquals(expected, actual, "who holds what")
            assertEquals(idle, pool.idle().asReversed(), "idle stack")
            assertEquals(PoolStats(max, expected.size, idle.size, connecting, queue.size), pool.stats)
            assertEquals(connecting, attempts.size)
        }

        private fun step() {
            when (random.nextInt(10)) {
                in 0..3 -> {
                    val id = jobs.size
                    jobs[id] = scope.launch { actual[id] = pool.acquire(Duration.INFINITE) }
                    if (queue.isEmpty() && idle.isNotEmpty()) expected[id] = idle.removeLast() else queue += id
                }
                in 4..5 -> queue.any()?.let {
                    jobs.getValue(it).cancel()
                    queue -= it
                }
                in 6..7 -> expected.keys.toList().any()?.let { id ->
                    val keep = random.nextInt(4) > 0
                    val resource = expected.remove(id)!!
                    actual.remove(id)
                    pool.release(resource, keep)
                    if (keep) arrive(resource)
                }
                else -> if (connecting > 0) {
                    finishAttempt()
                    connecting--
                    arrive(created)
                }
            }
            connecting += maxOf(0, minOf(queue.size - connecting, max - expected.size - idle.size - connecting))
        }

        private fun arrive(resource: Int) {
            if (queue.isEmpty()) idle += resource else expected[queue.removeFirst()] = resource
        }
    }
}
