package dev.kormorant.sqlite

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class DefinitionTest {
    private val table = checkNotNull(
        Definition.of(
            """
            CREATE TABLE "odd, (name)" (
              id INTEGER PRIMARY KEY AUTOINCREMENT, -- a comment, with (this) in it
              [a b] VARCHAR(20, 2) DEFAULT 'x, ''(y)' CHECK ([a b] <> ')') /* and , another */,
              `tick` INT CONSTRAINT t_fk REFERENCES other (id), "q""uoted" INT,
              CONSTRAINT "named one" CHECK (id > (1 + 2)),
              CONSTRAINT k FOREIGN KEY ("q""uoted", tick) REFERENCES other (a, b) ON DELETE CASCADE
            ) STRICT
            """.trimIndent(),
        ),
    )

    @Test
    fun `a table is taken apart at the commas of its list`() {
        assertEquals(listOf("id", "a b", "tick", "q\"uoted", null, null), table.pieces.map { it.column })
        assertEquals("CREATE TABLE \"odd, (name)\" " to " STRICT", table.head to table.tail)
        assertTrue(table.isNumbered)
    }

    @Test
    fun `checks and the names of foreign keys are found`() {
        assertEquals(listOf(null to "[a b] <> ')'", "named one" to "id > (1 + 2)"), table.checks)
        assertEquals(mapOf(listOf("tick") to "t_fk", listOf("q\"uoted", "tick") to "k"), table.foreignKeyNames)
    }

    @Test
    fun `an index has its parts and its condition`() {
        val index = checkNotNull(Definition.of("CREATE INDEX i ON t (lower(a), b DESC) WHERE a IS NOT NULL"))
        assertEquals(listOf("lower(a)", "b DESC"), index.pieces.map { it.text })
        assertEquals("a IS NOT NULL", index.predicate)
        assertNull(Definition.of("CREATE VIEW v AS SELECT 1"))
    }
}
