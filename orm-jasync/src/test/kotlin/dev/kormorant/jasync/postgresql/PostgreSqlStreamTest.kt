package dev.kormorant.jasync.postgresql

import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.DataException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.SyntaxException
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class PostgreSqlStreamTest {
    /** The server makes the rows one by one, as they are fetched. */
    private suspend fun Connection.series(count: Long, fetchSize: Int, reusable: Boolean = true): RowStream {
        val sql = "SELECT n, n::text FROM (SELECT generate_series(1, ?) AS n) s"
        return stream(SqlStatement(sql, listOf(SqlType.BIGINT), listOf(count), reusable), fetchSize)
    }

    private suspend fun RowStream.count(): Int = generate().sumOf { it.size }

    private suspend fun RowStream.generate(): List<List<Array<Any?>>> = buildList { while (true) add(next() ?: break) }

    @Test
    fun `the rows come in portions of the fetch size, in order, each once`() = connected { db ->
        for (reusable in listOf(true, false, true)) for (count in listOf(0L, 1L, 9L, 10L, 11L, 95L)) {
            val stream = db.series(count, 10, reusable)
            assertEquals(listOf("n" to "int8", "n" to "text"), stream.columns.map { it.name to it.type })
            val portions = stream.generate()
            assertTrue(portions.all { it.size in 1..10 })
            assertEquals((1..count).map { listOf(it, it.toString()) }, portions.flatten().map { it.toList() })
            assertEquals(ConnectionStatus.IDLE, db.status)
            assertNull(stream.next())
            stream.close()
            stream.close()
        }
    }

    @Test
    fun `the connection is busy until the stream has ended`() = connected { db ->
        val stream = db.series(100, 10)
        assertEquals(10, stream.next()!!.size)
        assertEquals(ConnectionStatus.BUSY, db.status)
        assertThrows<ConnectionBusyException> { db.run("SELECT 1") }
        assertEquals(90, stream.count())
        assertEquals(1, db.run("SELECT 1").single)
    }

    @Test
    fun `closing early leaves the connection clean, even if the rest would take for ever`() = connected { db ->
        repeat(20) {
            val stream = db.series(100_000_000_000, 10)
            repeat(it % 3) { stream.next() }
            stream.close()
            assertEquals(ConnectionStatus.IDLE, db.status)
            assertThrows<IllegalStateException> { while (stream.next() != null) continue }
            assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single)
        }
    }

    @Test
    fun `closing early in a transaction leaves the transaction going on`() = connected { db ->
        db.run("BEGIN")
        repeat(3) {
            db.series(100_000_000_000, 10).run {
                next()
                close()
            }
            assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        }
        assertEquals(25, db.series(25, 10).count())
        db.run("COMMIT")
        assertEquals(ConnectionStatus.IDLE, db.status)
    }

    @Test
    fun `an error before the first row and one between rows fail the stream and leave the connection clean`() = connected { db ->
        repeat(3) {
            assertThrows<SyntaxException> { db.stream(SqlStatement("SELECT nothing"), 10) }
            val stream = db.stream(SqlStatement("SELECT 1 / (n - 15) FROM generate_series(1, 30) n"), 10)
            assertEquals(10, stream.next()!!.size)
            assertThrows<DataException> { while (stream.next() != null) continue }
            assertThrows<DataException> { stream.next() }
            stream.close()
            assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single)
        }
        db.run("BEGIN")
        assertThrows<DataException> { db.stream(SqlStatement("SELECT 1 / (n - 15) FROM generate_series(1, 30) n"), 10).count() }
        assertEquals(ConnectionStatus.FAILED, db.status)
    }

    @Test
    fun `changes with RETURNING are streamed and done whole, also when closed early`() = connected { db ->
        db.run("CREATE TEMP TABLE t (n int)")
        val insert = SqlStatement("INSERT INTO t SELECT generate_series(1, 100) RETURNING n")
        assertEquals(100, db.stream(insert, 7).count())
        db.stream(insert, 7).close()
        assertEquals(200L, db.run("SELECT count(*) FROM t").single)
        assertEquals(0, db.stream(SqlStatement("DELETE FROM t"), 7).count())
    }

    @Test
    fun `types that are not built in are learned before the first row`() = connected { db ->
        db.run("CREATE TYPE pg_temp.mood AS ENUM ('glad', 'sad')")
        repeat(2) {
            val stream = db.stream(SqlStatement("SELECT ARRAY['glad', 'sad']::pg_temp.mood[], n FROM generate_series(1, 3) n"), 2)
            assertEquals(listOf("_mood", "int4"), stream.columns.map { it.type })
            assertEquals(listOf(1, 2, 3).map { listOf(listOf("glad", "sad"), it) }, stream.generate().flatten().map { it.toList() })
        }
    }

    @Test
    fun `cancelling a stream that waits for its reader ends it`() = connected { db ->
        val stream = db.series(100, 10)
        stream.next()
        db.cancel()
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertThrows<QueryTimeoutException> { while (stream.next() != null) continue }
        assertEquals(1, db.run("SELECT 1").single)
    }

    @Test
    fun `streams in a transaction leave the connection free, are closed one by one and end with the transaction`() = connected { db ->
        db.run("BEGIN")
        val first = db.series(100, 10)
        val second = db.series(100, 10)
        assertTrue(first.leavesConnectionFree)
        assertEquals(10, first.next()?.size)
        assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        assertEquals(5, db.prepared("SELECT ?", SqlType.INTEGER to 5).single)
        val portals = "SELECT count(*) FROM pg_cursors WHERE name <> ''"
        assertEquals(2L, db.run(portals).single)
        second.close()
        second.close()
        assertEquals(1L, db.run(portals).single)
        assertEquals(90, first.count())
        db.run("COMMIT")
        first.close()
        assertEquals(ConnectionStatus.IDLE, db.status)
    }

    @Test
    fun `a portion that is cancelled in a transaction fails it, and closing the stream sends nothing`() = connected { db ->
        db.run("BEGIN")
        val stream = db.stream(SqlStatement("SELECT n, pg_sleep(CASE WHEN n > 10 THEN 600 ELSE 0 END) FROM generate_series(1, 100) n"), 10)
        assertEquals(10, stream.next()?.size)
        coroutineScope {
            val reader = launch(start = CoroutineStart.UNDISPATCHED) { stream.next() }
            while (db.status != ConnectionStatus.BUSY) yield()
            reader.cancelAndJoin()
        }
        stream.close()
        assertEquals(ConnectionStatus.FAILED, db.status)
        db.run("ROLLBACK")
        assertEquals(1, db.run("SELECT 1").single)
    }

    @Test
    fun `cancelling a stream that waits for the server stops the server`() = connected { db ->
        repeat(10) {
            coroutineScope {
                val reader = launch(start = CoroutineStart.UNDISPATCHED) {
                    val sql = "SELECT n, pg_sleep(CASE WHEN n > 15 THEN 600 ELSE 0 END) FROM generate_series(1, 100) n"
                    db.stream(SqlStatement(sql), 10).count()
                }
                connected { other ->
                    val sleeping = "SELECT count(*) FROM pg_stat_activity WHERE pid = ${db.serverId} AND wait_event = 'PgSleep'"
                    while (other.run(sleeping).single == 0L) continue
                }
                reader.cancelAndJoin()
            }
            assertEquals(ConnectionStatus.BUSY, db.status)
            db.cancel()
            assertEquals(ConnectionStatus.IDLE, db.status)
            assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single)
        }
    }

    @Test
    fun `closing the connection fails a stream in progress`() = connected { db ->
        val stream = db.series(100, 10)
        db.close()
        assertThrows<ConnectionException> { while (stream.next() != null) continue }
        stream.close()
    }
}
