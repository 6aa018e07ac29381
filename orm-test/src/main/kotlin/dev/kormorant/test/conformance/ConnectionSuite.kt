package dev.kormorant.test.conformance

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.DriverMissingException
import dev.kormorant.NoDatabaseException
import dev.kormorant.PoolClosedException
import dev.kormorant.PoolTimeoutException
import dev.kormorant.connection
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.inList
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Opening, the pool, closing. */
public abstract class ConnectionSuite(backend: Backend) : Suite(backend, Pages) {
    // ---- Which database

    @Test
    public fun `a call without a database names the three ways to give it one (M1)`(): Unit = runBlocking {
        for (call in listOf<suspend () -> Any?>({ Page.get(1) }, { Pages.selectAll().toList() }, { transaction { } })) {
            assertHint(assertFails<NoDatabaseException> { call() }, "withContext(db)", "transaction", "`database`")
        }
    }

    @Test
    public fun `a model's own database serves where the context has none (M2)`(): Unit = runBlocking {
        HomePage.home = db
        try {
            val created = HomePage.create { key = "home" }
            assertEquals("home", HomePage.get(created.id).key)
        } finally {
            HomePage.home = null
        }
        assertFails<NoDatabaseException> { HomePage.count() }
    }

    @Test
    public fun `a database in the context wins over the model's own (M2)`(): Unit = test {
        val closed = Database.open(backend.unreachableUrl)
        HomePage.home = closed
        try {
            assertEquals(0, HomePage.count())
        } finally {
            HomePage.home = null
            closed.close()
        }
    }

    @Test
    public fun `the product tells its name`() {
        assertEquals(backend.product, db.dialectName)
    }

    // ---- URLs and settings

    @Test
    public fun `a prefix of jdbc or r2dbc before the URL is tolerated (D8)`(): Unit = runBlocking {
        for (prefix in listOf("jdbc:", "r2dbc:")) {
            Database.open(prefix + url).use { assertEquals(1, (it.exec("SELECT 1").scalar() as Number).toInt()) }
        }
    }

    @Test
    public fun `an unknown scheme names the artifact or the known schemes (D9)`() {
        val error = runBlocking { assertFails<DriverMissingException> { Database.open("nosuchdb://localhost/test") } }
        assertHint(error, url.substringBefore(':'))
    }

    @Test
    public fun `a URL without scheme is a configuration error that does not repeat it (D8)`(): Unit = runBlocking {
        val error = assertFails<ConfigurationException> { Database.open("secret-path") }
        assertHint(error, "scheme")
        assertFalse("secret-path" in error.message.orEmpty())
    }

    @Test
    public fun `an unknown parameter of the URL is an error (D10)`(): Unit = runBlocking {
        val error = assertFails<ConfigurationException> { Database.open(url + (if ('?' in url) "&" else "?") + "no_such_parameter=1") }
        assertTrue("no_such_parameter" in error.message.orEmpty())
    }

    @Test
    public fun `a server URL without a database name is an error that says so (D8)`(): Unit = runBlocking {
        val server = backend.server
        needs(server != null, "server")
        val error = assertFails<ConfigurationException> { Database.open("${server!!.url.substringBefore("://")}://localhost").also { it.close() } }
        assertTrue("database" in error.message.orEmpty())
    }

    @Test
    public fun `the settings of the pool are read back (D10)`(): Unit = runBlocking {
        Database.open(url) {
            pool {
                max = 7
                min = 2
                acquireTimeout = 3.seconds
                maxLifetime = 20.minutes
                idleTimeout = 4.minutes
                keepalive = null
            }
        }.use { other ->
            val pool = other.config.pool
            assertEquals(listOf<Any?>(7, 2, 3.seconds, 20.minutes, 4.minutes, null), listOf<Any?>(pool.max, pool.min, pool.acquireTimeout, pool.maxLifetime, pool.idleTimeout, pool.keepalive))
        }
    }

    @Test
    public fun `settings that make no sense are refused when the database is opened (D10)`(): Unit = runBlocking {
        assertFails<ConfigurationException> { Database.open(url) { pool { max = 0 } } }
        assertFails<ConfigurationException> { Database.open(url) { pool { min = 11 } } }
        assertFails<ConfigurationException> { Database.open(url) { pool { acquireTimeout = 0.seconds } } }
        assertFails<ConfigurationException> { Database.open(url) { connectTimeout = (-1).seconds } }
    }

    @Test
    public fun `the text of a database has no password`() {
        val password = backend.server?.password ?: return
        assertTrue(password in url)
        assertFalse(password in db.toString() || password in db.url)
    }

    // ---- Connecting

    @Test
    public fun `opening does no I-O and the first statement connects by itself (M4, M5)`(): Unit = runBlocking {
        val other = Database.open(url)
        assertFalse(other.isOpen)
        assertEquals(0, other.pool.idle)
        other.exec("SELECT 1")
        assertTrue(other.isOpen)
        other.close()
        assertFalse(other.isOpen)
    }

    @Test
    public fun `connecting twice does nothing the second time (M5)`(): Unit = runBlocking {
        Database.open(url).use { other ->
            other.connect()
            val idle = other.pool.idle
            other.connect()
            assertEquals(idle, other.pool.idle)
            assertEquals(0, other.pool.inUse)
        }
    }

    @Test
    public fun `concurrent first uses are all served (M5)`(): Unit = runBlocking {
        Database.open(url).use { other ->
            val answers = (1..20).map { async(Dispatchers.Default) { (other.exec("SELECT $it").scalar() as Number).toInt() } }.awaitAll()
            assertEquals((1..20).toList(), answers)
            assertTrue(other.pool.idle <= other.pool.max)
        }
    }

    @Test
    public fun `a cancelled first use does not poison the next (M5)`(): Unit = runBlocking {
        Database.open(url).use { other ->
            launch(start = CoroutineStart.UNDISPATCHED) { other.exec("SELECT 1") }.cancelAndJoin()
            assertEquals(2, (other.exec("SELECT 2").scalar() as Number).toInt())
            assertEquals(0, other.pool.inUse)
        }
    }

    @Test
    public fun `a connect that failed does not poison the next (M5)`(): Unit = runBlocking {
        val other = Database.open(backend.unreachableUrl) { connectTimeout = 5.seconds }
        try {
            repeat(2) {
                val error = assertFails<ConnectionException> { other.connect() }
                assertFalse("secret-of-nobody" in error.message.orEmpty())
                assertEquals(0, other.pool.inUse)
            }
            assertFalse(other.isOpen)
        } finally {
            other.close()
        }
    }

    @Test
    public fun `a server that does not answer is a connection error after the connect timeout (D5, P6)`(): Unit = silentServer { other ->
        val error = assertFails<ConnectionException> { other.exec("SELECT 1") }
        assertTrue(error.isTransient)
        assertEquals(0, other.pool.inUse)
    }

    @Test
    public fun `closing during a connect neither hangs nor leaks it (D5)`(): Unit = silentServer(connectTimeout = 10.minutes) { other ->
        val caller = async(Dispatchers.Default) { runCatching { other.exec("SELECT 1") }.exceptionOrNull() }
        while (other.pool.connecting == 0) delay(1)
        other.close()
        assertTrue(caller.await() is PoolClosedException, "${caller.await()}")
        assertEquals(0, other.pool.connecting)
    }

    /** A database whose server accepts and says nothing. */
    private fun silentServer(connectTimeout: Duration = 300.milliseconds, block: suspend CoroutineScope.(Database) -> Unit) {
        val server = backend.server
        needs(server != null, "server")
        ServerSocket(0, 50, InetAddress.getLoopbackAddress()).use { silent ->
            val scheme = server!!.url.substringBefore("://")
            val other = Database.open("$scheme://somebody:something@127.0.0.1:${silent.localPort}/test") { this.connectTimeout = connectTimeout }
            runBlocking {
                try {
                    block(other)
                } finally {
                    other.close()
                }
            }
        }
    }

    @Test
    public fun `a wrong password is a connection error that trying again does not heal`(): Unit = runBlocking {
        val server = backend.server
        needs(server != null, "server")
        val other = Database.open(url) { password { "not-the-password" } }
        try {
            val error = assertFails<ConnectionException> { other.exec("SELECT 1") }
            assertFalse(error.isTransient)
            assertHint(error)
            assertFalse("not-the-password" in error.stackTraceToString())
            assertEquals(0, other.pool.inUse)
        } finally {
            other.close()
        }
    }

    @Test
    public fun `a database that is not there is a connection error`(): Unit = runBlocking {
        val server = backend.server
        needs(server != null, "server")
        val other = Database.open(server!!.url("no_such_database"))
        try {
            val error = assertFails<ConnectionException> { other.exec("SELECT 1") }
            assertTrue("no_such_database" in error.message.orEmpty(), error.message)
            assertEquals(0, other.pool.inUse)
        } finally {
            other.close()
        }
    }

    // ---- Closing

    @Test
    public fun `closing may be repeated and closes for good until an explicit connect (D11, M16)`(): Unit = runBlocking {
        val other = Database.open(url)
        try {
            other.exec("SELECT 1")
            other.close()
            other.close()
            repeat(2) { assertHint(assertFails<PoolClosedException> { other.exec("SELECT 1") }, "connect()") }
            other.connect()
            assertTrue(other.isOpen)
            assertEquals(3, (other.exec("SELECT 3").scalar() as Number).toInt())
        } finally {
            other.close()
        }
    }

    @Test
    public fun `a database that was never used can be closed and is closed then`(): Unit = runBlocking {
        val other = Database.open(url)
        other.close()
        assertFails<PoolClosedException> { other.exec("SELECT 1") }
    }

    @Test
    public fun `closing waits for a statement in progress (P10)`(): Unit = runBlocking {
        val other = Database.open(url)
        val started = CompletableDeferred<Unit>()
        val answer = async(Dispatchers.Default) {
            other.connection {
                other.exec("SELECT 1")
                started.complete(Unit)
                delay(50)
                (other.exec("SELECT 42").scalar() as Number).toInt()
            }
        }
        started.await()
        other.close(60.seconds)
        assertEquals(42, answer.await())
        assertEquals(0, other.pool.inUse)
    }

    @Test
    public fun `after the grace closing ends what still runs (P10)`(): Unit = runBlocking {
        val other = Database.open(url)
        val started = CompletableDeferred<Unit>()
        val outcome = async(Dispatchers.Default) {
            runCatching {
                other.connection {
                    other.exec("SELECT 1")
                    started.complete(Unit)
                    other.exec(backend.dialogue.slowStatement)
                }
            }
        }
        started.await()
        other.close(100.milliseconds)
        assertTrue(outcome.await().exceptionOrNull() is ConnectionException, "${outcome.await()}")
        assertEquals(0, other.pool.inUse)
    }

    // ---- Pinned connections and the pool

    @Test
    public fun `a pinned connection is one session, nested blocks included, and goes back afterwards (D13)`(): Unit = test {
        db.connection {
            db.exec("CREATE TEMPORARY TABLE pinned (n INTEGER)")
            db.exec("INSERT INTO pinned VALUES (7)")
            assertEquals(1, db.pool.inUse)
            db.connection {
                assertEquals(7, (db.exec("SELECT n FROM pinned").scalar() as Number).toInt())
                assertEquals(1, db.pool.inUse)
            }
            db.exec("DROP TABLE pinned")
        }
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `the server knows a pinned connection by one id (D13)`(): Unit = test {
        val question = backend.dialogue.sessionId
        needs(question != null, "session ids")
        db.connection {
            val id = db.exec(question!!).scalar()
            repeat(3) { assertEquals(id, db.exec(question).scalar()) }
            assertEquals(id, db.connection { db.exec(question).scalar() })
            assertEquals(id, db.transaction { db.exec(question).scalar() })
            assertNotEquals(id, outside { db.exec(question).scalar() })
        }
    }

    @Test
    public fun `statements issued at once on one connection are queued, each with its own answer (P12)`(): Unit = test {
        db.connection {
            val answers = (1..30).map { async { (db.exec("SELECT $it").scalar() as Number).toInt() } }.awaitAll()
            assertEquals((1..30).toList(), answers)
            assertEquals(1, db.pool.inUse)
        }
    }

    @Test
    public fun `a pool that stays busy is a pool timeout with its figures, and the caller goes on (P6)`(): Unit = runBlocking {
        Database.open(url) { pool { max = 1; acquireTimeout = 3.seconds } }.use { other ->
            other.connection {
                other.exec("SELECT 1")
                val error = withContext(Dispatchers.Default) { CoroutineScope(other).async { runCatching { other.exec("SELECT 2") } }.await() }.exceptionOrNull()
                assertTrue(error is PoolTimeoutException, "$error")
                error as PoolTimeoutException
                assertEquals(1, error.stats.inUse)
                assertTrue(error.isTransient)
                assertHint(error, "acquireTimeout")
            }
            assertEquals(3, (other.exec("SELECT 3").scalar() as Number).toInt())
        }
    }

    @Test
    public fun `a caller that stops waiting for the pool leaves nothing behind`(): Unit = runBlocking {
        Database.open(url) { pool { max = 1 } }.use { other ->
            other.connection {
                other.exec("SELECT 1")
                val waiting = CoroutineScope(other).launch { other.exec("SELECT 2") }
                while (other.pool.waiting == 0) delay(1)
                waiting.cancelAndJoin()
                assertEquals(0, other.pool.waiting)
            }
            assertEquals(0, other.pool.inUse)
            assertEquals(3, (other.exec("SELECT 3").scalar() as Number).toInt())
        }
    }

    @Test
    public fun `a connection whose session the server ended is replaced (P9)`(): Unit = runBlocking {
        val kill = backend.dialogue.killSession
        needs(kill != null, "sessions to end")
        Database.open(url) { pool { max = 1 } }.use { other ->
            val id = (other.exec(backend.dialogue.sessionId!!).scalar() as Number).toLong()
            db.exec(kill!!(id))
            // The statement may still find the old link open; then it fails, and the next one has a new connection.
            runCatching { other.exec("SELECT 1") }.onFailure { assertTrue(it is ConnectionException, "$it") }
            assertNotEquals(id, (other.exec(backend.dialogue.sessionId).scalar() as Number).toLong())
            assertEquals(0, other.pool.inUse)
        }
    }

    @Test
    public fun `statements are prepared once per connection, at most as many as configured, and counted`(): Unit = runBlocking {
        open {
            pool { max = 1 }
            statementCacheSize = 2
        }.use { other ->
            withContext(other) {
                other.connection {
                    repeat(5) { Pages.selectAll().where { Pages.key eq "$it" }.toList() }
                    val once = other.statementCache
                    assertTrue(once.hits >= 4, "$once")
                    Pages.selectAll().where { Pages.text eq "a" }.toList()
                    Pages.selectAll().where { Pages.id eq 1L }.toList()
                    val full = other.statementCache
                    assertEquals(2, full.size, "$full")
                    assertTrue(full.misses > once.misses && full.evictions > once.evictions, "$once, then $full")
                    repeat(5) { Pages.selectAll().where { Pages.id inList (1L..200L + it) }.toList() }
                    Pages.selectAll().where { Pages.id eq 1L }.toList()
                    assertEquals(full.evictions, other.statementCache.evictions, "long lists push nothing out")
                    assertEquals(full.hits + 1, other.statementCache.hits)
                }
            }
        }
    }

    @Test
    public fun `a password is asked for at every connect, so that a rotated one is picked up`(): Unit = runBlocking {
        val server = backend.server
        needs(server != null, "passwords")
        val asked = AtomicInteger()
        val bare = url.replace(":${server!!.password}@", "@")
        assertFalse(server.password in bare)
        Database.open(bare) { password { if (asked.incrementAndGet() == 1) "out-of-date" else server.password } }.use { other ->
            val error = assertFails<ConnectionException> { other.exec("SELECT 1") }
            assertFalse("out-of-date" in error.stackTraceToString())
            assertEquals(1, (other.exec("SELECT 1").scalar() as Number).toInt())
            assertTrue(asked.get() >= 2)
        }
    }
}
