package dev.kormorant.sqlite

import dev.kormorant.QueryTimeoutException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds

class CancelTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `cancel stops the statement, and returns when it has ended`() = test {
        val started = Started()
        inMemory(started.settings) { c ->
            val running = async { runCatching { c.run(ENDLESS) } }
            started.signal.await()
            c.cancel()
            assertEquals(ConnectionStatus.IDLE, c.status)
            assertTrue(running.await().exceptionOrNull() is QueryTimeoutException)
            assertEquals(1L, c.value("SELECT 1"))
        }
    }

    @Test
    fun `cancel of an idle connection does nothing`() = test {
        inMemory { c ->
            c.cancel()
            assertEquals(1L, c.value("SELECT 1"))
            c.cancel()
            assertEquals(2L, c.value("SELECT 2"))
        }
    }

    @Test
    fun `a cancel at any moment hits its own statement or none, never the next`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 20000) SELECT x FROM r")
            val random = Random(4711)
            var stopped = 0
            repeat(2_000) { round ->
                coroutineScope {
                    val running = async(start = CoroutineStart.UNDISPATCHED) { runCatching { c.value("SELECT sum(x) FROM t") } }
                    repeat(random.nextInt(200)) { Thread.onSpinWait() }
                    if (random.nextBoolean()) yield()
                    c.cancel()
                    val next = c.value("SELECT count(*) + ? FROM t", round.toLong())
                    assertEquals(20000L + round, next)
                    running.await().fold(
                        { assertEquals(200010000L, it) },
                        {
                            assertTrue(it is QueryTimeoutException, it.toString())
                            stopped++
                        },
                    )
                }
            }
            assertTrue(stopped > 0)
        }
    }

    @Test
    fun `a write that is cancelled at any moment is done whole or not at all, and its answer says which`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (round, x)")
            val random = Random(1917)
            repeat(500) { round ->
                coroutineScope {
                    val running = async(start = CoroutineStart.UNDISPATCHED) {
                        runCatching {
                            c.run("INSERT INTO t WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 3000) SELECT ?, x FROM r", round)
                        }
                    }
                    repeat(random.nextInt(200)) { Thread.onSpinWait() }
                    if (random.nextBoolean()) yield()
                    c.cancel()
                    val expected = if (running.await().isSuccess) 3000L else 0L
                    assertEquals(expected, c.value("SELECT count(*) FROM t WHERE round = ?", round))
                    c.run("DELETE FROM t")
                }
            }
        }
    }

    @Test
    fun `a storm of random cancels gives no wrong answer and costs no connection`() = test {
        val seed = 20_260_107
        val served = AtomicInteger()
        val cancelled = AtomicInteger()
        open("sqlite:${directory.resolve("storm.db")}").use { driver ->
            val all = List(4) { driver.connect(Access.READ) }
            val pool = Channel<Connection>(all.size)
            driver.connect(Access.WRITE).run("CREATE TABLE t AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 5000) SELECT x FROM r")
            all.forEach { pool.send(it) }
            List(64) { worker ->
                launch {
                    val random = Random(seed + worker)
                    repeat(150) {
                        val bound = random.nextLong(5_000)
                        withTimeoutOrNull(random.nextLong(20, 3_000).microseconds) { pool.lend { it.question(random, bound) } } ?: cancelled.incrementAndGet()
                        served.incrementAndGet()
                    }
                }
            }.forEach { it.join() }
            for (c in all) {
                assertEquals(ConnectionStatus.IDLE, c.status)
                assertEquals(5000, c.count("t"))
            }
        }
        assertEquals(64 * 150, served.get())
        assertTrue(cancelled.get() > 0, "seed $seed")
    }

    /** As a pool does: what is busy when it comes back is cancelled first. */
    private suspend fun Channel<Connection>.lend(block: suspend (Connection) -> Unit) {
        val connection = receive()
        try {
            block(connection)
        } finally {
            withContext(NonCancellable) {
                if (connection.status == ConnectionStatus.BUSY) connection.cancel()
                if (connection.status != ConnectionStatus.IDLE) connection.run("ROLLBACK")
                assertEquals(ConnectionStatus.IDLE, connection.status)
                send(connection)
            }
        }
    }

    private suspend fun Connection.question(random: Random, bound: Long) {
        when (random.nextInt(3)) {
            0 -> assertEquals(bound, value("SELECT count(*) FROM t WHERE x <= ?", bound))
            1 -> {
                val stream = stream(statement("SELECT x FROM t WHERE x <= ? ORDER BY x", bound), 100)
                assertEquals((1..bound).toList(), stream.all().map { it.single() })
            }
            else -> {
                run("BEGIN")
                assertEquals(bound, value("SELECT ?", bound))
                run("COMMIT")
            }
        }
    }

    @Test
    fun `a hundred writers queue for the one connection and none is lost`() = test {
        open("sqlite:${directory.resolve("writers.db")}").use { driver ->
            val pool = Channel<Connection>(1)
            driver.connect(Access.WRITE).let {
                it.run("CREATE TABLE t (a)")
                pool.send(it)
            }
            List(100) { n ->
                launch {
                    pool.lend { c ->
                        c.run("BEGIN IMMEDIATE")
                        c.run("INSERT INTO t VALUES (?)", n.toLong())
                        c.run("COMMIT")
                    }
                }
            }.forEach { it.join() }
            assertEquals(100, pool.receive().count("t"))
        }
    }
}
