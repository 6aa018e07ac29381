package dev.kormorant.internal

import dev.kormorant.ConnectionBusyException
import dev.kormorant.OrmException
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration

/**
 * The order in which coroutines use one connection: one at a time, first come first served, and only from the innermost open [Level].
 *
 * A coroutine of an outer level waits until the nested one has ended, so its statement can never land inside somebody else's
 * savepoint. A waiter that is cancelled, or waits longer than [bound], for a stream [streamBound], leaves the queue and never held the turn. A coroutine that
 * would wait for itself, or for a nested level that waits for it, is told so at once.
 */
internal class Turns(private val timer: Timer, private val bound: Duration, private val streamBound: Duration) {
    private val monitor = Any()
    private val waiters = ArrayDeque<Waiter>()
    private var taken = false

    /** The coroutine that has the turn. */
    private var holder: Scope? = null

    /** Whether it collects a stream, which may take it any time. */
    private var streams = false

    /** The only level whose statements may run; changed by the holder of the turn. */
    @Volatile
    var innermost: Level? = null
        private set

    /** Suspends until it is the turn of [level]; [patience] is that of a caller with a bound of its own. */
    suspend fun take(level: Level, deadline: Deadline? = level.deadline, patience: Duration? = null) {
        val context = currentCoroutineContext()
        val user = context[level.session.database.scopeKey]
        if (tryTake(level, user)) return
        checkNotAwaited(level, context[Job])
        var alarm: AutoCloseable? = null
        try {
            suspendCancellableCoroutine { continuation ->
                val waiter = Waiter(level, user, continuation)
                val passed = synchronized(monitor) { tryTake(level, user) || !waiters.add(waiter) }
                if (passed) {
                    waiter.pass()
                } else {
                    continuation.invokeOnCancellation { synchronized(monitor) { waiters -= waiter } }
                    val limit = patience ?: if (synchronized(monitor) { streams }) streamBound else bound
                    val left = deadline?.left?.takeIf { it < limit }
                    alarm = timer.schedule(left ?: limit) {
                        if (synchronized(monitor) { waiters.remove(waiter) }) {
                            continuation.resumeWithException(if (left == null) tooLong(level, limit) else deadline.error("The transaction opened ${level.origin}", null))
                        }
                    }
                }
            }
        } finally {
            alarm?.close()
        }
    }

    /** Takes the turn for the coroutine of [user] if that needs no waiting. */
    fun tryTake(level: Level, user: Scope?): Boolean = synchronized(monitor) {
        if (taken && user != null && holder === user) throw busyWithItself(level)
        free(level).also { if (it) hold(user) }
    }

    /** From now on the holder of the turn collects a stream. */
    fun streaming() = synchronized(monitor) { streams = true }

    /** Gives the turn back; [next] is the innermost level from now on. */
    fun give(next: Level? = innermost) {
        val passed = synchronized(monitor) {
            innermost = next
            taken = false
            streams = false
            holder = null
            waiters.firstOrNull { free(it.level) }?.also {
                waiters -= it
                hold(it.user)
            }
        }
        passed?.pass()
    }

    private fun hold(user: Scope?) {
        taken = true
        holder = user
    }

    /** A closed level may pass as well: its user finds out and gives the turn back. */
    private fun free(level: Level) = !taken && (innermost === level || level.isClosed)

    /** A nested block cannot end before the coroutines in it; one of them must not wait for that end. */
    private fun checkNotAwaited(level: Level, job: Job?) {
        val inner = innermost?.takeIf { it !== level && level in it.chain } ?: return
        val waiting = inner.chain.takeWhile { it !== level }.firstOrNull { Scope.isWithin(job, it.job) } ?: return
        throw ConnectionBusyException(
            "Inside the nested transaction opened ${waiting.origin} something was started in the transaction opened ${level.origin} around it, which can go on only when the nested one has ended.",
            "Use the nested transaction, or do it after its block.",
        )
    }

    private fun busyWithItself(level: Level) = ConnectionBusyException(
        "A statement of the transaction opened ${level.origin} was started while the same coroutine is collecting a stream on its connection.",
        "Collect the rows into a list first, or leave out fetchSize.",
    )

    private fun tooLong(level: Level, limit: Duration): OrmException {
        val inner = innermost
        return ConnectionBusyException(
            "A statement waited $limit for its turn on the connection of the transaction opened ${level.origin}.",
            if (inner == null || inner === level) {
                "Another statement or stream of this transaction is still running."
            } else {
                "The nested transaction opened ${inner.origin} is still open; it must not wait for its siblings."
            },
        )
    }

    private inner class Waiter(val level: Level, val user: Scope?, private val continuation: CancellableContinuation<Unit>) {
        fun pass() = continuation.resume(Unit) { _, _, _ -> give() }
    }
}
