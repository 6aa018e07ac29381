package dev.kormorant.test.conformance

import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.PoolTimeoutException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.Retry
import dev.kormorant.TransactionOptions
import dev.kormorant.test.FaultProxy
import dev.kormorant.test.FaultProxy.Direction
import dev.kormorant.transaction
import dev.kormorant.withStatementTimeout
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration
import kotlin.time.Duration.Companion.ZERO
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What a timeout of a transaction or a call bounds, here and on the server. */
public abstract class DeadlineSuite(backend: Backend) : Suite(backend, Pages) {
    private fun <T> single(block: suspend CoroutineScope.(Database) -> T): T = runBlocking {
        needs(can.shared, "second Database on the same data")
        open { pool { max = 1; acquireTimeout = GUARD }; transactionWaitTimeout = GUARD }.use { other -> withContext(other) { block(other) } }
    }

    private suspend fun sessionOf(database: Database): Any? = backend.dialogue.sessionId?.let { database.exec(it).scalar() }

    @Test
    public fun `a statement is stopped when the time of its transaction is up, and the connection kept (U3)`(): Unit = single { other ->
        val session = sessionOf(other)
        assertFails<QueryTimeoutException> {
            transaction(timeout = 200.milliseconds) {
                addPages("a")
                other.exec(backend.dialogue.slowStatement)
            }
        }
        assertEquals(session, sessionOf(other))
        assertEquals(emptyList<String>(), pageKeys())
    }

    @Test
    public fun `nothing of a transaction happens after its time (U3)`(): Unit = test {
        for (nested in listOf(false, true)) {
            assertFails<QueryTimeoutException> {
                transaction(timeout = 100.milliseconds) {
                    runCatching { addPages("a") }
                    delay(150)
                    if (nested) transaction(timeout = 100.seconds) { addPages("b") }
                }
            }
        }
        assertFails<QueryTimeoutException> {
            transaction {
                addPages("outer")
                transaction(timeout = 50.milliseconds) { runCatching { addPages("inner") }; delay(100) }
            }
        }
        assertEquals(emptyList<String>(), pageKeys())
        assertEquals(1, transaction(timeout = GUARD) { addPages("in time"); 1 })
        assertEquals(listOf("in time"), pageKeys())
    }

    @Test
    public fun `the wait for a connection is no longer than the time of the transaction or the call (U3, P6)`(): Unit = single { other ->
        val taken = CompletableDeferred<Unit>()
        val go = CompletableDeferred<Unit>()
        val holder = launch(Dispatchers.Default) {
            transaction {
                addPages("held")
                taken.complete(Unit)
                go.await()
            }
        }
        taken.await()
        withoutHang("the waits") {
            assertFails<PoolTimeoutException> { transaction(timeout = 20.milliseconds) { addPages("never") } }
            assertFails<PoolTimeoutException> { withStatementTimeout(20.milliseconds) { addPages("never") } }
            assertFails<PoolTimeoutException> {
                transaction(retry = Retry(), timeout = 20.milliseconds) { addPages("never") }
            }
        }
        go.complete(Unit)
        holder.join()
        assertEquals(listOf("held"), pageKeys())
        assertEquals(0, other.pool.waiting)
    }

    @Test
    public fun `the wait for a turn is no longer than the time of the transaction (U3)`(): Unit = single {
        withoutHang("the wait") {
            assertFails<QueryTimeoutException> {
                transaction(timeout = 200.milliseconds) {
                    runCatching { addPages("a") }
                    val opened = CompletableDeferred<Unit>()
                    val over = CompletableDeferred<Unit>()
                    val nested = launch { transaction { runCatching { addPages("nested") }; opened.complete(Unit); over.await() } }
                    opened.await()
                    try {
                        addPages("sibling")
                    } finally {
                        nested.cancelAndJoin()
                    }
                }
            }
        }
    }

    @Test
    public fun `the timeout of a statement in a transaction, and of one call in it, are told and leave the session as it was (U3)`(): Unit = single { other ->
        val question = backend.dialogue.timeouts
        needs(question != null, "timeouts to ask for")
        val before = other.exec(question!!).rows
        transaction(TransactionOptions(statementTimeout = 30.seconds)) {
            assertTrue(other.exec(question).rows != before)
            withStatementTimeout(20.seconds) { assertTrue(other.exec(question).rows != before) }
            assertTrue(other.exec(question).rows != before)
        }
        transaction { withStatementTimeout(20.seconds) { other.exec(question) }; assertEquals(before, other.exec(question).rows) }
        withStatementTimeout(20.seconds) { other.exec(question) }
        assertEquals(before, other.exec(question).rows)
    }

    @Test
    public fun `a statement that was refused before it was sent leaves no timeout of another one behind (U3)`(): Unit = single { other ->
        val question = backend.dialogue.timeouts
        needs(question != null, "timeouts to ask for")
        val before = other.exec(question!!).rows
        transaction {
            withStatementTimeout(20.seconds) { other.exec(question) }
            assertFails<IllegalArgumentException> { other.exec("SELECT ?") }
            assertEquals(before, other.exec(question).rows)
        }
    }

    @Test
    public fun `a timeout holds for statements of every kind, DDL too (U3)`(): Unit = single { other ->
        withStatementTimeout(GUARD) {
            other.exec("CREATE TABLE limited (id INTEGER PRIMARY KEY)")
            assertEquals(1, other.exec("INSERT INTO limited (id) VALUES (?)", 1).affected)
            assertEquals(1, other.exec("UPDATE limited SET id = ?", 2).affected)
            assertEquals(2, (other.exec("SELECT id FROM limited").scalar() as Number).toInt())
            transaction { other.exec("SELECT id FROM limited") }
            assertEquals(1, other.exec("DELETE FROM limited").affected)
            other.exec("DROP TABLE limited")
            if (backend.product == "PostgreSQL") other.exec("VACUUM")
        }
    }

    @Test
    public fun `a timeout may be as long as can be (U3)`(): Unit = test {
        for (time in listOf(Duration.INFINITE, (1_000_000 * 365).days)) {
            withStatementTimeout(time) { addPages("a $time") }
            transaction(TransactionOptions(timeout = time, statementTimeout = time)) { addPages("b $time") }
            transaction { withStatementTimeout(time) { addPages("c $time") } }
        }
        assertEquals(6, pageKeys().size)
    }

    @Test
    public fun `the server ends a statement whose client is gone, when its time is up (U3)`(): Unit = runBlocking {
        val sleeping = backend.dialogue.sleeping
        needs(sleeping != null && backend.server != null, "server")
        for (transactional in listOf(true, false)) {
            FaultProxy(backend.server!!.host, backend.server!!.port).use { proxy ->
                val other = Database.open(proxy.instead(url.substringBefore('?') + "?sslmode=disable")) { cancelTimeout = 1.seconds }
                val forever = backend.dialogue.slowStatement.replace("60", "6000")
                val running = async(Dispatchers.Default + other) {
                    runCatching {
                        if (transactional) {
                            transaction(timeout = 3.seconds) { other.exec(forever) }
                        } else {
                            withStatementTimeout(3.seconds) { other.exec(forever) }
                        }
                    }
                }
                eventually("the server runs it") { (db.exec(sleeping!!).scalar() as Number).toInt() == 1 || running.isCompleted }
                for (direction in Direction.entries) proxy.drop(direction)
                proxy.refuse()
                eventually("the server has ended it") { (db.exec(sleeping!!).scalar() as Number).toInt() == 0 }
                val error = running.await().exceptionOrNull()
                assertTrue(error is QueryTimeoutException || error is ConnectionException, "$error")
                other.close(ZERO)
            }
        }
    }

    @Test
    public fun `BEGIN and its settings travel with the first statement, where the wire is safe for that`(): Unit = runBlocking {
        val question = backend.dialogue.sessionsInTransaction
        needs(can.transactionIds && question != null, "wire on which a statement is skipped when the one before it has failed")
        FaultProxy(backend.server!!.host, backend.server!!.port).use { proxy ->
            val other = Database.open(proxy.instead(url.substringBefore('?') + "?sslmode=disable"))
            withContext(other) {
                addPages("warm")
                transaction { addPages("warm too") }
                // The server's answers are lost, so all that it runs has come in one go.
                proxy.drop(Direction.TO_CLIENT)
                val running = launch(Dispatchers.Default + other) { runCatching { transaction(timeout = GUARD) { transaction { addPages("one") } } } }
                eventually("the server has run it") {
                    val sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND query LIKE 'INSERT%'"
                    (db.exec(sql).scalar() as Number).toInt() == 1
                }
                proxy.close()
                running.join()
            }
            other.close(ZERO)
        }
    }
}
