package dev.kormorant.ktor

import dev.kormorant.ConfigurationException
import dev.kormorant.Database
import dev.kormorant.DatabaseListener
import dev.kormorant.RecordNotFoundException
import dev.kormorant.Schema
import dev.kormorant.StatementEvent
import dev.kormorant.connection
import dev.kormorant.test.TestServers
import dev.kormorant.test.databaseTest
import dev.kormorant.transaction
import dev.kormorant.withListener
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.application.plugin
import io.ktor.server.config.ConfigLoader
import io.ktor.server.config.ConfigLoader.Companion.load
import io.ktor.server.config.MapApplicationConfig
import io.ktor.server.plugins.statuspages.StatusPages
import io.ktor.server.response.ApplicationSendPipeline
import io.ktor.server.response.respond
import io.ktor.server.response.respondText
import io.ktor.server.response.respondTextWriter
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import io.ktor.server.testing.testApplication
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.coroutines.ContinuationInterceptor
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class KormorantTest {
    private fun <T> onSqlite(
        configure: KormorantConfig.() -> Unit = {},
        module: Application.() -> Unit,
        block: RunningServer.(Database) -> T,
    ): T = withSqlite { url ->
        runBlocking { Database.open(url).use { withContext(it) { Schema.create(Notes) } } }
        lateinit var database: Database
        serving({
            install(Kormorant) {
                database(url)
                configure()
            }
            database = database()
            module()
        }) {
            block(database).also { assertEquals(0, database.pool.inUse) }
        }
    }

    private fun count(database: Database) = runBlocking(database) { Note.count() }

    // ---- Databases

    @Test
    fun `every call has the database in its context`() = onSqlite(
        module = {
            routing {
                post("/") { call.respondText("${Note.create { text = "a" }.id}") }
                get("/") { call.respondText(Note.all().first().text) }
            }
        },
    ) {
        assertEquals("1", post("/").body())
        assertEquals("a", send("/").body())
    }

    @Test
    fun `the databases are closed with the server`() {
        lateinit var database: Database
        withSqlite { url ->
            serving({
                install(Kormorant) {
                    database(url)
                    connectOnStart = true
                }
                database = database()
            }) { assertTrue(database.isOpen) }
        }
        assertFalse(database.isOpen)
    }

    @Test
    fun `a database that was opened elsewhere stays open`() = runBlocking {
        Database.open("sqlite::memory:").use { mine ->
            mine.connect()
            serving({ install(Kormorant) { database(mine) } }) { }
            assertTrue(mine.isOpen)
        }
    }

    @Test
    fun `a server that must connect does not start without its database`() {
        assertThrows(Exception::class.java) {
            serving({
                install(Kormorant) {
                    database("sqlite:/no/such/directory/test.db")
                    connectOnStart = true
                }
            }) { }
        }
    }

    @Test
    fun `several databases go by names, and routes choose among them`() = withSqlite { other ->
        onSqlite(
            { database("other", other) },
            {
                routing {
                    get("/default") { call.respondText(Database.url()) }
                    onDatabase("other") { get("/other") { call.respondText(Database.url()) } }
                    get("/both") { call.respondText("${call.database().url != call.database("other").url}") }
                    get("/none") { call.database("none") }
                }
            },
        ) { database ->
            assertEquals(database.url, send("/default").body())
            assertEquals(other, send("/other").body())
            assertEquals("true", send("/both").body())
            assertEquals(500, send("/none").statusCode())
        }
    }

    private suspend fun Database.Key.url(): String = checkNotNull(currentCoroutineContext()[this]).url

    // ---- Configuration

    @Test
    fun `databases are named in application conf and application yaml`() {
        for (file in listOf("shop.conf", "shop.yaml")) {
            testApplication {
                environment { config = ConfigLoader.load(file) }
                application {
                    install(Kormorant) { configure("reports") { pool { min = 1 } } }
                    val kormorant = plugin(Kormorant)
                    assertEquals("sqlite::memory:", kormorant.database.url)
                    assertEquals(3, kormorant.database.config.pool.max)
                    assertEquals(1500.milliseconds, kormorant.database.config.pool.acquireTimeout)
                    assertEquals(7.seconds, kormorant.database.config.statementTimeout)
                    assertEquals("postgresql://db.example/reports", kormorant.database("reports").url)
                    assertEquals("reader", kormorant.database("reports").config.user)
                    assertEquals(1, kormorant.database("reports").config.pool.min)
                }
                startApplication()
            }
        }
    }

    @Test
    fun `a setting that is not understood stops the application and is named`() {
        fun failure(vararg settings: Pair<String, String>) = assertThrows(ConfigurationException::class.java) {
            KormorantConfig().apply { read(MapApplicationConfig(*settings)) }.open()
        }.message.orEmpty()
        assertTrue("kormorant.urll" in failure("kormorant.urll" to "x"))
        assertTrue("kormorant.pool.max" in failure("kormorant.url" to "sqlite::memory:", "kormorant.pool.max" to "many"))
    }

    @Test
    fun `an application without a database says what to do`() {
        val error = assertThrows(ConfigurationException::class.java) {
            testApplication {
                application { install(Kormorant) }
                startApplication()
            }
        }
        assertTrue("kormorant.url" in error.hint.orEmpty())
    }

    // ---- Transactions

    private fun Application.writing() = routing {
        post("/plain") { Note.create { text = "plain" }; call.respondText("ok") }
        transactional {
            route("/notes") {
                post("/ok") { Note.create { text = "ok" }; call.respondText("ok") }
                post("/fails") { Note.create { text = "fails" }; error("on purpose") }
                post("/refuses") { Note.create { text = "refuses" }; call.respond(HttpStatusCode.UnprocessableEntity) }
                post("/silent") { Note.create { text = "silent" } }
                get("/stream") { call.respondTextWriter { write("${Note.count()}") } }
                post("/twice") {
                    Note.create { text = "outer" }
                    runCatching { transaction { Note.create { text = "inner" }; error("on purpose") } }
                    call.respondText("${Note.count()}")
                }
            }
        }
    }

    @Test
    fun `a transactional route commits what it answers and rolls back what it refuses`() = onSqlite(module = { writing() }) { database ->
        assertEquals(500, post("/notes/fails").statusCode())
        assertEquals(422, post("/notes/refuses").statusCode())
        assertEquals(404, post("/notes/unknown").statusCode())
        assertEquals(0, count(database))
        assertEquals("ok", post("/notes/ok").body())
        assertEquals("1", send("/notes/stream").body())
        assertEquals("2", post("/notes/twice").body())
        assertEquals("ok", post("/plain").body())
        assertEquals(3, count(database))
    }

    @Test
    fun `a response leaves after the commit`() {
        val events = CopyOnWriteArrayList<String>()
        val listener = object : DatabaseListener {
            override fun onStatement(event: StatementEvent) {
                events += event.operation
            }
        }
        onSqlite(
            { configureListening(listener) },
            {
                sendPipeline.intercept(ApplicationSendPipeline.Engine) { events += "response" }
                writing()
            },
        ) {
            post("/notes/ok")
            assertEquals(listOf("BEGIN", "INSERT", "COMMIT", "response"), events.toList())
        }
    }

    private fun KormorantConfig.configureListening(listener: DatabaseListener) {
        context = listening(listener)
    }

    /** The context element that `withListener` makes. */
    private fun listening(listener: DatabaseListener) = runBlocking {
        withListener(listener) { coroutineContext.minusKey(Job).minusKey(ContinuationInterceptor) }
    }

    @Test
    fun `a commit that fails is the answer`() = onSqlite(
        module = {
            routing {
                transactional {
                    post("/orphan") {
                        call.database().exec("CREATE TABLE IF NOT EXISTS orphan (note BIGINT REFERENCES note(id) DEFERRABLE INITIALLY DEFERRED)")
                        call.database().exec("INSERT INTO orphan VALUES (12345)")
                        call.respondText("ok")
                    }
                }
            }
        },
    ) {
        assertEquals(409, post("/orphan").statusCode())
    }

    @Test
    fun `each call can be a transaction, those without an answer included`() = onSqlite({ transactionPerCall = true; health = "/health" }, { writing() }) { database ->
        assertEquals(200, post("/notes/ok").statusCode())
        assertEquals(404, post("/notes/silent").statusCode())
        assertEquals(404, send("/nowhere").statusCode())
        assertEquals(200, send("/health").statusCode())
        assertEquals(1, count(database))
    }

    // ---- Errors

    @Test
    fun `errors are answered by the status they mean, without their text`() = onSqlite(
        module = {
            routing {
                get("/missing") { Note.get(7) }
                post("/same") { repeat(2) { Note.create { text = "same" } } }
                post("/long") { Note.create { text = "x".repeat(41) } }
                get("/wrong") { call.database().exec("SELEC") }
            }
        },
    ) {
        val answers = listOf(send("/missing"), post("/same"), post("/long"), send("/wrong"))
        assertEquals(listOf(404, 409, 400, 500), answers.map { it.statusCode() })
        assertTrue(answers.none { "note" in it.body() || "SELEC" in it.body() }, answers.joinToString { it.body() })
    }

    @Test
    fun `StatusPages knows better`() = onSqlite(
        module = {
            install(StatusPages) { exception<RecordNotFoundException> { call, _ -> call.respond(HttpStatusCode.Gone) } }
            routing { transactional { get("/missing") { Note.get(7) } } }
        },
    ) { assertEquals(410, send("/missing").statusCode()) }

    @Test
    fun `a pool without a free connection is 503 with Retry-After`() = onSqlite(
        {
            retryAfter = 3.seconds
            connectOnStart = true
            configure { pool { acquireTimeout = 2.seconds } }
        },
        {
            routing { post("/") { Note.create { text = "a" } } }
        },
    ) { database ->
        runBlocking {
            database.connection {
                database.exec("SELECT 1")
                val answer = withContext(Dispatchers.IO) { post("/") }
                assertEquals(503, answer.statusCode())
                assertEquals("3", answer.headers().firstValue("Retry-After").orElse(""))
            }
        }
    }

    // ---- Health and disconnects

    @Test
    fun `health tells of each database`() = onSqlite({ health = "/health"; database("lost", "sqlite:/no/such/directory/test.db") }, {}) {
        val answer = send("/health")
        assertEquals(503, answer.statusCode())
        assertTrue(""""default":{"status":"UP","pool":{"max":""" in answer.body(), answer.body())
        assertTrue(""""lost":{"status":"DOWN"""" in answer.body(), answer.body())
        assertFalse("directory" in answer.body(), answer.body())
    }

    @Test
    fun `a client that goes away cancels its query`() {
        val ended = CompletableDeferred<Throwable?>()
        val listener = object : DatabaseListener {
            override fun onStatement(event: StatementEvent) {
                if ("RECURSIVE" in event.sql) ended.complete(event.error)
            }
        }
        onSqlite(
            {
                connectOnStart = true
                configureListening(listener)
            },
            {
                routing {
                    get("/slow") {
                        call.database().exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
                    }
                }
            },
        ) { database ->
            runBlocking {
                val client = Socket("127.0.0.1", port)
                client.getOutputStream().write("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n".toByteArray())
                withTimeout(60.seconds) { while (database.pool.inUse == 0) delay(10.milliseconds) }
                client.close()
                assertTrue(withTimeout(60.seconds) { ended.await() } is CancellationException)
                withTimeout(60.seconds) { while (database.pool.inUse > 0) delay(10.milliseconds) }
            }
        }
    }

    @Test
    fun `on a server the statement of a client that goes away is stopped, and the connection kept`() {
        val server = TestServers.postgresql().assumeAvailable()
        lateinit var database: Database
        serving({
            install(Kormorant) { database(server.url) { pool { max = 1 } } }
            database = database()
            routing { get("/slow") { call.database().exec("SELECT pg_sleep(600), 'of a client that goes away'") } }
        }) {
            runBlocking {
                val session = database.exec("SELECT pg_backend_pid()").scalar()
                Database.open(server.url).use { observer ->
                    suspend fun running() = observer.exec("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = $session").scalar() as Long
                    val client = Socket("127.0.0.1", port)
                    client.getOutputStream().write("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n".toByteArray())
                    withTimeout(60.seconds) { while (running() == 0L) delay(10.milliseconds) }
                    client.close()
                    withTimeout(60.seconds) { while (running() > 0L || database.pool.inUse > 0) delay(10.milliseconds) }
                }
                assertEquals(session, database.exec("SELECT pg_backend_pid()").scalar())
            }
        }
    }

    // ---- Tests of applications

    @Test
    fun `an application under test joins the sandbox`() = withSqlite { url ->
        val database = Database.open(url)
        runBlocking(database) { Schema.create(Notes) }
        databaseTest(database) {
            Note.create { text = "of the test" }
            serving({
                install(Kormorant) {
                    database(database)
                    context = sandbox
                }
                writing()
            }) {
                assertEquals(200, post("/notes/ok").statusCode())
                assertEquals(500, post("/notes/fails").statusCode())
                assertEquals("2", send("/notes/stream").body())
            }
            assertEquals(2, Note.count())
        }
        assertEquals(0, count(database))
        runBlocking { database.close() }
    }
}
