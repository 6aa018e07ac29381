package dev.kormorant.test.conformance

import dev.kormorant.ConstraintViolationException
import dev.kormorant.Database
import dev.kormorant.OrmException
import dev.kormorant.PoolTimeoutException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.test.FaultProxy
import dev.kormorant.test.FaultProxy.Direction
import dev.kormorant.test.TestServer
import dev.kormorant.withStatementTimeout
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.like
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * A database behind a proxy of its own, and the things a program does with it; each fails if its result is wrong. What it writes are
 * pages with [name] as their text. The functions work on the database in the context, which is [database].
 *
 * @param patient whether timeouts are so long that a lost link must be noticed without them, or so short that they end a stall.
 */
internal class FaultLink(private val name: String, server: TestServer, url: String, patient: Boolean) {
    val proxy = FaultProxy(server.host, server.port)

    val database = Database.open(proxy.instead(url)) {
        connectTimeout = if (patient) GUARD * 2 else 1.seconds
        cancelTimeout = if (patient) GUARD * 2 else 500.milliseconds
        statementTimeout = if (patient) null else 1.seconds
        pool {
            max = 2
            acquireTimeout = if (patient) GUARD * 2 else 3.seconds
        }
    }

    /** What to do at the next [armed]; `null` once it is done. */
    var onArmed: (() -> Unit)? = null

    private var attempt = 0

    /** Names of the pages that the current attempt has written without an error. */
    val written = HashSet<String>()

    fun begin() {
        attempt++
        written.clear()
    }

    fun armed() {
        onArmed?.invoke()
        onArmed = null
    }

    suspend fun readOne() = assertEquals("the text", Pages.selectAll().where { Pages.key eq KNOWN }.single()[Pages.text])

    suspend fun readAll() = assertEquals(List(LONG) { LINE }, Pages.selectAll().where { Pages.key like "long%" }.toList().map { it[Pages.text] })

    suspend fun stream() {
        var rows = 0
        Pages.selectAll().where { Pages.key like "long%" }.fetchSize(10).collect {
            assertEquals(LINE, it[Pages.text])
            rows++
        }
        assertEquals(LONG, rows)
    }

    suspend fun write(page: String) {
        Pages.insert { it[key] = keyOf(page); it[text] = name }
        written += page
    }

    suspend fun writeAgain(page: String) {
        try {
            Pages.insert { it[key] = keyOf(page); it[text] = name }
        } catch (_: ConstraintViolationException) {
            return
        }
        fail<Unit>("a page was written twice")
    }

    /** Names of the pages of the current attempt that there are. */
    suspend fun stored(): Set<String> =
        Pages.selectAll().where { Pages.key like keyOf("%") }.toList().mapTo(HashSet()) { it[Pages.key].substringAfterLast('/') }

    private fun keyOf(page: String) = "$name/$attempt/$page"

    /** Cancels [slowStatement] while the server runs it. */
    suspend fun cancel(slowStatement: String) {
        var outcome: Throwable? = null
        coroutineScope {
            val before = proxy.bytesForwarded(Direction.TO_SERVER)
            val running = launch {
                outcome = runCatching { withStatementTimeout(Duration.INFINITE) { database.exec(slowStatement) } }.exceptionOrNull()
            }
            var seen = before
            while (seen == before || seen != proxy.bytesForwarded(Direction.TO_SERVER)) {
                seen = proxy.bytesForwarded(Direction.TO_SERVER)
                delay(50.milliseconds)
            }
            armed()
            running.cancelAndJoin()
        }
        assertTrue(outcome is CancellationException, "$outcome instead of the cancellation")
    }

    /** Uses the database until it works, which errors of the link may precede. */
    suspend fun connectAndRead() = withoutHang("the recovery") {
        while (true) {
            try {
                database.connect()
                readOne()
                break
            } catch (error: OrmException) {
                if (!error.connectionLost && error !is QueryTimeoutException && error !is PoolTimeoutException) throw error
                delay(10.milliseconds)
            }
        }
    }

    suspend fun awaitNoLinks() = eventually("all sockets are closed") { proxy.connectionCount == 0 }

    companion object {
        const val KNOWN = "known"
        const val LONG = 60
        val LINE = "A line of text. ".repeat(30)
    }
}

/** [url] with the proxy for its server. */
internal fun FaultProxy.instead(url: String): String = url.replace(Regex("@[^/@]*/"), "@$host:$port/")
