package dev.kormorant.test.conformance

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.DeadlockException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.connection
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.withStatementTimeout
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What cancellation does to a statement, a transaction and their connection. */
public abstract class CancellationSuite(backend: Backend) : Suite(backend, Pages) {
    private suspend fun add(value: String) = Pages.insert { it[key] = value }

    private suspend fun keys(): List<String> = Pages.selectAll().orderBy(Pages.key).toList().map { it[Pages.key] }

    /** A database whose pool has one connection, so that the same one must serve again. */
    private fun <T> oneConnection(block: suspend CoroutineScope.(Database) -> T): T = runBlocking {
        open { pool { max = 1 } }.use { other -> withContext(other) { block(other) } }
    }

    private suspend fun sessionOf(database: Database): Any? = backend.dialogue.sessionId?.let { database.exec(it).scalar() }

    private suspend fun slowStatementsRunning(): Long = (db.exec(backend.dialogue.slowStatementsRunning!!).scalar() as Number).toLong()

    /** Waits until the server runs the slow statement, as far as it can be asked. */
    private suspend fun awaitSlowStatement(user: Database) {
        if (backend.dialogue.slowStatementsRunning == null) {
            while (user.pool.inUse == 0) delay(1)
            delay(20)
        } else {
            while (slowStatementsRunning() == 0L) delay(5)
        }
    }

    private suspend fun assertSlowStatementIsGone() {
        if (backend.dialogue.slowStatementsRunning != null) assertEquals(0, slowStatementsRunning())
    }

    @Test
    public fun `a cancelled statement is stopped on the server and its connection kept (U2, N12)`(): Unit = oneConnection { other ->
        val session = sessionOf(other)
        val running = launch { other.exec(backend.dialogue.slowStatement) }
        awaitSlowStatement(other)
        running.cancelAndJoin()
        assertSlowStatementIsGone()
        assertEquals(0, other.pool.inUse)
        assertEquals(session, sessionOf(other))
        assertEquals(5, (other.exec("SELECT 5").scalar() as Number).toInt())
    }

    @Test
    public fun `closing stops on the server what runs longer than the grace (P10)`(): Unit = test {
        needs(backend.dialogue.slowStatementsRunning != null, "server to ask")
        val other = open()
        val running = async { runCatching { other.exec(backend.dialogue.slowStatement) } }
        awaitSlowStatement(other)
        other.close(10.milliseconds)
        assertTrue(running.await().exceptionOrNull() is ConnectionException, "${running.await()}")
        // Half the time that the statement would take by itself.
        val gone = withTimeoutOrNull(30.seconds) { while (slowStatementsRunning() > 0) delay(5) }
        assertNotNull(gone, "the statement runs on")
    }

    @Test
    public fun `cancelled with a statement running - stopped, rolled back, the connection kept (finaliser)`(): Unit = oneConnection { other ->
        val session = sessionOf(other)
        val running = launch {
            transaction {
                add("a")
                other.exec(backend.dialogue.slowStatement)
            }
        }
        awaitSlowStatement(other)
        running.cancelAndJoin()
        assertTrue(running.isCancelled)
        assertSlowStatementIsGone()
        assertEquals(0, other.pool.inUse)
        assertEquals(session, sessionOf(other))
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `cancelled between statements - rolled back, the connection kept (finaliser)`(): Unit = oneConnection { other ->
        val session = sessionOf(other)
        val written = CompletableDeferred<Unit>()
        val running = launch {
            transaction {
                add("a")
                written.complete(Unit)
                awaitCancellation()
            }
        }
        written.await()
        running.cancelAndJoin()
        assertEquals("ROLLBACK", sent.last { !it.startsWith("SELECT") })
        assertEquals(session, sessionOf(other))
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `a nested block that is cancelled alone leaves the transaction usable`(): Unit = oneConnection {
        transaction {
            add("a")
            val nested = launch {
                transaction {
                    add("b")
                    it.database.exec(backend.dialogue.slowStatement)
                }
            }
            while (sent.none { statement -> statement.startsWith("SAVEPOINT") }) delay(1)
            delay(20)
            nested.cancelAndJoin()
            add("c")
        }
        assertEquals(listOf("a", "c"), keys())
    }

    @Test
    public fun `a timeout around a transaction rolls it back (N12)`(): Unit = oneConnection { other ->
        val session = sessionOf(other)
        val outcome = withTimeoutOrNull(200.milliseconds) {
            transaction {
                add("a")
                other.exec(backend.dialogue.slowStatement)
            }
        }
        assertNull(outcome)
        assertSlowStatementIsGone()
        assertEquals(session, sessionOf(other))
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `a statement that outlives the database's timeout is stopped on the server and fails as such`(): Unit = runBlocking {
        open {
            pool { max = 1 }
            statementTimeout = 200.milliseconds
        }.use { other ->
            val session = sessionOf(other)
            val error = assertFails<QueryTimeoutException> { other.exec(backend.dialogue.slowStatement) }
            assertEquals(backend.dialogue.slowStatement, error.sql)
            assertSlowStatementIsGone()
            assertEquals(session, sessionOf(other))
            assertEquals(0, other.pool.inUse)
        }
    }

    @Test
    public fun `a timeout for one call wins over the database's, and an infinite one switches it off`(): Unit = runBlocking {
        open {
            pool { max = 1 }
            statementTimeout = 200.milliseconds
        }.use { other ->
            assertNull(withTimeoutOrNull(600.milliseconds) { withStatementTimeout(Duration.INFINITE) { other.exec(backend.dialogue.slowStatement) } })
            assertSlowStatementIsGone()
        }
        oneConnection { other ->
            assertFails<QueryTimeoutException> { withStatementTimeout(100.milliseconds) { other.exec(backend.dialogue.slowStatement) } }
            assertEquals(5, (other.exec("SELECT 5").scalar() as Number).toInt())
        }
    }

    @Test
    public fun `a statement timeout inside a transaction rolls it back and keeps the connection`(): Unit = oneConnection { other ->
        val session = sessionOf(other)
        assertFails<QueryTimeoutException> {
            withStatementTimeout(100.milliseconds) {
                transaction {
                    add("a")
                    other.exec(backend.dialogue.slowStatement)
                }
            }
        }
        assertSlowStatementIsGone()
        assertEquals(session, sessionOf(other))
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `a statement timeout is more than zero`(): Unit = test {
        assertFails<IllegalArgumentException> { withStatementTimeout(Duration.ZERO) {} }
        assertFails<ConfigurationException> { Database.open(url) { statementTimeout = (-1).milliseconds } }
    }

    @Test
    public fun `cancelling a pinned connection gives it back in order`(): Unit = oneConnection { other ->
        val session = sessionOf(other)
        val running = launch { other.connection { other.exec(backend.dialogue.slowStatement) } }
        awaitSlowStatement(other)
        running.cancelAndJoin()
        assertEquals(session, sessionOf(other))
    }

    @Test
    public fun `a child's failure cancels its siblings' statement and rolls back`(): Unit = oneConnection { other ->
        class Stop : RuntimeException()
        assertFails<Stop> {
            transaction {
                add("a")
                launch { other.exec(backend.dialogue.slowStatement) }
                launch {
                    delay(50)
                    throw Stop()
                }
            }
        }
        assertSlowStatementIsGone()
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `a statement is never sent for a caller that is cancelled already`(): Unit = test {
        val cancelled = Job().apply { cancel() }
        val before = sent.size
        assertFails<CancellationException> { withContext(cancelled) { add("a") } }
        assertEquals(0, sent.drop(before).count { it.startsWith("INSERT") })
    }

    @Test
    public fun `a late cancel never hits the next statement (U2)`(): Unit = oneConnection { other ->
        val session = sessionOf(other)
        seeded { random ->
            repeat(150) { number ->
                val answer: Deferred<Any?> = async(Dispatchers.Default) { other.exec("SELECT $number").scalar() }
                if (random.nextBoolean()) delay(random.nextInt(300).microseconds)
                answer.cancelAndJoin()
                assertEquals(number, (other.exec("SELECT $number").scalar() as Number).toInt())
            }
        }
        assertEquals(session, sessionOf(other))
    }

    @Test
    public fun `a storm of cancels leaks nothing, and every transaction is whole or absent (N1)`(): Unit = test {
        seeded { random ->
            val committed = AtomicInteger()
            val work = (1..200).map { number ->
                val patience = random.nextInt(8_000).microseconds
                val fails = random.nextInt(10) == 0
                launch(Dispatchers.Default) {
                    val job = launch {
                        runCatching {
                            transaction {
                                add("first$number")
                                if (number % 4 == 0) runCatching { transaction { add("first$number") } }
                                add("second$number")
                                check(!fails)
                            }
                            committed.incrementAndGet()
                        }.onFailure { if (it !is CancellationException && it !is IllegalStateException) throw it }
                    }
                    delay(patience)
                    job.cancel()
                    job.join()
                }
            }
            work.joinAll()
            assertEquals(0, db.pool.inUse)
            val stored = keys()
            val first = stored.filter { it.startsWith("first") }.map { it.removePrefix("first") }.toSet()
            val second = stored.filter { it.startsWith("second") }.map { it.removePrefix("second") }.toSet()
            assertEquals(first, second)
            assertTrue(first.size >= committed.get(), "${first.size} stored, ${committed.get()} reported")
        }
    }

    @Test
    public fun `random work with errors and cancels leaves the pool whole (P19)`(): Unit = test {
        seeded { random ->
            val work = (1..150).map { number ->
                val kind = random.nextInt(5)
                val patience = random.nextInt(20).milliseconds
                async(Dispatchers.Default) {
                    withTimeoutOrNull(patience) {
                        when (kind) {
                            0 -> allowingDeadlock { Page.getOrCreate({ key = "shared${number % 3}" }) }
                            1 -> runCatching { db.exec("SELEKT 1") }.onFailure { if (it is CancellationException) throw it }
                            2 -> Pages.selectAll().toList()
                            3 -> allowingDeadlock { transaction { Page.getOrCreate({ key = "shared${number % 3}" }); add("own$number") } }
                            else -> db.connection { repeat(3) { assertEquals(number, (db.exec("SELECT $number").scalar() as Number).toInt()) } }
                        }
                    }
                }
            }
            work.forEach { it.await() }
            assertEquals(0, db.pool.inUse)
            assertEquals(0, db.pool.waiting)
            assertTrue(db.pool.idle <= db.pool.max)
        }
    }

    /** Those who insert one row at the same time may be a deadlock to the database, as InnoDB's locks of unique keys are. */
    private suspend fun allowingDeadlock(block: suspend () -> Unit) {
        try {
            block()
        } catch (_: DeadlockException) {
        }
    }
}
