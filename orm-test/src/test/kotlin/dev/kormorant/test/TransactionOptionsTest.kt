package dev.kormorant.test

import dev.kormorant.Children
import dev.kormorant.CommitOutcomeUnknownException
import dev.kormorant.ConnectionBusyException
import dev.kormorant.Database
import dev.kormorant.DatabaseConfig
import dev.kormorant.DatabaseException
import dev.kormorant.DatabaseListener
import dev.kormorant.DeadlockException
import dev.kormorant.ErrorDetails
import dev.kormorant.Propagation
import dev.kormorant.QueryTimeoutException
import dev.kormorant.Retry
import dev.kormorant.SerializationException
import dev.kormorant.TransactionAbortedException
import dev.kormorant.TransactionClosedException
import dev.kormorant.TransactionEvent
import dev.kormorant.TransactionOptions
import dev.kormorant.begin
import dev.kormorant.independent
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** What transactions by hand, options, children and retries send, down to the statement. */
@Timeout(60)
class TransactionOptionsTest {
    private class Stop : RuntimeException("stop")

    private val script = ScriptedDriver()
    private val events = CopyOnWriteArrayList<TransactionEvent>()

    private fun test(configure: DatabaseConfig.() -> Unit = {}, block: suspend CoroutineScope.(Database) -> Unit) = runBlocking {
        val listener = object : DatabaseListener {
            override fun onTransaction(event: TransactionEvent) {
                events += event
            }
        }
        script.open { listener(listener); configure() }.use { db ->
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

    private fun told() = events.map { "${it.kind} ${it.attempt}" }

    private fun conflict() = SerializationException("Lost against another one.", ErrorDetails("40001"), null)

    // ---- commit and rollback

    @Test
    fun `commit and rollback send the end at once and the begin with the next statement`() = test { db ->
        db.transaction { tx ->
            db.exec("A")
            tx.commit()
            tx.commit()
            db.exec("B")
            tx.rollback()
            db.exec("C")
        }
        assertSent("BEGIN", "A", "COMMIT", "BEGIN", "B", "ROLLBACK", "BEGIN", "C", "COMMIT")
        assertEquals(1, script.opened)
    }

    @Test
    fun `commit and rollback of a nested level are RELEASE and ROLLBACK TO`() = test { db ->
        db.transaction {
            db.transaction { inner ->
                db.exec("A")
                inner.commit()
                db.exec("B")
                inner.rollback()
            }
        }
        assertSent(
            "BEGIN", "SAVEPOINT \"s1\"", "A", "RELEASE SAVEPOINT \"s1\"", "SAVEPOINT \"s1\"", "B",
            "ROLLBACK TO SAVEPOINT \"s1\"", "RELEASE SAVEPOINT \"s1\"", "COMMIT",
        )
    }

    @Test
    fun `a commit that is refused ends the transaction for good`() = test { db ->
        script.refuse("COMMIT")
        fails<TransactionClosedException> {
            db.transaction { tx ->
                db.exec("A")
                fails<DatabaseException> { tx.commit() }
                assertFalse(tx.isOpen)
                db.exec("B")
            }
        }
        assertSent("BEGIN", "A", "COMMIT", "ROLLBACK")
    }

    @Test
    fun `actions of a commit that is refused never run, also if the block goes on`() = test { db ->
        script.refuse("COMMIT")
        var ran = 0
        db.transaction { tx ->
            db.exec("A")
            tx.afterCommit { ran++ }
            fails<DatabaseException> { tx.commit() }
        }
        assertEquals(0, ran)
    }

    @Test
    fun `a link lost in a commit leaves the outcome unknown, and nothing more is sent`() = test { db ->
        script.loseLink("COMMIT")
        fails<CommitOutcomeUnknownException> { db.transaction { tx -> db.exec("A"); tx.commit(); db.exec("B") } }
        assertSent("BEGIN", "A", "COMMIT")
    }

    @Test
    fun `commit waits for a nested level that is open elsewhere`() = test { db ->
        db.transaction { tx ->
            val opened = CompletableDeferred<Unit>()
            val go = CompletableDeferred<Unit>()
            launch {
                db.transaction {
                    db.exec("NESTED")
                    opened.complete(Unit)
                    go.await()
                }
            }
            opened.await()
            val committing = launch(start = CoroutineStart.UNDISPATCHED) { tx.commit() }
            assertTrue(committing.isActive)
            go.complete(Unit)
        }
        assertEquals(listOf("BEGIN", "SAVEPOINT", "NESTED", "RELEASE", "COMMIT"), script.sent.map { it.substringBefore(' ') })
    }

    // ---- By hand

    @Test
    fun `a transaction by hand that runs no statement sends nothing`() = test { db ->
        db.begin().close()
        db.begin().use { it.commit() }
        assertSent()
        assertTrue(events.isEmpty())
    }

    @Test
    fun `closing by hand rolls back, once, also when the caller is cancelled`() = test { db ->
        val tx = db.begin()
        tx { db.exec("A") }
        val job = launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                CompletableDeferred<Unit>().await()
            } finally {
                tx.close()
            }
        }
        job.cancel()
        job.join()
        tx.close()
        assertSent("BEGIN", "A", "ROLLBACK")
    }

    @Test
    fun `a forgotten one is rolled back when its owner has ended, not before`() = test { db ->
        val owner = Job()
        val tx = db.begin(TransactionOptions(), owner)
        tx { db.exec("A") }
        yield()
        assertTrue(tx.isOpen)
        owner.complete()
        while (db.pool.inUse > 0) yield()
        assertSent("BEGIN", "A", "ROLLBACK")
        assertEquals(listOf("BEGIN 1", "LEAK 1", "ROLLBACK 1"), told())
        assertTrue("TransactionOptionsTest.kt" in events[1].origin)
        fails<TransactionClosedException> { tx { db.exec("B") } }
    }

    @Test
    fun `an error of the block and one of the rollback are one`() = test { db ->
        script.refuse("ROLLBACK")
        val error = fails<Stop> { db.begin().use { db.exec("A"); throw Stop() } }
        assertTrue(error.suppressed.single() is DatabaseException)
        assertEquals(1, script.closed)
    }

    // ---- Outside

    @Test
    fun `NOT_SUPPORTED and independent use other connections, in autocommit`() = test { db ->
        db.transaction {
            db.exec("A")
            db.transaction(propagation = Propagation.NOT_SUPPORTED) { none ->
                none.afterCommit { db.exec("AFTER") }
                db.exec("B")
            }
            db.independent { db.exec("C") }
            db.exec("D")
        }
        assertSent("BEGIN", "A", "B", "AFTER", "C", "D", "COMMIT")
        assertEquals(listOf(1, 1, 2, 1, 2, 1, 1), script.received.map { it.connection })
    }

    @Test
    fun `detached children commit by themselves, failing ones send nothing`() = test { db ->
        db.transaction(TransactionOptions(children = Children.DETACH)) {
            db.exec("A")
            async { db.exec("B"); db.transaction { db.exec("C") } }.await()
        }
        db.transaction(TransactionOptions(children = Children.FAIL)) {
            db.exec("D")
            async { fails<IllegalStateException> { db.exec("NEVER") } }.await()
        }
        assertSent("BEGIN", "A", "B", "BEGIN", "C", "COMMIT", "COMMIT", "BEGIN", "D", "COMMIT")
    }

    @Test
    fun `a pool that its own blocks have used up is an error at once`() = test({ pool { max = 2 } }) { db ->
        val error = fails<ConnectionBusyException> {
            db.transaction {
                db.exec("A")
                db.transaction(propagation = Propagation.REQUIRES_NEW) {
                    db.exec("B")
                    db.transaction(propagation = Propagation.REQUIRES_NEW) { db.exec("C") }
                }
            }
        }
        assertTrue("2 connections" in error.problem, error.problem)
        assertSent("BEGIN", "A", "BEGIN", "B", "ROLLBACK", "ROLLBACK")
    }

    // ---- Retry

    @Test
    fun `an attempt is a transaction of its own, on a connection of its own`() = test { db ->
        db.transaction(retry = Retry(backoff = 1.milliseconds)) { tx ->
            db.exec("A${tx.attempt}")
            if (tx.attempt < 3) throw conflict()
        }
        assertSent("BEGIN", "A1", "ROLLBACK", "BEGIN", "A2", "ROLLBACK", "BEGIN", "A3", "COMMIT")
        assertEquals(listOf("BEGIN 1", "ROLLBACK 1", "RETRY 2", "BEGIN 2", "ROLLBACK 2", "RETRY 3", "BEGIN 3", "COMMIT 3"), told())
    }

    @Test
    fun `what is refused at COMMIT for the sake of another is run again, an unknown outcome is not`() = test { db ->
        var refused = 0
        script.on("COMMIT") { if (refused++ == 0) throw conflict() else ScriptedDriver.affected(0) }
        db.transaction(retry = Retry(backoff = 1.milliseconds)) { db.exec("A") }
        assertSent("BEGIN", "A", "COMMIT", "ROLLBACK", "BEGIN", "A", "COMMIT")
        script.loseLink("COMMIT")
        var attempts = 0
        fails<CommitOutcomeUnknownException> { db.transaction(retry = Retry()) { attempts++; db.exec("B") } }
        assertEquals(1, attempts)
    }

    @Test
    fun `a conflict in an action of afterCommit does not run the committed block again`() = test { db ->
        fails<SerializationException> {
            db.transaction(retry = Retry(backoff = 1.milliseconds)) { tx ->
                db.exec("A")
                tx.afterCommit { throw conflict() }
            }
        }
        assertSent("BEGIN", "A", "COMMIT")
    }

    @Test
    fun `a conflict after commit does not run the committed part again`() = test { db ->
        fails<SerializationException> {
            db.transaction(retry = Retry(backoff = 1.milliseconds)) { tx ->
                db.exec("A")
                tx.commit()
                db.exec("B")
                throw conflict()
            }
        }
        assertSent("BEGIN", "A", "COMMIT", "BEGIN", "B", "ROLLBACK")
    }

    @Test
    fun `a deadlock that the block swallows is found in the end, and run again`() = test { db ->
        var met = 0
        script.on("A") { if (met++ == 0) throw DeadlockException("Met.", ErrorDetails(), null) else ScriptedDriver.affected(0) }
        db.transaction(retry = Retry(backoff = 1.milliseconds)) { runCatching { db.exec("A") } }
        assertSent("BEGIN", "A", "ROLLBACK", "BEGIN", "A", "COMMIT")
        met = 0
        fails<TransactionAbortedException> { db.transaction { runCatching { db.exec("A") } } }
    }

    @OptIn(ExperimentalCoroutinesApi::class)
    @Test
    fun `pauses are of the caller's time`() = runTest {
        script.open().use { db ->
            fails<SerializationException> {
                db.transaction(retry = Retry(attempts = 4, backoff = 100.seconds, maxBackoff = 300.seconds)) { throw conflict() }
            }
            assertTrue(currentTime in 300_000..600_000, "$currentTime")
        }
    }

    // ---- Deadlines

    @Test
    fun `after the time nothing is sent but the ROLLBACK`() = test { db ->
        // On a slow machine the time may be up before A.
        var time = 50.milliseconds
        while (script.sent.isEmpty()) {
            time *= 2
            fails<QueryTimeoutException> {
                db.transaction(timeout = time) {
                    db.exec("A")
                    val begun = TimeSource.Monotonic.markNow()
                    while (begun.elapsedNow() < time) yield()
                    fails<QueryTimeoutException> { db.exec("B") }
                }
            }
        }
        assertSent("BEGIN", "A", "ROLLBACK")
    }

    @Test
    fun `a statement is cancelled when the time of its transaction is up`() = test { db ->
        script.neverAnswer("SLOW")
        fails<QueryTimeoutException> { db.transaction(timeout = 100.milliseconds) { db.exec("SLOW") } }
        assertEquals(listOf("SLOW", "CANCEL", "ROLLBACK"), script.sent.takeLast(3))
        assertEquals(0, script.closed)
    }

    // ---- Idle

    @Test
    fun `a pause is told once, and only while the transaction is open`() = test({ idleThreshold = 1.milliseconds }) { db ->
        db.transaction { tx ->
            db.exec("A")
            while (events.none { it.kind == TransactionEvent.Kind.IDLE }) yield()
            tx.commit()
            val before = events.size
            val end = System.nanoTime() + 20_000_000
            while (System.nanoTime() < end) yield()
            assertEquals(before, events.size, "${told()}")
        }
        assertEquals(1, events.count { it.kind == TransactionEvent.Kind.IDLE })
    }

    @Test
    fun `without places of creation transactions say so`() = test({ creationSites = false }) { db ->
        db.transaction { db.exec("A") }
        assertTrue(events.all { it.origin == "at an unknown place" })
    }
}
