package dev.kormorant.test.conformance

import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.Database
import dev.kormorant.DatabaseException
import dev.kormorant.DatabaseListener
import dev.kormorant.StatementEvent
import dev.kormorant.SyntaxException
import dev.kormorant.TransactionAbortedException
import dev.kormorant.connection
import dev.kormorant.delete
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.selectAll
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The same mistake is the same error on every backend, and the connection serves on. */
public abstract class ErrorSuite(backend: Backend) : Suite(backend, Pages, Users, Tweets) {
    private object Missing : Table("no_such_table") {
        val column = integer("col")
    }

    /** That [block] fails with [T], and its connection is still the same one and usable, outside and inside a transaction. */
    private suspend inline fun <reified T : DatabaseException> refused(noinline block: suspend () -> Any?): T {
        val error = assertFails<T>(block)
        assertFalse(error.connectionLost)
        assertEquals(0, db.pool.inUse)
        val question = backend.dialogue.sessionId ?: "SELECT 1"
        db.connection {
            val id = db.exec(question).scalar()
            assertFails<T>(block)
            assertEquals(id, db.exec(question).scalar())
        }
        assertFails<T> { transaction { block() } }
        transaction {
            val id = db.exec(question).scalar()
            assertFails<T> { transaction { block() } }
            assertEquals(id, db.exec(question).scalar())
        }
        return error
    }

    @Test
    public fun `a missing table is a syntax error that names it (Q13)`(): Unit = test {
        val error = refused<SyntaxException> { Missing.selectAll().toList() }
        assertTrue("no_such_table" in error.problem, error.problem)
        assertTrue("SELECT" in error.sql.orEmpty())
        assertHint(error)
    }

    @Test
    public fun `a missing column is a syntax error (Q13)`(): Unit = test {
        val error = refused<SyntaxException> { db.exec("SELECT no_such_column FROM page_block") }
        assertTrue("no_such_column" in error.problem, error.problem)
        assertHint(error)
    }

    @Test
    public fun `SQL that is none is a syntax error (Q13)`(): Unit = test {
        assertHint(refused<SyntaxException> { db.exec("SELEKT 1") })
    }

    @Test
    public fun `a duplicate key is a unique violation, without its value (Q13)`(): Unit = test {
        Pages.insert { it[key] = "secret-value" }
        val error = refused<ConstraintViolationException> { Pages.insert { it[key] = "secret-value" } }
        assertEquals(ConstraintKind.UNIQUE, error.kind)
        assertFalse("secret-value" in error.problem || "secret-value" in error.sql.orEmpty(), error.problem)
        assertEquals(1, Page.count())
    }

    @Test
    public fun `a missing parent is a foreign key violation (Q13)`(): Unit = test {
        val error = refused<ConstraintViolationException> { Tweets.insert { it[author] = EntityID(4711L, Users); it[text] = "hello" } }
        assertEquals(ConstraintKind.FOREIGN_KEY, error.kind)
    }

    @Test
    public fun `deleting a parent with children is a foreign key violation (Q13)`(): Unit = test {
        val ann = User.create { name = "ann" }
        Tweets.insert { it[author] = ann.id; it[text] = "hello" }
        assertEquals(ConstraintKind.FOREIGN_KEY, refused<ConstraintViolationException> { ann.delete() }.kind)
        assertFalse(ann.isNew)
        assertEquals(1, User.count())
    }

    @Test
    public fun `a missing value is a not-null violation (Q13)`(): Unit = test {
        assertEquals(ConstraintKind.NOT_NULL, refused<ConstraintViolationException> { db.exec("INSERT INTO users (name) VALUES (NULL)") }.kind)
    }

    @Test
    public fun `a value that is too long is a data error where the database checks it (Q13)`(): Unit = test {
        needs(backend.server != null, "length of text columns")
        refused<DataException> { db.exec("INSERT INTO users (name) VALUES (?)", "x".repeat(41)) }
    }

    @Test
    public fun `a violated constraint in a nested block leaves the transaction usable (T1)`(): Unit = test {
        transaction {
            Pages.insert { it[key] = "one" }
            assertFails<ConstraintViolationException> { transaction { Pages.insert { it[key] = "one" } } }
            Pages.insert { it[key] = "two" }
        }
        assertEquals(2, Page.count())
    }

    @Test
    public fun `an error caught in the block itself aborts the transaction where the database says so`(): Unit = test {
        val block: suspend () -> Unit = {
            transaction {
                Pages.insertAndGetId { it[key] = "one" }
                assertFails<ConstraintViolationException> { Pages.insert { it[key] = "one" } }
            }
        }
        if (can.errorAbortsTransaction) {
            val error = assertFails<TransactionAbortedException> { block() }
            assertTrue(error.cause is ConstraintViolationException)
            assertHint(error, "transaction { }")
            assertEquals(0, Page.count())
        } else {
            block()
            assertEquals(1, Page.count())
        }
    }

    @Test
    public fun `hundreds of errors leave every connection usable (P19)`(): Unit = test {
        repeat(200) { number ->
            assertFails<DatabaseException> { if (number % 2 == 0) db.exec("SELEKT $number") else db.exec("SELECT * FROM no_such_table_$number") }
        }
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `an error tells the listeners`(): Unit = test {
        val seen = ArrayList<Throwable?>()
        val listener = object : DatabaseListener {
            override fun onStatement(event: StatementEvent) {
                seen += event.error
            }
        }
        Database.open(url) { listener(listener) }.use { other ->
            assertFails<SyntaxException> { other.exec("SELEKT 1") }
            other.exec("SELECT 1")
        }
        assertEquals(2, seen.size)
        assertTrue(seen[0] is SyntaxException && seen[1] == null)
    }
}
