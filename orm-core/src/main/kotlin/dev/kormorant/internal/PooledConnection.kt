package dev.kormorant.internal

import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** A connection and what its pool knows of it. Times are [Timer.nanos]; whoever holds the connection writes them. */
internal class PooledConnection(
    val connection: Connection,
    val owner: ResourcePool<PooledConnection>,
    private val timer: Timer,
    lifetimeNanos: Long,
) {
    private val expiresAt = timer.nanos + lifetimeNanos - Random.nextLong(lifetimeNanos / 10 + 1)

    /** When its last borrower gave it back. */
    @Volatile
    var usedAt: Long = timer.nanos
        private set

    /** When the server was last heard of. */
    @Volatile
    var heardAt: Long = usedAt
        private set

    @Volatile
    private var lent = false
    private var leakAlarm: AutoCloseable? = null

    /** Worth lending and keeping: outside a transaction, no statement in progress, the link not known to be gone, not too old. */
    fun isGood(now: Long): Boolean = connection.status == ConnectionStatus.IDLE && expiresAt - now > 0

    fun lend(): PooledConnection {
        lent = true
        return this
    }

    /** Lends it and logs [site], the stack of the borrower, unless it comes back within [threshold]. */
    fun lend(threshold: Duration, site: Exception): PooledConnection {
        leakAlarm = timer.schedule(threshold) {
            owner.scope.launch { log.warn("A connection has been lent for more than $threshold.", site) }
        }
        return lend()
    }

    fun giveBack(now: Long) {
        check(lent) { "The connection was released before." }
        lent = false
        leakAlarm?.close()
        leakAlarm = null
        usedAt = now
        heardAt = now
    }

    /**
     * Asks the server for a sign of life and waits for it up to [bound], 5 s at most: a healthy server needs milliseconds.
     * After a cancellation the connection is busy and can only be closed.
     */
    suspend fun answers(bound: Duration = PATIENCE): Boolean {
        val answered = try {
            bounded(timer, minOf(bound, PATIENCE)) { connection.execute(QUESTION) } != null
        } catch (_: CancellationException) {
            currentCoroutineContext().ensureActive()
            false
        } catch (_: Exception) {
            false
        }
        heardAt = timer.nanos
        return answered && isGood(heardAt)
    }

    fun close() {
        try {
            connection.close()
        } catch (e: Exception) {
            log.warn("A connection could not be closed.", e)
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(ConnectionPool::class.java)
        val QUESTION = SqlStatement("SELECT 1", reusable = false)
        val PATIENCE = 5.seconds
    }
}
