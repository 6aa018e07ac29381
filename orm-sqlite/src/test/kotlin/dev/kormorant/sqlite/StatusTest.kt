package dev.kormorant.sqlite

import dev.kormorant.ConstraintViolationException
import dev.kormorant.DatabaseException
import dev.kormorant.OrmException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import kotlinx.coroutines.async
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class StatusTest {
    private suspend fun Connection.expect(status: ConnectionStatus, vararg sql: String) {
        for (text in sql) {
            runCatching { run(text) }.onFailure { if (it !is OrmException) throw it }
            assertEquals(status, this.status, text)
        }
    }

    @Test
    fun `a transaction is open from BEGIN to COMMIT, END or ROLLBACK`() = test {
        inMemory { c ->
            c.expect(ConnectionStatus.IDLE, "CREATE TABLE t (a)", "SELECT 1", "EXPLAIN BEGIN", "/* BEGIN */ SELECT 'BEGIN'")
            for (end in listOf("COMMIT", "END TRANSACTION", "ROLLBACK", "rollback transaction", "-- so be it\ncommit;")) {
                c.expect(ConnectionStatus.IN_TRANSACTION, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "SELECT * FROM t", "BEGIN")
                c.expect(ConnectionStatus.IDLE, end)
            }
            c.expect(ConnectionStatus.IDLE, "COMMIT", "ROLLBACK")
        }
    }

    @Test
    fun `a savepoint keeps the transaction open, and is one where there is none`() = test {
        inMemory { c ->
            c.expect(ConnectionStatus.IN_TRANSACTION, "BEGIN", "SAVEPOINT a", "RELEASE a", "SAVEPOINT b", "ROLLBACK TO b", "ROLLBACK TRANSACTION TO SAVEPOINT b")
            c.expect(ConnectionStatus.IDLE, "COMMIT")
            c.expect(ConnectionStatus.IN_TRANSACTION, "SAVEPOINT a", "SAVEPOINT b", "RELEASE b")
            c.expect(ConnectionStatus.IDLE, "RELEASE a")
        }
    }

    @Test
    fun `an error does not end the transaction`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a INTEGER PRIMARY KEY)")
            c.expect(ConnectionStatus.IN_TRANSACTION, "BEGIN", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)", "SELEC", "SELECT * FROM nowhere")
            c.run("COMMIT")
            assertEquals(1, c.count("t"))
        }
    }

    @Test
    fun `after SQLite itself rolled back, the rest of the transaction is refused until it is rolled back`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a INTEGER PRIMARY KEY)")
            c.run("BEGIN")
            c.run("SAVEPOINT a")
            c.run("INSERT INTO t VALUES (1)")
            assertThrows<ConstraintViolationException> { c.run("INSERT OR ROLLBACK INTO t VALUES (1)") }
            assertEquals(ConnectionStatus.FAILED, c.status)
            for (sql in listOf("INSERT INTO t VALUES (2)", "COMMIT", "SELECT 1", "SAVEPOINT b")) assertThrows<DatabaseException>(sql) { c.run(sql) }
            c.expect(ConnectionStatus.FAILED, "ROLLBACK TO a", "RELEASE a")
            c.run("ROLLBACK")
            assertEquals(ConnectionStatus.IDLE, c.status)
            assertEquals(0, c.count("t"))
        }
    }

    @Test
    fun `a write that is stopped takes its whole transaction with it`() = test {
        val started = Started()
        inMemory(started.settings) { c ->
            c.run("CREATE TABLE t (a)")
            c.run("BEGIN")
            c.run("INSERT INTO t VALUES (1)")
            val running = async { runCatching { c.run("INSERT INTO t $ENDLESS") } }
            started.signal.await()
            c.cancel()
            assertTrue(running.await().exceptionOrNull() is QueryTimeoutException)
            assertEquals(ConnectionStatus.FAILED, c.status)
            c.run("ROLLBACK")
            assertEquals(0, c.count("t"))
        }
    }

    @Test
    fun `a read that is stopped leaves its transaction as it was`() = test {
        val started = Started()
        inMemory(started.settings) { c ->
            c.run("CREATE TABLE t (a)")
            c.run("BEGIN")
            c.run("INSERT INTO t VALUES (1)")
            val running = async { runCatching { c.run(ENDLESS) } }
            started.signal.await()
            c.cancel()
            assertTrue(running.await().exceptionOrNull() is QueryTimeoutException)
            assertEquals(ConnectionStatus.IN_TRANSACTION, c.status)
            c.run("COMMIT")
            assertEquals(1, c.count("t"))
        }
    }

    @Test
    fun `a COMMIT that breaks a deferred constraint leaves the transaction open`() = test {
        inMemory { c ->
            c.run("CREATE TABLE p (id INTEGER PRIMARY KEY)")
            c.run("CREATE TABLE t (p INT REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
            c.run("BEGIN")
            c.run("INSERT INTO t VALUES (1)")
            assertThrows<ConstraintViolationException> { c.run("COMMIT") }
            assertEquals(ConnectionStatus.IN_TRANSACTION, c.status)
            c.run("INSERT INTO p VALUES (1)")
            c.run("COMMIT")
            assertEquals(ConnectionStatus.IDLE, c.status)
        }
    }
}
