package dev.kormorant.test.conformance

import dev.kormorant.ConnectionEvent
import dev.kormorant.ConstraintViolationException
import dev.kormorant.Database
import dev.kormorant.DatabaseListener
import dev.kormorant.DecodeEvent
import dev.kormorant.PoolTimeoutException
import dev.kormorant.StatementEvent
import dev.kormorant.StatementLogger
import dev.kormorant.connection
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.withListener
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.asContextElement
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.slf4j.Marker
import org.slf4j.event.Level
import org.slf4j.helpers.LegacyAbstractLogger
import org.slf4j.helpers.MessageFormatter
import java.util.UUID
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What listeners hear, from which coroutine, and what they must never hear. */
public abstract class ListenerSuite(backend: Backend) : Suite(backend, Pages) {
    private class Heard : DatabaseListener {
        val statements = CopyOnWriteArrayList<StatementEvent>()
        val connections = CopyOnWriteArrayList<ConnectionEvent>()

        override fun onStatement(event: StatementEvent) {
            statements += event
        }

        override fun onConnection(event: ConnectionEvent) {
            connections += event
        }
    }

    private suspend fun add(value: String) = Pages.insert { it[key] = value }

    @Test
    public fun `a statement is told with its times, its rows and its database`(): Unit = test {
        for (name in listOf("a", "b")) add(name)
        val heard = Heard()
        withListener(heard) { Pages.selectAll().toList() }
        val event = heard.statements.single()
        assertEquals("SELECT", event.operation)
        assertEquals(2, event.rows)
        assertEquals(db, event.database)
        assertNull(event.error)
        assertTrue(event.executeTime > Duration.ZERO && !event.acquireTime.isNegative(), "$event")
        assertFalse(event.isTransactionControl)
    }

    @Test
    public fun `making rows and models of an answer is told after it`(): Unit = test {
        for (name in listOf("a", "b")) add(name)
        val told = CopyOnWriteArrayList<String>()
        val listener = object : DatabaseListener {
            override fun onStatement(event: StatementEvent) {
                told += "${event.operation} ${event.rows}"
            }

            override fun onDecode(event: DecodeEvent) {
                assertTrue(event.database == db && event.time > Duration.ZERO)
                told += "decode ${event.rows}"
            }
        }
        withListener(listener) {
            Pages.selectAll().toList()
            Page.all().toList()
            add("c")
        }
        assertEquals(listOf("SELECT 2", "decode 2", "SELECT 2", "decode 2"), told.take(4))
        assertEquals("INSERT 1", told[4])
    }

    @Test
    public fun `a connection is told when it is got and given back, once for a transaction`(): Unit = test {
        val heard = Heard()
        withListener(heard) {
            add("a")
            transaction { add("b"); add("c") }
            db.connection { db.exec("SELECT 1") }
        }
        assertEquals(List(3) { listOf("Acquired", "Released") }.flatten(), heard.connections.map { it.javaClass.simpleName })
        assertTrue(heard.connections.all { it.database == db })
    }

    @Test
    public fun `the first statement of a transaction bears the wait for its connection`(): Unit = test {
        val heard = Heard()
        withListener(heard) { transaction { add("b"); add("c") } }
        assertTrue(heard.statements.drop(1).all { it.acquireTime == Duration.ZERO || it.operation == "BEGIN" }, "${heard.statements}")
        assertTrue(heard.statements.first().isTransactionControl && heard.statements.last().sql == "COMMIT")
    }

    @Test
    public fun `opening is told to the listeners of the database`(): Unit = test {
        needs(can.shared, "second database on the same data")
        val heard = Heard()
        val other = open { listener(heard) }
        other.exec("SELECT 1")
        other.close()
        assertTrue(heard.connections.any { it is ConnectionEvent.Opened && it.time > Duration.ZERO })
    }

    @Test
    public fun `a refusal for want of a connection is told`(): Unit = test {
        needs(can.shared, "second database on the same data")
        val heard = Heard()
        val other = open {
            listener(heard)
            pool { max = 1; acquireTimeout = 50.milliseconds }
        }
        other.connection {
            other.exec("SELECT 1")
            assertFails<PoolTimeoutException> { outsideOf(other) { other.exec("DELETE FROM page_block") } }
        }
        other.close()
        val refused = heard.connections.filterIsInstance<ConnectionEvent.Refused>().single()
        assertTrue(refused.error is PoolTimeoutException && refused.waited >= 50.milliseconds, "${refused.error} ${refused.waited}")
    }

    private suspend fun <T> outsideOf(other: Database, block: suspend () -> T): T =
        CoroutineScope(other).async { block() }.await()

    @Test
    public fun `errors and cancellations are told`(): Unit = test {
        val heard = Heard()
        add("a")
        withListener(heard) {
            assertFails<ConstraintViolationException> { add("a") }
            withTimeoutOrNull(200.milliseconds) { db.exec(backend.dialogue.slowStatement) }
        }
        assertTrue(heard.statements[0].error is ConstraintViolationException)
        assertTrue(heard.statements[1].error is CancellationException)
        assertEquals(2, heard.statements.size)
    }

    @Test
    public fun `a stream is told once, when it has ended, with the rows that came`(): Unit = test {
        transaction { for (n in 1..9) add("$n") }
        val heard = Heard()
        withListener(heard) {
            assertEquals(9, Pages.selectAll().also { it.fetchSize(3) }.toList(ArrayList()).size)
            assertEquals(2, Pages.selectAll().also { it.fetchSize(3) }.take(2).toList().size)
        }
        val (whole, part) = heard.statements
        assertEquals(9, whole.rows)
        assertTrue(part.rows in 2..9)
        assertTrue(whole.error == null && part.error == null, "${part.error}")
    }

    @Test
    public fun `each coroutine has the listeners of its own blocks, and its children have them, too`(): Unit = test {
        val outer = Heard()
        val inner = List(4) { Heard() }
        withListener(outer) {
            coroutineScope {
                inner.mapIndexed { n, mine -> async { withListener(mine) { repeat(n + 1) { launch { db.exec("SELECT 1") } } } } }.awaitAll()
            }
        }
        assertEquals(listOf(1, 2, 3, 4), inner.map { it.statements.size })
        assertEquals(10, outer.statements.size)
    }

    @Test
    public fun `what the caller has bound to its threads is there in every event, whatever the thread`(): Unit = test {
        val bound = ThreadLocal.withInitial { "nobody" }
        val seen = CopyOnWriteArrayList<String>()
        val listener = object : DatabaseListener {
            override fun onStatement(event: StatementEvent) {
                seen += "${bound.get()} ${event.operation}"
            }

            override fun onConnection(event: ConnectionEvent) {
                seen += "${bound.get()} ${event.javaClass.simpleName}"
            }
        }
        withContext(DispatcherSuite.Hopping + bound.asContextElement("caller")) {
            withListener(listener) {
                add("a")
                transaction { add("b"); launch { add("c") } }
                assertFails<IllegalStateException> { transaction { add("d"); error("on purpose") } }
                Pages.selectAll().also { it.fetchSize(1) }.toList(ArrayList())
                withTimeoutOrNull(200.milliseconds) { transaction { db.exec(backend.dialogue.slowStatement) } }
            }
        }
        assertTrue(seen.size > 12 && "caller COMMIT" in seen && "caller ROLLBACK" in seen, "$seen")
        assertEquals(emptyList<String>(), seen.filterNot { it.startsWith("caller ") })
    }

    private class RecordingLogger(private val debug: Boolean) : LegacyAbstractLogger() {
        val lines = CopyOnWriteArrayList<String>()

        override fun isTraceEnabled() = false

        override fun isDebugEnabled() = debug

        override fun isInfoEnabled() = true

        override fun isWarnEnabled() = true

        override fun isErrorEnabled() = true

        override fun getFullyQualifiedCallerName(): String? = null

        override fun handleNormalizedLoggingCall(level: Level, marker: Marker?, pattern: String?, arguments: Array<out Any>?, error: Throwable?) {
            lines += "$level ${MessageFormatter.basicArrayFormat(pattern, arguments)}"
        }

        private companion object {
            private const val serialVersionUID = 1L
        }
    }

    @Test
    public fun `the logger tells time, rows and text at DEBUG, slow statements louder, and no secret ever (M21)`(): Unit = test {
        val secret = UUID.randomUUID().toString()
        val all = RecordingLogger(debug = true)
        val slow = RecordingLogger(debug = false)
        withListener(StatementLogger(logger = all)) {
            withListener(StatementLogger(slow = Duration.ZERO, logger = slow)) {
                withListener(StatementLogger(slow = 1000.seconds, logger = slow)) {
                    add(secret)
                    assertFails<ConstraintViolationException> { add(secret) }
                    Pages.selectAll().where { Pages.key eq secret }.toList()
                    db.exec("SELECT '$secret', 'it''s $secret'")
                }
            }
        }
        assertEquals(4, all.lines.size)
        assertEquals(4, slow.lines.size)
        assertTrue(all.lines.all { Regex("""DEBUG \d+\.\d{3} ms, .*""").matches(it) }, "${all.lines}")
        assertTrue(slow.lines.all { it.startsWith("WARN Slow statement: ") }, "${slow.lines}")
        assertTrue("failed with ConstraintViolationException: INSERT INTO" in all.lines[1], all.lines[1])
        assertTrue("1 rows: SELECT ?, ?" in all.lines[3], all.lines[3])
        assertFalse((all.lines + slow.lines).any { secret in it })
    }
}
