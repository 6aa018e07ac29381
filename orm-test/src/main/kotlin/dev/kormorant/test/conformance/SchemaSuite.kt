package dev.kormorant.test.conformance

import dev.kormorant.Schema
import dev.kormorant.SyntaxException
import dev.kormorant.ConstraintViolationException
import dev.kormorant.exists
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.selectAll
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.IntIdTable
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlinx.coroutines.runBlocking

/** Creating and dropping tables. */
public abstract class SchemaSuite(backend: Backend) : Suite(backend) {
    private object Countries : IntIdTable("country") {
        val code = char("code", 2).uniqueIndex()
    }

    private object Towns : IntIdTable("town") {
        val country = reference("country", Countries)
        val name = varchar("name", 30).index()
    }

    private object Odd : Table("select") {
        val from = integer("from")
        val spaced = integer("two words")
        override val primaryKey = PrimaryKey(from)
    }

    @AfterEach
    public fun dropAll(): Unit = runBlocking(db) { Schema.drop(Countries, Towns, Odd) }

    @Test
    public fun `tables are created in the order of their references, whatever that of the arguments (D17)`(): Unit = test {
        Schema.create(Towns, Countries)
        val country = Countries.insertAndGetId { it[code] = "AT" }
        Towns.insert { it[Towns.country] = country; it[name] = "Graz" }
        assertEquals("Graz", Towns.selectAll().single()[Towns.name])
        assertFails<ConstraintViolationException> { Countries.insert { it[code] = "AT" } }
    }

    @Test
    public fun `creating twice is fine and leaves the rows alone (D17, O19)`(): Unit = test {
        Schema.create(Countries)
        Countries.insert { it[code] = "AT" }
        Schema.create(Countries, Towns)
        assertEquals(1, Countries.selectAll().count())
    }

    @Test
    public fun `tables are dropped, those that refer first, and dropping twice is fine (D17, O19)`(): Unit = test {
        Schema.create(Towns, Countries)
        Schema.drop(Countries, Towns)
        assertFails<SyntaxException> { Countries.selectAll().toList() }
        Schema.drop(Towns, Countries)
    }

    @Test
    public fun `tables are listed and asked for, views left out (D16)`(): Unit = test {
        assertFalse(Countries.exists())
        Schema.create(Towns, Countries)
        assertTrue(Countries.exists() && Towns.exists())
        assertFalse(Odd.exists())
        db.exec("CREATE VIEW capital AS SELECT * FROM town")
        try {
            assertEquals(setOf("country", "town"), Schema.listTables().toSet())
            assertEquals(emptyList<String>(), Schema.listTables("no_such_schema"))
        } finally {
            db.exec("DROP VIEW capital")
        }
    }

    @Test
    public fun `reserved words and spaces in names are quoted`(): Unit = test {
        Schema.create(Odd)
        Odd.insert { it[from] = 1; it[spaced] = 2 }
        assertEquals(2, Odd.selectAll().single()[Odd.spaced])
    }

    @Test
    public fun `the statements can be had without running them`(): Unit = test {
        val statements = Schema.createStatements(Towns, Countries)
        assertTrue(statements.first().startsWith("CREATE TABLE"))
        assertFails<SyntaxException> { Countries.selectAll().toList() }
        assertTrue(Schema.dropStatements(Towns, Countries).all { it.startsWith("DROP TABLE") })
    }

    @Test
    public fun `a rollback undoes a created table where the database has transactional DDL`(): Unit = test {
        needs(can.transactionalDdl, "transactional DDL")
        assertFails<IllegalStateException> {
            transaction {
                Schema.create(Countries)
                Countries.insert { it[code] = "AT" }
                error("stop")
            }
        }
        assertFails<SyntaxException> { Countries.selectAll().toList() }
    }
}
