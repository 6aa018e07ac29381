package dev.kormorant.jasync.postgresql

import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.DatabaseException
import dev.kormorant.DeadlockException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.SerializationException
import dev.kormorant.SyntaxException
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.SqlType
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class PostgreSqlErrorsTest {
    private suspend fun Connection.violation(sql: String): ConstraintViolationException =
        assertThrows<ConstraintViolationException> { run(sql) }.also { assertEquals(ConnectionStatus.IDLE, status) }

    @Test
    fun `a broken constraint tells its kind, name, table and column, and no value`() = connected { db ->
        db.run(
            """CREATE TEMP TABLE parent (id int CONSTRAINT parent_pk PRIMARY KEY);
               CREATE TEMP TABLE child (
                 id int CONSTRAINT child_pk PRIMARY KEY, parent int CONSTRAINT child_fk REFERENCES parent, name text NOT NULL,
                 age int CONSTRAINT child_age CHECK (age > 0), during int4range,
                 CONSTRAINT child_during EXCLUDE USING gist (during WITH &&))""",
        )
        db.run("INSERT INTO child VALUES (4711, NULL, 'a', 1, '[1,5)')")
        val unique = db.violation("INSERT INTO child VALUES (4711, NULL, 'a', 1, NULL)")
        assertEquals(ConstraintKind.UNIQUE, unique.kind)
        assertEquals(listOf("child_pk", "child", "23505"), listOf(unique.constraint, unique.table, unique.sqlState))
        assertFalse("4711" in unique.message!!)
        assertEquals("Duplicate key value violates unique constraint \"child_pk\".", unique.problem)
        assertEquals("INSERT INTO child VALUES (4711, NULL, 'a', 1, NULL)", unique.sql)
        val foreign = db.violation("INSERT INTO child VALUES (2, 4712, 'a', 1, NULL)")
        assertEquals(ConstraintKind.FOREIGN_KEY to "child_fk", foreign.kind to foreign.constraint)
        assertFalse("4712" in foreign.message!!)
        val missing = db.violation("INSERT INTO child VALUES (2, NULL, NULL, 1, NULL)")
        assertEquals(ConstraintKind.NOT_NULL to "name", missing.kind to missing.details.column)
        val check = db.violation("INSERT INTO child VALUES (2, NULL, 'a', -1, NULL)")
        assertEquals(ConstraintKind.CHECK to "child_age", check.kind to check.constraint)
        val exclusion = db.violation("INSERT INTO child VALUES (2, NULL, 'a', 1, '[2,3)')")
        assertEquals(ConstraintKind.EXCLUSION to "child_during", exclusion.kind to exclusion.constraint)
    }

    @Test
    fun `a value that does not fit is a DataException without the value`() = connected { db ->
        val values =
            listOf("'secretvalue'::int", "'99999'::smallint", "'2024-99-99'::date", "'{secretvalue'::int[]", "'{secretvalue}'::json")
        for (value in values) {
            val error = assertThrows<DataException>(value) { db.run("SELECT $value") }
            for (secret in listOf("secretvalue", "99999", "2024-99-99")) assertFalse(secret in error.message!!, error.message)
            assertTrue(error.problem.endsWith("."), error.problem)
        }
        val error = assertThrows<DataException> { db.prepared("SELECT ?::int", SqlType.TEXT to "secretvalue") }
        assertEquals("Invalid input syntax for type integer.", error.problem)
    }

    @Test
    fun `a missing table, column or right is a SyntaxException with a hint`() = connected { db ->
        for (sql in listOf("SELECT * FROM nowhere", "SELECT nothing", "SELEC 1")) assertThrows<SyntaxException> { db.run(sql) }
        val error = assertThrows<SyntaxException> { db.prepared("SELECT * FROM nowhere") }
        assertTrue("Create the table" in error.hint!!)
        assertEquals("42P01", error.sqlState)
    }

    @Test
    fun `statement_timeout is a QueryTimeoutException and lock_timeout a DeadlockException`() = connected { db ->
        db.run("SET statement_timeout = 20")
        assertThrows<QueryTimeoutException> { db.run("SELECT pg_sleep(30)") }
        db.run("SET statement_timeout = 0")
        connected { other ->
            val name = "locked_${db.serverId}"
            db.run("CREATE TABLE $name ()")
            db.run("BEGIN")
            db.run("LOCK TABLE $name")
            other.run("SET lock_timeout = 20")
            assertThrows<DeadlockException> { other.run("SELECT * FROM $name") }
            db.run("ROLLBACK")
            db.run("DROP TABLE $name")
        }
        assertThrows<SerializationException> { db.run("DO \$\$ BEGIN RAISE SQLSTATE '40001'; END \$\$") }
        assertThrows<DeadlockException> { db.run("DO \$\$ BEGIN RAISE SQLSTATE '40P01'; END \$\$") }
        assertEquals("Own words.", assertThrows<DatabaseException> { db.run("DO \$\$ BEGIN RAISE 'own words'; END \$\$") }.problem)
    }
}
