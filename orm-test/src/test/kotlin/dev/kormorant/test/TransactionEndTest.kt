package dev.kormorant.test

import dev.kormorant.CommitOutcomeUnknownException
import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionEvent
import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.DatabaseConfig
import dev.kormorant.DatabaseException
import dev.kormorant.DatabaseListener
import dev.kormorant.ErrorDetails
import dev.kormorant.Propagation
import dev.kormorant.TransactionAbortedException
import dev.kormorant.TransactionClosedException
import dev.kormorant.connection
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How transactions begin, end and share their connection, down to the statements sent. */
@Timeout(60)
class TransactionEndTest {
    private class Stop : RuntimeException("stop")

    private val script = ScriptedDriver()

    private fun test(configure: DatabaseConfig.() -> Unit = {}, block: suspend CoroutineScope.(Database) -> Unit) = runBlocking {
        script.open(configure).use { db ->
            withContext(db) { block(db) }
            script.assertAllReturned(db)
        }
    }

    private suspend inline fun <reified T : Throwable> fails(noinline block: suspend () -> Unit): T {
        val error = runCatching { block() }.exceptionOrNull()
        assertTrue(error is T, "$error")
        return error as T
    }

    private fun assertSent(vararg statements: String) = assertEquals(statements.asList(), script.sent)

    // ---- The rows of the table

    @Test
    fun `returned - COMMIT, and the value`() = test { db ->
        assertEquals(7, db.transaction { db.exec("A"); 7 })
        assertSent("BEGIN", "A", "COMMIT")
    }

    @Test
    fun `returned although an error was swallowed - ROLLBACK, and TransactionAbortedException with its cause`() = test { db ->
        script.refuse("BAD")
        val error = fails<TransactionAbortedException> { db.transaction { runCatching { db.exec("BAD") } } }
        assertTrue(error.cause is DatabaseException)
        assertSent("BEGIN", "BAD", "ROLLBACK")
    }

    @Test
    fun `returned, rollback-only - ROLLBACK, and the value`() = test { db ->
        assertEquals(7, db.transaction { db.exec("A"); it.setRollbackOnly(); 7 })
        assertSent("BEGIN", "A", "ROLLBACK")
    }

    @Test
    fun `threw - ROLLBACK, and the original`() = test { db ->
        val stop = Stop()
        assertSame(stop, fails<Stop> { db.transaction { db.exec("A"); throw stop } })
        assertSent("BEGIN", "A", "ROLLBACK")
    }

    @Test
    fun `threw and the ROLLBACK failed - it is suppressed into the original, and the connection closed`() = test { db ->
        script.refuse("ROLLBACK")
        val stop = fails<Stop> { db.transaction { db.exec("A"); throw Stop() } }
        assertTrue(stop.suppressed.single() is DatabaseException)
        assertEquals(1, script.closed)
    }

    @Test
    fun `cancelled between statements - ROLLBACK, out of reach of the cancellation`() = test { db ->
        val reached = CompletableDeferred<Unit>()
        val answer = CompletableDeferred<Unit>()
        script.on("ROLLBACK") {
            reached.complete(Unit)
            answer.await()
            ScriptedDriver.affected(0)
        }
        val job = launch { db.transaction { db.exec("A"); awaitCancellation() } }
        while (script.sent.size < 2) yield()
        job.cancel()
        reached.await()
        answer.complete(Unit)
        job.join()
        assertSent("BEGIN", "A", "ROLLBACK")
        assertEquals(0, script.closed)
    }

    @Test
    fun `cancelled with a statement running - cancelled on the server, ROLLBACK, the connection kept`() = test { db ->
        script.neverAnswer("SLOW")
        val job = launch(start = CoroutineStart.UNDISPATCHED) { db.transaction { db.exec("SLOW") } }
        while ("SLOW" !in script.sent) yield()
        job.cancelAndJoin()
        assertSent("BEGIN", "SLOW", "CANCEL", "ROLLBACK")
        assertEquals(0, script.closed)
        db.exec("NEXT")
        assertEquals(1, script.opened)
    }

    @Test
    fun `cancelled and the server does not answer the cancel - the connection is closed after the cancel timeout`() = test({ cancelTimeout = 50.milliseconds }) { db ->
        script.neverAnswer("SLOW")
        script.answersCancel = false
        val job = launch { db.transaction { db.exec("SLOW") } }
        while ("SLOW" !in script.sent) yield()
        job.cancelAndJoin()
        assertSent("BEGIN", "SLOW", "CANCEL")
        assertEquals(1, script.closed)
    }

    @Test
    fun `cancelled and the server does not answer the ROLLBACK - the connection is closed after the cancel timeout`() = test({ cancelTimeout = 50.milliseconds }) { db ->
        script.neverAnswer("ROLLBACK")
        fails<Stop> { db.transaction { db.exec("A"); throw Stop() } }
        assertEquals(1, script.closed)
    }

    @Test
    fun `link lost during COMMIT - closed, and CommitOutcomeUnknownException`() = test { db ->
        script.loseLink("COMMIT")
        val error = fails<CommitOutcomeUnknownException> { db.transaction { db.exec("A") } }
        assertTrue(error.connectionLost && error.cause is ConnectionException)
        assertTrue(error.hint != null && "TransactionEndTest.kt" in error.problem, error.problem)
        assertSent("BEGIN", "A", "COMMIT")
        assertEquals(1, script.closed)
    }

    @Test
    fun `a COMMIT that is never answered - closed, and CommitOutcomeUnknownException`() = test({ cancelTimeout = 50.milliseconds }) { db ->
        script.neverAnswer("COMMIT")
        assertTrue(fails<CommitOutcomeUnknownException> { db.transaction { db.exec("A") } }.cause is ConnectionException)
        assertEquals(1, script.closed)
    }

    @Test
    fun `a RELEASE that is never answered is a lost link, and the transaction around it is rolled back`() = test({ cancelTimeout = 50.milliseconds }) { db ->
        script.neverAnswer("RELEASE")
        fails<TransactionAbortedException> {
            db.transaction {
                db.exec("A")
                fails<ConnectionException> { db.transaction { db.exec("B") } }
            }
        }
        assertEquals(1, script.closed)
    }

    // ---- Errors at the ends

    @Test
    fun `a refused BEGIN is thrown, and the connection goes back as it was`() = test { db ->
        script.refuse("BEGIN")
        fails<DatabaseException> { db.transaction { db.exec("A") } }
        assertSent("BEGIN")
        assertEquals(0, script.closed)
    }

    @Test
    fun `a BEGIN refused behind a setting for it closes the connection, whose next transaction would have the setting`() = runBlocking {
        val script = ScriptedDriver(begin = listOf("SET TRANSACTION", "BEGIN"))
        script.refuse("BEGIN")
        script.open().use { db ->
            fails<DatabaseException> { db.transaction { db.exec("A") } }
            assertEquals(listOf("SET TRANSACTION", "BEGIN"), script.sent)
            assertEquals(1, script.closed)
            script.assertAllReturned(db)
        }
    }

    @Test
    fun `a link lost in BEGIN is a connection error, and the next transaction has another`() = test { db ->
        script.loseLink("BEGIN")
        fails<ConnectionException> { db.transaction { db.exec("A") } }
        assertEquals(1, script.closed)
        script.on("BEGIN") { ScriptedDriver.affected(0) }
        db.transaction { db.exec("A") }
        assertEquals(2, script.opened)
    }

    @Test
    fun `a refused COMMIT is followed by ROLLBACK, and the error is the original`() = test { db ->
        script.refuse("COMMIT")
        val error = fails<DatabaseException> { db.transaction { db.exec("A") } }
        assertEquals("COMMIT", error.sql)
        assertSent("BEGIN", "A", "COMMIT", "ROLLBACK")
        assertEquals(0, script.closed)
    }

    @Test
    fun `a refused COMMIT and a refused ROLLBACK close the connection`() = test { db ->
        script.refuse("COMMIT")
        script.refuse("ROLLBACK")
        val error = fails<DatabaseException> { db.transaction { db.exec("A") } }
        assertEquals("COMMIT", error.sql)
        assertEquals("ROLLBACK", (error.suppressed.single() as DatabaseException).sql)
        assertEquals(1, script.closed)
    }

    @Test
    fun `a refused SAVEPOINT undoes the nested block only`() = test { db ->
        script.refuse("SAVEPOINT")
        fails<TransactionAbortedException> {
            db.transaction {
                db.exec("A")
                fails<DatabaseException> { db.transaction { db.exec("B") } }
            }
        }
        assertEquals(listOf("BEGIN", "A", "SAVEPOINT", "ROLLBACK"), script.sent.map { it.substringBefore(' ') })
    }

    @Test
    fun `a refused RELEASE is followed by ROLLBACK TO, and the error is the original`() = test { db ->
        var refused = 0
        script.on("RELEASE") { if (refused++ == 0) throw DatabaseException("Refused.", null, ErrorDetails(sql = it.sql), null) else ScriptedDriver.affected(0) }
        db.transaction {
            db.exec("A")
            assertTrue(fails<DatabaseException> { db.transaction { db.exec("B") } }.sql!!.startsWith("RELEASE"))
            db.exec("C")
        }
        assertSent(
            "BEGIN", "A", "SAVEPOINT \"s1\"", "B", "RELEASE SAVEPOINT \"s1\"",
            "ROLLBACK TO SAVEPOINT \"s1\"", "RELEASE SAVEPOINT \"s1\"", "C", "COMMIT",
        )
    }

    @Test
    fun `a cancellation during COMMIT waits for its answer and sends no ROLLBACK`() = test { db ->
        val committing = CompletableDeferred<Unit>()
        val answer = CompletableDeferred<Unit>()
        script.on("COMMIT") {
            committing.complete(Unit)
            answer.await()
            ScriptedDriver.affected(0)
        }
        val job = launch { db.transaction { db.exec("A") } }
        committing.await()
        job.cancel()
        answer.complete(Unit)
        job.join()
        assertSent("BEGIN", "A", "COMMIT")
        assertEquals(0, script.closed)
    }

    // ---- Nothing to do

    @Test
    fun `a transaction without statements sends nothing and takes no connection`() = test { db ->
        db.exec("A")
        db.transaction { assertEquals(0, db.pool.inUse) }
        db.transaction { db.transaction { } }
        fails<Stop> { db.transaction { throw Stop() } }
        db.transaction { it.setRollbackOnly() }
        assertSent("A")
    }

    @Test
    fun `a level that runs no statement has no savepoint`() = test { db ->
        db.transaction {
            db.exec("A")
            db.transaction { }
            db.transaction { db.transaction { db.exec("B") } }
        }
        assertEquals(listOf("BEGIN", "A", "SAVEPOINT", "SAVEPOINT", "B", "RELEASE", "RELEASE", "COMMIT"), script.sent.map { it.substringBefore(' ') })
    }

    // ---- afterCommit

    @Test
    fun `afterCommit runs once after the outermost COMMIT, outside the transaction`() = test { db ->
        val seen = ArrayList<String>()
        db.transaction { outer ->
            outer.afterCommit { seen += "outer after ${script.sent.last()}, in use ${db.pool.inUse}" }
            db.transaction { inner ->
                db.exec("A")
                inner.afterCommit { seen += "inner" }
            }
            assertTrue(seen.isEmpty())
        }
        assertEquals(listOf("outer after COMMIT, in use 0", "inner"), seen)
    }

    @Test
    fun `afterCommit never runs after a rollback or a COMMIT that failed`() = test { db ->
        var ran = 0
        fails<Stop> { db.transaction { it.afterCommit { ran++ }; db.exec("A"); throw Stop() } }
        db.transaction { it.afterCommit { ran++ }; db.exec("A"); it.setRollbackOnly() }
        db.transaction {
            db.exec("A")
            runCatching { db.transaction { inner -> inner.afterCommit { ran++ }; db.exec("B"); throw Stop() } }
        }
        script.refuse("COMMIT")
        fails<DatabaseException> { db.transaction { it.afterCommit { ran++ }; db.exec("A") } }
        script.loseLink("COMMIT")
        fails<CommitOutcomeUnknownException> { db.transaction { it.afterCommit { ran++ }; db.exec("A") } }
        assertEquals(0, ran)
    }

    // ---- Turns

    @Test
    fun `a sibling's statement waits while a nested level is open`() = test { db ->
        db.transaction {
            db.exec("FIRST")
            val opened = CompletableDeferred<Unit>()
            val go = CompletableDeferred<Unit>()
            val nested = launch {
                db.transaction {
                    db.exec("NESTED 1")
                    opened.complete(Unit)
                    go.await()
                    db.exec("NESTED 2")
                }
            }
            opened.await()
            val sibling = launch(start = CoroutineStart.UNDISPATCHED) { db.exec("SIBLING") }
            assertTrue("SIBLING" !in script.sent)
            go.complete(Unit)
            nested.join()
            sibling.join()
        }
        assertEquals(listOf("BEGIN", "FIRST", "SAVEPOINT", "NESTED", "NESTED", "RELEASE", "SIBLING", "COMMIT"), script.sent.map { it.substringBefore(' ') })
    }

    @Test
    fun `statements of children are sent in the order they came`() = test { db ->
        val gate = CompletableDeferred<Unit>()
        script.on("FIRST") {
            gate.await()
            ScriptedDriver.affected(0)
        }
        db.transaction {
            launch(start = CoroutineStart.UNDISPATCHED) { db.exec("FIRST") }
            repeat(5) { number -> launch(start = CoroutineStart.UNDISPATCHED) { db.exec("CHILD $number") } }
            gate.complete(Unit)
        }
        assertSent("BEGIN", "FIRST", "CHILD 0", "CHILD 1", "CHILD 2", "CHILD 3", "CHILD 4", "COMMIT")
    }

    @Test
    fun `a wait for a turn that never comes is a ConnectionBusyException that names the nested block`() = test({ transactionWaitTimeout = 100.milliseconds }) { db ->
        val error = fails<ConnectionBusyException> {
            db.transaction {
                db.exec("FIRST")
                val sibling = CompletableDeferred<Unit>()
                val opened = CompletableDeferred<Unit>()
                launch {
                    db.transaction {
                        db.exec("NESTED")
                        opened.complete(Unit)
                        sibling.await()
                    }
                }
                opened.await()
                db.exec("SIBLING")
                sibling.complete(Unit)
            }
        }
        assertTrue("TransactionEndTest.kt" in error.problem && "TransactionEndTest.kt" in error.hint!!, "$error")
        assertTrue("SIBLING" !in script.sent)
        assertEquals("ROLLBACK", script.sent.last())
    }

    @Test
    fun `a waiter that is cancelled leaves the queue`() = test { db ->
        val gate = CompletableDeferred<Unit>()
        script.on("FIRST") {
            gate.await()
            ScriptedDriver.affected(0)
        }
        db.transaction {
            val first = launch(start = CoroutineStart.UNDISPATCHED) { db.exec("FIRST") }
            val waiting = launch(start = CoroutineStart.UNDISPATCHED) { db.exec("CANCELLED") }
            waiting.cancelAndJoin()
            gate.complete(Unit)
            first.join()
            db.exec("LAST")
        }
        assertSent("BEGIN", "FIRST", "LAST", "COMMIT")
    }

    @Test
    fun `REQUIRES_NEW has a connection of its own`() = test { db ->
        db.transaction {
            db.exec("OUTER")
            db.transaction(propagation = Propagation.REQUIRES_NEW) { db.exec("INNER") }
            db.exec("OUTER")
        }
        assertEquals(listOf(1, 1, 2, 2, 2, 1, 1), script.received.map { it.connection })
    }

    // ---- Use after the end

    @Test
    fun `a statement after the end is a TransactionClosedException and is not sent`() = test { db ->
        lateinit var leaked: CoroutineContext
        db.transaction {
            db.exec("A")
            leaked = currentCoroutineContext().minusKey(Job)
        }
        val error = fails<TransactionClosedException> { withContext(leaked) { db.exec("LATE") } }
        assertTrue("TransactionEndTest.kt" in error.problem)
        fails<TransactionClosedException> { withContext(leaked) { db.transaction { db.exec("LATE") } } }
        assertSent("BEGIN", "A", "COMMIT")
    }

    @Test
    fun `a statement that waits when the transaction ends is a TransactionClosedException`() = test { db ->
        val gate = CompletableDeferred<Unit>()
        script.on("COMMIT") {
            gate.await()
            ScriptedDriver.affected(0)
        }
        coroutineScope {
            lateinit var late: Deferred<Throwable?>
            val outer = this
            launch {
                db.transaction {
                    db.exec("A")
                    val context = currentCoroutineContext().minusKey(Job)
                    outer.launch {
                        while (script.sent.last() != "COMMIT") yield()
                        late = outer.async(context) { runCatching { db.exec("LATE") }.exceptionOrNull() }
                        yield()
                        gate.complete(Unit)
                        assertTrue(late.await() is TransactionClosedException, "${late.await()}")
                    }
                }
            }
        }
        assertSent("BEGIN", "A", "COMMIT")
    }

    @Test
    fun `the end of a block waits for a late statement for the cancel timeout, not for that of a turn`() =
        test({ transactionWaitTimeout = 20.milliseconds; cancelTimeout = 60.seconds }) { db ->
            val gate = CompletableDeferred<Unit>()
            script.on("LATE") {
                gate.await()
                ScriptedDriver.affected(0)
            }
            val outer = this
            db.transaction {
                db.exec("A")
                db.transaction {
                    outer.launch(currentCoroutineContext().minusKey(Job)) { db.exec("LATE") }
                    while (script.sent.last() != "LATE") yield()
                    outer.launch { delay(200.milliseconds); gate.complete(Unit) }
                }
            }
            assertSent("BEGIN", "A", "SAVEPOINT \"s1\"", "LATE", "RELEASE SAVEPOINT \"s1\"", "COMMIT")
        }

    // ---- Pinned connections

    @Test
    fun `a pinned connection left in a transaction is not kept`() = test { db ->
        db.connection { db.exec("BEGIN") }
        db.exec("NEXT")
        assertEquals(2, script.opened)
        assertEquals(1, script.closed)
    }

    // ---- The driver itself

    @Test
    fun `a listener that throws costs no connection`() = runBlocking {
        var faulty: Class<*>? = null
        val listener = object : DatabaseListener {
            override fun onConnection(event: ConnectionEvent) {
                if (event.javaClass == faulty) throw Stop()
            }
        }
        script.open { listener(listener); pool { max = 1 } }.use { db ->
            faulty = ConnectionEvent.Opened::class.java
            fails<Stop> { db.exec("A") }
            assertEquals(script.opened, script.closed)
            faulty = ConnectionEvent.Acquired::class.java
            fails<Stop> { db.exec("A") }
            fails<Stop> { db.transaction { db.exec("A") } }
            faulty = ConnectionEvent.Released::class.java
            fails<Stop> { db.exec("A") }
            fails<Stop> { db.transaction { db.exec("A") } }
            faulty = null
            db.exec("A")
            script.assertAllReturned(db)
        }
    }

    @Test
    fun `a connection that is not given back is told with the stack of its last statement`() = runBlocking {
        script.open().use { db ->
            val error = runCatching { db.connection { db.exec("HELD"); script.assertAllReturned(db) } }.exceptionOrNull()
            assertTrue(error is AssertionError && "HELD" in error.message!!, "$error")
            assertTrue("TransactionEndTest" in checkNotNull(error).stackTraceToString().substringAfter("Caused by"))
            script.assertAllReturned(db)
        }
    }

    @Test
    fun `answers are those of the last rule for the beginning of the statement`() = test { db ->
        script.on("SELECT") { ScriptedDriver.rows(listOf("a", "b"), listOf(1, "x"), listOf(2, null)) }
        script.on("SELECT 2") { ScriptedDriver.rows(listOf("n"), listOf(it.values.single())) }
        assertEquals(listOf(mapOf("a" to 1, "b" to "x"), mapOf("a" to 2, "b" to null)), db.exec("SELECT 1").rows)
        assertEquals(5, db.exec("SELECT 2", 5).scalar())
        assertEquals(0, db.exec("OTHER").affected)
        assertEquals(listOf(listOf(), listOf<Any?>(5), listOf()), script.received.map { it.values })
    }
}
