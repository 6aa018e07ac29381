package dev.kormorant.sqlite

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.DatabaseException
import dev.kormorant.SyntaxException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.writeText

class ErrorsTest {
    @TempDir
    lateinit var directory: Path

    private inline fun <reified E : Throwable> Connection.fails(sql: String, vararg values: Any?): E =
        assertThrows<E>(sql) { runBlocking { run(sql, *values) } }.also {
            assertEquals(ConnectionStatus.IDLE, status)
            if (it is DatabaseException) assertEquals(sql, it.sql)
        }

    @Test
    fun `a broken constraint tells its kind, table and columns`() = test {
        inMemory { c ->
            c.run("CREATE TABLE p (id INTEGER PRIMARY KEY, a INT NOT NULL, b INT CONSTRAINT b_positive CHECK (b > 0), UNIQUE (a, b))")
            c.run("CREATE UNIQUE INDEX p_expression ON p (a * 10)")
            c.run("CREATE TABLE t (p INT REFERENCES p)")
            c.run("CREATE TABLE w (k TEXT PRIMARY KEY) WITHOUT ROWID")
            c.run("INSERT INTO p VALUES (1, 1, 1)")
            c.run("INSERT INTO w VALUES ('k')")

            suspend fun violation(sql: String) = c.fails<ConstraintViolationException>(sql)
            with(violation("INSERT INTO p VALUES (1, 2, 2)")) {
                assertEquals(listOf(ConstraintKind.UNIQUE, "p", "id", 1555), listOf(kind, table, details.column, vendorCode))
                assertNotNull(cause)
            }
            with(violation("INSERT INTO p VALUES (2, 1, 1)")) {
                assertEquals(ConstraintKind.UNIQUE, kind)
                assertTrue(constraint == "p_expression" || details.column == "a, b", message)
            }
            with(violation("INSERT INTO p VALUES (2, 1, 3)")) { assertEquals("p_expression", constraint) }
            with(violation("INSERT INTO w VALUES ('k')")) { assertEquals(listOf(ConstraintKind.UNIQUE, "w", "k"), listOf(kind, table, details.column)) }
            with(violation("INSERT INTO p VALUES (2, NULL, 1)")) { assertEquals(listOf(ConstraintKind.NOT_NULL, "p", "a"), listOf(kind, table, details.column)) }
            with(violation("INSERT INTO p VALUES (2, 5, -1)")) { assertEquals(listOf(ConstraintKind.CHECK, "b_positive"), listOf(kind, constraint)) }
            with(violation("INSERT INTO t VALUES (99)")) {
                assertEquals(ConstraintKind.FOREIGN_KEY, kind)
                assertNull(table)
            }
            assertEquals(1, c.count("p"))
        }
    }

    @Test
    fun `SQL that is not understood is a SyntaxException with a hint`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a)")
            val wrong = listOf(
                "SELEC 1", "SELECT * FROM nowhere", "SELECT b FROM t", "INSERT INTO t (b) VALUES (1)", "SELECT nothing(1)", "SELECT 'open", "SELECT (1", "INSERT INTO t VALUES (1, 2)",
            )
            for (sql in wrong) assertNotNull(c.fails<SyntaxException>(sql).hint)
        }
    }

    @Test
    fun `a value that does not fit is a DataException`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT) STRICT")
            c.fails<DataException>("INSERT INTO t VALUES ('no number', 1)")
            c.fails<DataException>("INSERT INTO t VALUES (1, ?)", "no number")
            c.fails<DataException>("SELECT abs(?)", Long.MIN_VALUE)
            c.fails<DataException>("SELECT zeroblob(2000000000)")
            c.fails<DataException>("SELECT json(?)", "{")
        }
    }

    @Test
    fun `an error of a trigger is a DatabaseException with the words of the trigger`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a)")
            c.run("CREATE TRIGGER no_insert BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'the table is closed'); END")
            assertTrue("the table is closed" in c.fails<DatabaseException>("INSERT INTO t VALUES (1)").problem)
        }
    }

    @Test
    fun `an error shows no value, and neither does its cause`() = test {
        inMemory { c ->
            c.run("CREATE TABLE t (a TEXT UNIQUE)")
            c.run("INSERT INTO t VALUES ('secret')")
            val errors = listOf(
                c.fails<DatabaseException>("INSERT INTO t VALUES (?)", "secret"),
                c.fails<DatabaseException>("SELECT json_extract('{}', ?)", "secret[path"),
                c.fails<DatabaseException>("SELECT 'a' LIKE 'b' ESCAPE ?", "secret"),
            )
            for (error in errors) assertFalse("secret" in error.stackTraceToString(), error.stackTraceToString())
        }
    }

    @Test
    fun `a missing directory, a directory and a file that is no database are ConnectionExceptions with a hint`() = test {
        val noDatabase = directory.resolve("text.db").apply { writeText("This is no database. ".repeat(100)) }
        for (path in listOf(directory.resolve("missing/x.db"), directory, noDatabase)) {
            for (access in Access.entries) {
                open("sqlite:$path").use {
                    val error = assertThrows<ConnectionException>(path.toString()) { runBlocking { it.connect(access) } }
                    assertNotNull(error.hint)
                    assertFalse(error.isTransient)
                }
            }
        }
    }

    @Test
    fun `an attached file that is not there does not cost the connection`() = test {
        inMemory { c ->
            c.fails<DatabaseException>("ATTACH DATABASE '${directory.resolve("missing/x.db")}' AS x")
            assertEquals(1L, c.value("SELECT 1"))
        }
    }

    @Test
    fun `a file that turns out to be damaged closes the connection`() = test {
        val file = directory.resolve("damaged.db")
        open("sqlite:$file").use { driver ->
            val c = driver.connect(Access.WRITE)
            c.run("CREATE TABLE t (a)")
            c.run("INSERT INTO t WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 10000) SELECT x || 'abcdefgh' FROM r")
        }
        val bytes = file.toFile().readBytes()
        bytes.fill(0x55, 4096 * 2, bytes.size)
        file.toFile().writeBytes(bytes)
        open("sqlite:$file").use { driver ->
            val c = driver.connect(Access.WRITE)
            assertThrows<ConnectionException> { c.run("SELECT sum(length(a)) FROM t") }
            assertEquals(ConnectionStatus.CLOSED, c.status)
        }
    }

    @Test
    fun `a URL that is not understood is refused before any file is opened`() {
        val wrong = listOf(
            "sqlite:x.db?busy_timout=1", "sqlite:x.db?busy_timeout=soon", "sqlite:x.db?busy_timeout=-1", "sqlite:x.db?mode=ro", "sqlite:x?mode=memory&cache=shared", "sqlite://host/x.db",
        )
        for (url in wrong) assertNotNull(assertThrows<ConfigurationException>(url) { open(url) }.message)
    }
}
