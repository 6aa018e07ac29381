package dev.kormorant.test.conformance

import dev.kormorant.CommitOutcomeUnknownException
import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.OrmException
import dev.kormorant.PoolTimeoutException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.test.FaultProxy
import dev.kormorant.test.FaultProxy.Direction
import dev.kormorant.transaction
import dev.kormorant.withStatementTimeout
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.like
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.ZERO
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * What becomes of the work and of the pool when the link to a server breaks, at many points of every phase of a conversation: no call
 * hangs, fails with a foreign error or returns a wrong result, no connection stays lent, and the same [Database] works again as soon as
 * the link does. Each case has a link of its own, and several run at once.
 */
@Timeout(600)
public abstract class FaultSuite(backend: ServerBackend) : Suite(backend, Pages) {
    /** A part of the conversation. The link is well and connected up to `armed()`; from there on it may break. */
    private class Phase(val name: String, val act: suspend FaultLink.() -> Unit) {
        override fun toString() = name
    }

    /** Where a link breaks: after that many more bytes in that direction. */
    private class Point(val phase: Phase, val direction: Direction, val bytes: Long) {
        override fun toString() = "$phase, after $bytes bytes $direction"
    }

    private val connect = Phase("connect") {
        armed()
        database.connect()
    }

    private val query = Phase("query") {
        armed()
        readOne()
    }

    private val transaction = Phase("transaction") {
        database.transaction {
            armed()
            write("first")
            write("second")
        }
    }

    private val savepoint = Phase("savepoint") {
        database.transaction {
            write("first")
            armed()
            database.transaction { write("second") }
        }
    }

    private val commit = Phase("commit") {
        database.transaction {
            write("first")
            write("second")
            armed()
        }
    }

    /** The server may not notice that its client has gone and run the statement to its end. */
    private val cancel = Phase("cancel") { cancel(backend.dialogue.slowStatement) }

    private val phases = listOf(
        connect,
        query,
        Phase("prepared query") {
            readOne()
            armed()
            readOne()
        },
        Phase("long result") {
            armed()
            readAll()
        },
        Phase("stream") {
            armed()
            stream()
        },
        Phase("insert") {
            armed()
            write("single")
        },
        Phase("refused insert") {
            write("single")
            armed()
            writeAgain("single")
        },
        transaction,
        savepoint,
        commit,
        Phase("rollback") {
            class Stop : RuntimeException()
            try {
                database.transaction {
                    write("undone")
                    armed()
                    throw Stop()
                }
            } catch (_: Stop) {
                // The error of the block is the one to see, whatever becomes of the rollback.
                written.clear()
            }
        },
        cancel,
        Phase("close") {
            readOne()
            armed()
            database.close()
        },
    )

    @BeforeEach
    public fun fill(): Unit = test {
        Pages.insert { it[key] = FaultLink.KNOWN; it[text] = "the text" }
        repeat(FaultLink.LONG) { number -> Pages.insert { it[key] = "long$number"; it[text] = FaultLink.LINE } }
    }

    private suspend fun <T> link(name: String, patient: Boolean = true, parameters: String = PLAIN, block: suspend CoroutineScope.(FaultLink) -> T): T {
        val link = FaultLink(name, backend.server!!, url.substringBefore('?') + parameters, patient)
        try {
            return withContext(link.database) { block(link) }
        } finally {
            link.proxy.close()
            link.database.close(ZERO)
        }
    }

    /** Points of the [phases], as measured on a link that is well: the first [small] bytes one by one, [spread] over the rest, the last two. */
    private suspend fun points(phases: List<Phase>, parameters: String, small: Int, spread: Int): List<Point> = phases.flatMap { phase ->
        val sizes = link("measured $phase", parameters = parameters) { link ->
            if (phase !== connect) link.connectAndRead()
            var before = emptyMap<Direction, Long>()
            link.onArmed = { before = Direction.entries.associateWith(link.proxy::bytesForwarded) }
            withoutHang("$phase on a link that is well") { phase.act(link) }
            if (!link.database.isOpen) link.awaitNoLinks()
            Direction.entries.associateWith { link.proxy.bytesForwarded(it) - before.getValue(it) }
        }
        sizes.flatMap { (direction, bytes) ->
            val offsets = (1L..small) + (1..spread).map { bytes * it / (spread + 1) } + listOf(bytes - 1, bytes)
            offsets.filter { it in 1..bytes }.distinct().map { Point(phase, direction, it) }
        }
    }

    private fun breakAt(
        small: Int,
        spread: Int,
        stalls: Boolean = false,
        phases: List<Phase> = this.phases,
        parameters: String = PLAIN,
        fault: (FaultLink, Point) -> Unit,
    ): Unit = test {
        val concurrent = Semaphore(CONCURRENT)
        val failures = ConcurrentLinkedQueue<AssertionError>()
        coroutineScope {
            for ((number, point) in points(phases, parameters, small, spread).withIndex()) {
                launch(Dispatchers.Default) {
                    concurrent.withPermit {
                        try {
                            link("case$number", patient = !stalls, parameters) { link -> case(link, point, stalls) { fault(link, point) } }
                        } catch (error: Throwable) {
                            failures += AssertionError("$point: ${error.message}", error)
                        }
                    }
                }
            }
        }
        failures.firstOrNull()?.let { throw AssertionError(failures.joinToString("\n") { failure -> failure.message.orEmpty() }, it) }
        backend.dialogue.sessionsInTransaction?.let { question ->
            eventually("no session is in a transaction") { (db.exec(question).scalar() as Number).toInt() == 0 }
        }
    }

    private suspend fun case(link: FaultLink, point: Point, stalls: Boolean, fault: () -> Unit) {
        val phase = point.phase
        var outcome: Result<Unit>
        do {
            if (phase !== connect) link.connectAndRead()
            link.begin()
            link.onArmed = fault
            outcome = withoutHang("the call") { runCatching { phase.act(link) } }
            assertEquals(0, link.database.pool.inUse, "connections in use after $outcome")
            assertEquals(0, link.database.pool.waiting, "callers waiting after $outcome")
            outcome.exceptionOrNull()?.let { assertIsExpected(it, phase, stalls) }
        } while (stalls && link.onArmed != null) // On a busy machine a short timeout may strike before the fault does.
        if (phase === commit) outcome.exceptionOrNull()?.let { assertTrue(it is CommitOutcomeUnknownException, "$it") }
        val written = HashSet(link.written)
        link.proxy.resume()
        link.connectAndRead()
        val stored = withContext(db) { link.stored() }
        assertEquals("first" in stored, "second" in stored, "a part of a transaction")
        assertFalse("undone" in stored, "a part of what was rolled back")
        if (outcome.isSuccess) assertEquals(written, stored)
        link.database.close()
        if (phase !== cancel) link.awaitNoLinks()
    }

    private fun assertIsExpected(error: Throwable, phase: Phase, stalls: Boolean) {
        val isExpected = when (error) {
            is ConnectionException -> true
            is CommitOutcomeUnknownException -> phase === commit || phase === transaction || phase === savepoint
            is QueryTimeoutException, is PoolTimeoutException -> stalls
            else -> false
        }
        if (!isExpected) throw AssertionError("$error is not the error to expect", error)
        assertEquals(error !is QueryTimeoutException && error !is PoolTimeoutException, (error as OrmException).connectionLost)
    }

    // ---- Any byte

    @Test
    public fun `a link that ends in any phase is an error of the link, and the pool recovers`(): Unit =
        breakAt(small = 5, spread = 5) { link, point -> link.proxy.cutAfter(point.direction, point.bytes) }

    @Test
    public fun `a link that is reset in any phase is an error of the link, and the pool recovers`(): Unit =
        breakAt(small = 2, spread = 3) { link, point -> link.proxy.resetAfter(point.direction, point.bytes) }

    @Test
    public fun `a link that stalls in any phase is left by a timeout, and the pool recovers`(): Unit =
        breakAt(small = 1, spread = 1, stalls = true) { link, point -> link.proxy.pauseAfter(point.direction, point.bytes) }

    @Test
    public fun `an encrypted link that ends is an error of the link, and the pool recovers`() {
        needs(backend.server!!.certificate != null, "certificate that is known")
        breakAt(small = 2, spread = 8, phases = listOf(connect, query, commit), parameters = "?sslmode=require") { link, point ->
            link.proxy.cutAfter(point.direction, point.bytes)
        }
    }

    @Test
    public fun `bytes that come one by one change nothing`(): Unit = test {
        for (mode in listOf("disable", "prefer")) {
            link("pieces $mode", parameters = "?sslmode=$mode") { link ->
                for (phase in phases) {
                    link.database.connect()
                    link.begin()
                    link.proxy.splitInto(1)
                    withoutHang("$phase") { phase.act(link) }
                    assertEquals(link.written, withContext(db) { link.stored() }, "$phase")
                }
            }
        }
    }

    // ---- Blocks and cancels on a lost link

    @Test
    public fun `a link lost between the last statement and COMMIT is an error of the link, not of the block`(): Unit = test {
        link("before commit") { link ->
            link.connectAndRead()
            val error = assertFails<ConnectionException> {
                link.database.transaction {
                    link.write("first")
                    link.proxy.closeConnections()
                    link.awaitNoLinks()
                }
            }
            assertHint(error, "run it again")
            assertEquals(0, link.database.pool.inUse)
            link.connectAndRead()
            assertEquals(emptySet<String>(), link.stored())
        }
    }

    @Test
    public fun `a cancel that cannot reach the server does not take the place of the cancellation`(): Unit = test {
        link("uncancelled", patient = false) { link ->
            link.connectAndRead()
            link.onArmed = link.proxy::refuse
            withoutHang("the cancel") { link.cancel(backend.dialogue.slowStatement) }
            assertEquals(0, link.database.pool.inUse)
            link.proxy.accept()
            link.connectAndRead()
        }
    }

    @Test
    public fun `a cancel that cannot reach the server does not take the place of the statement timeout`(): Unit = test {
        link("untimed", patient = false) { link ->
            link.connectAndRead()
            link.proxy.refuse()
            assertFails<QueryTimeoutException> { withStatementTimeout(100.milliseconds) { link.database.exec(backend.dialogue.slowStatement) } }
            assertEquals(0, link.database.pool.inUse)
            link.proxy.accept()
            link.connectAndRead()
        }
    }

    @Test
    public fun `a stream whose cancel cannot reach the server ends as its collector wants, and its connection is closed`(): Unit = test {
        class Stop : RuntimeException()
        link("unstreamed", patient = false) { link ->
            suspend fun <T : Any> cutOff(collect: suspend (Flow<ResultRow>) -> T): T {
                link.connectAndRead()
                link.proxy.refuse()
                val result = withoutHang("the stream") { collect(Pages.selectAll().where { Pages.key like "long%" }.fetchSize(1)) }
                assertEquals(0, link.database.pool.inUse)
                link.proxy.accept()
                return result
            }
            assertEquals(listOf(FaultLink.LINE), cutOff { rows -> rows.take(1).map { it[Pages.text] }.toList() })
            cutOff { rows -> assertFails<Stop> { rows.collect { throw Stop() } } }
            cutOff { rows ->
                val begun = CompletableDeferred<Unit>()
                val collecting = async {
                    rows.collect {
                        begun.complete(Unit)
                        awaitCancellation()
                    }
                }
                begun.await()
                collecting.cancelAndJoin()
                assertTrue(runCatching { collecting.await() }.exceptionOrNull() is CancellationException)
            }
            link.connectAndRead()
        }
    }

    // ---- Servers that come and go

    @Test
    public fun `a link that went dead without a word is never lent again`(): Unit = test {
        link("dropped", patient = false) { link ->
            link.connectAndRead()
            val session = sessionOf(link.database)
            for (direction in Direction.entries) link.proxy.drop(direction)
            val error = assertFails<OrmException> { link.readOne() }
            assertTrue(error is QueryTimeoutException || error is ConnectionException, "$error")
            assertEquals(0, link.database.pool.inUse)
            link.proxy.resume()
            link.connectAndRead()
            assertNotEquals(session, sessionOf(link.database))
        }
    }

    @Test
    public fun `a connection that has been silent is asked before it is lent, and a dead one is replaced`(): Unit = test {
        FaultProxy(backend.server!!.host, backend.server!!.port).use { proxy ->
            val other = Database.open(proxy.instead(url)) {
                connectTimeout = 1.seconds
                pool { validateAfter = ZERO; acquireTimeout = GUARD }
            }
            try {
                var session = 0L
                eventually("it is connected") { runCatching { session = sessionOf(other) }.isSuccess }
                proxy.drop(Direction.TO_CLIENT)
                assertFails<ConnectionException> { sessionOf(other) }
                assertEquals(0, other.pool.inUse)
                proxy.resume()
                eventually("it works again") { runCatching { assertNotEquals(session, sessionOf(other)) }.onFailure { if (it !is ConnectionException) throw it }.isSuccess }
            } finally {
                other.close(ZERO)
            }
        }
    }

    @Test
    public fun `callers that wait behind a stalled link get a pool timeout`(): Unit = test {
        FaultProxy(backend.server!!.host, backend.server!!.port).use { proxy ->
            val other = Database.open(proxy.instead(url)) { pool { max = 1; acquireTimeout = 1.seconds } }
            try {
                eventually("it is connected") { runCatching { other.connect() }.isSuccess }
                proxy.pause()
                val stalled = async(Dispatchers.Default) { other.exec("SELECT 1").scalar() }
                eventually("the connection is lent") { other.pool.inUse == 1 }
                assertFails<PoolTimeoutException> { other.exec("SELECT 2") }
                proxy.resume()
                assertEquals(1, (withoutHang("the stalled call") { stalled.await()!! } as Number).toInt())
                assertEquals(0, other.pool.inUse)
                assertEquals(0, other.pool.waiting)
            } finally {
                other.close(ZERO)
            }
        }
    }

    @Test
    public fun `work goes on after sessions were ended by the administrator`(): Unit = test {
        open { pool { max = 5 } }.use { other ->
            val sessions = ConcurrentHashMap.newKeySet<Long>()
            val killed = AtomicInteger()
            underLoad(other) { worker, round ->
                sessions += sessionOf(other)
                if (worker == 0 && round % 10 == 0) {
                    sessions.randomOrNull()?.let { session ->
                        sessions -= session
                        try {
                            db.exec(backend.dialogue.killSession!!(session))
                            killed.incrementAndGet()
                        } catch (_: OrmException) {
                            // It has ended before.
                        }
                    }
                }
            }
            assertTrue(killed.get() > 0)
        }
    }

    @Test
    public fun `work goes on after the server was away`(): Unit = test {
        link("restarted") { link ->
            val failures = AtomicInteger()
            val away = launch(Dispatchers.Default) {
                repeat(3) {
                    val before = failures.get()
                    link.proxy.refuse()
                    link.proxy.resetConnections()
                    eventually("callers fail") { failures.get() > before }
                    link.proxy.accept()
                    link.connectAndRead()
                }
            }
            underLoad(link.database, until = { away.isCompleted }, onFailure = failures::incrementAndGet) { _, _ -> }
            away.join()
        }
    }

    /** Twenty workers read and write until each has had fifty successes and [until] holds; only errors of the link are allowed. */
    private suspend fun underLoad(
        database: Database,
        until: () -> Boolean = { true },
        onFailure: () -> Unit = {},
        also: suspend (worker: Int, round: Int) -> Unit,
    ) = withoutHang("the load") {
        coroutineScope {
            repeat(20) { worker ->
                launch(Dispatchers.Default + database) {
                    var round = 0
                    var successes = 0
                    while (successes < 50 || !until()) {
                        round++
                        try {
                            also(worker, round)
                            assertEquals(round, (database.exec("SELECT ?", round).scalar() as Number).toInt())
                            database.transaction {
                                Pages.insert { it[key] = "load/$worker/$round"; it[text] = "" }
                                assertEquals(worker, (database.exec("SELECT ?", worker).scalar() as Number).toInt())
                            }
                            successes++
                        } catch (error: OrmException) {
                            if (error !is ConnectionException && error !is CommitOutcomeUnknownException) throw error
                            onFailure()
                        }
                    }
                }
            }
        }
        assertEquals(0, database.pool.inUse)
        assertEquals(0, database.pool.waiting)
    }

    private suspend fun sessionOf(database: Database): Long = (database.exec(backend.dialogue.sessionId!!).scalar() as Number).toLong()

    private companion object {
        const val PLAIN = "?sslmode=disable"

        /** Cases that run at the same time: most of them wait. */
        const val CONCURRENT = 12
    }
}
