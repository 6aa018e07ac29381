package dev.kormorant.internal

import dev.kormorant.ErrorDetails
import dev.kormorant.QueryTimeoutException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/** The moment by which a transaction or a call must be done. */
internal class Deadline private constructor(private val timer: Timer, private val at: Long, private val timeout: Duration) {
    /** Zero once it has passed. */
    val left: Duration get() = (at - timer.nanos).coerceAtLeast(0).nanoseconds

    val hasPassed: Boolean get() = at - timer.nanos <= 0

    /** The earlier of both. */
    fun orEarlier(other: Deadline?): Deadline = if (other == null || at - other.at <= 0) this else other

    fun error(what: String, sql: String?): QueryTimeoutException =
        QueryTimeoutException("$what was not done within its $timeout.", "Make it faster, or give it a longer timeout.", ErrorDetails(sql = sql), null)

    companion object {
        /** `null` for no timeout. */
        fun after(timer: Timer, timeout: Duration?): Deadline? =
            timeout?.takeIf { it.isFinite() }?.let { Deadline(timer, timer.nanos + it.inWholeNanoseconds.coerceAtMost(Long.MAX_VALUE / 2), it) }
    }
}
