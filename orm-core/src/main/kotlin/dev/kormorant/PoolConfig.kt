package dev.kormorant

import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * How many connections a database keeps and for how long. Read once when the database is opened; checked then, and a value that
 * makes no sense is a [ConfigurationException]. `Duration.INFINITE` switches a limit off.
 *
 * All times are real time, also under a test scheduler.
 */
public class PoolConfig {
    /**
     * Connections open at most, 1 or more. Default 10: enough to keep a database server of a few cores busy; a server is
     * slowed down, not sped up, by many more than twice its cores.
     */
    public var max: Int = 10

    /**
     * Connections kept open although nobody uses them, 0 to [max]. Default 0: an unused database costs the server nothing.
     * They are opened after the first use and looked after in the background; opening a database does no I/O.
     */
    public var min: Int = 0

    /**
     * How long a caller waits for a connection before it gets a [PoolTimeoutException]. Default 10 s: far above any healthy
     * wait, and below the 30 s or more after which whoever waits for the caller usually gives up.
     */
    public var acquireTimeout: Duration = 10.seconds

    /**
     * Age at which a connection is closed once it is free, less a random tenth so that connections of one age do not all go
     * at once. Default 30 min: bounds what a session piles up on the server, and moves load after a failover.
     */
    public var maxLifetime: Duration = 30.minutes

    /** How long a connection beyond [min] may be idle before it is closed. Default 10 min: outlasts pauses between bursts. */
    public var idleTimeout: Duration = 10.minutes

    /**
     * How long a connection may be silent before an idle one is asked for a sign of life, in the background; `null` never asks.
     * Default 2 min: firewalls and load balancers forget silent links after 4 min and more.
     */
    public var keepalive: Duration? = 2.minutes

    /**
     * How long a connection may have been silent to be lent without asking the server first; `Duration.ZERO` always asks, which
     * costs a round trip each time. Default 30 s: a link that was *closed* is noticed without asking, so the question is only
     * for one that died without a word.
     */
    public var validateAfter: Duration = 30.seconds

    /**
     * How long a connection may be lent before a WARN is logged with the stack of the caller that acquired it; `null`, the
     * default, never does, because taking that stack costs microseconds at each acquire. Must be longer than the longest
     * transaction that is meant to be.
     */
    public var leakThreshold: Duration? = null

    /** A checked copy, which later changes of this one do not reach. */
    internal fun checked(): PoolConfig {
        val from = this
        requireThat(max >= 1) { "max is $max, but a pool needs at least one connection." }
        requireThat(min in 0..max) { "min is $min, but it must be from 0 to max, which is $max." }
        requirePositive("acquireTimeout", acquireTimeout)
        requirePositive("maxLifetime", maxLifetime)
        requirePositive("idleTimeout", idleTimeout)
        keepalive?.let { requirePositive("keepalive", it) }
        requireThat(!validateAfter.isNegative()) { "validateAfter is $validateAfter, but it must not be negative." }
        leakThreshold?.let { requirePositive("leakThreshold", it) }
        return PoolConfig().apply {
            max = from.max
            min = from.min
            acquireTimeout = from.acquireTimeout
            maxLifetime = from.maxLifetime
            idleTimeout = from.idleTimeout
            keepalive = from.keepalive
            validateAfter = from.validateAfter
            leakThreshold = from.leakThreshold
        }
    }

    /** A checked copy with [limit] connections at most: a backend may have fewer to offer. */
    internal fun limitedTo(limit: Int): PoolConfig = checked().also {
        it.max = max.coerceAtMost(limit)
        it.min = min.coerceAtMost(limit)
    }

    private fun requirePositive(name: String, value: Duration) =
        requireThat(value.isPositive()) { "$name is $value, but it must be longer than nothing." }

    private inline fun requireThat(condition: Boolean, problem: () -> String) {
        if (!condition) throw ConfigurationException("The pool's ${problem()}", "Correct it in pool { } where the database is opened.")
    }
}
