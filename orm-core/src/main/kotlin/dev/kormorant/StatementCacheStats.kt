package dev.kormorant

/** Figures of the prepared statements that connections keep, see [DatabaseConfig.statementCacheSize]. */
public data class StatementCacheStats(
    /** Statements kept at this moment. */
    val size: Int,
    /** Executions that found their statement prepared. */
    val hits: Long,
    /** Executions that had to prepare it. Many of them, with evictions, mean that the cache is too small or that texts do not repeat. */
    val misses: Long,
    /** Statements closed to make room. */
    val evictions: Long,
) {
    internal operator fun plus(other: StatementCacheStats): StatementCacheStats =
        StatementCacheStats(size + other.size, hits + other.hits, misses + other.misses, evictions + other.evictions)

    override fun toString(): String = "size=$size hits=$hits misses=$misses evictions=$evictions"

    /** The figures of a connection that keeps no statements. */
    public companion object {
        @JvmField
        public val NONE: StatementCacheStats = StatementCacheStats(0, 0, 0, 0)
    }
}
