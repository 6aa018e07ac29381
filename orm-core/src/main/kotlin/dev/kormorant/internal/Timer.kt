package dev.kormorant.internal

import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.ScheduledThreadPoolExecutor
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resume
import kotlin.time.Duration

/**
 * Time as databases live it: always real, also where the caller's `delay` is virtual, because sockets and servers do not wait
 * for a test scheduler.
 */
internal interface Timer {
    /** A clock that never goes back, in nanoseconds since some moment; only differences mean anything. */
    val nanos: Long

    /**
     * Runs [action] once after [delay] unless the returned alarm is closed before; never when [delay] is infinite.
     * All actions share one thread: they hand work on and never block, suspend, log or throw.
     */
    fun schedule(delay: Duration, action: () -> Unit): AutoCloseable
}

/** Suspends for [time]. */
internal suspend fun Timer.pause(time: Duration): Unit = suspendCancellableCoroutine { continuation ->
    val alarm = schedule(time) { continuation.resume(Unit) }
    continuation.invokeOnCancellation { alarm.close() }
}

/** The timer of this process, on one daemon thread that starts with the first alarm. */
internal object SystemTimer : Timer {
    private val executor = ScheduledThreadPoolExecutor(1) { task -> Thread(task, "kormorant-timer").apply { isDaemon = true } }
        .apply { removeOnCancelPolicy = true }

    override val nanos: Long get() = System.nanoTime()

    override fun schedule(delay: Duration, action: () -> Unit): AutoCloseable {
        if (delay.isInfinite()) return AutoCloseable {}
        val task = executor.schedule(action, delay.inWholeNanoseconds, TimeUnit.NANOSECONDS)
        return AutoCloseable { task.cancel(false) }
    }
}
