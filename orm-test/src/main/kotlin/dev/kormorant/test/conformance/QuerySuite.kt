package dev.kormorant.test.conformance

import dev.kormorant.RecordNotFoundException
import dev.kormorant.TooManyRowsException
import dev.kormorant.batchInsert
import dev.kormorant.deleteAll
import dev.kormorant.deleteWhere
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.insertIgnore
import dev.kormorant.insertIgnoreAndGetId
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.inList
import org.jetbrains.exposed.v1.core.isNull
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.lowerCase
import org.jetbrains.exposed.v1.core.max
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Queries and data changes in the DSL, and raw SQL. */
public abstract class QuerySuite(backend: Backend) : Suite(backend, Pages, Users, Tweets, Tickets, Devices) {
    private suspend fun pages(count: Int) = Pages.batchInsert((1..count).toList()) { number ->
        this[Pages.key] = "page$number"
        this[Pages.text] = "text${number % 3}"
    }

    // ---- INSERT

    @Test
    public fun `insertAndGetId returns the id the database made (Q2)`(): Unit = test {
        val first = Pages.insertAndGetId { it[key] = "a" }
        val second = Pages.insertAndGetId { it[key] = "b" }
        assertTrue(second.value > first.value)
        assertEquals("b", Pages.selectAll().where { Pages.id eq second }.single()[Pages.key])
    }

    @Test
    public fun `insert has the row as the database stored it, defaults included (Q2)`(): Unit = test {
        val inserted = Tickets.insert { it[title] = "door" }
        assertEquals(1, inserted.insertedCount)
        assertEquals("open", inserted[Tickets.state])
        assertEquals(Tickets.selectAll().single()[Tickets.id], inserted[Tickets.id])
        assertEquals("door", inserted.resultedValues!!.single()[Tickets.title])
    }

    @Test
    public fun `an insert is one statement where the database can return what it made (M7)`(): Unit = test {
        needs(can.insertReturning, "INSERT … RETURNING")
        assertEquals(1, statementsOf { Tickets.insert { it[title] = "door" } }.size)
    }

    @Test
    public fun `insertIgnore inserts nothing when a unique constraint is violated (Q2)`(): Unit = test {
        assertEquals(1, Pages.insertIgnore { it[key] = "a" }.insertedCount)
        assertEquals(0, Pages.insertIgnore { it[key] = "a"; it[text] = "again" }.insertedCount)
        assertEquals("", Pages.selectAll().single()[Pages.text])
    }

    @Test
    public fun `insertIgnoreAndGetId is null on a conflict (Q2)`(): Unit = test {
        val id = Pages.insertIgnoreAndGetId { it[key] = "a" }
        assertEquals(Pages.selectAll().single()[Pages.id], id)
        assertNull(Pages.insertIgnoreAndGetId { it[key] = "a" })
    }

    @Test
    public fun `batchInsert returns the rows in order with their ids (Q2)`(): Unit = test {
        val rows = pages(10)
        assertEquals((1..10).map { "page$it" }, rows.map { it[Pages.key] })
        val stored = Pages.selectAll().toList().associate { it[Pages.id] to it[Pages.key] }
        assertEquals(stored, rows.associate { it[Pages.id] to it[Pages.key] })
    }

    @Test
    public fun `batchInsert has the database's defaults in its rows (Q2)`(): Unit = test {
        val rows = Tickets.batchInsert(listOf("a", "b", "c")) { this[Tickets.title] = it }
        assertEquals(listOf("open", "open", "open"), rows.map { it[Tickets.state] })
        assertEquals(listOf("a", "b", "c"), rows.map { it[Tickets.title] })
    }

    @Test
    public fun `a batch beyond the parameter limit is split and still all or nothing (O8)`(): Unit = test {
        val count = 40_000
        Tickets.batchInsert((1..count).toList(), shouldReturnGeneratedValues = false) {
            this[Tickets.title] = "t$it"
            this[Tickets.state] = "new"
        }
        assertEquals(count.toLong(), Tickets.selectAll().count())
        assertEquals(count, Tickets.deleteAll())
    }

    @Test
    public fun `an empty batch sends nothing (O8)`(): Unit = test {
        assertEquals(emptyList<String>(), statementsOf { assertTrue(Pages.batchInsert(emptyList<String>()) { }.isEmpty()) })
    }

    // ---- UPDATE and DELETE

    @Test
    public fun `an update counts the rows that match, changed or not (Q14)`(): Unit = test {
        pages(3)
        assertEquals(3, Pages.update { it[text] = "same" })
        assertEquals(3, Pages.update { it[text] = "same" })
        assertEquals(1, Pages.update({ Pages.key eq "page2" }) { it[text] = "same" })
        assertEquals(0, Pages.update({ Pages.key eq "nobody" }) { it[text] = "same" })
    }

    @Test
    public fun `a delete counts the rows deleted (Q14)`(): Unit = test {
        pages(5)
        assertEquals(1, Pages.deleteWhere { key eq "page1" })
        assertEquals(0, Pages.deleteWhere { key eq "page1" })
        assertEquals(4, Pages.deleteAll())
    }

    @Test
    public fun `a column is set from an expression`(): Unit = test {
        Pages.insert { it[key] = "LOUD" }
        Pages.update { it.update(text, key.lowerCase()) }
        assertEquals("loud", Pages.selectAll().single()[Pages.text])
    }

    // ---- SELECT

    @Test
    public fun `a query is cold, and each collection is one statement (M20, Q9)`(): Unit = test {
        pages(2)
        val query = Pages.selectAll().orderBy(Pages.id)
        assertEquals(0, statementsOf { Pages.selectAll().where { Pages.id greater 0L } }.size)
        assertEquals(1, statementsOf { query.toList() }.size)
        Pages.insert { it[key] = "later" }
        assertEquals(1, statementsOf { assertEquals(3, query.toList().size) }.size)
    }

    @Test
    public fun `a list can be read many times without another statement (M20)`(): Unit = test {
        pages(3)
        val rows = Pages.selectAll().orderBy(Pages.id).toList()
        assertEquals(
            0,
            statementsOf {
                assertEquals(rows.map { it[Pages.key] }, rows.map { it[Pages.key] })
                assertEquals("page2", rows[1][Pages.key])
                assertEquals(3, rows.size)
            }.size,
        )
    }

    @Test
    public fun `a query is a flow of rows`(): Unit = test {
        pages(5)
        val keys = Pages.select(Pages.key).orderBy(Pages.id).map { it[Pages.key] }
        assertEquals(listOf("page1", "page2"), keys.take(2).toList())
        assertEquals(5, keys.toList().size)
    }

    @Test
    public fun `first asks for one row, and the query stays as it was (Q5)`(): Unit = test {
        pages(3)
        val query = Pages.selectAll().orderBy(Pages.id, SortOrder.DESC)
        assertTrue(statementsOf { assertEquals("page3", query.first()[Pages.key]) }.single().contains("LIMIT 1"))
        assertEquals(3, query.toList().size)
        assertEquals(2, query.copy().limit(2).toList().size)
        assertEquals(listOf("page2"), query.copy().limit(1).offset(1).toList().map { it[Pages.key] })
    }

    @Test
    public fun `no row is an error with the SQL, or null where the name says so (O3)`(): Unit = test {
        val query = Pages.selectAll().where { Pages.key eq "nobody" }
        val error = assertFails<RecordNotFoundException> { query.first() }
        assertTrue("page_block" in error.problem)
        assertTrue("SELECT" in error.sql.orEmpty() && "nobody" !in error.stackTraceToString())
        assertHint(error, "OrNull")
        assertFails<RecordNotFoundException> { query.single() }
        assertNull(query.firstOrNull())
        assertNull(query.singleOrNull())
        assertTrue(query.empty())
    }

    @Test
    public fun `single refuses more than one row`(): Unit = test {
        pages(2)
        assertFails<TooManyRowsException> { Pages.selectAll().single() }
        assertFails<TooManyRowsException> { Pages.selectAll().singleOrNull() }
        assertEquals("page1", Pages.selectAll().where { Pages.key eq "page1" }.single()[Pages.key])
        assertFalse(Pages.selectAll().empty())
    }

    @Test
    public fun `count honours LIMIT, OFFSET, DISTINCT and GROUP BY, and can leave the limit out (M14)`(): Unit = test {
        assertEquals(0, Pages.selectAll().count())
        pages(7)
        assertEquals(7, Pages.selectAll().count())
        assertEquals(3, Pages.selectAll().limit(3).count())
        assertEquals(2, Pages.selectAll().limit(3).offset(5).count())
        assertEquals(7, Pages.selectAll().limit(3).offset(5).count(ignoreLimit = true))
        assertEquals(3, Pages.select(Pages.text).withDistinct().count())
        assertEquals(3, Pages.select(Pages.text, Pages.id.count()).groupBy(Pages.text).count())
        assertEquals(0, Pages.selectAll().where { Pages.key eq "nobody" }.count())
    }

    @Test
    public fun `count works on a query that locks rows, and on one that names a field twice (M14)`(): Unit = test {
        pages(2)
        assertEquals(2, Pages.selectAll().forUpdate().count())
        assertEquals(1, Pages.selectAll().forUpdate().limit(1).count())
        assertEquals(2, Pages.select(Pages.id, Pages.key, Pages.id).count())
        assertEquals(2, Pages.select(Pages.id, Pages.key, Pages.id).toList().size)
    }

    @Test
    public fun `count leaves the select list of its query alone (M14)`(): Unit = test {
        pages(2)
        val query = Pages.select(Pages.key).orderBy(Pages.id)
        assertEquals(2, query.count())
        assertEquals(listOf("page1", "page2"), query.toList().map { it[Pages.key] })
    }

    @Test
    public fun `scalar is the first column of the first row (M15)`(): Unit = test {
        assertNull(Pages.selectAll().scalarOrNull(Pages.key.max()))
        assertNull(Pages.selectAll().scalarOrNull(Pages.key))
        assertFails<RecordNotFoundException> { Pages.selectAll().scalar(Pages.key) }
        pages(3)
        assertEquals("page3", Pages.selectAll().scalar(Pages.key.max()))
        assertEquals("page1", Pages.selectAll().orderBy(Pages.id).scalar(Pages.key))
    }

    @Test
    public fun `rows are grouped, filtered and sorted`(): Unit = test {
        pages(7)
        val number = Pages.id.count()
        val groups = Pages.select(Pages.text, number).groupBy(Pages.text).having { number greater 2L }.toList()
        assertEquals(listOf("text1" to 3L), groups.map { it[Pages.text] to it[number] })
        assertEquals(
            listOf("page3", "page6"),
            Pages.selectAll().where { Pages.text eq "text0" }.andWhere { Pages.key inList listOf("page3", "page6", "page7") }
                .orderBy(Pages.key).toList().map { it[Pages.key] },
        )
        assertEquals(7, Pages.selectAll().where { Pages.key like "page%" }.count())
    }

    @Test
    public fun `a join reads columns of both tables (Q8)`(): Unit = test {
        val ann = Users.insertAndGetId { it[name] = "ann" }
        Users.insert { it[name] = "bob" }
        Tweets.insert { it[author] = ann; it[text] = "hello" }
        val row = Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id).selectAll().single()
        assertEquals("ann" to "hello", row[Users.name] to row[Tweets.text])
        val silent = Users.join(Tweets, JoinType.LEFT, Users.id, Tweets.author).select(Users.name, Tweets.text).where { Tweets.id.isNull() }.single()
        assertEquals("bob", silent[Users.name])
        assertNull(silent.getOrNull(Tweets.text))
    }

    @Test
    public fun `a NULL is read as null`(): Unit = test {
        Devices.insert { it[label] = "lamp" }
        Devices.insert { it[label] = "bell"; it[owner] = "ann" }
        assertEquals(listOf("ann", null), Devices.selectAll().orderBy(Devices.label).toList().map { it[Devices.owner] })
    }

    @Test
    public fun `text comes back as it was, whatever it holds`(): Unit = test {
        val texts = listOf("", "?", "%s %% \$1 :name", "it's \"quoted\" \\ `back`", "zwölf 木 \uD83D\uDE00", "line\nbreak\ttab", "a".repeat(20_000))
        texts.forEachIndexed { index, value -> Pages.insert { it[key] = "k$index"; it[text] = value } }
        assertEquals(texts, Pages.selectAll().orderBy(Pages.id).toList().map { it[Pages.text] })
        texts.forEach { value -> assertEquals(1, Pages.selectAll().where { Pages.text eq value }.count()) }
    }

    @Test
    public fun `a query inside a transaction sees what the transaction has written`(): Unit = test {
        transaction {
            pages(2)
            assertEquals(2, Pages.selectAll().count())
        }
    }

    @Test
    public fun `rows are locked until the end of the transaction, where the database can`(): Unit = test {
        pages(1)
        transaction { assertEquals("page1", Pages.selectAll().forUpdate().single()[Pages.key]) }
        assertEquals("page1", Pages.selectAll().forUpdate().single()[Pages.key])
    }

    // ---- Raw SQL

    @Test
    public fun `raw SQL has columns, rows and a count (D14)`(): Unit = test {
        pages(3)
        val result = db.exec("SELECT id, text AS body FROM page_block WHERE text = ? ORDER BY id", "text1")
        assertEquals(listOf("id", "body"), result.columns)
        assertEquals(listOf<Any?>("text1"), result.rows.map { it["body"] })
        assertEquals(3, db.exec("UPDATE page_block SET text = ?", "new").affected)
        assertEquals(3, db.exec("UPDATE page_block SET text = ?", "new").affected)
        assertEquals(1, db.exec("DELETE FROM page_block WHERE text = ? AND id = ?", "new", Pages.selectAll().first()[Pages.id]).affected)
        assertFails<RecordNotFoundException> { db.exec("SELECT id FROM page_block WHERE id = ?", 0L).scalar() }
    }

    @Test
    public fun `raw SQL in a block joins the transaction (D14)`(): Unit = test {
        assertFails<IllegalStateException> {
            db.transaction {
                db.exec("INSERT INTO users (name) VALUES (?)", "ann")
                assertEquals(1, Users.selectAll().count())
                error("stop")
            }
        }
        assertEquals(0, Users.selectAll().count())
    }

    @Test
    public fun `a question mark in a literal, a quoted name or a comment is not a parameter (Q16)`(): Unit = test {
        val quote = if (backend.product in setOf("MySQL", "MariaDB")) "`" else "\""
        val result = db.exec("SELECT '?' AS a, 'it''s ?' AS b, ? AS ${quote}c?$quote /* ? */ -- ?", "what?")
        assertEquals(listOf("a", "b", "c?"), result.columns)
        assertEquals(listOf("?", "it's ?", "what?"), result.rows.single().values.toList())
    }

    @Test
    public fun `the wrong number of arguments is refused before anything is sent (Q16)`(): Unit = test {
        assertFails<IllegalArgumentException> { db.exec("SELECT ?") }
        assertFails<IllegalArgumentException> { db.exec("SELECT ?", 1, 2) }
        assertEquals(1, (db.exec("SELECT 1").scalar() as Number).toInt())
    }

    @Test
    public fun `a NULL argument is NULL`(): Unit = test {
        Devices.insert { it[label] = "lamp"; it[owner] = "ann" }
        assertEquals(1, db.exec("UPDATE device SET owner = ?", null).affected)
        assertNull(Devices.selectAll().single()[Devices.owner])
    }
}
