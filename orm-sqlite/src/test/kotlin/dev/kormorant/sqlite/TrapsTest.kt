package dev.kormorant.sqlite

import dev.kormorant.SerializationException
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.Access
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir
import java.math.BigDecimal
import java.math.MathContext
import java.nio.file.Path
import java.util.concurrent.CountDownLatch

/** What SQLite and sqlite-jdbc do that nobody expects, each with the rule that keeps it away. */
class TrapsTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `trap - sqlite-jdbc blocks - another coroutine of the same thread goes on while a statement runs`() {
        val started = Started()
        runBlocking {
            inMemory(started.settings) { c ->
                val running = async { runCatching { c.run(ENDLESS) } }
                started.signal.await()
                c.cancel()
                assertTrue(running.await().isFailure)
            }
        }
    }

    @Test
    fun `trap - foreign keys are off unless each connection switches them on`() = test {
        open("sqlite:${directory.resolve("x.db")}").use { driver ->
            for (access in Access.entries) assertEquals(1L, driver.connect(access).value("PRAGMA foreign_keys"))
        }
    }

    @Test
    fun `trap - a deferred transaction that wants to write after another one wrote fails at once - a writing one takes the lock first`() = test {
        open("sqlite:${directory.resolve("x.db")}").use { a ->
            open("sqlite:${directory.resolve("x.db")}").use { b ->
                val first = a.connect(Access.WRITE)
                val second = b.connect(Access.WRITE)
                first.run("CREATE TABLE t (a)")
                suspend fun readAndWrite(begin: String) {
                    second.run(begin)
                    second.count("t")
                    val other = async { first.run("INSERT INTO t VALUES (1)") }
                    if (begin == "BEGIN") other.await()
                    try {
                        second.run("INSERT INTO t VALUES (2)")
                        second.run("COMMIT")
                    } finally {
                        if (second.status != ConnectionStatus.IDLE) second.run("ROLLBACK")
                        other.await()
                    }
                }
                assertThrows<SerializationException> { readAndWrite("BEGIN") }
                readAndWrite(second.dialect.begin(BeginOptions(null, readOnly = false)).single())
                assertEquals(3, first.count("t"))
            }
        }
    }

    @Test
    fun `trap - a database in memory is another one for each connection - the driver keeps to one`() = test {
        open("sqlite::memory:").use { driver ->
            driver.connect(Access.WRITE).run {
                run("CREATE TABLE t (a)")
                close()
            }
            assertEquals(0, driver.connect(Access.WRITE).count("t"))
        }
    }

    @Test
    fun `trap - an interrupt that comes too early is lost, one that comes too late hits the next statement - a request belongs to its statement`() = test {
        val entered = CompletableDeferred<Unit>()
        val go = CountDownLatch(1)
        val settings = SqliteSettings().apply {
            function("hold", 0) {
                entered.complete(Unit)
                go.await()
                1L
            }
        }
        inMemory(settings) { c ->
            val job = launch { c.run("SELECT hold()") }
            entered.await()
            job.cancel()
            val cancelling = async(start = CoroutineStart.UNDISPATCHED) { c.cancel() }
            go.countDown()
            cancelling.await()
            repeat(100) { assertEquals(it.toLong(), c.value("SELECT ?", it)) }
        }
    }

    @Test
    fun `trap - sqlite-jdbc drops a prepared statement after some errors - it is prepared again`() = test {
        val settings = SqliteSettings().apply { function("fail_if", 1) { (it.single() as Long).also { n -> check(n == 0L) } } }
        inMemory(settings) { c ->
            repeat(3) {
                assertTrue(runCatching { c.value("SELECT fail_if(?)", 1L) }.isFailure)
                assertEquals(0L, c.value("SELECT fail_if(?)", 0L))
            }
        }
    }

    @Test
    fun `trap - a cached SELECT star keeps the columns it was prepared with - they are read again`() = test {
        open("sqlite:${directory.resolve("x.db")}").use { driver ->
            val writer = driver.connect(Access.WRITE)
            writer.run("CREATE TABLE t (a, b)")
            writer.run("INSERT INTO t VALUES (1, 2)")
            val reader = driver.connect(Access.READ)
            suspend fun seen() = listOf(writer, reader).map { c -> c.run("SELECT * FROM t").let { r -> r.columns.map { it.name } to r.rows.single().toList() } }.distinct().single()
            assertEquals(listOf("a", "b") to listOf<Any?>(1L, 2L), seen())
            writer.run("ALTER TABLE t ADD COLUMN c DEFAULT 3")
            assertEquals(listOf("a", "b", "c") to listOf<Any?>(1L, 2L, 3L), seen())
            writer.run("ALTER TABLE t RENAME COLUMN a TO x")
            writer.run("ALTER TABLE t DROP COLUMN b")
            assertEquals(listOf("x", "c") to listOf<Any?>(1L, 3L), seen())
        }
    }

    @Test
    fun `trap - the count of changes is that of an earlier statement after one that changes nothing`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a)")
            c.run("INSERT INTO t VALUES (1), (2)")
            assertEquals(0, c.run("DROP TABLE t").affected)
            assertEquals(0, c.run("PRAGMA user_version = 3").affected)
        }
    }

    @Test
    fun `trap - a decimal bound as text is greater than every number of an expression`() = test {
        inMemory { c ->
            assertNotEquals(1L, c.value("SELECT 2 * 3 > ?", "5"))
            assertEquals(1L, c.execute(SqlStatement("SELECT 2 * 3 > ?", listOf(SqlType.DECIMAL), listOf(BigDecimal("5.0")))).rows.single().single())
        }
    }

    @Test
    fun `trap - a decimal column keeps about 15 digits`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a DECIMAL(30, 10))")
            c.execute(SqlStatement("INSERT INTO t VALUES (?)", listOf(SqlType.DECIMAL), listOf(BigDecimal("12345678901234567890.1234567891"))))
            val read = (c.value("SELECT a FROM t") as Double).toBigDecimal()
            assertEquals(0, read.round(MathContext(15)).compareTo(BigDecimal("12345678901234600000")))
        }
    }

    @Test
    fun `trap - sqlite-jdbc takes what follows a question mark in a path for settings`() = test {
        open("sqlite:${directory.resolve("x")}%3Fforeign_keys=off").use { assertEquals(1L, it.connect(Access.WRITE).value("PRAGMA foreign_keys")) }
    }
}
