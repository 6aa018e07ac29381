package dev.kormorant.jasync

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Test

class StatementCacheTest {
    @Test
    fun `the least recently used statement is handed back for closing`() {
        val cache = StatementCache<String, Int>(2)
        assertNull(cache.put("a", 1))
        assertNull(cache.put("b", 2))
        assertEquals(1, cache["a"])
        assertEquals(2, cache.put("c", 3))
        assertNull(cache["b"])
        assertEquals(1, cache["a"])
        assertEquals(2, cache.size)
    }

    @Test
    fun `hits, misses and evictions are counted`() {
        val cache = StatementCache<String, Int>(1)
        cache["a"]
        cache.put("a", 1)
        cache["a"]
        cache["a"]
        cache.put("b", 2)
        assertEquals(listOf(2L, 1L, 1L), cache.stats.let { listOf(it.hits, it.misses, it.evictions) })
    }

    @Test
    fun `a capacity of zero keeps nothing and hands every statement back`() {
        val cache = StatementCache<String, String>(0)
        val statement = "statement"
        assertSame(statement, cache.put("a", statement))
        assertNull(cache["a"])
        assertEquals(0, cache.size)
    }

    @Test
    fun `a replaced statement is handed back`() {
        val cache = StatementCache<String, Int>(4)
        cache.put("a", 1)
        assertEquals(1, cache.put("a", 2))
        assertEquals(2, cache["a"])
    }

    @Test
    fun `removed and cleared statements are handed back`() {
        val cache = StatementCache<String, Int>(4)
        cache.put("a", 1)
        cache.put("b", 2)
        cache.put("c", 3)
        assertEquals(1, cache.remove("a"))
        assertNull(cache.remove("a"))
        assertEquals(listOf(2, 3), cache.clear())
        assertEquals(0, cache.size)
    }
}
