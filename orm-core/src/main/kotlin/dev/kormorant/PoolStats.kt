package dev.kormorant

/** Figures of a pool at one moment. */
public data class PoolStats(
    /** Connections the pool may have. */
    val max: Int,
    /** Connections lent out. */
    val inUse: Int,
    /** Connections open and waiting for work. */
    val idle: Int,
    /** Connections being opened. */
    val connecting: Int,
    /** Callers waiting for a connection. */
    val waiting: Int,
) {
    internal operator fun plus(other: PoolStats): PoolStats =
        PoolStats(max + other.max, inUse + other.inUse, idle + other.idle, connecting + other.connecting, waiting + other.waiting)

    override fun toString(): String = "max=$max inUse=$inUse idle=$idle connecting=$connecting waiting=$waiting"
}
