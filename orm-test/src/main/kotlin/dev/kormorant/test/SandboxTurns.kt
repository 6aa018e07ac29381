package dev.kormorant.test

import dev.kormorant.driver.Connection
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.suspendCancellableCoroutine

/** Who may use the one real connection of a sandbox: one at a time, first come first served, and not over somebody's open transaction. */
internal class SandboxTurns {
    private class Open(val connection: Connection, val job: Job?)

    private class Waiter(val connection: Connection, val job: Job?, val continuation: CancellableContinuation<Unit>)

    private val monitor = Any()
    private val waiters = ArrayDeque<Waiter>()
    private val open = ArrayDeque<Open>()
    private var taken = false

    suspend fun take(connection: Connection) {
        val job = currentCoroutineContext()[Job]
        if (synchronized(monitor) { tryTake(connection, job) }) return
        suspendCancellableCoroutine { continuation ->
            val waiter = Waiter(connection, job, continuation)
            val passed = synchronized(monitor) { tryTake(connection, job) || !waiters.add(waiter) }
            if (passed) pass(continuation) else continuation.invokeOnCancellation { synchronized(monitor) { waiters -= waiter } }
        }
    }

    fun give() {
        val next = synchronized(monitor) {
            taken = false
            waiters.firstOrNull { tryTake(it.connection, it.job) }?.also { waiters -= it }
        }
        next?.let { pass(it.continuation) }
    }

    /** From now on [connection] is in a transaction, begun by the coroutine [job]. By the holder of the turn. */
    fun enter(connection: Connection, job: Job?) {
        synchronized(monitor) { open.addLast(Open(connection, job)) }
    }

    fun leave(connection: Connection) {
        synchronized(monitor) { open.removeAll { it.connection === connection } }
    }

    private fun pass(continuation: CancellableContinuation<Unit>) = continuation.resume(Unit) { _, _, _ -> give() }

    private fun tryTake(connection: Connection, job: Job?): Boolean {
        val innermost = open.lastOrNull()
        val free = !taken && (innermost == null || innermost.connection === connection || (open.none { it.connection === connection } && isPartOf(job, innermost.job)))
        if (free) taken = true
        return free
    }

    @OptIn(ExperimentalCoroutinesApi::class)
    private fun isPartOf(job: Job?, whole: Job?) = whole != null && generateSequence(job) { it.parent }.any { it === whole }
}
