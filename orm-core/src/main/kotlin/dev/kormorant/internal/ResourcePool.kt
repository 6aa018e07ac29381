package dev.kormorant.internal

import dev.kormorant.PoolStats
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.atomic.AtomicReference
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.coroutines.resumeWithException
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * At most [max] resources, lent to one borrower at a time. Knows nothing of what a resource is: not when it is good, not how old.
 *
 * Idle resources are a stack, so the few in use stay warm and the rest can be trimmed; waiters are a queue. A resource is made
 * only for a waiter whom nobody else serves, in the pool's own [scope]: it is finished and kept even if that waiter leaves.
 *
 * Lending and giving back take no lock while nobody waits: one compare-and-set on the idle stack. Everything else happens under
 * [lock], which guards all fields but [idle]; what touches the world outside (resuming, creating, destroying, alarms) is
 * collected there and done after it is let go.
 *
 * @param create makes a resource; bounded by itself, cancelled only by [close].
 * @param destroy ends a resource; never blocks or throws.
 */
internal class ResourcePool<T : Any>(
    val max: Int,
    private val timer: Timer,
    dispatcher: CoroutineDispatcher,
    private val create: suspend () -> T,
    private val destroy: (T) -> Unit,
) {
    /** Where resources are made; cancelled by [close]. */
    val scope: CoroutineScope = CoroutineScope(SupervisorJob() + dispatcher)

    private val idle = AtomicReference<IdleNode<T>?>()

    private val lock = ReentrantLock()
    private val all = HashSet<T>()
    private var creating = 0
    private val waiters = LinkedHashSet<Waiter<T>>()
    private var closed = false
    private val drained = CompletableDeferred<Unit>()

    /** Failed attempts since the last success; while there are any, one attempt at a time is made, and not before [retryAt]. */
    private var failures = 0
    private var retryAt = 0L

    /** Whether somebody waits or the pool is closed, so that the paths without lock must not be taken. */
    @Volatile
    private var contended = false

    /** Why the last attempt to create failed; `null` after a success. */
    @Volatile
    var lastFailure: Throwable? = null
        private set

    val isClosed: Boolean get() = lock.withLock { closed }

    /** Resources there are, those being created included. */
    val size: Int get() = lock.withLock { all.size + creating }

    val stats: PoolStats
        get() = lock.withLock {
            val idle = idle.get().depth
            PoolStats(max = max, inUse = all.size - idle, idle = idle, connecting = creating, waiting = waiters.size)
        }

    /** An idle resource if there is one and nobody waits for it. */
    fun tryAcquire(): T? = if (contended) null else pop()

    /**
     * A resource, which the caller owns from then on until [release]. Suspends only if none is idle, first come first served.
     *
     * A caller cancelled while waiting leaves the queue; a resource already on its way to it goes to the next one.
     *
     * @throws AcquireTimeout after [timeout] of real time in the queue.
     * @throws CreationFailed at once when an attempt to create has failed and there is no resource left to wait for.
     * @throws ResourcePoolClosed if the pool is closed, or becomes so while waiting.
     */
    suspend fun acquire(timeout: Duration): T = tryAcquire() ?: awaitTurn(timeout)

    private suspend fun awaitTurn(timeout: Duration): T {
        var alarm: AutoCloseable? = null
        try {
            return suspendCancellableCoroutine { continuation ->
                val waiter = Waiter(continuation)
                update { waiters += waiter }
                continuation.invokeOnCancellation { update { waiters -= waiter } }
                if (continuation.isActive) {
                    alarm = timer.schedule(timeout) {
                        update { after -> if (waiters.remove(waiter)) after += { waiter.fail(AcquireTimeout()) } }
                    }
                }
            }
        } finally {
            alarm?.close()
        }
    }

    /** Gives [resource] back: to the first waiter, else to the idle stack; or destroys it when it is not worth keeping. */
    fun release(resource: T, keep: Boolean) {
        if (keep) {
            push(resource)
            if (contended) update {}
        } else {
            update { after -> discard(resource, after) }
        }
    }

    /** Starts creating until there are [count] resources, idle or not; stops at the first failure. */
    fun fill(count: Int) = update { after -> if (!closed) grow(count - all.size - creating, after) }

    /** The idle resources at this moment, last used first. */
    fun idle(): List<T> = idle.get().toList()

    /** Takes those of [chosen] that are still idle; the caller owns the returned ones until [release]. */
    fun take(chosen: Set<T>): List<T> {
        val taken = ArrayList<T>(chosen.size)
        update {
            for (resource in idle.getAndSet(null).toList().asReversed()) if (resource in chosen) taken += resource else push(resource)
        }
        return taken
    }

    /** Every resource there is, idle or lent. */
    fun all(): List<T> = lock.withLock { all.toList() }

    /**
     * Lends nothing from now on: waiters fail, idle resources are destroyed, attempts to create are cancelled, and what is lent
     * is destroyed when it is released. May be repeated.
     */
    fun close() {
        update { closed = true }
        scope.cancel()
    }

    /** Suspends until the closed pool has no resource left, lent ones and those being created included. */
    suspend fun awaitDrained() = drained.await()

    private inline fun update(change: (after: MutableList<() -> Unit>) -> Unit) {
        val after = ArrayList<() -> Unit>(2)
        lock.withLock {
            change(after)
            balance(after)
        }
        after.forEach { it() }
    }

    /** Serves waiters from the idle stack and starts creating for those left over; empties a closed pool. */
    private fun balance(after: MutableList<() -> Unit>) {
        // Set before the stack is looked at: whoever pushes after that look reads it and comes here.
        contended = closed || waiters.isNotEmpty()
        if (closed) {
            dismissWaiters(after) { ResourcePoolClosed() }
            while (true) discard(pop() ?: break, after)
            if (all.isEmpty() && creating == 0) after += { drained.complete(Unit) }
        } else {
            while (waiters.isNotEmpty()) {
                val resource = pop() ?: break
                val waiter = waiters.first().also { waiters -= it }
                after += { waiter.continuation.resume(resource) { _, unclaimed, _ -> release(unclaimed, keep = true) } }
            }
            grow(waiters.size - creating, after)
            contended = waiters.isNotEmpty()
        }
    }

    private fun grow(wanted: Int, after: MutableList<() -> Unit>) {
        val room = minOf(wanted, max - all.size - creating)
        val allowed = when {
            failures == 0 -> room
            creating == 0 && timer.nanos - retryAt >= 0 -> minOf(room, 1)
            else -> 0
        }
        val failuresBefore = failures
        repeat(allowed) {
            creating++
            after += { startCreating(failuresBefore) }
        }
    }

    /** Starts even in a cancelled scope, so that each attempt that was counted ends in [created] or [notCreated]. */
    @OptIn(DelicateCoroutinesApi::class)
    private fun startCreating(failuresBefore: Int) {
        scope.launch(start = CoroutineStart.ATOMIC) {
            val resource = try {
                currentCoroutineContext().ensureActive()
                create()
            } catch (e: Throwable) {
                return@launch notCreated(e, failuresBefore)
            }
            created(resource)
        }
    }

    private fun created(resource: T) = update {
        creating--
        failures = 0
        lastFailure = null
        all += resource
        push(resource)
    }

    private fun notCreated(error: Throwable, failuresBefore: Int) = update { after ->
        creating--
        if (closed) return@update
        lastFailure = error
        if (failures == failuresBefore) { // else it began together with one that has failed already
            val delay = backoff(failures++)
            retryAt = timer.nanos + delay.inWholeNanoseconds
            after += { timer.schedule(delay) { update {} } }
        }
        if (all.isEmpty() && creating == 0) dismissWaiters(after) { CreationFailed(error) }
    }

    private inline fun dismissWaiters(after: MutableList<() -> Unit>, crossinline reason: () -> Exception) {
        for (waiter in waiters) after += { waiter.fail(reason()) }
        waiters.clear()
    }

    private fun discard(resource: T, after: MutableList<() -> Unit>) {
        check(all.remove(resource)) { "The resource is not of this pool or was released before." }
        after += { destroy(resource) }
    }

    private fun push(resource: T) {
        while (true) {
            val top = idle.get()
            if (idle.compareAndSet(top, IdleNode(resource, top))) return
        }
    }

    private fun pop(): T? {
        while (true) {
            val top = idle.get() ?: return null
            if (idle.compareAndSet(top, top.below)) return top.resource
        }
    }

    private class Waiter<T>(val continuation: CancellableContinuation<T>) {
        fun fail(reason: Exception) = continuation.resumeWithException(reason)
    }

    /** Never changed and never reused, which is what makes the compare-and-set on the top of the stack sound. */
    private class IdleNode<T>(val resource: T, val below: IdleNode<T>?) {
        val depth: Int = below.depth + 1
    }

    private companion object {
        val FIRST_BACKOFF = 100.milliseconds

        /** Also the longest a caller waits for the next attempt, and the pool takes to notice that a server is back. */
        val LAST_BACKOFF = 2.seconds

        /** Doubles with each failure; a random half of it keeps many processes from knocking together. */
        fun backoff(failures: Int): Duration =
            minOf(FIRST_BACKOFF * (1 shl minOf(failures, 16)), LAST_BACKOFF) * Random.nextDouble(0.5, 1.0)

        val IdleNode<*>?.depth: Int get() = this?.depth ?: 0

        fun <T> IdleNode<T>?.toList(): List<T> = generateSequence(this) { it.below }.mapTo(ArrayList(depth)) { it.resource }
    }
}

/** Ways in which [ResourcePool.acquire] ends without a resource: signals for the policy above it, never seen by users. */
internal sealed class NotAcquired(message: String) : Exception(message, null, false, false)

internal class AcquireTimeout : NotAcquired("No resource became free in time.")

internal class CreationFailed(val error: Throwable) : NotAcquired("No resource could be created.")

internal class ResourcePoolClosed : NotAcquired("The pool is closed.")
