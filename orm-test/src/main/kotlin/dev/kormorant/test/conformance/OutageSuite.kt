package dev.kormorant.test.conformance

import dev.kormorant.CommitOutcomeUnknownException
import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.DatabaseConfig
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.test.FaultProxy
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What a link that stalls or breaks does to a transaction, and how the pool gets over it. Only servers have links. */
public abstract class OutageSuite(backend: Backend) : Suite(backend, Pages) {
    private suspend fun add(value: String) = Pages.insert { it[key] = value }

    private suspend fun keys(): List<String> = withContext(db) { Pages.selectAll().orderBy(Pages.key).toList().map { it[Pages.key] } }

    /** Runs [block] with a database that is reached through a proxy. */
    private fun throughProxy(configure: DatabaseConfig.() -> Unit = {}, block: suspend CoroutineScope.(Database, FaultProxy) -> Unit) {
        val server = backend.server
        needs(server != null, "link that could break")
        FaultProxy(server!!.host, server.port).use { proxy ->
            val other = Database.open(url.replace("@${server.host}:${server.port}/", "@${proxy.host}:${proxy.port}/"), configure)
            runBlocking(other) {
                try {
                    block(other, proxy)
                    assertEquals(0, other.pool.inUse)
                } finally {
                    other.close(100.milliseconds)
                }
            }
        }
    }

    @Test
    public fun `a COMMIT whose answer never comes has an unknown outcome, and the connection is closed (T5, finaliser)`(): Unit =
        throughProxy({ cancelTimeout = 300.milliseconds }) { other, proxy ->
            val error = assertFails<CommitOutcomeUnknownException> {
                transaction {
                    add("a")
                    add("b")
                    proxy.drop(FaultProxy.Direction.TO_CLIENT)
                }
            }
            assertTrue(error.connectionLost)
            assertHint(error)
            assertEquals(0, other.pool.inUse)
            proxy.resetConnections()
            proxy.resume()
            assertTrue(keys().size in setOf(0, 2))
            add("c")
        }

    @Test
    public fun `a link cut during COMMIT has an unknown outcome (T5, finaliser)`(): Unit = throughProxy { _, proxy ->
        assertFails<CommitOutcomeUnknownException> {
            transaction {
                add("a")
                add("b")
                proxy.cutAfter(FaultProxy.Direction.TO_CLIENT, 1)
            }
        }
        assertTrue(keys().size in setOf(0, 2))
    }

    @Test
    public fun `a link lost inside the block is a ConnectionException, and nothing is stored (T10)`(): Unit = throughProxy { other, proxy ->
        assertFails<ConnectionException> {
            transaction {
                add("a")
                proxy.resetConnections()
                add("b")
            }
        }
        assertEquals(0, other.pool.inUse)
        assertEquals(emptyList<String>(), keys())
        add("c")
        assertEquals(listOf("c"), keys())
    }

    @Test
    public fun `a statement on a link that is cut fails, and the next one has another link`(): Unit = throughProxy { other, proxy ->
        other.exec("SELECT 1")
        proxy.cutAfter(FaultProxy.Direction.TO_CLIENT, 1)
        assertFails<ConnectionException> { other.exec("SELECT 1") }
        proxy.resume()
        assertEquals(2, (other.exec("SELECT 2").scalar() as Number).toInt())
    }

    @Test
    public fun `after an outage the pool recovers by itself (N13, P9)`(): Unit =
        throughProxy({ connectTimeout = 5.seconds; pool { acquireTimeout = 5.seconds } }) { other, proxy ->
            (1..5).map { async(Dispatchers.Default) { other.exec("SELECT $it") } }.awaitAll()
            proxy.refuse()
            proxy.resetConnections()
            repeat(3) { assertFails<ConnectionException> { other.exec("SELECT 1") } }
            proxy.accept()
            while (runCatching { other.exec("SELECT 1") }.isFailure) delay(50)
            assertEquals((1..20).toList(), (1..20).map { async(Dispatchers.Default) { (other.exec("SELECT $it").scalar() as Number).toInt() } }.awaitAll())
        }

    @Test
    public fun `a link that stalls during a cancelled statement is closed after the cancel timeout (U2)`(): Unit =
        throughProxy({ cancelTimeout = 300.milliseconds }) { other, proxy ->
            other.exec("SELECT 1")
            proxy.pause()
            val outcome = withTimeoutOrNull(100.milliseconds) { transaction { add("a") } }
            assertEquals(null, outcome)
            assertEquals(0, other.pool.inUse)
            proxy.resetConnections()
            proxy.resume()
            assertEquals(emptyList<String>(), keys())
        }
}
