package dev.kormorant.test.conformance

import dev.kormorant.ConnectionException
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DatabaseException
import dev.kormorant.DatabaseListener
import dev.kormorant.DeadlockException
import dev.kormorant.ErrorDetails
import dev.kormorant.Propagation
import dev.kormorant.Retry
import dev.kormorant.SerializationException
import dev.kormorant.TransactionAbortedException
import dev.kormorant.TransactionEvent
import dev.kormorant.TransactionOptions
import dev.kormorant.delete
import dev.kormorant.save
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Running a transaction again: what for, how often, and what is as before. */
public abstract class RetrySuite(backend: Backend) : Suite(backend, Pages) {
    private val soon = Retry(attempts = 5, backoff = 1.milliseconds)

    /** As the server says it; each looks at what concerns it. */
    private fun conflict() = SerializationException("Lost against another one.", ErrorDetails(sqlState = "40001", vendorCode = 1213), null)

    @Test
    public fun `a transaction that lost against another is run again, with the rows of the last attempt only (U8)`(): Unit = test {
        var attempts = 0
        val value = transaction(retry = soon) { tx ->
            attempts++
            assertEquals(attempts, tx.attempt)
            addPages("attempt $attempts")
            if (attempts < 3) throw conflict()
            "value $attempts"
        }
        assertEquals("value 3", value)
        assertEquals(listOf("attempt 3"), pageKeys())
    }

    @Test
    public fun `after the last attempt the error is the original (U8)`(): Unit = test {
        var attempts = 0
        assertFails<SerializationException> { transaction(retry = soon) { attempts++; addPages("a"); throw conflict() } }
        assertEquals(5, attempts)
        attempts = 0
        assertFails<SerializationException> { transaction { attempts++; addPages("a"); throw conflict() } }
        assertEquals(1, attempts)
        assertEquals(emptyList<String>(), pageKeys())
    }

    @Test
    public fun `a unique violation, a wrong statement, a lost link and an error of the program are attempted exactly once (N10)`(): Unit = test {
        addPages("a")
        val kill = backend.dialogue.killSession
        val failures = listOfNotNull<Pair<Class<out Throwable>, suspend () -> Unit>>(
            ConstraintViolationException::class.java to { addPages("a") },
            DatabaseException::class.java to { db.exec("SELEKT 1") },
            Stop::class.java to { throw Stop() },
            if (kill == null) null else ConnectionException::class.java to {
                val id = (db.exec(backend.dialogue.sessionId!!).scalar() as Number).toLong()
                outside { db.exec(kill(id)) }
                addPages("b")
            },
        )
        for ((type, fail) in failures) {
            var attempts = 0
            val error = assertFails<Throwable> { transaction(retry = soon) { attempts++; addPages("x"); fail() } }
            assertTrue(type.isInstance(error), "$error")
            assertEquals(1, attempts, "$error")
        }
        assertEquals(listOf("a"), pageKeys())
    }

    @Test
    public fun `a nested block leaves it to the outermost, and that runs as a whole (N10, U8)`(): Unit = test {
        var outer = 0
        var inner = 0
        transaction(retry = soon) {
            outer++
            addPages("outer")
            transaction(retry = soon) {
                inner++
                addPages("inner")
                if (inner < 3) throw conflict()
            }
        }
        assertEquals(listOf(3, 3), listOf(outer, inner))
        assertEquals(listOf("inner", "outer"), pageKeys())
        inner = 0
        assertFails<SerializationException> { transaction { transaction(retry = soon) { inner++; throw conflict() } } }
        assertEquals(1, inner)
    }

    @Test
    public fun `a conflict that the program wraps, or swallows where that spoils the transaction, counts (U8)`(): Unit = test {
        var attempts = 0
        transaction(retry = soon) { if (++attempts < 2) throw IllegalStateException("wrapped", conflict()) }
        assertEquals(2, attempts)
        attempts = 0
        transaction(retry = soon) {
            addPages("a")
            if (++attempts < 2) runCatching { transaction(propagation = Propagation.REQUIRED) { throw conflict() } }
        }
        assertEquals(2, attempts)
        assertEquals(listOf("a"), pageKeys())
        assertFails<TransactionAbortedException> {
            transaction { addPages("b"); runCatching { transaction(propagation = Propagation.REQUIRED) { throw conflict() } } }
        }
    }

    @Test
    public fun `REQUIRES_NEW is an outermost transaction and may be run again by itself (N8)`(): Unit = test {
        needs(can.concurrentWriters, "second writer")
        var outer = 0
        var inner = 0
        transaction {
            outer++
            addPages("new outer")
            transaction(propagation = Propagation.REQUIRES_NEW, retry = soon) {
                addPages("new inner")
                if (++inner < 3) throw conflict()
            }
        }
        assertEquals(listOf(1, 3), listOf(outer, inner))
        assertEquals(listOf("new inner", "new outer"), pageKeys())
    }

    @Test
    public fun `models get back what they were before the block, before the next attempt (U8)`(): Unit = test {
        val loaded = Page.create { key = "loaded"; text = "0" }
        val dirty = Page.create { key = "dirty"; text = "0" }
        dirty.text = "changed before"
        val unsaved = Page().apply { key = "unsaved" }
        val deleted = Page.create { key = "deleted" }
        var attempts = 0
        transaction(retry = soon) {
            attempts++
            assertEquals("0", loaded.text)
            assertEquals("changed before", dirty.text)
            loaded.text = "${loaded.text.toInt() + 1}"
            assertTrue(loaded.save())
            coroutineScope { launch(Dispatchers.Default) { dirty.text += ", then in the block"; assertTrue(dirty.save()) } }
            unsaved.text = "made in attempt $attempts"
            assertTrue(unsaved.save())
            deleted.delete()
            if (attempts < 3) throw conflict()
        }
        assertEquals("1", loaded.text)
        assertEquals("1", Page.get(loaded.id).text)
        assertEquals("changed before, then in the block", Page.get(dirty.id).text)
        assertEquals("made in attempt 3", Page.get(unsaved.id).text)
        assertEquals(listOf("dirty", "loaded", "unsaved"), pageKeys())
    }

    @Test
    public fun `afterCommit runs once, for the attempt that was committed, and attempts are told (U8)`(): Unit = runBlocking {
        needs(can.shared, "second Database on the same data")
        val ran = ArrayList<Int>()
        val events = CopyOnWriteArrayList<TransactionEvent>()
        val listener = object : DatabaseListener {
            override fun onTransaction(event: TransactionEvent) {
                events += event
            }
        }
        open { listener(listener) }.use { other ->
            withContext(other) {
                transaction(retry = soon) { tx ->
                    addPages("a")
                    tx.afterCommit { ran += tx.attempt }
                    if (tx.attempt < 3) throw conflict()
                }
            }
        }
        assertEquals(listOf(3), ran)
        val told = events.map { "${it.kind} ${it.attempt}" }
        assertEquals(listOf("BEGIN 1", "ROLLBACK 1", "RETRY 2", "BEGIN 2", "ROLLBACK 2", "RETRY 3", "BEGIN 3", "COMMIT 3"), told)
        assertTrue(events.filter { it.kind == TransactionEvent.Kind.RETRY }.all { it.error is SerializationException })
    }

    @Test
    public fun `there is no attempt that the timeout leaves no time for (U3, U8)`(): Unit = test {
        var attempts = 0
        assertFails<SerializationException> {
            transaction(retry = Retry(attempts = 1000, backoff = 100.seconds, maxBackoff = 100.seconds), timeout = 10.seconds) {
                attempts++
                throw conflict()
            }
        }
        assertEquals(1, attempts)
        assertFails<IllegalArgumentException> { Retry(attempts = 0) }
        assertFails<IllegalArgumentException> { Retry(backoff = -(1.seconds)) }
    }

    @Test
    public fun `two that deadlock are both done in the end (U8)`(): Unit = test {
        needs(can.concurrentWriters, "transactions that write at the same time")
        addPages("a", "b")
        repeat(3) {
            val met = List(2) { CompletableDeferred<Unit>() }
            listOf("a" to "b", "b" to "a").mapIndexed { number, (first, second) ->
                async(Dispatchers.Default) {
                    transaction(retry = Retry(attempts = 20, backoff = 2.milliseconds)) {
                        append(first, number)
                        met[number].complete(Unit)
                        met.awaitAll()
                        append(second, number)
                    }
                }
            }.awaitAll()
        }
        assertEquals(listOf(6, 6), listOf("a", "b").map { name -> Page.get { Pages.key eq name }.text.length })
    }

    private suspend fun append(page: String, number: Int) {
        val text = Page.get { Pages.key eq page }.text
        Pages.update({ Pages.key eq page }) { it[Pages.text] = "$text$number" }
    }

    @Test
    public fun `a lock that cannot be had in time is not worth another attempt (N10)`(): Unit = test {
        needs(can.concurrentWriters && backend.dialogue.timeouts != null, "lock timeouts")
        addPages("a")
        var attempts = 0
        transaction {
            append("a", 1)
            outside {
                assertFails<DeadlockException> {
                    transaction(TransactionOptions(lockTimeout = 10.milliseconds, retry = soon)) {
                        attempts++
                        Pages.update({ Pages.key eq "a" }) { it[text] = "never" }
                    }
                }
            }
        }
        assertEquals(1, attempts)
    }
}
