package dev.kormorant.jasync.postgresql

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.driver.Access
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.DriverProvider
import dev.kormorant.jasync.ScriptedServer
import dev.kormorant.test.FaultProxy
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.io.DataInputStream
import java.io.DataOutputStream
import java.net.ServerSocket
import java.security.MessageDigest
import java.util.ServiceLoader
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

class PostgreSqlConnectTest {
    private val server get() = PostgreSqlFixture.server

    private suspend fun refused(driver: PostgreSqlDriver): ConnectionException = assertThrows { driver.connect(Access.WRITE) }

    private fun local(port: Int, parameters: String = "?sslmode=disable", timeout: Duration = 1.hours) =
        PostgreSqlFixture.driver(url = "postgresql://u@127.0.0.1:$port/d$parameters", user = "u", password = "hidden", timeout = timeout)

    private fun configuration(url: String, user: String? = "u"): ConfigurationException =
        assertThrows { PostgreSqlDriverProvider().open(DatabaseUrl.parse(url), DriverOptions(1.minutes, user, null, 0, emptyMap())) }

    // ---- Configuration

    @Test
    fun `the provider is found by its schemes`() {
        val provider = ServiceLoader.load(DriverProvider::class.java).single { it is PostgreSqlDriverProvider }
        assertEquals(setOf("postgresql", "postgres"), provider.schemes)
    }

    @Test
    fun `what is wrong with the URL is told when the driver is opened`() {
        assertTrue("names no database" in configuration("postgresql://h").problem)
        assertTrue("names no host" in configuration("postgresql:d").problem)
        assertTrue("No user" in configuration("postgresql://h/d", user = null).problem)
        val unknown = configuration("postgresql://h/d?sslmode=disable&bogus=hidden&other=1")
        assertEquals("PostgreSQL URLs have no parameter bogus, other.", unknown.problem)
        assertFalse("hidden" in unknown.message!!)
        assertTrue("verify-full" in configuration("postgresql://h/d?sslmode=perhaps").hint!!)
        assertTrue("sslrootcert" in configuration("postgresql://h/d?sslmode=require&sslrootcert=x").problem)
        assertTrue("sslrootcert" in configuration("postgresql://h/d?sslmode=verify-ca&sslrootcert=/does/not/exist").problem)
    }

    // ---- No server, or none that talks

    @Test
    fun `where nothing listens the error says so`() = runBlocking<Unit> {
        val port = ServerSocket(0).use { it.localPort }
        val error = refused(local(port))
        assertTrue("127.0.0.1:$port does not accept connections." in error.problem && error.isTransient && error.hint != null)
        val unknown = refused(PostgreSqlFixture.driver(url = "postgresql://u@host.invalid/d"))
        assertTrue("host.invalid" in unknown.problem)
    }

    @Test
    fun `a server that ends the connection while it is set up fails it at once, not after the timeout`() = runBlocking<Unit> {
        ScriptedServer { _, _ -> }.use { server ->
            repeat(20) { for (mode in listOf("disable", "prefer", "require")) refused(local(server.port, "?sslmode=$mode")) }
        }
        ScriptedServer { input, _ -> input.skipNBytes(20) }.use { refused(local(it.port)) }
        ScriptedServer { input, _ -> input.skipNBytes(8) }.use { refused(local(it.port, "?sslmode=require")) }
        ScriptedServer { input, output ->
            input.skipNBytes(8)
            output.write('S'.code)
            input.skipNBytes(100)
        }.use { refused(local(it.port, "?sslmode=require")) }
    }

    @Test
    fun `a server that does not answer is given up after the connect timeout, on virtual time too`() = runTest {
        ScriptedServer { input, _ -> input.readAllBytes() }.use { deaf ->
            for (mode in listOf("disable", "require")) {
                val error = refused(local(deaf.port, "?sslmode=$mode", 50.milliseconds))
                assertTrue("within 50ms" in error.problem && error.isTransient)
            }
        }
    }

    @Test
    fun `on virtual time a connection is made and used like any other`() = runTest {
        val db = PostgreSqlFixture.driver(timeout = 1.minutes).connect(Access.WRITE)
        assertEquals(1, async { db.run("SELECT 1 FROM pg_sleep(0.05)").single }.await())
        db.close()
    }

    @Test
    fun `cancelling the caller closes what was opened`() = runBlocking<Unit> {
        val begun = CountDownLatch(1)
        val ended = CountDownLatch(1)
        val server = ScriptedServer { input, _ ->
            input.skipNBytes(8)
            begun.countDown()
            input.readAllBytes()
            ended.countDown()
        }
        server.use {
            val job = launch(start = CoroutineStart.UNDISPATCHED, context = Dispatchers.Default) { local(it.port).connect(Access.WRITE) }
            assertTrue(begun.await(1, TimeUnit.MINUTES))
            job.cancelAndJoin()
            assertTrue(ended.await(1, TimeUnit.MINUTES))
        }
    }

    // ---- Log-in

    @Test
    fun `a wrong password and a missing database are told and not worth a second try`() = runBlocking<Unit> {
        val password = refused(PostgreSqlFixture.driver(password = "hidden"))
        assertFalse(password.isTransient)
        assertTrue("password" in password.hint!!)
        assertFalse("hidden" in password.toString())
        val missing = refused(PostgreSqlFixture.driver(url = server.url("no_such_database")))
        assertFalse(missing.isTransient)
        assertTrue("Create the database" in missing.hint!!)
        assertTrue("none is given" in refused(PostgreSqlFixture.driver(password = null)).problem)
    }

    @Test
    fun `passwords may have any characters`() = connected { db ->
        listOf("pässwörd", "a:b@c/d?e%f", "it's", "Ⅸ\u00ADx", "漢字🦤", "\u0007bell").forEachIndexed { index, password ->
            val role = "role_${db.serverId}_$index"
            db.run("CREATE ROLE $role LOGIN PASSWORD '${password.replace("'", "''")}'")
            PostgreSqlFixture.driver(user = role, password = password).connect(Access.WRITE).run {
                assertEquals(role, run("SELECT current_user::text").single)
                close()
            }
            db.run("DROP ROLE $role")
        }
    }

    /** Reads the StartupMessage. */
    private fun DataInputStream.startup() = skipNBytes(readInt() - 4L)

    private fun DataOutputStream.message(type: Char, vararg body: Byte) {
        writeByte(type.code)
        writeInt(body.size + 4)
        write(body)
    }

    private fun DataOutputStream.authentication(code: Byte, vararg more: Byte) = message('R', 0, 0, 0, code, *more)

    @Test
    fun `a password is hashed by md5 as the server asks`() = runBlocking<Unit> {
        val sent = CompletableFuture<String>()
        val server = ScriptedServer { input, output ->
            input.startup()
            output.authentication(5, 1, 2, 3, 4)
            assertEquals('p'.code, input.read())
            sent.complete(String(input.readNBytes(input.readInt() - 4)).trimEnd('\u0000'))
            output.authentication(0)
            output.message('Z', 'I'.code.toByte())
            input.readAllBytes()
        }
        fun md5(vararg parts: ByteArray) = MessageDigest.getInstance("MD5").run {
            parts.forEach(::update)
            digest().joinToString("") { "%02x".format(it) }
        }
        server.use {
            val db = local(it.port).connect(Access.WRITE)
            assertEquals(ConnectionStatus.IDLE, db.status)
            assertEquals("md5" + md5(md5("hiddenu".toByteArray()).toByteArray(), byteArrayOf(1, 2, 3, 4)), sent.get())
            db.close()
        }
    }

    @Test
    fun `a password is never sent in clear text without TLS`() = runBlocking<Unit> {
        for (mode in listOf("disable", "prefer")) {
            val received = CompletableFuture<ByteArray>()
            val server = ScriptedServer { input, output ->
                if (mode == "prefer") {
                    input.skipNBytes(8)
                    output.write('N'.code)
                }
                input.startup()
                output.authentication(3)
                received.complete(input.readAllBytes())
            }
            server.use {
                val error = refused(local(it.port, "?sslmode=$mode"))
                assertTrue("clear text" in error.problem && !error.isTransient)
                assertEquals(0, received.get().size)
            }
        }
    }

    @Test
    fun `a server that does not prove that it knows the password is refused`() = runBlocking<Unit> {
        val mechanism = "SCRAM-SHA-256".toByteArray() + byteArrayOf(0, 0)
        val skipping = ScriptedServer { input, output ->
            input.startup()
            output.authentication(10, *mechanism)
            output.authentication(0)
            output.message('Z', 'I'.code.toByte())
            input.readAllBytes()
        }
        skipping.use { assertTrue("did not prove" in refused(local(it.port)).problem) }
        val lying = ScriptedServer { input, output ->
            input.startup()
            output.authentication(10, *mechanism)
            input.read()
            val first = String(input.readNBytes(input.readInt() - 4))
            output.authentication(11, *"r=${first.substringAfter("r=")}server,s=c2FsdA==,i=4096".toByteArray())
            input.read()
            input.skipNBytes(input.readInt() - 4L)
            output.authentication(12, *"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".toByteArray())
            output.authentication(0)
            output.message('Z', 'I'.code.toByte())
            input.readAllBytes()
        }
        lying.use { assertTrue("did not prove" in refused(local(it.port)).problem) }
    }

    @Test
    fun `an unknown way to log in and nonsense are refused`() = runBlocking<Unit> {
        val answers = listOf<DataOutputStream.() -> Unit>(
            { authentication(7) },
            { authentication(10, *"OTHER".toByteArray(), 0, 0) },
            { writeBytes("HTTP/1.1 400 Bad Request\r\n\r\n") },
        )
        for (answer in answers) {
            val server = ScriptedServer { input, output ->
                input.startup()
                output.answer()
                input.readAllBytes()
            }
            server.use { refused(local(it.port)) }
        }
    }

    // ---- TLS

    private suspend fun encrypted(parameters: String, address: String = "${server.host}:${server.port}"): Boolean {
        val url = PostgreSqlFixture.url(parameters).replace("@${server.host}:${server.port}", "@$address")
        val db = PostgreSqlFixture.driver(url = url).connect(Access.WRITE)
        return (db.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").single as Boolean).also { db.close() }
    }

    @Test
    fun `sslmode decides about encryption and about the certificate`() = runBlocking<Unit> {
        val certificate = server.certificate
        assumeTrue(certificate != null, "The server was not started here.")
        assertFalse(encrypted("?sslmode=disable"))
        assertTrue(encrypted(""))
        for (mode in listOf("prefer", "require")) assertTrue(encrypted("?sslmode=$mode"), mode)
        for (mode in listOf("verify-ca", "verify-full")) assertTrue(encrypted("?sslmode=$mode&sslrootcert=$certificate"), mode)
        for (mode in listOf("verify-ca", "verify-full")) {
            val error = assertThrows<ConnectionException>(mode) { encrypted("?sslmode=$mode") }
            assertTrue("TLS" in error.problem && !error.isTransient, error.stackTraceToString())
        }
    }

    @Test
    fun `verify-full also wants the certificate to name the host`() = runBlocking<Unit> {
        val certificate = server.certificate
        assumeTrue(certificate != null, "The server was not started here.")
        assumeTrue(System.getProperty("os.name") == "Linux", "Only Linux has more than one loopback address.")
        FaultProxy(server.host, server.port, "127.0.0.2").use { proxy ->
            val address = "${proxy.host}:${proxy.port}"
            assertTrue(encrypted("?sslmode=verify-ca&sslrootcert=$certificate", address))
            assertThrows<ConnectionException> { encrypted("?sslmode=verify-full&sslrootcert=$certificate", address) }
        }
    }

    @Test
    fun `a cancel reaches the server over TLS too`() = connected("?sslmode=prefer") { db ->
        val sleeper = launch(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { runCatching { db.run("SELECT pg_sleep(600)") } }
        while (db.status != ConnectionStatus.BUSY) yield()
        db.cancel()
        sleeper.join()
        assertEquals(ConnectionStatus.IDLE, db.status)
    }

    @Test
    fun `a server without TLS is refused if TLS is required`() = runBlocking<Unit> {
        val server = ScriptedServer { input, output ->
            input.skipNBytes(8)
            output.write('N'.code)
            input.readAllBytes()
        }
        server.use {
            for (mode in listOf("require", "verify-ca", "verify-full")) {
                assertTrue("does not offer TLS" in refused(local(it.port, "?sslmode=$mode")).problem)
            }
        }
    }

    @Test
    fun `bytes smuggled in before TLS begins are refused`() = runBlocking<Unit> {
        val server = ScriptedServer { input, output ->
            input.skipNBytes(8)
            output.write(byteArrayOf('S'.code.toByte(), 'R'.code.toByte(), 0, 0, 0, 8, 0, 0, 0, 0))
            input.readAllBytes()
        }
        server.use {
            for (mode in listOf("prefer", "require")) assertTrue("request for a session" in refused(local(it.port, "?sslmode=$mode")).problem)
        }
    }
}
