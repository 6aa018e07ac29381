package dev.kormorant.sqlite

import dev.kormorant.Isolation
import dev.kormorant.SyntaxException
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.Folding
import org.jetbrains.exposed.v1.core.vendors.ANSI_SQL_2003_KEYWORDS
import org.jetbrains.exposed.v1.core.vendors.SQLiteDialect
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class DialectTest {
    @Test
    fun `the dialect tells what SQLite can do`() = test {
        inMemory { c ->
            val dialect = c.dialect
            assertEquals("SQLite", dialect.name)
            assertTrue(dialect.exposed is SQLiteDialect)
            assertEquals(c.value("SELECT sqlite_version()"), with(dialect.version) { "$major.$minor.$patch" })
            assertEquals(DmlKind.entries.toSet(), dialect.returning)
            assertTrue(dialect.transactionalDdl)
            assertFalse(dialect.errorAbortsTransaction)
            assertEquals("\"" to Folding.PRESERVE, dialect.identifiers.quote to dialect.identifiers.folding)
        }
    }

    @Test
    fun `a transaction that may write takes the lock at once, whatever the isolation`() = test {
        inMemory { c ->
            for (isolation in Isolation.entries + null) {
                assertEquals(listOf("BEGIN IMMEDIATE"), c.dialect.begin(BeginOptions(isolation, readOnly = false)))
                assertEquals(listOf("BEGIN /* read-only */"), c.dialect.begin(BeginOptions(isolation, readOnly = true)))
            }
        }
    }

    @Test
    fun `a statement takes as many parameters as the dialect says, and far too many are an error`() = test {
        inMemory { c ->
            fun sum(count: Int) = statement("SELECT 7 IN (${List(count) { "?" }.joinToString(",")})", *Array(count) { it })
            assertTrue(c.dialect.maxParameters >= 32766)
            assertEquals(1L, c.execute(sum(c.dialect.maxParameters)).rows.single().single())
            assertTrue(runCatching { c.execute(sum(300_000)) }.exceptionOrNull() is SyntaxException)
        }
    }

    @Test
    fun `every word that SQLite does not take as an unquoted name is a keyword`() = test {
        inMemory { c ->
            val words = (
                "ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH AUTOINCREMENT BEFORE BEGIN BETWEEN BY CASCADE CASE CAST CHECK " +
                    "COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DATABASE DEFAULT " +
                    "DEFERRABLE DEFERRED DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXCLUDE EXCLUSIVE EXISTS EXPLAIN FAIL " +
                    "FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED GLOB GROUP GROUPS HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY " +
                    "INNER INSERT INSTEAD INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NO NOT NOTHING NOTNULL " +
                    "NULL NULLS OF OFFSET ON OR ORDER OTHERS OUTER OVER PARTITION PLAN PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE " +
                    "REFERENCES REGEXP REINDEX RELEASE RENAME REPLACE RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET TABLE TEMP " +
                    "TEMPORARY THEN TIES TO TRANSACTION TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW VIRTUAL WHEN WHERE WINDOW " +
                    "WITH WITHOUT"
                ).split(' ')
            val known = c.dialect.identifiers.keywords.toSet() + ANSI_SQL_2003_KEYWORDS
            val refused = words.filter { word ->
                val used = listOf("CREATE TABLE $word ($word INT)", "SELECT $word.$word FROM $word WHERE $word = 1", "INSERT INTO $word ($word) VALUES (1)")
                used.any { runCatching { c.run(it) }.isFailure }
            }
            assertEquals(emptyList<String>(), refused.filter { it !in known })
        }
    }
}
