package dev.kormorant.micrometer

import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.DatabaseException
import dev.kormorant.connection
import dev.kormorant.test.ScriptedDriver
import dev.kormorant.transaction
import io.micrometer.core.instrument.simple.SimpleMeterRegistry
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds

class DatabaseMetersTest {
    private val registry = SimpleMeterRegistry()
    private val script = ScriptedDriver()

    private fun metered(block: suspend (Database) -> Unit) = runBlocking {
        val meters = DatabaseMeters(registry, "shop")
        val database = script.open { listener(meters) }
        meters.bindTo(database)
        try {
            block(database)
        } finally {
            database.close()
        }
    }

    private fun timed(meter: String, vararg tags: String) = registry.find(meter).tags("database", "shop", *tags).timer()?.count() ?: 0

    private fun gauge(meter: String, vararg tags: String) = registry.get(meter).tags("database", "shop", *tags).gauge().value()

    @Test
    fun `statements are timed by operation and outcome, and rows are counted`() = metered { db ->
        script.on("SELECT") { ScriptedDriver.rows(listOf("n"), listOf(1), listOf(2)) }
        script.refuse("DELETE")
        script.on("UPDATE") { awaitCancellation() }
        db.exec("SELECT 1")
        db.exec("EXPLAIN nothing")
        assertThrows(DatabaseException::class.java) { runBlocking { db.exec("DELETE FROM t") } }
        withTimeoutOrNull(20.milliseconds) { db.exec("UPDATE t SET a = 1") }
        assertEquals(1, timed("kormorant.statements", "operation", "SELECT", "outcome", "success"))
        assertEquals(1, timed("kormorant.statements", "operation", "OTHER", "outcome", "success"))
        assertEquals(1, timed("kormorant.statements", "operation", "DELETE", "outcome", "DatabaseException"))
        assertEquals(1, timed("kormorant.statements", "operation", "UPDATE", "outcome", "cancelled"))
        assertEquals(2.0, registry.get("kormorant.statements.rows").tags("operation", "SELECT").summary().totalAmount())
    }

    @Test
    fun `transactions are counted by their end`() = metered { db ->
        db.transaction { db.exec("SELECT 1") }
        assertThrows(IllegalStateException::class.java) { runBlocking { db.transaction { db.exec("SELECT 1"); error("on purpose") } } }
        assertEquals(1, timed("kormorant.transactions", "outcome", "commit"))
        assertEquals(1, timed("kormorant.transactions", "outcome", "rollback"))
        assertEquals(2, timed("kormorant.statements", "operation", "SELECT", "outcome", "success"))
    }

    @Test
    fun `the pool is measured while it works`() = metered { db ->
        db.connection {
            db.exec("SELECT 1")
            assertEquals(1.0, gauge("kormorant.connections", "state", "in_use"))
            assertEquals(0.0, gauge("kormorant.connections", "state", "idle"))
        }
        assertEquals(0.0, gauge("kormorant.connections", "state", "in_use"))
        assertEquals(1.0, gauge("kormorant.connections", "state", "idle"))
        assertEquals(10.0, gauge("kormorant.connections.max"))
        assertEquals(0.0, gauge("kormorant.connections.waiting"))
        assertEquals(1, timed("kormorant.connections.acquire", "outcome", "success"))
        assertEquals(1, timed("kormorant.connections.use"))
        assertEquals(1, timed("kormorant.connections.open"))
    }

    @Test
    fun `connections that cannot be opened are counted, and so are the callers that got none`() = runBlocking {
        val meters = DatabaseMeters(registry, "shop")
        val database = Database.open("sqlite:/no/such/directory/shop.db") { listener(meters) }
        assertThrows(ConnectionException::class.java) { runBlocking { database.connect() } }
        assertThrows(ConnectionException::class.java) { runBlocking { database.exec("SELECT 1") } }
        database.close()
        assertTrue(registry.get("kormorant.connections.open.failures").counter().count() >= 1)
    }
}
