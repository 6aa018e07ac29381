package dev.kormorant.jasync

/**
 * Prepared statements of one connection, the least recently used one dropped first.
 *
 * Not thread-safe: it belongs to the event loop of its connection. Statements that will not come again are not put here, so that
 * they push nothing out.
 */
internal class StatementCache<K : Any, V : Any>(private val capacity: Int) {
    private val entries = LinkedHashMap<K, V>(16, 0.75f, true)

    /** Look-ups that found a statement. */
    var hits: Long = 0
        private set

    /** Look-ups that found none. */
    var misses: Long = 0
        private set

    /** Statements dropped to make room. */
    var evictions: Long = 0
        private set

    val size: Int get() = entries.size

    operator fun get(key: K): V? = entries[key].also { if (it == null) misses++ else hits++ }

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
        evictions++
        return dropped
    }

    /** Forgets one statement and returns it. */
    fun remove(key: K): V? = entries.remove(key)

    /** Forgets all statements and returns them. */
    fun clear(): List<V> = entries.values.toList().also { entries.clear() }
}
