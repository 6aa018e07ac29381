package dev.kormorant.sqlite

import dev.kormorant.ConnectionException
import dev.kormorant.DatabaseException
import dev.kormorant.DeadlockException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.SerializationException
import dev.kormorant.driver.Access
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.Driver
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

class LanesTest {
    @TempDir
    lateinit var directory: Path

    private val file get() = directory.resolve("lanes.db")

    private fun openFile(wait: Duration = 1.minutes, connectTimeout: Duration = 1.minutes): Driver =
        open("sqlite:$file", SqliteSettings().apply { busyTimeout = wait }, connectTimeout = connectTimeout)

    @Test
    fun `a file has one writer and the readers that were asked for`() {
        assertEquals(1 to 4, open("sqlite:$file").let { it.maxWriters to it.maxReaders })
        assertEquals(1 to 7, open("sqlite:$file", SqliteSettings().apply { readers = 7 }).let { it.maxWriters to it.maxReaders })
        assertEquals(1 to 2, open("sqlite:$file?readers=2").let { it.maxWriters to it.maxReaders })
        assertEquals(1 to 0, open("sqlite:$file", SqliteSettings().apply { pragma("journal_mode", "delete") }).let { it.maxWriters to it.maxReaders })
        assertFalse(file.exists())
    }

    @Test
    fun `a database in memory has one connection for everything`() = test {
        for (url in listOf("sqlite::memory:", "sqlite:", "sqlite:name?mode=memory", "jdbc:sqlite::memory:")) {
            open(url).use { driver ->
                assertEquals(1 to 0, driver.maxWriters to driver.maxReaders)
                driver.connect(Access.WRITE)
                assertThrows<ConnectionException> { driver.connect(Access.WRITE) }
            }
        }
    }

    @Test
    fun `a database in memory outlives its connections, but not their transactions`() = test {
        val started = Started()
        open("sqlite::memory:", started.settings).use { driver ->
            val first = driver.connect(Access.WRITE)
            first.run("CREATE TABLE t (a)")
            first.run("INSERT INTO t VALUES (1)")
            first.run("BEGIN")
            first.run("INSERT INTO t VALUES (2)")
            first.close()
            val second = driver.connect(Access.WRITE)
            assertEquals(ConnectionStatus.IDLE, second.status)
            assertEquals(1, second.count("t"))
            val running = launch { runCatching { second.run(ENDLESS) } }
            started.signal.await()
            second.close()
            running.join()
            val third = driver.connect(Access.WRITE)
            third.stream(statement("SELECT * FROM t"), 1)
            third.close()
            driver.connect(Access.WRITE).run("DROP TABLE t")
        }
    }

    @Test
    fun `two drivers have two databases in memory`() = test {
        inMemory { a ->
            inMemory { b ->
                a.run("CREATE TABLE t (a)")
                b.run("CREATE TABLE t (a)")
            }
        }
    }

    @Test
    fun `readers see what is committed while a writer holds its transaction, and the commit at once`() = test {
        openFile().use { driver ->
            val writer = driver.connect(Access.WRITE)
            val readers = List(4) { driver.connect(Access.READ) }
            assertEquals("wal", writer.value("PRAGMA journal_mode"))
            writer.run("CREATE TABLE t (a)")
            writer.run("INSERT INTO t VALUES (1)")
            writer.run("BEGIN IMMEDIATE")
            writer.run("INSERT INTO t VALUES (2)")
            for (reader in readers) assertEquals(1, reader.count("t"))
            readers[0].run("BEGIN")
            assertEquals(1, readers[0].count("t"))
            writer.run("COMMIT")
            assertEquals(1, readers[0].count("t"))
            readers[0].run("COMMIT")
            for (reader in readers) assertEquals(2, reader.count("t"))
        }
    }

    @Test
    fun `a reader cannot write`() = test {
        openFile().use { driver ->
            driver.connect(Access.WRITE).run("CREATE TABLE t (a)")
            val reader = driver.connect(Access.READ)
            val error = assertThrows<DatabaseException> { reader.run("INSERT INTO t VALUES (1)") }
            assertTrue("read-only" in error.hint!!)
            assertEquals(0, reader.count("t"))
        }
    }

    @Test
    fun `connections that are opened all at once on a new file wait for each other`() = test {
        repeat(5) { round ->
            val drivers = List(2) { open("sqlite:${directory.resolve("new$round.db")}") }
            val connections = drivers.flatMap { driver -> List(5) { async { driver.connect(if (it == 0) Access.WRITE else Access.READ) } } }
            for (connection in connections) assertEquals("wal", connection.await().value("PRAGMA journal_mode"))
            drivers.forEach { it.close() }
        }
    }

    @Test
    fun `a writer that waits for another driver's transaction goes on when that ends`() = test {
        openFile().use { a ->
            openFile().use { b ->
                val first = a.connect(Access.WRITE)
                val second = b.connect(Access.WRITE)
                first.run("CREATE TABLE t (a)")
                first.run("BEGIN IMMEDIATE")
                first.run("INSERT INTO t VALUES (1)")
                val waiting = async(start = CoroutineStart.UNDISPATCHED) { second.run("BEGIN IMMEDIATE") }
                assertEquals(ConnectionStatus.BUSY, second.status)
                first.run("COMMIT")
                waiting.await()
                assertEquals(1, second.count("t"))
                second.run("COMMIT")
            }
        }
    }

    @Test
    fun `a lock that is not released in time is a transient error, and nothing is open`() = test {
        openFile().use { a ->
            openFile(wait = 20.milliseconds).use { b ->
                val first = a.connect(Access.WRITE)
                first.run("CREATE TABLE t (a)")
                first.run("BEGIN IMMEDIATE")
                val second = b.connect(Access.WRITE)
                val error = assertThrows<DeadlockException> { second.run("BEGIN IMMEDIATE") }
                assertTrue(error.isTransient)
                assertEquals(ConnectionStatus.IDLE, second.status)
                assertThrows<DeadlockException> { second.run("INSERT INTO t VALUES (1)") }
                first.run("ROLLBACK")
                second.run("INSERT INTO t VALUES (1)")
            }
        }
    }

    @Test
    fun `a statement that waits for a lock can be cancelled`() = test {
        openFile().use { a ->
            openFile(wait = Duration.INFINITE).use { b ->
                val first = a.connect(Access.WRITE)
                first.run("BEGIN IMMEDIATE")
                val second = b.connect(Access.WRITE)
                val waiting = async(start = CoroutineStart.UNDISPATCHED) { runCatching { second.run("BEGIN IMMEDIATE") } }
                second.cancel()
                assertTrue(waiting.await().exceptionOrNull() is QueryTimeoutException)
                assertEquals(ConnectionStatus.IDLE, second.status)
            }
        }
    }

    @Test
    fun `a transaction that read before somebody else wrote cannot write any more`() = test {
        openFile().use { a ->
            openFile().use { b ->
                val first = a.connect(Access.WRITE)
                val second = b.connect(Access.WRITE)
                first.run("CREATE TABLE t (a)")
                second.run("BEGIN")
                second.count("t")
                first.run("INSERT INTO t VALUES (1)")
                assertTrue(assertThrows<SerializationException> { second.run("INSERT INTO t VALUES (2)") }.isTransient)
                assertEquals(ConnectionStatus.IN_TRANSACTION, second.status)
                second.run("ROLLBACK")
            }
        }
    }

    @Test
    fun `another process that holds the lock is waited for`() = test {
        openFile().use { it.connect(Access.WRITE).run("CREATE TABLE t (a)") }
        val holder = ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path"),
            LockHolder::class.java.name,
            file.toString(),
        ).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        try {
            assertEquals("locked", holder.inputReader().readLine())
            openFile(wait = Duration.ZERO).use { driver ->
                assertThrows<DeadlockException> { driver.connect(Access.WRITE).run("INSERT INTO t VALUES (2)") }
            }
            openFile().use { driver ->
                val c = driver.connect(Access.WRITE)
                val waiting = async(start = CoroutineStart.UNDISPATCHED) { c.run("INSERT INTO t VALUES (3)") }
                holder.outputStream.close()
                waiting.await()
                assertEquals(2, c.count("t"))
            }
        } finally {
            holder.destroyForcibly().waitFor()
        }
    }

    @Test
    fun `when the driver is closed its threads have ended and its file can be deleted`() = test {
        val started = Started()
        val driver = open("sqlite:$file", started.settings)
        val writer = driver.connect(Access.WRITE)
        val reader = driver.connect(Access.READ)
        writer.run("CREATE TABLE t (a)")
        reader.count("t")
        val running = launch { runCatching { reader.run(ENDLESS) } }
        started.signal.await()
        driver.close()
        running.join()
        assertEquals(ConnectionStatus.CLOSED, writer.status)
        assertEquals(listOf(file.name), directory.listDirectoryEntries().map { it.name })
        file.deleteExisting()
    }

    @Test
    fun `a connect that waits for a lock is bounded by the connect timeout, and can be cancelled`() = test {
        openFile().use { a ->
            val first = a.connect(Access.WRITE)
            first.run("PRAGMA locking_mode=EXCLUSIVE")
            first.run("CREATE TABLE t (a)")
            openFile(connectTimeout = 50.milliseconds).use { b ->
                assertTrue(assertThrows<ConnectionException> { b.connect(Access.WRITE) }.isTransient)
            }
            openFile(wait = Duration.INFINITE, connectTimeout = Duration.INFINITE).use { b ->
                launch(start = CoroutineStart.UNDISPATCHED) { b.connect(Access.WRITE) }.cancelAndJoin()
            }
            openFile(wait = Duration.INFINITE, connectTimeout = Duration.INFINITE).let { b ->
                val connecting = async(start = CoroutineStart.UNDISPATCHED) { runCatching { b.connect(Access.WRITE) } }
                b.close()
                assertTrue(connecting.await().exceptionOrNull() is ConnectionException)
            }
        }
    }

    @Test
    fun `a path may have any characters`() = test {
        for (name in listOf("a b.db", "what?.db", "50%25.db", "#1.db", "ä'ö.db")) {
            val encoded = directory.resolve(name).toString().replace("%", "%25").replace("?", "%3F")
            open("sqlite:$encoded").use { it.connect(Access.WRITE).run("CREATE TABLE t (a)") }
            assertTrue(directory.resolve(name).exists(), name)
        }
    }
}

/** Holds the write lock of the file that is its argument until the end of its standard input, then commits one row. */
internal object LockHolder {
    @JvmStatic
    fun main(arguments: Array<String>) = test {
        open("sqlite:${arguments.single()}").use {
            val c = it.connect(Access.WRITE)
            c.run("BEGIN IMMEDIATE")
            c.run("INSERT INTO t VALUES (1)")
            println("locked")
            System.`in`.readAllBytes()
            c.run("COMMIT")
        }
    }
}
