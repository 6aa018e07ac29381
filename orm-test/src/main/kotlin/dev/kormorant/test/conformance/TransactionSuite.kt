package dev.kormorant.test.conformance

import dev.kormorant.ConnectionException
import dev.kormorant.DeadlockException
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DatabaseException
import dev.kormorant.Isolation
import dev.kormorant.OrmException
import dev.kormorant.Propagation
import dev.kormorant.TransactionAbortedException
import dev.kormorant.connection
import dev.kormorant.insert
import dev.kormorant.save
import dev.kormorant.savepoint
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds

/** Transactions: nesting, propagation and how they end. */
public abstract class TransactionSuite(backend: Backend) : Suite(backend, Pages) {
    private class Stop : RuntimeException("stop")

    private suspend fun add(vararg keys: String) = keys.forEach { value -> Pages.insert { it[key] = value } }

    private suspend fun keys(): List<String> = Pages.selectAll().orderBy(Pages.key).toList().map { it[Pages.key] }

    // ---- Commit and rollback

    @Test
    public fun `what the block returned is committed (M17, T1)`(): Unit = test {
        assertEquals(7, transaction { add("a", "b"); 7 })
        assertEquals(listOf("a", "b"), keys())
    }

    @Test
    public fun `a block that throws is rolled back and throws the same`(): Unit = test {
        val stop = Stop()
        assertSame(stop, assertFails<Stop> { transaction { add("a"); throw stop } })
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `the transaction is BEGIN and COMMIT around its statements, or nothing if there are none`(): Unit = test {
        val statements = statementsOf { transaction { add("a") } }
        assertTrue(statements.first().startsWith("BEGIN") || statements.first().startsWith("START") || statements.first().startsWith("SET"), "$statements")
        assertEquals("COMMIT", statements.last())
        assertEquals(emptyList<String>(), statementsOf { transaction { transaction { } } })
        assertEquals("ROLLBACK", statementsOf { assertFails<Stop> { transaction { add("b"); throw Stop() } } }.last())
    }

    @Test
    public fun `others see a transaction's rows after its commit only`(): Unit = test {
        needs(can.concurrentReads, "reads beside an open transaction")
        transaction {
            add("a")
            assertEquals(emptyList<String>(), outside { keys() })
        }
        assertEquals(listOf("a"), outside { keys() })
    }

    @Test
    public fun `nested blocks roll back alone, three levels deep (M17, T1)`(): Unit = test {
        transaction {
            add("1")
            transaction {
                add("2")
                assertFails<Stop> {
                    transaction {
                        add("3")
                        throw Stop()
                    }
                }
                assertEquals(listOf("1", "2"), keys())
                transaction { add("4") }
            }
            assertFails<Stop> {
                transaction {
                    add("5")
                    transaction { add("6") }
                    throw Stop()
                }
            }
        }
        assertEquals(listOf("1", "2", "4"), keys())
    }

    @Test
    public fun `an outer rollback undoes the nested blocks that were committed (T1)`(): Unit = test {
        assertFails<Stop> {
            transaction {
                transaction { add("a") }
                add("b")
                throw Stop()
            }
        }
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `should print FOO, not BAR`(): Unit = test {
        val page = Page.create { key = "title"; text = "FOO" }
        assertFails<Stop> {
            transaction {
                page.text = "BAR"
                page.save()
                assertEquals("BAR", Page.get(page.id).text)
                throw Stop()
            }
        }
        assertEquals("FOO", Page.get(page.id).text)
    }

    @Test
    public fun `a named savepoint may have any name (M17, T3, L6)`(): Unit = test {
        transaction { tx ->
            add("a")
            for (name in listOf("sp1", "two words", "it's \"odd\" `too`", "größe", "select", "a?b")) {
                assertFails<Stop> {
                    tx.savepoint(name) {
                        add("b")
                        throw Stop()
                    }
                }
                tx.savepoint(name) { assertEquals(listOf("a"), keys()) }
            }
        }
        assertEquals(listOf("a"), keys())
    }

    @Test
    public fun `rollback-only returns the value and leaves nothing (T4)`(): Unit = test {
        val value = transaction { tx ->
            add("a")
            assertFalse(tx.isRollbackOnly)
            tx.setRollbackOnly()
            assertTrue(tx.isRollbackOnly && tx.isOpen)
            "value"
        }
        assertEquals("value", value)
        assertEquals(emptyList<String>(), keys())
        transaction {
            add("b")
            transaction { inner ->
                add("c")
                inner.setRollbackOnly()
            }
        }
        assertEquals(listOf("b"), keys())
    }

    @Test
    public fun `afterCommit runs once, after the outermost commit, and never after a rollback (E1)`(): Unit = test {
        val ran = ArrayList<String>()
        transaction { tx ->
            add("a")
            tx.afterCommit { ran += "outer sees ${outside { keys() }}" }
            transaction { inner ->
                add("b")
                inner.afterCommit { ran += "inner" }
            }
            assertFails<Stop> {
                transaction { lost ->
                    add("c")
                    lost.afterCommit { ran += "lost" }
                    throw Stop()
                }
            }
            assertEquals(emptyList<String>(), ran)
        }
        assertEquals(listOf("outer sees [a, b]", "inner"), ran)
        assertFails<Stop> { transaction { tx -> tx.afterCommit { ran += "never" }; add("d"); throw Stop() } }
        transaction { tx -> tx.afterCommit { ran += "never" }; add("e"); tx.setRollbackOnly() }
        assertEquals(2, ran.size)
    }

    // ---- Propagation

    @Test
    public fun `REQUIRED is part of the transaction around it (T2)`(): Unit = test {
        val statements = statementsOf { transaction { add("a"); transaction(propagation = Propagation.REQUIRED) { add("b") } } }
        assertTrue(statements.none { "SAVEPOINT" in it })
        assertEquals(listOf("a", "b"), keys())
    }

    @Test
    public fun `a failure of REQUIRED spoils the whole, even when it is caught (T2)`(): Unit = test {
        val error = assertFails<TransactionAbortedException> {
            transaction {
                add("a")
                assertFails<Stop> { transaction(propagation = Propagation.REQUIRED) { add("b"); throw Stop() } }
                add("c")
            }
        }
        assertTrue(error.cause is Stop)
        assertEquals(emptyList<String>(), keys())
        add("d")
        assertEquals(listOf("d"), keys())
    }

    @Test
    public fun `NEVER must be outermost and MANDATORY must not be (T2)`(): Unit = test {
        transaction(propagation = Propagation.NEVER) { add("a") }
        assertFails<IllegalStateException> { transaction(propagation = Propagation.MANDATORY) { } }
        assertFails<IllegalStateException> { transaction { add("b"); transaction(propagation = Propagation.NEVER) { } } }
        transaction { transaction(propagation = Propagation.MANDATORY) { add("c") } }
        assertEquals(listOf("a", "c"), keys())
    }

    @Test
    public fun `REQUIRES_NEW commits by itself, on a second connection (T2)`(): Unit = test {
        needs(can.concurrentWriters, "second writer")
        assertFails<Stop> {
            transaction {
                add("outer")
                transaction(propagation = Propagation.REQUIRES_NEW) {
                    assertEquals(emptyList<String>(), keys())
                    add("inner")
                }
                throw Stop()
            }
        }
        assertEquals(listOf("inner"), keys())
    }

    // ---- Errors at the ends

    @Test
    public fun `a COMMIT that fails is rolled back and the error is the original (T5)`(): Unit = test {
        needs(can.deferredConstraints, "deferred constraints")
        db.exec("CREATE TABLE deferred (id BIGINT PRIMARY KEY, parent BIGINT REFERENCES deferred (id) DEFERRABLE INITIALLY DEFERRED)")
        try {
            repeat(3) {
                val error = assertFails<DatabaseException> { transaction { db.exec("INSERT INTO deferred (id, parent) VALUES (1, 2)") } }
                assertTrue(error is ConstraintViolationException, "$error")
                assertEquals(0, db.pool.inUse)
                assertEquals(0L, (db.exec("SELECT count(*) FROM deferred").scalar() as Number).toLong())
            }
        } finally {
            db.exec("DROP TABLE deferred")
        }
    }

    @Test
    public fun `an error that was caught never ends in autocommit (T2)`(): Unit = test {
        val outcome = runCatching {
            transaction {
                add("a")
                runCatching { db.exec("SELEKT 1") }
                runCatching { add("b") }
            }
        }
        assertEquals(if (outcome.isSuccess) listOf("a", "b") else emptyList(), keys())
        assertEquals(can.errorAbortsTransaction, outcome.exceptionOrNull() is TransactionAbortedException)
    }

    @Test
    public fun `a link lost inside a transaction is the error the caller sees, and the pool recovers (T10)`(): Unit = test {
        val kill = backend.dialogue.killSession
        needs(kill != null, "sessions to end")
        val error = assertFails<ConnectionException> {
            transaction {
                add("a")
                val id = (db.exec(backend.dialogue.sessionId!!).scalar() as Number).toLong()
                outside { db.exec(kill!!(id)) }
                add("b")
            }
        }
        assertTrue(error.connectionLost)
        assertEquals(0, db.pool.inUse)
        assertEquals(emptyList<String>(), keys())
    }

    @Test
    public fun `a statement after the link was lost fails too, and never elsewhere (T10)`(): Unit = test {
        val kill = backend.dialogue.killSession
        needs(kill != null, "sessions to end")
        assertFails<OrmException> {
            transaction {
                add("a")
                val id = (db.exec(backend.dialogue.sessionId!!).scalar() as Number).toLong()
                outside { db.exec(kill!!(id)) }
                repeat(3) { number -> assertFails<ConnectionException> { add("b$number") } }
            }
        }
        assertEquals(emptyList<String>(), keys())
    }

    // ---- Pinned connections

    @Test
    public fun `a transaction by raw SQL on a pinned connection (T11)`(): Unit = test {
        db.connection {
            db.exec("BEGIN")
            add("a")
            db.exec("COMMIT")
            db.exec("BEGIN")
            add("b")
            db.exec("ROLLBACK")
        }
        assertEquals(listOf("a"), keys())
    }

    @Test
    public fun `a raw transaction left open is gone, rows and all (T11)`(): Unit = test {
        db.connection {
            db.exec("BEGIN")
            add("a")
        }
        assertEquals(0, db.pool.inUse)
        assertEquals(emptyList<String>(), keys())
        add("b")
        assertEquals(listOf("b"), keys())
    }

    @Test
    public fun `a transaction inside a pinned connection uses it`(): Unit = test {
        db.connection {
            add("a")
            assertFails<Stop> { transaction { add("b"); throw Stop() } }
            transaction { add("c") }
            assertEquals(1, db.pool.inUse)
        }
        assertEquals(listOf("a", "c"), keys())
    }

    // ---- Isolation and read-only

    @Test
    public fun `a repeatable read sees one state, a read committed what others commit (T12)`(): Unit = test {
        needs(can.isolationLevels, "isolation levels")
        for (level in listOf(Isolation.REPEATABLE_READ, Isolation.READ_COMMITTED)) {
            val counts = transaction(isolation = level) {
                val before = Page.count()
                outside { add("$level") }
                before to Page.count()
            }
            assertEquals(if (level == Isolation.READ_COMMITTED) 1 else 0, counts.second - counts.first, "$level")
        }
    }

    @Test
    public fun `a read-only transaction refuses writes and leaves nothing behind (T12)`(): Unit = test {
        add("a")
        val error = assertFails<DatabaseException> {
            transaction(readOnly = true) { tx ->
                assertTrue(tx.readOnly)
                assertEquals(listOf("a"), keys())
                add("b")
            }
        }
        assertFalse(error.connectionLost)
        repeat(4) { number -> transaction { add("c$number") } }
        assertEquals(5, Page.count())
    }

    @Test
    public fun `a read-only transaction on a pinned connection refuses writes, and the connection takes them again afterwards (T12)`(): Unit = test {
        db.connection {
            assertFails<DatabaseException> { transaction(readOnly = true) { add("a") } }
            add("b")
            transaction(readOnly = true) { assertEquals(listOf("b"), keys()) }
            transaction { add("c") }
        }
        assertEquals(2, Page.count())
    }

    @Test
    public fun `every isolation level can be asked for (T12)`(): Unit = test {
        for (level in Isolation.entries) transaction(isolation = level) { add(level.name) }
        assertEquals(4, Page.count())
    }

    @Test
    public fun `the default isolation of the database holds where none is named (T12)`(): Unit = runBlocking {
        needs(can.isolationLevels, "isolation levels")
        open { defaultIsolation = Isolation.READ_COMMITTED }.use { other ->
            withContext(other) {
                transaction {
                    assertEquals(0, Page.count())
                    outside { add("a") }
                    assertEquals(1, Page.count())
                }
            }
        }
    }

    @Test
    public fun `a nested block has no isolation or read-only of its own (T12)`(): Unit = test {
        transaction {
            assertFails<IllegalArgumentException> { transaction(isolation = Isolation.SERIALIZABLE) { } }
            assertFails<IllegalArgumentException> { transaction(readOnly = true) { } }
            add("a")
        }
        transaction(readOnly = true) { transaction(readOnly = true) { assertEquals(1, Page.count()) } }
    }

    // ---- Closing

    @Test
    public fun `closing inside the own transaction is refused at once (T14)`(): Unit = test {
        transaction {
            add("a")
            assertFails<IllegalStateException> { db.close() }
            add("b")
        }
        assertEquals(listOf("a", "b"), keys())
        assertTrue(db.isOpen)
    }

    @Test
    public fun `closing from elsewhere waits, then ends the transaction (T9, T14)`(): Unit = runBlocking {
        val other = open()
        val started = CompletableDeferred<Unit>()
        val outcome = async(Dispatchers.Default) {
            runCatching {
                other.transaction {
                    add("a")
                    started.complete(Unit)
                    delay(50.milliseconds)
                    while (true) {
                        add("b${System.nanoTime()}")
                        delay(1)
                    }
                }
            }
        }
        started.await()
        other.close(100.milliseconds)
        val error = outcome.await().exceptionOrNull()
        assertTrue(error is ConnectionException, "$error")
        withContext(db) { assertEquals(emptyList<String>(), keys()) }
    }

    @Test
    public fun `a deadlock that is caught does not let the rest of the block commit by itself`(): Unit = test {
        needs(can.concurrentWriters, "transactions that write at the same time")
        add("a")
        add("b")
        val ready = List(2) { CompletableDeferred<Unit>() }
        val failures = listOf("a" to "b", "b" to "a").mapIndexed { number, (first, second) ->
            async(Dispatchers.Default) {
                runCatching {
                    transaction {
                        touch(first)
                        ready[number].complete(Unit)
                        ready.forEach { it.await() }
                        try {
                            transaction { touch(second) }
                        } catch (_: DeadlockException) {
                            add("of the victim")
                        }
                    }
                }.exceptionOrNull()
            }
        }.awaitAll()
        assertTrue(failures.count { it == null } >= 1, "$failures")
        val stored = keys()
        assertEquals(failures.any { it != null }, "of the victim" !in stored, "$failures, stored $stored")
    }

    private suspend fun touch(wanted: String) = Pages.update({ Pages.key eq wanted }) { it[text] = "touched" }
}
