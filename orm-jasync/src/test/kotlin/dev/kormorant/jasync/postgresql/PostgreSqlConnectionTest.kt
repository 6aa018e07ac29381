package dev.kormorant.jasync.postgresql

import dev.kormorant.ConnectionBusyException
import dev.kormorant.Isolation
import dev.kormorant.SyntaxException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class PostgreSqlConnectionTest {
    @Test
    fun `a new connection is idle and knows its session and the server`() = connected { db ->
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertEquals(db.serverId, (db.run("SELECT pg_backend_pid()").single as Int).toLong())
        val version = db.run("SHOW server_version_num").single.toString().toInt()
        assertEquals(version / 10_000, db.dialect.version.major)
        assertEquals("PostgreSQL", db.dialect.name)
        assertEquals(DmlKind.entries.toSet(), db.dialect.returning)
    }

    @Test
    fun `the session is set up by the startup message`() = connected(
        "?application_name=a%20b&search_path=pg_catalog&statement_timeout=12345",
    ) { db ->
        suspend fun show(name: String) = db.run("SHOW $name").single
        assertEquals("UTF8", show("client_encoding"))
        assertEquals("UTC", show("TimeZone"))
        assertEquals("iso_8601", show("IntervalStyle"))
        assertTrue(show("DateStyle").toString().startsWith("ISO"))
        assertEquals("a b", show("application_name"))
        assertEquals("pg_catalog", show("search_path"))
        assertEquals("12345ms", show("statement_timeout"))
    }

    @Test
    fun `a query gives its columns with names and types, and its rows`() = connected { db ->
        repeat(3) {
            val sql = "SELECT n AS number, n::text || '!' AS words FROM generate_series(1, 3) n WHERE n > ?"
            val result = db.prepared(sql, SqlType.INTEGER to 1)
            assertEquals(listOf("number" to "int4", "words" to "text"), result.columns.map { it.name to it.type })
            assertEquals(listOf(listOf(2, "2!"), listOf(3, "3!")), result.rows.map { it.toList() })
            assertEquals(2, result.affected)
        }
    }

    @Test
    fun `changes report the rows they touched, and RETURNING gives rows`() = connected { db ->
        db.run("CREATE TEMP TABLE t (id int generated always as identity, v text)")
        val inserted = db.prepared("INSERT INTO t (v) VALUES (?), (?) RETURNING id", SqlType.TEXT to "a", SqlType.TEXT to "b")
        assertEquals(listOf(1, 2), inserted.rows.map { it[0] })
        assertEquals(2, inserted.affected)
        assertEquals(2, db.prepared("UPDATE t SET v = v").affected)
        assertEquals(1, db.run("DELETE FROM t WHERE id = ?", SqlType.INTEGER to 1).affected)
        assertEquals(0, db.run("CREATE TEMP TABLE u ()").affected)
        assertTrue(db.run("UPDATE t SET v = v").columns.isEmpty())
    }

    @Test
    fun `the status follows the wire`() = connected { db ->
        db.run("BEGIN")
        assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        assertThrows<SyntaxException> { db.run("SELECT * FROM missing") }
        assertEquals(ConnectionStatus.FAILED, db.status)
        db.run("ROLLBACK")
        assertEquals(ConnectionStatus.IDLE, db.status)
        db.close()
        assertEquals(ConnectionStatus.CLOSED, db.status)
    }

    @Test
    fun `a second statement while one is in progress is refused and nothing is sent`() = connected { db ->
        coroutineScope {
            val first = async { db.run("SELECT 1 FROM pg_sleep(0.2)").single }
            while (db.status != ConnectionStatus.BUSY) yield()
            assertThrows<ConnectionBusyException> { db.run("SELECT 2") }
            assertThrows<ConnectionBusyException> { db.stream(SqlStatement("SELECT 2"), 10) }
            assertEquals(1, first.await())
        }
        assertEquals(3, db.run("SELECT 3").single)
    }

    @Test
    fun `a transaction begins with one statement`() = connected { db ->
        db.run(db.dialect.begin(BeginOptions(Isolation.REPEATABLE_READ, readOnly = true)).single())
        assertEquals("repeatable read", db.run("SHOW transaction_isolation").single)
        assertEquals("on", db.run("SHOW transaction_read_only").single)
        db.run("COMMIT")
        for (isolation in Isolation.entries + null) {
            db.run(db.dialect.begin(BeginOptions(isolation, readOnly = false)).single())
            db.run("ROLLBACK")
        }
    }

    @Test
    fun `a wrong number of arguments is refused before anything is sent`() = connected { db ->
        assertThrows<IllegalArgumentException> { db.run("SELECT ?", SqlType.INTEGER to 1, SqlType.INTEGER to 2) }
        assertThrows<IllegalArgumentException> { db.prepared("SELECT ?") }
        assertThrows<IllegalArgumentException> { db.execute(SqlStatement("SELECT ?", listOf(SqlType.INTEGER))) }
        assertThrows<IllegalArgumentException> { db.run("SELECT ?", SqlType.INTEGER to "one") }
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertEquals(1, db.prepared("SELECT ?", SqlType.INTEGER to 1).single)
    }

    @Test
    fun `the largest number of parameters works and one more is refused before anything is sent`() = connected { db ->
        fun values(count: Int) = Array<Pair<SqlType, Any?>>(count) { SqlType.INTEGER to it }
        fun sql(count: Int) = "SELECT count(*) FROM (VALUES ${(1..count).joinToString { "(?)" }}) v"
        assertEquals(65_535L, db.run(sql(65_535), *values(65_535)).single)
        assertThrows<UnsupportedByDialectException> { db.run(sql(65_536), *values(65_536)) }
        assertEquals(ConnectionStatus.IDLE, db.status)
    }

    @Test
    fun `of several statements in one text the last answer counts`() = connected { db ->
        assertEquals("b", db.run("SELECT 1, 2; SELECT 'b'").single)
        val last = db.run("SELECT 1; CREATE TEMP TABLE many ()")
        assertTrue(last.rows.isEmpty() && last.columns.isEmpty())
        assertTrue(db.run("").rows.isEmpty())
        assertTrue(db.prepared("").rows.isEmpty())
    }

    @Test
    fun `the names of types are those of the server, also of arrays, enums and domains`() = connected { db ->
        db.run("CREATE TYPE pg_temp.mood AS ENUM ('glad', 'sad, \"very\"'); CREATE DOMAIN pg_temp.small AS int2")
        val sql = "SELECT 'glad'::pg_temp.mood, ARRAY['glad', NULL, 'sad, \"very\"']::pg_temp.mood[], " +
            "ARRAY[1, 2]::pg_temp.small[], 1::pg_temp.small"
        repeat(3) {
            val result = db.prepared(sql)
            assertEquals(listOf("mood", "_mood", "_small", "int2"), result.columns.map { it.type })
            val expected = listOf("glad", listOf("glad", null, "sad, \"very\""), listOf<Short>(1, 2), 1.toShort())
            assertEquals(expected, result.rows.single().toList())
        }
        assertEquals(listOf("glad", listOf("glad", null, "sad, \"very\"")), db.run(sql).rows.single().take(2))
    }

    @Test
    fun `the built-in types are named and numbered as on the server`() = connected { db ->
        val sql = "SELECT t.oid, t.typname::text, e.typname::text " +
            "FROM pg_type t LEFT JOIN pg_type e ON e.typarray = t.oid WHERE t.oid < 10000"
        val rows = db.run(sql).rows
        val onServer = rows.associate { (it[0] as Long).toInt() to if (it[2] == null) it[1] else "_${it[2]}" }
        for ((oid, type) in builtinTypes) onServer[oid]?.let { assertEquals(it, type.name, "OID $oid") }
        assertTrue(builtinTypes.keys.count { it in onServer } > 100)
    }
}
