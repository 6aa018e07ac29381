package dev.kormorant.jasync.postgresql

import dev.kormorant.ConnectionException
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DatabaseException
import dev.kormorant.DecodeException
import dev.kormorant.SyntaxException
import dev.kormorant.TransactionAbortedException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** What goes wrong in drivers of this wire; each test fails if the trap is open. */
class PostgreSqlTrapsTest {
    private suspend fun Connection.preparedOnServer(): Long = run("SELECT count(*) FROM pg_prepared_statements").single as Long

    // ---- The answer of one statement is never seen by another

    @Test
    fun `an error that comes after CommandComplete does not answer the next statement`() = connected { db ->
        db.run("CREATE TEMP TABLE deferred (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        db.run("INSERT INTO deferred VALUES (1)")
        for (dispatcher in listOf(Dispatchers.Default, Dispatchers.Unconfined)) withContext(dispatcher) {
            repeat(500) {
                assertThrows<ConstraintViolationException> { db.prepared("INSERT INTO deferred VALUES (1)") }
                assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single)
            }
        }
    }

    @Test
    fun `a value that cannot be decoded fails its statement only and not the order of answers`() = runBlocking<Unit> {
        val types = TypeCatalog()
        val db = PostgreSqlFixture.driver(types = types).connect(Access.WRITE)
        db.run("CREATE TYPE pg_temp.mood AS ENUM ('glad')")
        val oid = db.run("SELECT 'pg_temp.mood'::regtype::oid").single as Long
        types.learn(setOf(oid.toInt()), listOf(arrayOf(oid, "mood", 23L, ",")))
        val sql = "SELECT n, 'glad'::pg_temp.mood AS feeling FROM generate_series(1, 10) n"
        repeat(200) {
            val error = assertThrows<DecodeException> { db.prepared(sql) }
            assertTrue("feeling" in error.problem && "glad" !in error.message!!)
            assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single)
            assertThrows<DecodeException> { db.stream(SqlStatement(sql), 2).next() }
            assertEquals(it, db.run("SELECT $it").single)
        }
        assertEquals(ConnectionStatus.IDLE, db.status)
        db.close()
    }

    @Test
    fun `a text of several statements that fails half-way does not answer the next one`() = connected { db ->
        repeat(200) {
            assertThrows<DatabaseException> { db.run("SELECT 'stale'; SELECT 1/0; SELECT 'never'") }
            assertEquals(it, db.run("SELECT $it").single)
        }
    }

    @Test
    fun `COPY is refused and the connection stays in step`() = connected { db ->
        db.run("CREATE TEMP TABLE copied AS SELECT generate_series(1, 10000) AS n")
        for (sql in listOf("COPY copied TO STDOUT", "COPY copied FROM STDIN")) repeat(3) {
            assertThrows<DatabaseException> { db.run(sql) }
            assertEquals(it, db.run("SELECT $it").single)
            assertThrows<DatabaseException> { db.prepared(sql) }
            assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single)
            assertThrows<DatabaseException> { db.stream(SqlStatement(sql), 10).next() }
            assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single)
        }
        assertEquals(10_000L, db.run("SELECT count(*) FROM copied").single)
    }

    @Test
    fun `a message of many megabytes keeps the connection in step`() = connected { db ->
        assertEquals(64_000_000, (db.run("SELECT repeat('x', 64000000)").single as String).length)
        assertEquals(1, db.run("SELECT 1").single)
    }

    // ---- Transactions

    @Test
    fun `COMMIT of a failed transaction is an error, not a success`() = connected { db ->
        db.run("CREATE TEMP TABLE t (n int)")
        db.run("BEGIN")
        assertThrows<SyntaxException> { db.run("SELECT nothing") }
        assertEquals(ConnectionStatus.FAILED, db.status)
        assertThrows<TransactionAbortedException> { db.run("COMMIT") }
        assertEquals(ConnectionStatus.IDLE, db.status)
        db.run("BEGIN")
        db.run("INSERT INTO t VALUES (1)")
        db.run("ROLLBACK")
        assertEquals(0L, db.run("SELECT count(*) FROM t").single)
    }

    @Test
    fun `idle_in_transaction_session_timeout works after a prepared statement`() = connected(
        "?idle_in_transaction_session_timeout=50",
    ) { db ->
        db.run("BEGIN")
        repeat(3) { db.prepared("SELECT ?", SqlType.INTEGER to it) }
        connected { other ->
            // Ends when the server has ended the session; without the trap's cure it never does.
            val alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = ${db.serverId}"
            while (other.run(alive).single != 0L) other.run("SELECT pg_sleep(0.01)")
        }
        assertThrows<ConnectionException> { db.run("SELECT 1") }
        assertEquals(ConnectionStatus.CLOSED, db.status)
    }

    // ---- Prepared statements

    @Test
    fun `the types of parameters are those declared, not those of the first execution`() = connected { db ->
        val sql = "SELECT ?::text"
        assertEquals("0.5", db.prepared(sql, SqlType.REAL to 0.5f).single)
        assertEquals("0.1234567890123", db.prepared(sql, SqlType.DOUBLE to 0.1234567890123).single)
        assertEquals("1", db.prepared(sql, SqlType.INTEGER to 1).single)
        assertEquals("3000000000", db.prepared(sql, SqlType.BIGINT to 3_000_000_000).single)
        assertEquals("0.5", db.prepared(sql, SqlType.REAL to 0.5f).single)
        assertEquals(4, db.preparedOnServer())
    }

    @Test
    fun `the server keeps no more prepared statements than the bound and one that is about to be closed`() = connected(cache = 5) { db ->
        repeat(100) { assertEquals(it, db.prepared("SELECT $it").single) }
        assertTrue(db.preparedOnServer() in 5..6)
        repeat(3) { round -> for (n in 95..99) assertEquals(n, db.prepared("SELECT $n").single, "round $round") }
    }

    @Test
    fun `failed executions leave nothing on the server`() = connected(cache = 5) { db ->
        db.run("CREATE TEMP TABLE t (id int PRIMARY KEY)")
        db.prepared("INSERT INTO t VALUES (?)", SqlType.INTEGER to 1)
        repeat(50) { assertThrows<ConstraintViolationException> { db.prepared("INSERT INTO t VALUES (?)", SqlType.INTEGER to 1) } }
        assertEquals(1, db.preparedOnServer())
        repeat(50) { n ->
            assertThrows<ConstraintViolationException> { db.prepared("INSERT INTO t VALUES (?) RETURNING $n", SqlType.INTEGER to 1) }
        }
        assertTrue(db.preparedOnServer() <= 6)
        repeat(50) { assertThrows<SyntaxException> { db.prepared("SELECT nothing$it") } }
        db.prepared("SELECT 1")
        assertTrue(db.preparedOnServer() <= 6)
    }

    @Test
    fun `a cache of size 0 prepares nothing that stays`() = connected(cache = 0) { db ->
        repeat(3) { assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single) }
        val stream = db.stream(SqlStatement("SELECT ?", listOf(SqlType.INTEGER), listOf(7)), 1)
        assertEquals(7, stream.next()!!.single().single())
        stream.close()
        assertEquals(0, db.preparedOnServer())
    }

    @Test
    fun `statements that are not reusable are not kept`() = connected { db ->
        repeat(3) { assertEquals(it, db.run("SELECT ?", SqlType.INTEGER to it).single) }
        assertEquals(0, db.preparedOnServer())
    }

    @Test
    fun `a prepared statement outgrown by DDL is prepared again once`() = connected { db ->
        db.run("CREATE TEMP TABLE grown AS SELECT 1 AS a")
        repeat(3) { assertEquals(listOf(1), db.prepared("SELECT * FROM grown").rows.single().toList()) }
        db.run("ALTER TABLE grown ADD b text DEFAULT 'x'")
        repeat(3) { assertEquals(listOf(1, "x"), db.prepared("SELECT * FROM grown").rows.single().toList()) }
        db.run("ALTER TABLE grown DROP a")
        val stream = db.stream(SqlStatement("SELECT * FROM grown"), 10)
        assertEquals(listOf("x"), stream.next()!!.single().toList())
        stream.close()
    }

    @Test
    fun `in a transaction an outgrown statement is an error once and works in the next one`() = connected { db ->
        db.run("CREATE TEMP TABLE grown AS SELECT 1 AS a")
        db.prepared("SELECT * FROM grown")
        db.run("BEGIN")
        db.run("ALTER TABLE grown ADD b text DEFAULT 'x'")
        assertThrows<DatabaseException> { db.prepared("SELECT * FROM grown") }
        assertEquals(ConnectionStatus.FAILED, db.status)
        db.run("ROLLBACK")
        db.run("BEGIN")
        assertEquals(1, db.prepared("SELECT * FROM grown").single)
        db.run("COMMIT")
    }

    @Test
    fun `a prepared statement dropped by DISCARD or DEALLOCATE is prepared again`() = connected { db ->
        for (sql in listOf("DISCARD ALL", "DEALLOCATE ALL")) {
            repeat(2) { assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single) }
            db.run(sql)
            repeat(2) { assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single) }
        }
    }

    @Test
    fun `two sessions never use the same statement name`() = connected { one ->
        connected { two ->
            one.prepared("SELECT 1")
            two.prepared("SELECT 2")
            val name = "SELECT name FROM pg_prepared_statements"
            assertNotEquals(one.run(name).single, two.run(name).single)
        }
    }

    // ---- Texts

    @Test
    fun `a question mark in literals, names, comments and dollar quotes is no parameter, and two are the operator`() = connected { db ->
        val sql = "SELECT '?', E'\\'?', \"a?\", \$\$?\$\$, \$x\$ ? \$\$ \$x\$ /* ? /* ? */ ? */, ? -- ?\n" +
            ", '{\"a\":1}'::jsonb ?? ?, '{\"a\":1}'::jsonb ??| ARRAY['a'] FROM (SELECT 1 AS \"a?\") t"
        repeat(2) {
            val row = db.prepared(sql, SqlType.INTEGER to 5, SqlType.TEXT to "a").rows.single().toList()
            assertEquals(listOf("?", "'?", 1, "?", " ? \$\$ ", 5, true, true), row)
        }
        assertEquals(listOf("?", true), db.run("SELECT '?', '{\"a\":1}'::jsonb ?? 'a'").rows.single().toList())
    }

    @Test
    fun `SQL with the character NUL is refused before anything is sent`() = connected { db ->
        assertThrows<IllegalArgumentException> { db.run("SELECT 1\u0000; DROP TABLE t") }
        assertThrows<IllegalArgumentException> { db.prepared("SELECT 1\u0000; DROP TABLE t") }
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertEquals(1, db.run("SELECT 1").single)
    }

    // ---- What the server says unasked

    @Test
    fun `notices and notifications do not disturb, idle or busy`() = connected { db ->
        connected { other ->
            db.run("LISTEN news")
            repeat(20) {
                other.run("NOTIFY news, 'unread'")
                assertEquals(it, db.prepared("SELECT ?", SqlType.INTEGER to it).single)
                db.run("DO \$\$ BEGIN RAISE NOTICE 'unread'; END \$\$")
            }
        }
    }

    @Test
    fun `a change of client_encoding or DateStyle ends the connection instead of garbling values`() {
        for (sql in listOf("SET client_encoding = 'LATIN1'", "SET DateStyle = 'German'")) connected { db ->
            assertThrows<ConnectionException> { db.run(sql) }
            assertEquals(ConnectionStatus.CLOSED, db.status)
        }
    }

    @Test
    fun `a change of the session's time zone changes no value`() = connected { db ->
        val sql = "SELECT '2024-01-01 00:00:00+00'::timestamptz, ARRAY['2024-01-01 00:00:00+00'::timestamptz]"
        val expected = db.run(sql).rows.single().toList()
        for (zone in listOf("Asia/Kolkata", "America/St_Johns", "Europe/Dublin")) {
            db.run("SET TimeZone = '$zone'")
            repeat(2) { assertEquals(expected, db.prepared(sql).rows.single().toList(), zone) }
        }
    }
}
