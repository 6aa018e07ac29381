package dev.kormorant.jasync.mysql

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.DatabaseException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.Access
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.DriverOptions
import dev.kormorant.test.ServerKind
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.net.ServerSocket
import java.security.KeyPairGenerator
import java.security.MessageDigest
import java.util.Base64
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import javax.crypto.Cipher
import kotlin.experimental.xor
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class MySqlLoginTest {
    private val mysql = MySqlFixture.of(ServerKind.MYSQL)
    private val mariaDb = MySqlFixture.of(ServerKind.MARIADB)
    private val secret = "hunter2-pässwörd"

    private fun driver(url: String, user: String? = "app", password: String? = secret, timeout: Duration = 60.seconds) =
        MySqlDriverProvider().open(DatabaseUrl.parse(url), DriverOptions(timeout, user, { password }, 10, emptyMap()))

    private fun connect(url: String, password: String? = secret, timeout: Duration = 60.seconds) =
        runBlocking { driver(url, password = password, timeout = timeout).connect(Access.WRITE) as MySqlConnection }

    // ---- The URL

    @Test
    fun `the provider knows its schemes and is found by the service loader`() {
        val providers = java.util.ServiceLoader.load(dev.kormorant.driver.DriverProvider::class.java).filterIsInstance<MySqlDriverProvider>()
        assertEquals(setOf("mysql", "mariadb"), providers.single().schemes)
    }

    @Test
    fun `a URL that cannot work is refused before anything is connected, and repeats no secret`() {
        for (url in listOf(
            "mysql://localhost", "mysql://localhost/", "mariadb://localhost/db?colour=$secret", "mysql://localhost/db?sslmode=$secret",
            "mysql://localhost/db?sslmode=verify-full&sslrootcert=/does/not/exist", "mysql:db",
        )) {
            val error = assertThrows<ConfigurationException>(url) { driver(url) }
            assertFalse(secret in error.toString(), error.toString())
        }
        assertThrows<ConfigurationException> { driver("mysql://localhost/db", user = null) }
    }

    // ---- Real servers

    @Test
    fun `trap 15, caching_sha2_password without TLS encrypts the password with the key of the server, later it is not sent at all`() {
        val user = cachingSha2User()
        for (mode in listOf("disable", "disable")) {
            mysql.connected(url = mysql.url("?sslmode=$mode"), user = user) { assertEquals(ConnectionStatus.IDLE, it.status) }
        }
    }

    @Test
    fun `caching_sha2_password works over TLS, also when the server does not know the password yet`() {
        val user = cachingSha2User()
        repeat(2) {
            mysql.connected { admin -> admin.run("FLUSH PRIVILEGES") }
            mysql.connected(url = mysql.url("?sslmode=require"), user = user) { db ->
                assertTrue(db.run("SHOW STATUS LIKE 'Ssl_cipher'").rows.single()[1].toString().isNotEmpty())
            }
        }
    }

    private fun cachingSha2User(): String {
        val user = mysql.server.cachingSha2User
        assumeTrue(user != null, "the server has no account with caching_sha2_password")
        mysql.connected { admin -> admin.run("FLUSH PRIVILEGES") }
        return checkNotNull(user)
    }

    @Test
    fun `sslmode decides about encryption and certificates`() {
        for (fixture in listOf(mysql, mariaDb)) {
            val certificate = fixture.server.certificate
            assumeTrue(certificate != null, "nothing is known about the certificate of the server")
            for ((mode, encrypted) in listOf("disable" to false, "prefer" to true, "require" to true, "verify-ca&sslrootcert=$certificate" to true, "verify-full&sslrootcert=$certificate" to true)) {
                fixture.connected("?sslmode=$mode") { db ->
                    assertEquals(encrypted, db.run("SHOW STATUS LIKE 'Ssl_cipher'").rows.single()[1].toString().isNotEmpty(), mode)
                    assertEquals(300_000, (db.prepared("SELECT REPEAT('x', 300000)").single as String).length)
                }
            }
            for (mode in listOf("verify-ca", "verify-full")) {
                val error = assertThrows<ConnectionException> { fixture.connected("?sslmode=$mode") { } }
                assertTrue(!error.isTransient && error.hint != null)
            }
        }
    }

    @Test
    fun `a wrong password, a missing database and a missing right are no transient errors, and say what to do`() {
        for (fixture in listOf(mysql, mariaDb)) {
            val wrong = assertThrows<ConnectionException> { fixture.connected(password = secret) { } }
            assertThrows<ConnectionException> { fixture.connected(password = null) { } }
            val missing = assertThrows<ConnectionException> { fixture.connected(url = fixture.server.url("no_such_database")) { } }
            fixture.connected { admin ->
                admin.run("DROP USER IF EXISTS restricted")
                admin.run("CREATE USER restricted IDENTIFIED ${if (fixture == mysql) "WITH mysql_native_password " else ""}BY '${fixture.server.password}'")
            }
            val forbidden = assertThrows<ConnectionException> { fixture.connected(user = "restricted") { } }
            for (error in listOf(wrong, missing, forbidden)) {
                assertFalse(error.isTransient)
                assertTrue(error.hint != null)
                assertFalse(secret in error.toString() || fixture.server.password in error.toString())
            }
            assertTrue("no_such_database" in missing.problem)
        }
    }

    @Test
    fun `an account without password is let in`() {
        for (fixture in listOf(mysql, mariaDb)) {
            fixture.connected { admin ->
                admin.run("DROP USER IF EXISTS nobody")
                admin.run("CREATE USER nobody ${if (fixture == mysql) "IDENTIFIED WITH caching_sha2_password BY ''" else ""}")
                admin.run("GRANT SELECT ON *.* TO nobody")
            }
            for (password in listOf(null, "")) fixture.connected(user = "nobody", password = password) { }
        }
    }

    @Test
    fun `a server that is not there and a host that is not known are ConnectionExceptions with a hint`() {
        val port = ServerSocket(0).use { it.localPort }
        for (url in listOf("mysql://127.0.0.1:$port/db", "mysql://no-such-host.invalid/db")) {
            val error = assertThrows<ConnectionException> { connect(url) }
            assertTrue(error.hint != null && error.connectionLost)
        }
    }

    @Test
    fun `the connections of a driver are counted by the server as closed after close`() {
        mariaDb.connected { admin ->
            val id = runBlocking {
                val db = mariaDb.driver("?sslmode=disable").connect(Access.WRITE)
                checkNotNull(db.serverId).also { db.close() }
            }
            while (admin.run("SELECT 1 FROM information_schema.processlist WHERE id = $id").rows.isNotEmpty()) yield()
        }
    }

    // ---- A server that behaves as it likes

    private fun assertSecret(server: FakeServer) {
        val sent = synchronized(server.received) { server.received.toByteArray() }.toString(Charsets.ISO_8859_1)
        assertFalse(secret.toByteArray().toString(Charsets.ISO_8859_1) in sent)
    }

    private fun digest(algorithm: String, vararg parts: ByteArray) = MessageDigest.getInstance(algorithm).run {
        parts.forEach(::update)
        digest()
    }

    private fun cachingSha2Proof(challenge: ByteArray): ByteArray {
        val once = digest("SHA-256", secret.toByteArray())
        val mask = digest("SHA-256", digest("SHA-256", once), challenge)
        return ByteArray(32) { once[it] xor mask[it] }
    }

    @Test
    fun `trap 15, prefer sends no password in clear text to a server without TLS`() {
        val keys = KeyPairGenerator.getInstance("RSA").apply { initialize(2048) }.generateKeyPair()
        val pem = "-----BEGIN PUBLIC KEY-----\n${Base64.getMimeEncoder(64, byteArrayOf(10)).encodeToString(keys.public.encoded)}\n-----END PUBLIC KEY-----\n"
        var decrypted: String? = null
        FakeServer {
            greet("caching_sha2_password")
            receive()
            send(1, 4)
            check(receive().contentEquals(byteArrayOf(2)))
            send(1, pem)
            val plain = Cipher.getInstance("RSA/ECB/OAEPWithSHA-1AndMGF1Padding").run {
                init(Cipher.DECRYPT_MODE, keys.private)
                doFinal(receive())
            }
            decrypted = ByteArray(plain.size) { plain[it] xor FakeServer.CHALLENGE[it % 20] }.decodeToString().removeSuffix("\u0000")
            ok()
            session()
            receive()
        }.use { server ->
            connect(server.url("?sslmode=prefer")).close()
            assertEquals(secret, decrypted)
            assertSecret(server)
        }
    }

    @Test
    fun `trap 15, an attacker's key that is no key gets nothing`() {
        FakeServer {
            greet("caching_sha2_password")
            receive()
            send(1, 4)
            receive()
            send(1, "no key")
            receive()
        }.use { server ->
            assertFalse(assertThrows<ConnectionException> { connect(server.url()) }.isTransient)
            assertSecret(server)
        }
    }

    @Test
    fun `trap 15, methods that would reveal the password are refused`() {
        for (method in listOf("mysql_old_password", "mysql_clear_password", "sha256_password", "dialog", "")) {
            FakeServer {
                greet()
                receive()
                if (method.isEmpty()) send(0xFE) else send(0xFE, "$method\u0000", FakeServer.CHALLENGE, 0)
                receive()
            }.use { server ->
                val error = assertThrows<ConnectionException> { connect(server.url()) }
                assertFalse(error.isTransient)
                assertTrue(method in error.problem)
                assertSecret(server)
            }
        }
    }

    @Test
    fun `trap 15, a server without TLS is refused where TLS is required`() {
        FakeServer {
            greet()
            receive()
        }.use { server ->
            for (mode in listOf("require", "verify-ca", "verify-full")) {
                assertFalse(assertThrows<ConnectionException> { connect(server.url("?sslmode=$mode")) }.isTransient)
            }
            assertEquals(0, server.received.size())
        }
    }

    @Test
    fun `trap 15, what an attacker sends before TLS has begun is not taken for the server's word`() {
        FakeServer {
            greet(tls = true)
            receive()
            ok()
            receive()
        }.use { server ->
            assertThrows<ConnectionException> { connect(server.url()) }
            assertSecret(server)
        }
    }

    @Test
    fun `a switch to caching_sha2_password answers the new challenge`() {
        val other = ByteArray(20) { (100 - it).toByte() }
        var proof: ByteArray? = null
        FakeServer {
            greet("dialog")
            receive()
            send(0xFE, "caching_sha2_password\u0000", other, 0)
            proof = receive()
            send(1, 3)
            ok()
            session()
            receive()
        }.use { server ->
            connect(server.url()).close()
            assertTrue(cachingSha2Proof(other).contentEquals(proof))
        }
    }

    @Test
    fun `a switch to client_ed25519 is answered by a signature of the challenge`() {
        val challenge = ByteArray(32) { if (it == 31) 0 else it.toByte() }
        var proof: ByteArray? = null
        FakeServer {
            greet()
            receive()
            send(0xFE, "client_ed25519\u0000", challenge)
            proof = receive()
            ok()
            session()
            receive()
        }.use { server ->
            connect(server.url()).close()
            assertTrue(Ed25519.sign(secret.toByteArray(), challenge).contentEquals(proof))
        }
    }

    @Test
    fun `a server that is full says so before the log-in, and that is transient`() {
        FakeServer { send(0xFF, byteArrayOf(0x10, 4), "Too many connections") }.use { server ->
            val error = assertThrows<ConnectionException> { connect(server.url()) }
            assertTrue(error.isTransient)
            assertTrue("no connection left" in error.problem)
        }
    }

    @Test
    fun `D14, a link that ends during the log-in fails at once`() {
        for (script in listOf<FakeServer.Peer.() -> Unit>({ }, { greet() }, { greet(); receive() }, { greet(); receive(); ok(); receive() })) {
            FakeServer(script).use { server -> assertTrue(assertThrows<ConnectionException> { connect(server.url()) }.isTransient) }
        }
    }

    @Test
    fun `a server that speaks another protocol is named as such`() {
        FakeServer { send("SSH-2.0-OpenSSH_9.6") }.use { server ->
            assertTrue("protocol" in assertThrows<ConnectionException> { connect(server.url()) }.problem)
        }
    }

    @Test
    fun `a server that says nothing is given up after the connect timeout`() {
        val release = CountDownLatch(1)
        FakeServer { release.await() }.use { server ->
            assertThrows<ConnectionException> { connect(server.url(), timeout = 200.milliseconds) }
            release.countDown()
        }
    }

    // ---- Answers that are rare

    private fun FakeServer.Peer.logIn(deprecateEof: Boolean = true) {
        greet(deprecateEof = deprecateEof)
        receive()
        ok()
        session(deprecateEof)
    }

    @Test
    fun `D2, a link that ends in the middle of an answer fails its statement at once`() {
        for (part in 0..3) {
            FakeServer {
                logIn()
                receive()
                if (part > 0) send(1)
                if (part > 1) send(3, "def", 0, 0, 0, 1, "a", 0, 12, 45, 0, byteArrayOf(0, 1, 0, 0), 253, 0, 0, 0, 0, 0)
                if (part > 2) send(1, "x")
            }.use { server ->
                val db = connect(server.url())
                val error = assertThrows<ConnectionException> { runBlocking { db.text("SELECT 1") } }
                assertTrue(error.isTransient && error.connectionLost)
                assertEquals(ConnectionStatus.CLOSED, db.status)
            }
        }
    }

    @Test
    fun `an older server ends its columns and rows with EOF packets`() {
        FakeServer {
            logIn(deprecateEof = false)
            receive()
            row(listOf("a", "b"), listOf("x", "y"), deprecateEof = false)
            receive()
            ok(status = 3)
            receive()
        }.use { server ->
            val db = connect(server.url())
            runBlocking {
                assertEquals(listOf("x", "y"), db.text("SELECT 1").rows.single().toList())
                db.run("BEGIN")
                assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
            }
            db.close()
        }
    }

    @Test
    fun `a server that asks for a local file gets an empty one`() {
        var file: ByteArray? = null
        FakeServer {
            logIn()
            receive()
            send(0xFB, "/etc/passwd")
            file = receive()
            ok()
            receive()
            ok()
            receive()
        }.use { server ->
            val db = connect(server.url())
            runBlocking {
                assertThrows<UnsupportedByDialectException> { db.run("DO 1") }
                assertEquals(0, file?.size)
                assertEquals(0, db.run("DO 2").affected)
            }
            db.close()
        }
    }

    @Test
    fun `trap 7, a statement the server wants prepared again is prepared again, once`() {
        fun FakeServer.Peer.prepare(id: Int) {
            check(receive()[0] == 0x16.toByte())
            send(0, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            check(receive().let { it[0] == 0x17.toByte() && it[1] == id.toByte() })
        }
        FakeServer {
            logIn()
            prepare(1)
            error(1615, "HY000", "Prepared statement needs to be re-prepared")
            check(receive().let { it[0] == 0x19.toByte() && it[1] == 1.toByte() })
            prepare(2)
            ok()
            check(receive().let { it[0] == 0x17.toByte() && it[1] == 2.toByte() })
            error(1243, "HY000", "Unknown prepared statement handler (2) given to EXECUTE")
            receive()
            prepare(3)
            error(1615, "HY000", "Prepared statement needs to be re-prepared")
            receive()
        }.use { server ->
            val db = connect(server.url())
            runBlocking {
                db.prepared("DO 1")
                assertEquals(1615, assertThrows<DatabaseException> { db.prepared("DO 1") }.vendorCode)
            }
            db.close()
        }
    }

    @Test
    fun `a server that ends an idle connection says why`() {
        FakeServer {
            logIn()
            error(4031, "HY000", "The client was disconnected by the server because of inactivity.")
        }.use { server ->
            val db = connect(server.url())
            while (db.status != ConnectionStatus.CLOSED) Thread.onSpinWait()
            runBlocking { assertThrows<ConnectionException> { db.run("DO 1") } }
        }
    }

    @Test
    fun `cancel fails and closes the connection when the server lets nobody else in`() {
        val sent = CountDownLatch(1)
        var first = true
        FakeServer {
            if (synchronized(this@MySqlLoginTest) { first.also { first = false } }) {
                logIn()
                receive()
                sent.countDown()
                receive()
            } else {
                send(0xFF, byteArrayOf(0x10, 4), "Too many connections")
            }
        }.use { server ->
            val db = connect(server.url())
            runBlocking {
                supervisorScope {
                    val running = async(start = CoroutineStart.UNDISPATCHED) { db.run("DO SLEEP(1)") }
                    sent.await()
                    assertThrows<ConnectionException> { db.cancel() }
                    assertEquals(ConnectionStatus.CLOSED, db.status)
                    assertThrows<ConnectionException> { running.await() }
                }
            }
        }
    }

    @Test
    fun `a cancel that is itself cancelled closes the connection, since its kill may still come`() {
        val sent = CountDownLatch(1)
        val asked = CountDownLatch(1)
        val first = AtomicBoolean(true)
        FakeServer {
            if (first.getAndSet(false)) {
                logIn()
                receive()
                sent.countDown()
            } else {
                greet()
                receive()
                asked.countDown()
            }
            receive()
        }.use { server ->
            val db = connect(server.url())
            runBlocking(Dispatchers.IO) {
                supervisorScope {
                    val running = async { db.run("DO SLEEP(1)") }
                    sent.await()
                    val cancel = launch { db.cancel() }
                    asked.await()
                    cancel.cancelAndJoin()
                    assertEquals(ConnectionStatus.CLOSED, db.status)
                    assertThrows<ConnectionException> { running.await() }
                }
            }
        }
    }

    @Test
    fun `a kill that came too early is repeated`() {
        val kills = AtomicInteger()
        val sent = CountDownLatch(1)
        val killedTwice = CountDownLatch(1)
        val first = AtomicBoolean(true)
        FakeServer {
            if (first.getAndSet(false)) {
                logIn()
                receive()
                sent.countDown()
                killedTwice.await()
                error(1317, "70100", "Query execution was interrupted")
                check(receive().decodeToString().endsWith("DO 0"))
                error(1317, "70100", "Query execution was interrupted")
                receive()
                ok()
            } else {
                greet()
                receive()
                ok()
                check(receive().decodeToString().endsWith("KILL QUERY 7"))
                ok()
                if (kills.incrementAndGet() == 2) killedTwice.countDown()
            }
            receive()
        }.use { server ->
            val db = connect(server.url())
            runBlocking(Dispatchers.IO) {
                supervisorScope {
                    val running = async { db.run("DO SLEEP(1)") }
                    sent.await()
                    db.cancel()
                    assertThrows<QueryTimeoutException> { running.await() }
                    assertEquals(0, db.run("DO 2").affected)
                }
            }
            assertEquals(2, kills.get())
            db.close()
        }
    }
}
