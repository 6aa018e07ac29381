package dev.kormorant.jasync

import dev.kormorant.StatementCacheStats

/**
 * Prepared statements of one connection, the least recently used one dropped first.
 *
 * Not thread-safe but for [stats]: it belongs to the event loop of its connection. Statements that will not come again are not put here, so that
 * they push nothing out.
 */
internal class StatementCache<K : Any, V : Any>(private val capacity: Int) {
    private val entries = LinkedHashMap<K, V>(16, 0.75f, true)

    /** Written by one thread, so that any may read them. */
    @Volatile private var hits = 0L

    @Volatile private var misses = 0L

    @Volatile private var evictions = 0L

    val size: Int get() = entries.size

    val stats: StatementCacheStats get() = StatementCacheStats(size, hits, misses, evictions)

    operator fun get(key: K): V? = entries[key].also { if (it == null) misses += 1 else hits += 1 }

    /**
     * Keeps [value] and returns the statement the caller has to close once its use is over: the one that was dropped or
     * replaced, [value] itself if the capacity is 0, or `null`.
     */
    fun put(key: K, value: V): V? {
        if (capacity <= 0) return value
        val replaced = entries.put(key, value)
        if (entries.size <= capacity) return replaced
        val eldest = entries.entries.iterator()
        val dropped = eldest.next().value
        eldest.remove()
        evictions += 1
        return dropped
    }

    /** Forgets one statement and returns it. */
    fun remove(key: K): V? = entries.remove(key)

    /** Forgets all statements and returns them. */
    fun clear(): List<V> = entries.values.toList().also { entries.clear() }
}
