package dev.kormorant.sqlite

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.DatabaseException
import dev.kormorant.driver.Access
import dev.kormorant.driver.DriverProvider
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.ServiceLoader
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

class SettingsTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `the driver is found for the scheme sqlite`() {
        assertEquals(1, ServiceLoader.load(DriverProvider::class.java).count { "sqlite" in it.schemes })
    }

    @Test
    fun `every connection has foreign keys, and a file WAL and synchronous NORMAL`() = test {
        open("sqlite:${directory.resolve("x.db")}").use { driver ->
            for (access in Access.entries) {
                val c = driver.connect(access)
                assertEquals(1L, c.value("PRAGMA foreign_keys"))
                assertEquals("wal", c.value("PRAGMA journal_mode"))
                assertEquals(1L, c.value("PRAGMA synchronous"))
                assertEquals(if (access == Access.READ) 1L else 0L, c.value("PRAGMA query_only"))
            }
        }
        inMemory { c -> assertEquals(1L, c.value("PRAGMA foreign_keys")) }
    }

    @Test
    fun `the pragmas of the user hold on every connection and win (P13)`() = test {
        val settings = SqliteSettings().apply {
            pragma("cache_size", -4321)
            pragma("FOREIGN_KEYS", false)
            pragma("synchronous", "FULL")
            pragma("journal_mode", "truncate")
        }
        open("sqlite:${directory.resolve("x.db")}", settings).use { driver ->
            for (access in Access.entries) {
                val c = driver.connect(access)
                assertEquals(listOf<Any?>(-4321L, 0L, 2L, "truncate"), listOf("cache_size", "foreign_keys", "synchronous", "journal_mode").map { c.value("PRAGMA $it") })
            }
        }
    }

    @Test
    fun `an attached file is there on every connection (P13)`() = test {
        val other = directory.resolve("it's.db")
        val settings = SqliteSettings().apply { attach(other.toString(), "other") }
        open("sqlite:${directory.resolve("x.db")}", settings).use { driver ->
            val writer = driver.connect(Access.WRITE)
            writer.run("CREATE TABLE other.t (a)")
            writer.run("INSERT INTO other.t VALUES (1)")
            assertEquals(1, driver.connect(Access.READ).count("other.t"))
            assertEquals("wal", writer.value("PRAGMA other.journal_mode"))
        }
        val missing = SqliteSettings().apply { attach(directory.resolve("no/x.db").toString(), "other") }
        open("sqlite::memory:", missing).use { assertThrows<ConnectionException> { it.connect(Access.WRITE) } }
    }

    @Test
    fun `a function is there on every connection, with all kinds of values (P13)`() = test {
        val settings = SqliteSettings().apply {
            function("kinds") { arguments -> arguments.joinToString { if (it == null) "null" else it.javaClass.simpleName } }
            function("same", 1, deterministic = true) { it.single() }
            function("number", 1) { (n) -> listOf(true, 7.toByte(), 7, 0.5f, "x", null)[(n as Long).toInt()] }
            function("wrong", 0) { Any() }
        }
        open("sqlite:${directory.resolve("x.db")}", settings).use { driver ->
            for (access in Access.entries) {
                val c = driver.connect(access)
                assertEquals("Long, Double, String, byte[], null", c.value("SELECT kinds(1, 0.5, 'x', x'01', NULL)"))
                for (value in listOf(Long.MIN_VALUE, -0.5, "ä", null)) assertEquals(value, c.value("SELECT same(?)", value))
                assertArrayEquals(byteArrayOf(1, 0, 2), c.value("SELECT same(?)", byteArrayOf(1, 0, 2)) as ByteArray)
                assertEquals(listOf(1L, 7L, 7L, 0.5, "x", null), List(6) { c.value("SELECT number(?)", it) })
                assertThrows<DatabaseException> { c.run("SELECT wrong()") }
            }
            driver.connect(Access.WRITE).let {
                it.run("CREATE TABLE t (a)")
                it.run("CREATE INDEX t_same ON t (same(a))")
            }
        }
    }

    @Test
    fun `what a function throws fails the statement and is told with it, but not its message`() = test {
        val settings = SqliteSettings().apply { function("refuse", 1) { throw IllegalStateException("secret ${it.single()}") } }
        inMemory(settings) { c ->
            val error = assertThrows<DatabaseException> { c.run("SELECT refuse(?)", "value") }
            assertFalse("secret" in error.message!!)
            assertTrue("refuse" in error.message!!)
            assertTrue(error.cause!!.suppressed.single() is IllegalStateException)
            assertTrue(assertThrows<DatabaseException> { c.run("SELECT 1 FROM nowhere") }.cause!!.suppressed.isEmpty())
            assertEquals(1L, c.value("SELECT 1"))
        }
    }

    @Test
    fun `an aggregate has its own state in each group, and begins anew`() = test {
        val settings = SqliteSettings().apply {
            aggregate<Long>("product", 1, { 1 }, { product, (factor) -> product * factor as Long }, { it })
            aggregate<List<Any?>>("listed", -1, ::emptyList, { list, row -> list + row }, { it.joinToString() })
        }
        inMemory(settings) { c ->
            c.run("CREATE TABLE t (k, v)")
            c.run("INSERT INTO t VALUES (1, 2), (2, 5), (1, 3), (2, 7)")
            repeat(2) {
                val rows = c.run("SELECT k, product(v), listed(k, v) FROM t GROUP BY k ORDER BY k").rows.map { it.toList() }
                assertEquals(listOf(listOf(1L, 6L, "1, 2, 1, 3"), listOf(2L, 35L, "2, 5, 2, 7")), rows)
            }
            assertEquals(1L, c.value("SELECT product(v) FROM t WHERE 0"))
        }
    }

    @Test
    fun `a collation orders on every connection (P13)`() = test {
        val settings = SqliteSettings().apply { collation("by_length", compareBy(String::length)) }
        open("sqlite:${directory.resolve("x.db")}", settings).use { driver ->
            driver.connect(Access.WRITE).let {
                it.run("CREATE TABLE t (a TEXT COLLATE by_length)")
                it.run("INSERT INTO t VALUES ('ccc'), ('z'), ('bb')")
            }
            assertEquals(listOf("z", "bb", "ccc"), driver.connect(Access.READ).run("SELECT a FROM t ORDER BY a").rows.map { it.single() })
        }
    }

    @Test
    fun `what cannot work is refused when it is set`() {
        val settings = SqliteSettings()
        val wrong = listOf<() -> Unit>(
            { settings.readers = -1 },
            { settings.busyTimeout = (-1).seconds },
            { settings.pragma("cache_size; DROP TABLE t", 1) },
            { settings.pragma("cache_size", listOf(1)) },
            { settings.pragma("busy_timeout", 1) },
            { settings.pragma("query_only", true) },
            { settings.attach("x.db", "main") },
            { settings.attach("x.db", "a b") },
            { settings.attach(":memory:", "m") },
            { settings.function("f", 128) { null } },
            { settings.function("1f") { null } },
            { settings.collation("", compareBy { it }) },
        )
        for (set in wrong) assertThrows<ConfigurationException> { set() }
        settings.attach("x.db", "x")
        assertThrows<ConfigurationException> { settings.attach("y.db", "X") }
        settings.busyTimeout = Duration.ZERO
    }

    @Test
    fun `parameters of the URL win over the settings, which stay as they are`() {
        val settings = SqliteSettings().apply { readers = 3 }
        assertEquals(2, open("sqlite:x.db?readers=2&busy_timeout=10", settings).maxReaders)
        assertEquals(3, settings.readers)
        assertEquals(5.seconds, settings.busyTimeout)
    }
}
