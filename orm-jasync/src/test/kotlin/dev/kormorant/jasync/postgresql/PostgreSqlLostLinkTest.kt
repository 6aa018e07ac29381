package dev.kormorant.jasync.postgresql

import dev.kormorant.ConnectionException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.SqlStatement
import dev.kormorant.test.FaultProxy
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** None of these tests would end if the loss were noticed by a timeout only: there is none. */
class PostgreSqlLostLinkTest {
    private fun behindProxy(
        test: suspend CoroutineScope.(FaultProxy, suspend () -> Connection) -> Unit,
    ) = runBlocking(Dispatchers.Default) {
        val server = PostgreSqlFixture.server
        FaultProxy(server.host, server.port).use { proxy ->
            val url = PostgreSqlFixture.url("?sslmode=disable").replace("@${server.host}:${server.port}", "@127.0.0.1:${proxy.port}")
            test(proxy) { PostgreSqlFixture.driver(url = url).connect(Access.WRITE) }
        }
    }

    private suspend fun CoroutineScope.sleeping(db: Connection): Deferred<Throwable?> {
        val sleeper = async { runCatching { db.run("SELECT pg_sleep(600)") }.exceptionOrNull() }
        while (db.status != ConnectionStatus.BUSY) yield()
        return sleeper
    }

    private suspend fun assertLost(db: Connection, sleeper: Deferred<Throwable?>) {
        val error = sleeper.await()
        assertTrue(error is ConnectionException && error.isTransient && error.connectionLost, "$error")
        assertEquals(ConnectionStatus.CLOSED, db.status)
        assertThrows<ConnectionException> { db.run("SELECT 1") }
        db.cancel()
        db.close()
    }

    @Test
    fun `a clean end of the link in the middle of a statement fails the statement`() = behindProxy { proxy, connect ->
        val db = connect()
        val sleeper = sleeping(db)
        proxy.closeConnections()
        assertLost(db, sleeper)
    }

    @Test
    fun `a reset in the middle of a statement fails the statement`() = behindProxy { proxy, connect ->
        val db = connect()
        val sleeper = sleeping(db)
        proxy.resetConnections()
        assertLost(db, sleeper)
    }

    @Test
    fun `a session ended by the administrator fails the statement with the server's words`() = behindProxy { _, connect ->
        val db = connect()
        val sleeper = sleeping(db)
        connected { it.run("SELECT pg_terminate_backend(${db.serverId})") }
        val error = sleeper.await()
        assertTrue(error is ConnectionException && "administrator" in error.problem, "$error")
        assertLost(db, sleeper)
    }

    @Test
    fun `an idle link that ends is seen without a statement`() = behindProxy { proxy, connect ->
        val db = connect()
        proxy.closeConnections()
        while (db.status != ConnectionStatus.CLOSED) yield()
        assertThrows<ConnectionException> { db.run("SELECT 1") }
    }

    @Test
    fun `a stream fails when its link is lost between two portions`() = behindProxy { proxy, connect ->
        val db = connect()
        val stream = db.stream(SqlStatement("SELECT generate_series(1, 1000)"), 10)
        stream.next()
        proxy.closeConnections()
        assertThrows<ConnectionException> { while (stream.next() != null) continue }
        stream.close()
    }

    @Test
    fun `a black hole is escaped by close, which waits for nothing`() = behindProxy { proxy, connect ->
        val db = connect()
        FaultProxy.Direction.entries.forEach(proxy::drop)
        val sleeper = sleeping(db)
        db.close()
        assertLost(db, sleeper)
    }

    @Test
    fun `a cancel that cannot reach the server is an error and hides nothing`() = behindProxy { proxy, connect ->
        val db = connect()
        val sleeper = sleeping(db)
        proxy.stopListening()
        assertThrows<ConnectionException> { db.cancel() }
        assertFalse(sleeper.isCompleted)
        assertEquals(ConnectionStatus.BUSY, db.status)
        db.close()
        assertLost(db, sleeper)
    }

    @Test
    fun `a server that comes back takes new connections`() = behindProxy { proxy, connect ->
        repeat(5) {
            val db = connect()
            assertEquals(it, db.run("SELECT $it").single)
            proxy.closeConnections()
        }
    }
}
