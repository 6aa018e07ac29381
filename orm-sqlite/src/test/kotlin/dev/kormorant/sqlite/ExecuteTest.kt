package dev.kormorant.sqlite

import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.SyntaxException
import dev.kormorant.driver.Access
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class ExecuteTest {
    @Test
    fun `a query answers with its columns, rows and their number`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(20))")
            c.run("INSERT INTO t VALUES (1, 'a'), (2, NULL)")
            val result = c.run("SELECT id, name AS n, id + 1 FROM t WHERE id < ? ORDER BY id", 3L)
            assertEquals(listOf("id", "n", "id + 1"), result.columns.map { it.name })
            assertEquals(listOf("integer", "varchar(20)", ""), result.columns.map { it.type })
            assertEquals(listOf(listOf(1L, "a", 2L), listOf(2L, null, 3L)), result.rows.map { it.toList() })
            assertEquals(2, result.affected)
            assertNull(result.lastInsertId)
        }
    }

    @Test
    fun `a change answers with the rows it matched, not with those of the change before`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)")
            assertEquals(3, c.run("INSERT INTO t (n) VALUES (7), (7), (8)").affected)
            assertEquals(2, c.run("UPDATE t SET n = 7 WHERE n = 7").affected)
            assertEquals(0, c.run("CREATE TABLE u (id INTEGER)").affected)
            assertEquals(0, c.run("UPDATE t SET n = 9 WHERE n = 99").affected)
            assertEquals(0, c.run("INSERT OR IGNORE INTO t VALUES (1, 1)").affected)
            assertEquals(3, c.run("DELETE FROM t").affected)
            assertEquals(1, c.run("WITH x AS (SELECT 5) INSERT INTO t SELECT *, 0 FROM x").affected)
            assertEquals(1, c.run("WITH x AS (SELECT 5), replace AS (SELECT 6) SELECT * FROM x").affected)
        }
    }

    @Test
    fun `an insert of one row answers with its generated key`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT UNIQUE)")
            assertEquals(1, c.run("INSERT INTO t (n) VALUES (1)").lastInsertId)
            assertEquals(2, c.run("REPLACE INTO t (n) VALUES (2)").lastInsertId)
            assertNull(c.run("INSERT OR IGNORE INTO t (n) VALUES (2)").lastInsertId)
            assertNull(c.run("INSERT INTO t (n) VALUES (1) ON CONFLICT (n) DO UPDATE SET n = 3").lastInsertId)
            assertNull(c.run("UPDATE t SET n = 4 WHERE n = 3").lastInsertId)
        }
    }

    @Test
    fun `RETURNING gives the rows of an insert, update or delete, and their number`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT DEFAULT 5)")
            val inserted = c.run("INSERT INTO t (id) VALUES (1), (2), (3) RETURNING id, n")
            assertEquals(listOf(listOf(1L, 5L), listOf(2L, 5L), listOf(3L, 5L)), inserted.rows.map { it.toList() })
            assertEquals(3, inserted.affected)
            val updated = c.run("UPDATE t SET n = id WHERE id > ? RETURNING n", 1L)
            assertEquals(listOf(2L, 3L), updated.rows.map { it.single() })
            assertEquals(2, updated.affected)
            assertEquals(1, c.run("DELETE FROM t WHERE id = 1 RETURNING *").affected)
            assertEquals(2, c.count("t"))
        }
    }

    @Test
    fun `a question mark in a literal, a quoted name or a comment is no parameter`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (\"a?\" TEXT)")
            c.run("INSERT INTO t VALUES ('?') -- ?")
            assertEquals("?x", c.value("SELECT \"a?\" || ? /* ? */ FROM t WHERE \"a?\" = '?'", "x"))
        }
    }

    @Test
    fun `a wrong number of arguments is refused and nothing is executed`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a, b)")
            assertThrows<IllegalArgumentException> { c.run("INSERT INTO t VALUES (?, ?)", 1L) }
            assertThrows<IllegalArgumentException> { c.run("INSERT INTO t VALUES (?, ?)", 1L, 2L, 3L) }
            assertThrows<IllegalArgumentException> { c.run("INSERT INTO t VALUES (1, '?')", 1L) }
            assertThrows<IllegalArgumentException> { c.execute(SqlStatement("INSERT INTO t VALUES (?, 1)", emptyList(), listOf(1))) }
            assertEquals(0, c.count("t"))
            assertEquals(ConnectionStatus.IDLE, c.status)
        }
    }

    @Test
    fun `a text without a statement, or with more than one, is refused whole`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a)")
            for (sql in listOf("", "  ", "-- only a comment", ";", "/* ; */ ;")) assertThrows<SyntaxException>(sql) { c.run(sql) }
            assertThrows<SyntaxException> { c.run("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)") }
            assertThrows<IllegalArgumentException> { c.run("DELETE FROM t\u0000 WHERE a = 1") }
            assertEquals(0, c.count("t"))
            assertEquals(1, c.run("INSERT INTO t VALUES (';'); -- the end; really").affected)
            c.run("CREATE TRIGGER after_t AFTER INSERT ON t BEGIN DELETE FROM t WHERE a = 2; DELETE FROM t WHERE a = 3; END")
        }
    }

    @Test
    fun `a second statement at the same time is refused and the first one goes on`() = test {
        val started = Started()
        inMemory(started.settings) { c ->
            val first = async { runCatching { c.run(ENDLESS) } }
            started.signal.await()
            assertEquals(ConnectionStatus.BUSY, c.status)
            assertThrows<ConnectionBusyException> { c.run("SELECT 1") }
            c.cancel()
            first.await()
            assertEquals(1L, c.value("SELECT 1"))
        }
    }

    @Test
    fun `the coroutine is resumed on its own dispatcher`() {
        runBlocking {
            inMemory { c ->
                val before = Thread.currentThread()
                c.run("SELECT 1")
                assertSame(before, Thread.currentThread())
            }
        }
    }

    @Test
    fun `a cancelled coroutine sends nothing`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a)")
            val job = launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
                coroutineContext[kotlinx.coroutines.Job]!!.cancel()
                c.run("INSERT INTO t VALUES (1)")
            }
            job.join()
            assertTrue(job.isCancelled)
            assertEquals(ConnectionStatus.IDLE, c.status)
            assertEquals(0, c.count("t"))
        }
    }

    @Test
    fun `a closed connection fails the statement in progress and takes no other`() = test {
        val started = Started()
        val driver = open("sqlite::memory:", started.settings)
        val c = driver.connect(Access.WRITE)
        val running = async { runCatching { c.run(ENDLESS) } }
        started.signal.await()
        c.close()
        c.close()
        assertEquals(ConnectionStatus.CLOSED, c.status)
        assertTrue(running.await().exceptionOrNull() is ConnectionException)
        assertThrows<ConnectionException> { c.run("SELECT 1") }
        c.cancel()
        driver.close()
        driver.close()
    }

    @Test
    fun `a closed driver connects again when it is asked to`() = test {
        val driver = open("sqlite::memory:")
        driver.connect(Access.WRITE).close()
        driver.close()
        val again = driver.connect(Access.WRITE)
        assertEquals(1L, again.run("SELECT 1").rows.single()[0])
        again.close()
        driver.close()
    }

    @Test
    fun `a statement is prepared again after it was thrown out of the cache, or was not to be kept`() = test {
        inMemory(cacheSize = 2) { c ->
            repeat(3) { for (i in 1L..5L) assertEquals(i, c.value("SELECT ? + 0 * $i", i)) }
            repeat(2) { assertEquals(1L, c.execute(statement("SELECT 1", reusable = false)).rows.single().single()) }
        }
        inMemory(cacheSize = 0) { c -> repeat(2) { assertEquals(1L, c.value("SELECT 1")) } }
    }

    @Test
    fun `a blob of ten megabytes goes there and back`() = test {
        inMemory { c ->
            val blob = ByteArray(10 shl 20) { (it * 31).toByte() }
            c.run("CREATE TABLE t (b BLOB)")
            c.run("INSERT INTO t VALUES (?)", blob)
            assertArrayEquals(blob, c.value("SELECT b FROM t") as ByteArray)
        }
    }

    @Test
    fun `a cancelled statement leaves the connection to be cancelled and used again`() = test {
        val started = Started()
        inMemory(started.settings) { c ->
            val job = launch { c.run(ENDLESS) }
            started.signal.await()
            job.cancelAndJoin()
            assertEquals(ConnectionStatus.BUSY, c.status)
            c.cancel()
            assertEquals(ConnectionStatus.IDLE, c.status)
            assertEquals(2L, c.value("SELECT 2"))
        }
    }
}
