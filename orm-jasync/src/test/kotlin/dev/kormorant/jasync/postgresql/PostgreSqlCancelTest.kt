package dev.kormorant.jasync.postgresql

import dev.kormorant.ConnectionException
import dev.kormorant.OrmException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds

class PostgreSqlCancelTest {
    private suspend fun Connection.sleeps(pid: Long) =
        run("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND wait_event = 'PgSleep'").single == 1L

    @Test
    fun `a cancelled coroutine leaves the statement running, and cancel stops it on the server`() = connected { db ->
        connected { other ->
            repeat(10) {
                coroutineScope {
                    val sleeper = launch(start = CoroutineStart.UNDISPATCHED) { db.run("SELECT pg_sleep(600)") }
                    while (!other.sleeps(db.serverId!!)) continue
                    sleeper.cancelAndJoin()
                }
                assertEquals(ConnectionStatus.BUSY, db.status)
                assertTrue(other.sleeps(db.serverId!!))
                db.cancel()
                assertEquals(ConnectionStatus.IDLE, db.status)
                assertEquals(it, db.run("SELECT $it").single)
            }
        }
    }

    @Test
    fun `cancel by another coroutine fails the statement with QueryTimeoutException`() = connected { db ->
        connected { other ->
            coroutineScope {
                val sleeper = async { runCatching { db.prepared("SELECT pg_sleep(600)") } }
                while (!other.sleeps(db.serverId!!)) continue
                db.cancel()
                assertTrue(sleeper.await().exceptionOrNull() is QueryTimeoutException)
            }
        }
    }

    @Test
    fun `cancel of an idle connection does nothing`() = connected { db ->
        db.cancel()
        db.run("BEGIN")
        db.cancel()
        assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        db.close()
        db.cancel()
    }

    @Test
    fun `a cancel that comes too late never hits the next statement`() = connected("?sslmode=disable") { db ->
        repeat(300) { round ->
            coroutineScope {
                val size = SqlType.INTEGER to Random.nextInt(2000)
                val job = launch(start = CoroutineStart.UNDISPATCHED) { db.prepared("SELECT count(*) FROM generate_series(1, ?)", size) }
                job.cancel()
            }
            db.cancel()
            assertEquals(round, db.prepared("SELECT ? FROM pg_sleep(0.0001)", SqlType.INTEGER to round).single)
        }
    }

    @Test
    fun `close while a statement is in progress fails it at once`() = connected { db ->
        coroutineScope {
            val sleeper = async { runCatching { db.run("SELECT pg_sleep(600)") } }
            while (db.status != ConnectionStatus.BUSY) kotlinx.coroutines.yield()
            db.close()
            db.close()
            assertTrue(sleeper.await().exceptionOrNull() is ConnectionException)
        }
        assertEquals(ConnectionStatus.CLOSED, db.status)
        assertThrows<ConnectionException> { db.run("SELECT 1") }
    }

    /** Connections pass from hand to hand as in a pool: whoever was cancelled cleans up before the next one gets it. */
    @Test
    fun `under a storm of cancellations every answer is right and every session survives`() = runBlocking<Unit> {
        val driver = PostgreSqlFixture.driver("?sslmode=disable", cache = 8)
        val connections = List(5) { driver.connect(Access.WRITE) }
        val sessions = connections.map { it.serverId }.toSet()
        val idle = Channel<Connection>(Channel.UNLIMITED).apply { connections.forEach { trySend(it) } }
        connections[0].run("CREATE TABLE storm (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO storm VALUES (1)")
        val seed = System.nanoTime()
        val right = AtomicInteger()
        val cancelled = AtomicInteger()
        withContext(Dispatchers.Default) {
            List(32) { worker ->
                async {
                    val random = Random(seed + worker)
                    repeat(100) { round ->
                        val db = idle.receive()
                        try {
                            withTimeout(random.nextLong(200, 12_000).microseconds) { use(db, worker * 1000 + round, random) }
                            right.incrementAndGet()
                        } catch (_: TimeoutCancellationException) {
                            cancelled.incrementAndGet()
                        } finally {
                            withContext(NonCancellable) {
                                db.cancel()
                                if (db.status != ConnectionStatus.IDLE) db.run("ROLLBACK")
                                check(db.status == ConnectionStatus.IDLE) { "seed $seed: ${db.status}" }
                                idle.send(db)
                            }
                        }
                    }
                }
            }.awaitAll()
        }
        assertEquals(sessions, connections.map { db -> (db.run("SELECT pg_backend_pid()").single as Int).toLong() }.toSet())
        assertTrue(right.get() > 0 && cancelled.get() > 0, "seed $seed: $right right, $cancelled cancelled")
        connections[0].run("DROP TABLE storm")
        connections.forEach { it.close() }
    }

    private suspend fun use(db: Connection, token: Int, random: Random) {
        when (random.nextInt(6)) {
            0 -> assertEquals(token, db.prepared("SELECT ?", SqlType.INTEGER to token).single)
            1 -> assertEquals(token, db.prepared("SELECT ? FROM pg_sleep(0.005)", SqlType.INTEGER to token).single)
            2 -> assertEquals("$token", db.run("SELECT '$token' FROM pg_sleep(0.001)").single)
            3 -> failing { db.prepared("INSERT INTO storm VALUES (1)") }
            4 -> {
                val sql = "SELECT ? + n FROM generate_series(1, 500) n"
                val stream = db.stream(SqlStatement(sql, listOf(SqlType.INTEGER), listOf(token)), 50)
                var expected = token + 1
                while (true) for (row in stream.next() ?: break) assertEquals(expected++, row[0])
                assertEquals(token + 501, expected)
            }
            else -> {
                db.run("BEGIN")
                failing { db.prepared("SELECT 1 / (? - $token), ${random.nextInt(20)}", SqlType.INTEGER to token) }
                assertEquals(ConnectionStatus.FAILED, db.status)
                db.run("ROLLBACK")
                assertEquals(token, db.prepared("SELECT ?", SqlType.INTEGER to token).single)
            }
        }
    }

    /** [statement] fails on the server, unless it is cancelled before. */
    private suspend fun failing(statement: suspend () -> Unit) {
        try {
            statement()
        } catch (e: CancellationException) {
            throw e
        } catch (_: OrmException) {
            return
        }
        error("It did not fail.")
    }
}
