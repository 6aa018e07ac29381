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
    override fun toString(): String = "max=$max inUse=$inUse idle=$idle connecting=$connecting waiting=$waiting"
}
