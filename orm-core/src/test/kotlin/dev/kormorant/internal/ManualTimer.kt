package dev.kormorant.internal

import kotlin.time.Duration

/** A [Timer] whose time passes by [advance] only. */
internal class ManualTimer : Timer {
    private class Alarm(val at: Long, val action: () -> Unit)

    private val alarms = ArrayList<Alarm>()

    override var nanos: Long = Long.MAX_VALUE - 1_000_000_000 // wraps early: only differences may be used
        private set

    /** Alarms that are set and have not gone off. */
    val pending: Int get() = synchronized(alarms) { alarms.size }

    override fun schedule(delay: Duration, action: () -> Unit): AutoCloseable {
        if (delay.isInfinite()) return AutoCloseable {}
        val alarm = Alarm(nanos + delay.inWholeNanoseconds, action)
        synchronized(alarms) { alarms += alarm }
        return AutoCloseable { synchronized(alarms) { alarms -= alarm } }
    }

    /** Lets [duration] pass and runs what becomes due, in order of time, with [settle] after each. */
    fun advance(duration: Duration, settle: () -> Unit = {}) {
        val end = nanos + duration.inWholeNanoseconds
        while (true) {
            val next = synchronized(alarms) {
                alarms.filter { it.at - end <= 0 }.minByOrNull { it.at - nanos }?.also { alarms -= it }
            } ?: break
            if (next.at - nanos > 0) nanos = next.at
            next.action()
            settle()
        }
        nanos = end
    }
}
