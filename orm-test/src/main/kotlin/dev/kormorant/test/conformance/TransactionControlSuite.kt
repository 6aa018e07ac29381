package dev.kormorant.test.conformance

import dev.kormorant.Database
import dev.kormorant.DatabaseException
import dev.kormorant.DatabaseListener
import dev.kormorant.Isolation
import dev.kormorant.Propagation
import dev.kormorant.TransactionAbortedException
import dev.kormorant.TransactionClosedException
import dev.kormorant.TransactionEvent
import dev.kormorant.TransactionOptions
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.begin
import dev.kormorant.connection
import dev.kormorant.save
import dev.kormorant.savepoint
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Ending and beginning by hand, in a block and without one; settings of one transaction. */
public abstract class TransactionControlSuite(backend: Backend) : Suite(backend, Pages) {
    // ---- commit and rollback in the block

    @Test
    public fun `commit keeps what was done and begins again, rollback undoes what came since (T4, L5)`(): Unit = test {
        transaction { tx ->
            addPages("a")
            tx.commit()
            addPages("b")
            tx.rollback()
            addPages("c")
        }
        assertEquals(listOf("a", "c"), pageKeys())
        assertFails<Stop> {
            transaction { tx ->
                addPages("d")
                tx.commit()
                addPages("e")
                throw Stop()
            }
        }
        assertEquals(listOf("a", "c", "d"), pageKeys())
    }

    @Test
    public fun `with begin = false the next statement of the block is an error, and nothing runs in autocommit (T4, L5)`(): Unit = test {
        for (end in listOf("commit", "rollback")) {
            assertFails<TransactionClosedException> {
                transaction { tx ->
                    addPages(end)
                    if (end == "commit") tx.commit(begin = false) else tx.rollback(begin = false)
                    assertFalse(tx.isOpen)
                    addPages("late")
                }
            }
            assertFails<TransactionClosedException> { transaction { tx -> tx.commit(begin = false); transaction { addPages("nested") } } }
            assertFails<TransactionClosedException> { transaction { tx -> tx.rollback(begin = false); tx.commit() } }
        }
        assertEquals(listOf("commit"), pageKeys())
        assertEquals(1, transaction { tx -> addPages("x"); tx.commit(begin = false); 1 })
    }

    @Test
    public fun `in a nested block commit and rollback act on that level only (T4, L5)`(): Unit = test {
        transaction { outer ->
            addPages("a")
            transaction { inner ->
                addPages("b")
                inner.commit()
                addPages("c")
                inner.rollback()
                addPages("d")
            }
            assertEquals(listOf("a", "b", "d"), pageKeys())
            outer.rollback()
            addPages("e")
        }
        assertEquals(listOf("e"), pageKeys())
    }

    @Test
    public fun `ending and beginning sends nothing that no statement needs (L5)`(): Unit = test {
        addPages("warm")
        val ends = statementsOf {
            transaction { tx ->
                tx.commit()
                tx.rollback()
                addPages("a")
                tx.commit()
                tx.commit()
                tx.rollback()
            }
        }
        assertEquals(1, ends.count { it == "COMMIT" }, "$ends")
        assertEquals(0, ends.count { it == "ROLLBACK" }, "$ends")
    }

    @Test
    public fun `rollback makes a transaction usable that an error has spoiled (T4)`(): Unit = test {
        transaction { tx ->
            addPages("a")
            runCatching { db.exec("SELEKT 1") }
            tx.rollback()
            addPages("b")
        }
        assertEquals(listOf("b"), pageKeys())
    }

    @Test
    public fun `a commit that cannot be ends the transaction for good (T2, T4)`(): Unit = test {
        assertFails<TransactionClosedException> {
            transaction { tx ->
                addPages("a")
                runCatching { transaction(propagation = Propagation.REQUIRED) { throw Stop() } }
                assertFails<TransactionAbortedException> { tx.commit() }
                addPages("b")
            }
        }
        assertEquals(emptyList<String>(), pageKeys())
    }

    @Test
    public fun `afterCommit runs at each commit of the outermost level, outside of it (T4, E1)`(): Unit = test {
        val ran = ArrayList<String>()
        transaction { tx ->
            addPages("a")
            tx.afterCommit { ran += "first" }
            tx.commit()
            assertEquals(listOf("first"), ran)
            tx.afterCommit { ran += "lost" }
            tx.rollback()
            tx.afterCommit { ran += "second" }
            transaction { inner ->
                addPages("b")
                inner.afterCommit { ran += "inner" }
                inner.commit()
                assertEquals(listOf("first"), ran)
            }
        }
        assertEquals(listOf("first", "second", "inner"), ran)
    }

    @Test
    public fun `an action of afterCommit at a commit in the block may use the database (T4, E1)`(): Unit = test {
        transaction { tx ->
            addPages("a")
            tx.afterCommit { addPages("after ${pageKeys()}") }
            tx.commit()
            addPages("b")
        }
        assertEquals(listOf("a", "after [a]", "b"), pageKeys())
    }

    @Test
    public fun `a savepoint may have the name of one that is open (T3, L6)`(): Unit = test {
        transaction { tx ->
            tx.savepoint("same") {
                addPages("a")
                assertFails<Stop> { tx.database.transaction { it.savepoint("SAME") { addPages("b"); throw Stop() } } }
                transaction { inner -> inner.savepoint("same") { addPages("c") } }
                transaction { inner -> inner.savepoint("s1") { transaction { addPages("d") } } }
                addPages("e")
            }
        }
        assertEquals(listOf("a", "c", "d", "e"), pageKeys())
    }

    // ---- NOT_SUPPORTED

    @Test
    public fun `NOT_SUPPORTED runs outside the transaction around it (N8)`(): Unit = test {
        needs(can.concurrentWriters, "second writer")
        assertFails<Stop> {
            transaction {
                addPages("unsupported outer")
                transaction(propagation = Propagation.NOT_SUPPORTED) { none ->
                    assertEquals(emptyList<String>(), pageKeys())
                    addPages("unsupported apart")
                    assertFails<IllegalStateException> { none.commit() }
                    transaction { addPages("unsupported own") }
                }
                throw Stop()
            }
        }
        assertEquals(listOf("unsupported apart", "unsupported own"), pageKeys())
        assertEquals(3, transaction(propagation = Propagation.NOT_SUPPORTED) { addPages("unsupported alone"); 3 })
        assertEquals(listOf("unsupported alone", "unsupported apart", "unsupported own"), pageKeys())
    }

    // ---- Pinned connections

    @Test
    public fun `a pinned connection is one session, nested too, and is back in the pool afterwards (D13, P4, P5)`(): Unit = test {
        val question = backend.dialogue.sessionId
        db.connection {
            addPages("a")
            assertEquals(1, db.pool.inUse)
            val outer = question?.let { db.exec(it).scalar() }
            db.connection { assertEquals(outer, question?.let { db.exec(it).scalar() }) }
            transaction { assertEquals(outer, question?.let { db.exec(it).scalar() }) }
            assertEquals(1, db.pool.inUse)
        }
        assertEquals(0, db.pool.inUse)
        assertFails<Stop> { db.connection { addPages("b"); throw Stop() } }
        assertEquals(0, db.pool.inUse)
        assertEquals(listOf("a", "b"), pageKeys())
    }

    // ---- By hand

    @Test
    public fun `a transaction by hand has what runs in it, and what is not committed is undone (D18, D19, T13, P5)`(): Unit = test {
        val tx = db.begin()
        tx { addPages("a") }
        assertEquals(1, db.pool.inUse)
        tx.commit()
        tx { addPages("b") }
        tx.close()
        tx.close()
        assertFalse(tx.isOpen)
        assertEquals(0, db.pool.inUse)
        assertEquals(listOf("a"), pageKeys())
        assertFails<TransactionClosedException> { tx { addPages("late") } }
        assertFails<TransactionClosedException> { tx.commit() }
    }

    @Test
    public fun `use closes a transaction by hand, whatever the outcome (D18, D19)`(): Unit = test {
        db.begin().use { tx ->
            addPages("a")
            transaction { addPages("nested") }
            tx.savepoint("named") { addPages("saved") }
            tx.commit()
            addPages("uncommitted")
        }
        assertFails<Stop> { db.begin().use { addPages("b"); throw Stop() } }
        val refused = assertFails<DatabaseException> { db.begin().use { addPages("b"); db.exec("SELEKT 1") } }
        assertEquals(emptyList<Throwable>(), refused.suppressed.toList())
        assertEquals(1, db.begin().use { 1 })
        assertEquals(0, db.pool.inUse)
        assertEquals(listOf("a", "nested", "saved"), pageKeys())
    }

    @Test
    public fun `a transaction by hand is outside the one around it (D18)`(): Unit = test {
        needs(can.concurrentWriters, "second writer")
        assertFails<Stop> {
            transaction {
                addPages("beside outer")
                db.begin().use { tx -> addPages("beside by hand"); tx.commit() }
                throw Stop()
            }
        }
        assertEquals(listOf("beside by hand"), pageKeys())
    }

    @Test
    public fun `a transaction that its owner never closed is rolled back, told, and its connection free again (T13, P8)`(): Unit = runBlocking {
        val events = CopyOnWriteArrayList<TransactionEvent>()
        val watched = listening(events)
        val other = if (can.shared) open { pool { max = 1 }; listener(watched) } else return@runBlocking
        other.use {
            withContext(other) {
                for (end in listOf("returned", "cancelled", "thrown")) {
                    val begun = CompletableDeferred<Unit>()
                    val owner = launch(Dispatchers.Default) {
                        withTimeoutOrNull(GUARD) {
                            coroutineScope {
                                val tx = other.begin()
                                tx { addPages("lost") }
                                begun.complete(Unit)
                                if (end == "cancelled") awaitCancellation()
                            }
                        }
                    }
                    begun.await()
                    if (end == "cancelled") owner.cancelAndJoin() else owner.join()
                    withoutHang("the next user") { assertEquals(emptyList<String>(), pageKeys().filter { it == "lost" }) }
                    eventually("the leak is told") { events.any { it.kind == TransactionEvent.Kind.LEAK } }
                    val leak = events.first { it.kind == TransactionEvent.Kind.LEAK }
                    assertTrue("TransactionControlSuite.kt" in leak.origin, "$leak")
                    eventually("its connection is free") { other.pool.inUse == 0 }
                    withoutHang("the writer") { addPages(end) }
                    events.clear()
                }
                assertEquals(listOf("cancelled", "returned", "thrown"), pageKeys())
            }
        }
    }

    @Test
    public fun `a transaction by hand that nobody can reach is rolled back and told (T13)`(): Unit = runBlocking {
        needs(can.shared, "second Database on the same data")
        val events = CopyOnWriteArrayList<TransactionEvent>()
        open { listener(listening(events)) }.use { other ->
            withContext(other) {
                forget(other)
                eventually("the leak is told") {
                    System.gc()
                    events.any { it.kind == TransactionEvent.Kind.LEAK }
                }
                eventually("its connection is free") { other.pool.inUse == 0 }
                addPages("next")
                assertEquals(listOf("next"), pageKeys())
            }
        }
    }

    private suspend fun forget(database: Database) {
        val tx = database.begin(TransactionOptions(), owner = null)
        tx { addPages("lost") }
    }

    private fun listening(events: MutableList<TransactionEvent>) = object : DatabaseListener {
        override fun onTransaction(event: TransactionEvent) {
            events += event
        }
    }

    // ---- Events

    @Test
    public fun `begin, commit and rollback are told with the place of the transaction`(): Unit = runBlocking {
        needs(can.shared, "second Database on the same data")
        val events = CopyOnWriteArrayList<TransactionEvent>()
        open { listener(listening(events)) }.use { other ->
            withContext(other) {
                transaction { addPages("a"); transaction { addPages("b") } }
                assertFails<Stop> { transaction { addPages("c"); throw Stop() } }
                transaction { }
                transaction { tx -> addPages("d"); tx.commit(); addPages("e") }
            }
        }
        val told = events.map { it.kind.name }
        assertEquals(listOf("BEGIN", "COMMIT", "BEGIN", "ROLLBACK", "BEGIN", "COMMIT", "BEGIN", "COMMIT"), told)
        assertTrue(events[3].error is Stop)
        assertTrue(events.all { "TransactionControlSuite.kt" in it.origin && it.attempt == 1 }, "$events")
    }

    @Test
    public fun `a transaction that runs no statement for too long is told with its place and where it is suspended (U10)`(): Unit = runBlocking {
        needs(can.shared, "second Database on the same data")
        val events = CopyOnWriteArrayList<TransactionEvent>()
        open { listener(listening(events)); idleThreshold = 1.milliseconds; idleFails = true }.use { other ->
            withContext(other) {
                val error = assertFails<TransactionAbortedException> {
                    transaction {
                        addPages("a")
                        eventually("the pause is told") { events.any { it.kind == TransactionEvent.Kind.IDLE } }
                    }
                }
                assertTrue(error.cause is IllegalStateException, "${error.cause}")
            }
        }
        val idle = events.first { it.kind == TransactionEvent.Kind.IDLE }
        assertTrue("TransactionControlSuite.kt" in idle.origin && idle.idle!! >= 1.milliseconds, "$idle")
        assertTrue("TransactionControlSuite.kt" in idle.suspendedAt.orEmpty(), "$idle")
        assertEquals(emptyList<String>(), runBlocking { withContext(db) { pageKeys() } })
    }

    // ---- Settings

    @Test
    public fun `settings of a transaction are gone when it is over (T12, P15)`(): Unit = runBlocking {
        val question = backend.dialogue.timeouts
        needs(question != null, "timeouts to ask for")
        open { pool { max = 1 } }.use { other ->
            withContext(other) {
                val before = other.exec(question!!).rows
                val options = TransactionOptions(lockTimeout = 7.seconds, statementTimeout = 3.seconds)
                val inside = transaction(options) { other.exec(question).rows }
                assertTrue(inside != before, "$inside")
                assertEquals(before, other.exec(question).rows)
                assertFails<Stop> { transaction(options) { addPages("a"); throw Stop() } }
                assertEquals(before, other.exec(question).rows)
                transaction(options) { tx -> addPages("b"); tx.commit(); assertEquals(inside, other.exec(question).rows) }
                assertEquals(before, other.exec(question).rows)
                other.begin(options).use { addPages("c") }
                assertEquals(before, other.exec(question).rows)
                val backend = other.pool
                assertEquals(0, backend.inUse)
            }
        }
    }

    @Test
    public fun `a setting that the database does not have is refused before anything is sent`(): Unit = test {
        val unsupported = listOfNotNull(
            TransactionOptions(lockTimeout = 1.seconds).takeIf { backend.dialogue.timeouts == null },
            TransactionOptions(readOnly = true, deferrable = true).takeIf { !can.transactionIds },
            TransactionOptions(resolvable = true).takeIf { !can.transactionIds },
        )
        val statements = statementsOf {
            for (options in unsupported) assertFails<UnsupportedByDialectException> { transaction(options) { addPages("never") } }
        }
        assertEquals(emptyList<String>(), statements)
    }

    @Test
    public fun `a nested block cannot have what only an outermost one can (T12)`(): Unit = test {
        transaction {
            assertFails<IllegalArgumentException> { transaction(TransactionOptions(lockTimeout = 1.seconds)) { } }
            assertFails<IllegalArgumentException> { transaction(TransactionOptions(resolvable = true)) { } }
        }
        assertFails<IllegalArgumentException> { transaction(TransactionOptions(timeout = 0.seconds)) { } }
        assertFails<IllegalArgumentException> { transaction(TransactionOptions(deferrable = true)) { } }
    }

    @Test
    public fun `a deferrable transaction reads what is serializable without failing`(): Unit = test {
        needs(can.transactionIds, "deferrable transactions")
        addPages("a")
        val options = TransactionOptions(isolation = Isolation.SERIALIZABLE, readOnly = true, deferrable = true)
        assertEquals(listOf("a"), transaction(options) { pageKeys() })
        assertTrue("DEFERRABLE" in statementsOf { transaction(options) { pageKeys() } }.first())
    }

    @Test
    public fun `closed is closed for children of a block that have outlived it (T13)`(): Unit = test {
        val page = transaction { Page.create { key = "a" } }
        val go = CompletableDeferred<Unit>()
        val late = CompletableDeferred<Throwable?>()
        db.begin().use { tx ->
            this@test.launch(tx.context) {
                go.await()
                late.complete(runCatching { page.text = "late"; page.save() }.exceptionOrNull())
            }
            delay(1)
        }
        go.complete(Unit)
        assertTrue(late.await() is TransactionClosedException)
    }
}
