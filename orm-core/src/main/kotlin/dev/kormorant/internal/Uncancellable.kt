package dev.kormorant.internal

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration

/**
 * Runs [block] to its end although the caller may be cancelled already or become so meanwhile: for what must reach the server
 * in any case, such as a rollback. The caller waits, on its own dispatcher.
 *
 * The shield has a limit: after [bound] of real time the block is cancelled and, once it has given way, the answer is `null`.
 * Nothing else cancels it. What the block throws is thrown. No other place shields work from cancellation.
 */
internal suspend fun <T : Any> uncancellable(timer: Timer, bound: Duration, block: suspend () -> T): T? =
    runWithin(bound, timer, Job(), block)

/** Like `withTimeoutOrNull`, but in real time: after [bound] the [block] is cancelled and the answer is `null`. */
internal suspend fun <T : Any> bounded(timer: Timer, bound: Duration, block: suspend () -> T): T? =
    runWithin(bound, timer, Job(currentCoroutineContext()[Job]), block)

private suspend fun <T : Any> runWithin(bound: Duration, timer: Timer, job: CompletableJob, block: suspend () -> T): T? {
    val expired = AtomicBoolean()
    val alarm = timer.schedule(bound) {
        expired.set(true)
        job.cancel()
    }
    try {
        return withContext(job) { block() }
    } catch (e: CancellationException) {
        if (expired.get()) return null
        throw e
    } finally {
        alarm.close()
        job.complete()
    }
}

/** Runs [action] because of this failure, which stays the one to throw: an error of the action is added to it as suppressed. */
internal inline fun <E : Throwable> E.suppressing(action: () -> Unit): E {
    try {
        action()
    } catch (second: Throwable) {
        if (second !== this) addSuppressed(second)
    }
    return this
}
