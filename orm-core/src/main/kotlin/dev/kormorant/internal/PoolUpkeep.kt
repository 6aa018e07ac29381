package dev.kormorant.internal

import dev.kormorant.PoolConfig
import kotlinx.coroutines.launch
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * What a pool does to connections nobody uses: closes the old, broken and superfluous ones, asks silent ones for a sign of life,
 * keeps `min` of them open. Runs in the pool's scope, in sweeps, from the first connection on and while there are any.
 */
internal class PoolUpkeep(config: PoolConfig, private val resources: ResourcePool<PooledConnection>, private val timer: Timer) {
    private val min = config.min
    private val idleNanos = config.idleTimeout.inWholeNanoseconds
    private val keepaliveNanos = config.keepalive?.inWholeNanoseconds

    /** Half of the shortest limit, so that none is missed by more than that. */
    private val period =
        (minOf(config.idleTimeout, config.maxLifetime, config.keepalive ?: Duration.INFINITE) / 2).coerceIn(100.milliseconds, 30.seconds)

    private val running = AtomicBoolean()

    /** Whether an idle connection is being asked, which [resources] counts as lent. */
    @Volatile
    var asking: Boolean = false
        private set

    fun start() {
        if (!running.compareAndSet(false, true)) return
        resources.fill(min)
        scheduleSweep()
    }

    private fun scheduleSweep() {
        timer.schedule(period) {
            resources.scope.launch {
                trim()
                keepAlive()
                resources.fill(min)
                if (min > 0 || resources.size > 0) scheduleSweep() else pause()
            }
        }
    }

    /** An empty pool needs no sweeps, and nothing then holds it in memory. */
    private fun pause() {
        running.set(false)
        if (resources.size > 0) start()
    }

    private fun trim() {
        val now = timer.nanos
        var spare = resources.size - min
        val unwanted = resources.idle().asReversed().filterTo(HashSet()) { pooled ->
            (!pooled.isGood(now) || (spare > 0 && now - pooled.usedAt >= idleNanos)).also { if (it) spare-- }
        }
        evict(unwanted)
    }

    /** One at a time, so that a burst finds the others; after the first silence all are doubtful and closed. */
    private suspend fun keepAlive() {
        val silence = keepaliveNanos ?: return
        for (candidate in resources.idle()) {
            if (timer.nanos - candidate.heardAt < silence) continue
            val pooled = resources.take(setOf(candidate)).firstOrNull() ?: continue
            var alive = false
            asking = true
            try {
                alive = pooled.answers()
            } finally {
                asking = false
                resources.release(pooled, keep = alive)
            }
            if (!alive) return evictIdle()
        }
    }

    fun evictIdle() = evict(resources.idle().toSet())

    private fun evict(unwanted: Set<PooledConnection>) {
        for (pooled in resources.take(unwanted)) resources.release(pooled, keep = false)
    }
}
