package dev.kormorant.internal

import dev.kormorant.ConnectionException
import dev.kormorant.PoolClosedException
import dev.kormorant.PoolConfig
import dev.kormorant.PoolStats
import dev.kormorant.PoolTimeoutException
import dev.kormorant.StatementCacheStats
import dev.kormorant.driver.Connection
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/**
 * Which connections are worth lending and keeping, over a [ResourcePool] that does the lending.
 *
 * A borrower owns its connection from the return of [acquire] to [release]; in between the pool touches it only when [close] has
 * waited long enough. Nothing is opened before the first [acquire] or [open].
 *
 * @param connect opens a connection, within a time of its own; runs on [dispatcher], never in a borrower's coroutine.
 */
internal class ConnectionPool(
    config: PoolConfig,
    private val timer: Timer = SystemTimer,
    private val dispatcher: CoroutineDispatcher = Dispatchers.Default,
    private val connect: suspend () -> Connection,
) {
    private val config = config.checked()

    /** Connections that can be lent at the same time. */
    val max: Int = config.max

    private val lifetimeNanos = config.maxLifetime.inWholeNanoseconds
    private val validateNanos = config.validateAfter.inWholeNanoseconds
    private val leakThreshold = config.leakThreshold

    @Volatile
    private var generation = Generation()

    val stats: PoolStats get() = generation.stats()

    /** Figures of the prepared statements of all its connections. */
    val statementCache: StatementCacheStats
        get() = generation.resources.all().fold(StatementCacheStats.NONE) { sum, pooled -> sum + pooled.connection.statementCache }

    val isClosed: Boolean get() = generation.resources.isClosed

    /**
     * A connection outside any transaction, ready for a statement; the caller must [release] it. Suspends only if there is none at
     * hand, or to ask one that was silent for `validateAfter`; cancellation takes effect at once there and leaves nothing behind.
     *
     * @param patience how long to wait, at most `acquireTimeout`.
     * @throws PoolTimeoutException if all connections stay lent for that long.
     * @throws ConnectionException if none can be opened and none is lent that could be waited for.
     * @throws PoolClosedException if the pool is closed.
     */
    suspend fun acquire(patience: Duration? = null): PooledConnection {
        val generation = generation
        val now = timer.nanos
        val pooled = generation.resources.tryAcquire()
        if (pooled != null && leakThreshold == null && pooled.isGood(now) && now - pooled.heardAt < validateNanos) return pooled.lend()
        val bound = if (patience == null) config.acquireTimeout else minOf(patience, config.acquireTimeout)
        return acquireSlowly(generation, pooled, bound, now + bound.inWholeNanoseconds)
    }

    private suspend fun acquireSlowly(generation: Generation, first: PooledConnection?, bound: Duration, deadline: Long): PooledConnection {
        val site = if (leakThreshold == null) null else Exception("The connection was acquired here.")
        var candidate = first
        while (true) {
            val pooled = candidate ?: await(generation, bound, remaining(deadline))
            if (isUsable(generation, pooled, deadline)) {
                return if (leakThreshold == null || site == null) pooled.lend() else pooled.lend(leakThreshold, site)
            }
            candidate = null
        }
    }

    private fun remaining(deadline: Long): Duration = (deadline - timer.nanos).coerceAtLeast(0).nanoseconds

    private suspend fun await(generation: Generation, bound: Duration, timeout: Duration): PooledConnection = try {
        generation.resources.acquire(timeout)
    } catch (signal: NotAcquired) {
        throw when (signal) {
            is ResourcePoolClosed ->
                PoolClosedException("The database is closed.", "End all work before closing it, or open it again with connect().")
            is CreationFailed -> forCaller(signal.error)
            is AcquireTimeout -> timedOut(generation, bound)
        }
    }

    /** One exception for each caller, because each has a stack and suppressed errors of its own. */
    private fun forCaller(error: Throwable): Throwable =
        if (error is ConnectionException) ConnectionException(error.problem, error.hint, error, error.isTransient) else error

    private fun timedOut(generation: Generation, bound: Duration): Exception {
        val figures = generation.stats()
        val cause = generation.resources.lastFailure
        return if (figures.inUse == 0) {
            ConnectionException(
                "No connection could be opened within $bound ($figures).",
                "Check that the server answers.",
                cause,
            )
        } else {
            PoolTimeoutException(
                "No connection became free within $bound ($figures).",
                "Raise max or acquireTimeout in pool { }, or set leakThreshold to see who holds connections for long.",
                figures,
                cause,
            )
        }
    }

    /** Whether [pooled], which the caller owns, may be lent; if not, or if the caller is cancelled, it is disposed of here. */
    private suspend fun isUsable(generation: Generation, pooled: PooledConnection, deadline: Long): Boolean {
        val now = timer.nanos
        var usable = pooled.isGood(now)
        if (usable && now - pooled.heardAt < validateNanos) return true
        try {
            if (usable) {
                usable = false
                usable = pooled.answers(remaining(deadline))
                if (!usable) generation.upkeep.evictIdle()
            }
        } finally {
            if (!usable) generation.resources.release(pooled, keep = false)
        }
        return usable
    }

    /** Ends the caller's ownership. The connection's own state decides whether it is kept. */
    fun release(pooled: PooledConnection) {
        val now = timer.nanos
        pooled.giveBack(now)
        pooled.owner.release(pooled, keep = pooled.isGood(now))
    }

    /** Closes all idle connections; after an outage they are doubtful. */
    fun evictIdle() = generation.upkeep.evictIdle()

    /**
     * Opens a closed pool again, makes sure that a connection can be had and starts opening `min` of them.
     *
     * @throws ConnectionException and the rest as [acquire].
     */
    suspend fun open() {
        synchronized(this) { if (isClosed) generation = Generation() }
        release(acquire())
        generation.resources.fill(config.min)
    }

    /**
     * Lends nothing from now on and suspends until every connection has come back, for [grace] at most; those still lent are
     * closed under their borrowers, whose statements fail with [ConnectionException]. A caller cancelled meanwhile ends the grace.
     * May be repeated, also at the same time.
     */
    suspend fun close(grace: Duration) {
        val resources = generation.resources
        resources.close()
        try {
            bounded(timer, grace) { resources.awaitDrained() }
        } finally {
            resources.all().forEach { it.close() }
        }
    }

    /** A pool from open to close. Connections go back to the generation they came from, so a closed one keeps none. */
    private inner class Generation {
        val resources: ResourcePool<PooledConnection> = ResourcePool(config.max, timer, dispatcher, ::create, PooledConnection::close)
        val upkeep = PoolUpkeep(config, resources, timer)

        fun stats(): PoolStats {
            val figures = resources.stats
            val asked = upkeep.asking && figures.inUse > 0
            return if (asked) figures.copy(inUse = figures.inUse - 1, idle = figures.idle + 1) else figures
        }

        private suspend fun create(): PooledConnection {
            val connection = try {
                connect()
            } catch (e: CancellationException) {
                // Unless the pool was closed, the waiters must not be told that they were cancelled.
                currentCoroutineContext().ensureActive()
                throw ConnectionException("The attempt to connect was given up.", null, e)
            }
            upkeep.start()
            return PooledConnection(connection, resources, timer, lifetimeNanos)
        }
    }
}
