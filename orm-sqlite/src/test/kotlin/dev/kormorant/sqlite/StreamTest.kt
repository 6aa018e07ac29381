package dev.kormorant.sqlite

import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.DatabaseException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.driver.Access
import dev.kormorant.driver.ConnectionStatus
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.util.concurrent.atomic.AtomicLong

class StreamTest {
    private fun numbers(to: Any) = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < $to) SELECT x FROM r"

    @Test
    fun `the rows come in portions of the fetch size, and the connection is busy until their end`() = test {
        inMemory { c ->
            val stream = c.stream(statement(numbers(10)), 4)
            assertEquals(listOf("x"), stream.columns.map { it.name })
            assertEquals(ConnectionStatus.BUSY, c.status)
            assertThrows<ConnectionBusyException> { c.run("SELECT 1") }
            assertEquals(listOf(4, 4, 2), List(3) { stream.next()?.size })
            assertEquals(ConnectionStatus.BUSY, c.status)
            assertNull(stream.next())
            assertEquals(ConnectionStatus.IDLE, c.status)
            assertNull(stream.next())
            stream.close()
            assertEquals(1L, c.value("SELECT 1"))
        }
    }

    @Test
    fun `a stream without rows ends at once`() = test {
        inMemory { c ->
            assertNull(c.stream(statement("SELECT 1 WHERE 0"), 10).next())
            assertEquals(ConnectionStatus.IDLE, c.status)
        }
    }

    @Test
    fun `no row is made that is not asked for`() = test {
        val made = AtomicLong()
        val settings = SqliteSettings().apply { function("made", 1) { made.incrementAndGet() } }
        inMemory(settings) { c ->
            val stream = c.stream(statement("SELECT made(x) FROM (${numbers(1_000_000)})"), 100)
            repeat(3) { stream.next() }
            assertEquals(300, made.get())
            stream.close()
        }
    }

    @Test
    fun `a stream closed early resets its statement and frees the connection`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t AS ${numbers(1000)}")
            repeat(3) {
                val stream = c.stream(statement("SELECT x FROM t"), 10)
                assertEquals(1L, stream.next()!!.first().single())
                stream.close()
                stream.close()
                assertNull(stream.next())
            }
            c.run("DROP TABLE t")
        }
    }

    @Test
    fun `a change with RETURNING is done whole even if its rows are not all read`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (x INTEGER PRIMARY KEY)")
            val inserted = c.stream(statement("INSERT INTO t ${numbers(1000)} RETURNING x"), 10)
            inserted.next()
            inserted.close()
            assertEquals(1000, c.count("t"))
            val deleted = c.stream(statement("DELETE FROM t WHERE x <= 500 RETURNING x"), 10)
            deleted.close()
            assertEquals(500, c.count("t"))
            val updated = c.stream(statement("UPDATE t SET x = -x RETURNING x"), 500)
            assertEquals(500, updated.all().size)
            assertEquals(500L, c.value("SELECT count(*) FROM t WHERE x < 0"))
        }
    }

    @Test
    fun `cancel between two portions ends the stream`() = test {
        inMemory { c ->
            val stream = c.stream(statement(numbers("1e9")), 10)
            stream.next()
            c.cancel()
            assertEquals(ConnectionStatus.IDLE, c.status)
            assertEquals(1L, c.value("SELECT 1"))
            assertThrows<QueryTimeoutException> { stream.next() }
            assertNull(stream.next())
            stream.close()
        }
    }

    @Test
    fun `a reader that is cancelled in a portion can close the stream or cancel the statement`() = test {
        val started = Started()
        inMemory(started.settings) { c ->
            for (close in listOf(true, false)) {
                started.signal = CompletableDeferred()
                val stream = c.stream(statement("SELECT 1 UNION ALL SELECT * FROM ($ENDLESS)"), 1)
                stream.next()
                val reader = launch { stream.next() }
                started.signal.await()
                reader.cancelAndJoin()
                assertEquals(ConnectionStatus.BUSY, c.status)
                if (close) stream.close() else c.cancel()
                assertEquals(ConnectionStatus.IDLE, c.status)
            }
        }
    }

    @Test
    fun `a stream that is cancelled before its first portion can be cancelled`() = test {
        val started = Started()
        inMemory(started.settings) { c ->
            val reader = launch { c.stream(statement(ENDLESS), 1) }
            started.signal.await()
            reader.cancelAndJoin()
            c.cancel()
            assertEquals(1L, c.value("SELECT 1"))
        }
    }

    @Test
    fun `an error in a portion ends the stream, and the connection stays usable`() = test {
        val settings = SqliteSettings().apply { function("fail_at", 2) { (x, n) -> if (x == n) error("no") else x } }
        inMemory(settings) { c ->
            val stream = c.stream(statement("SELECT fail_at(x, 15) FROM (${numbers(100)})"), 10)
            assertEquals(10, stream.next()?.size)
            assertThrows<DatabaseException> { stream.next() }
            assertEquals(ConnectionStatus.IDLE, c.status)
            assertThrows<DatabaseException> { c.stream(statement("SELECT fail_at(1, 1)"), 10) }
            assertEquals(ConnectionStatus.IDLE, c.status)
            assertThrows<IllegalArgumentException> { c.stream(statement("SELECT 1"), 0) }
        }
    }

    @Test
    fun `a closed connection ends its stream`() = test {
        open("sqlite::memory:").use { driver ->
            val c = driver.connect(Access.WRITE)
            val stream = c.stream(statement(numbers(100)), 10)
            c.close()
            assertThrows<ConnectionException> { stream.next() }
            stream.close()
        }
    }
}
