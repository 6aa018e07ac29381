package dev.kormorant.internal

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.seconds

class ResourcePoolStressTest {
    private val created = AtomicInteger()
    private val alive = ConcurrentHashMap.newKeySet<Int>()
    private val lent = ConcurrentHashMap.newKeySet<Int>()
    private val errors = ConcurrentHashMap.newKeySet<String>()

    private fun pool(max: Int, seed: Int): ResourcePool<Int> {
        val random = Random(seed)
        return ResourcePool(
            max,
            SystemTimer,
            Dispatchers.Default,
            create = {
                yield()
                if (synchronized(random) { random.nextInt(50) } == 0) throw IllegalStateException("refused")
                created.incrementAndGet().also { alive += it }
            },
            destroy = { if (!alive.remove(it)) errors += "$it destroyed twice" },
        )
    }

    private fun note(resource: Int) {
        if (!lent.add(resource)) errors += "$resource lent twice"
        if (resource !in alive) errors += "$resource lent after its end"
    }

    @Test
    fun `threads that borrow, leave, time out and break things lose nothing`() = runBlocking(Dispatchers.Default) {
        val seed = 20_260
        val max = 4
        val pool = pool(max, seed)
        List(64) { worker ->
            launch {
                val random = Random(seed + worker)
                repeat(300) {
                    val job = launch {
                        val resource = try {
                            pool.acquire(if (random.nextInt(4) == 0) random.nextInt(1, 500).microseconds else Duration.INFINITE)
                        } catch (_: NotAcquired) {
                            return@launch
                        }
                        note(resource)
                        try {
                            if (random.nextBoolean()) yield()
                        } finally {
                            lent -= resource
                            pool.release(resource, keep = random.nextInt(20) > 0)
                        }
                    }
                    when (random.nextInt(4)) {
                        0 -> job.cancelAndJoin()
                        1 -> {
                            yield()
                            job.cancelAndJoin()
                        }
                        else -> job.join()
                    }
                }
            }
        }.joinAll()
        assertEquals(emptySet<String>(), errors, "seed $seed")
        awaitQuiet(pool)
        val resources = List(max) { acquireStubbornly(pool) }
        assertEquals(max, resources.toSet().size)
        pool.close()
        resources.forEach { pool.release(it, keep = true) }
        pool.awaitDrained()
        assertEquals(emptySet<Int>(), alive.toSet())
    }

    @Test
    fun `close in the middle of the crowd ends everybody and leaves nothing alive`() = runBlocking(Dispatchers.Default) {
        repeat(200) { round ->
            val pool = pool(3, round)
            val crowd = List(16) {
                launch {
                    try {
                        while (true) {
                            val resource = try {
                                pool.acquire(30.seconds)
                            } catch (_: CreationFailed) {
                                continue
                            }
                            note(resource)
                            yield()
                            lent -= resource
                            pool.release(resource, keep = true)
                        }
                    } catch (_: ResourcePoolClosed) {
                    }
                }
            }
            repeat(Random(round).nextInt(50)) { yield() }
            pool.close()
            crowd.joinAll()
            pool.awaitDrained()
            assertEquals(emptySet<Int>(), alive.toSet(), "round $round")
        }
        assertEquals(emptySet<String>(), errors)
    }

    @Test
    fun `race - a release and an acquire at the same moment always meet`() {
        val pool = pool(1, 0)
        var resource = runBlocking { acquireStubbornly(pool) }
        val rounds = 100_000
        val round = AtomicInteger()
        val releaser = thread {
            for (turn in 1..rounds) {
                var spins = 0
                while (round.get() < turn) if (++spins % 1_000 == 0) Thread.yield() else Thread.onSpinWait()
                repeat(turn % 100) { Thread.onSpinWait() } // tries every moment of the acquire
                pool.release(resource, keep = true)
            }
        }
        val acquire: suspend () -> Int = { pool.acquire(Duration.INFINITE) }
        repeat(rounds) {
            val met = CompletableFuture<Int>()
            round.incrementAndGet()
            acquire.startCoroutine(Continuation(EmptyCoroutineContext) { met.complete(it.getOrThrow()) })
            resource = met.get(60, TimeUnit.SECONDS)
        }
        releaser.join()
        assertEquals(1, pool.stats.inUse)
        pool.close()
    }

    private suspend fun acquireStubbornly(pool: ResourcePool<Int>): Int {
        while (true) {
            try {
                return pool.acquire(30.seconds)
            } catch (_: CreationFailed) {
            }
        }
    }

    /** Attempts in progress have no waiter any more but still end. */
    private suspend fun awaitQuiet(pool: ResourcePool<Int>) = withContext(Dispatchers.Default) {
        while (pool.stats.connecting > 0) delay(1)
        val stats = pool.stats
        assertTrue(stats.inUse == 0 && stats.waiting == 0, "$stats")
    }
}
