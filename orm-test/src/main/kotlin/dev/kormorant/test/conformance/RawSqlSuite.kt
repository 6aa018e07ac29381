package dev.kormorant.test.conformance

import dev.kormorant.ColumnNotLoadedException
import dev.kormorant.DatabaseException
import dev.kormorant.DecodeException
import dev.kormorant.MappingException
import dev.kormorant.RecordNotFoundException
import dev.kormorant.SyntaxException
import dev.kormorant.TooManyRowsException
import dev.kormorant.batchInsert
import dev.kormorant.get
import dev.kormorant.script
import dev.kormorant.selectAll
import dev.kormorant.sql
import dev.kormorant.transaction
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.math.BigDecimal
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime

/** Statements given as SQL: parameters, rows, scripts. */
public abstract class RawSqlSuite(backend: Backend) : Suite(backend, Words, Pages) {
    private data class Word(val id: Long, val name: String, val hits: Int = -1, val note: String?)

    private suspend fun words(count: Int = 3) = Words.batchInsert((1..count).toList()) {
        this[Words.name] = "w$it"
        this[Words.hits] = it
        this[Words.note] = if (it == 1) null else "note $it"
    }

    private val quote get() = if (backend.product in setOf("MySQL", "MariaDB")) "`" else "\""

    // ---- Parameters

    @Test
    public fun `a parameter has a name, and may be used more than once (Q16)`(): Unit = test {
        words()
        val query = db.sql("SELECT name FROM word WHERE hits >= :low AND hits < :high OR hits = :low ORDER BY name", mapOf("low" to 2, "high" to 3))
        assertEquals(listOf("w2"), query.toList().map { it["name"] })
        assertEquals(1, db.exec("DELETE FROM word WHERE name = :name", mapOf("name" to "w1")).affected)
    }

    @Test
    public fun `a colon in a literal, a quoted name, a comment, a cast or a slice names no parameter (Q16)`(): Unit = test {
        val cast = if (backend.product == "PostgreSQL") "::text" else ""
        val row = db.sql("SELECT ':a' AS x, 'it''s :b' AS y, :c$cast AS ${quote}z:d$quote /* :e */ -- :f", mapOf("c" to "value:g")).single()
        assertEquals(listOf("x", "y", "z:d"), row.keys.toList())
        assertEquals(listOf<Any?>(":a", "it's :b", "value:g"), row.values.toList())
        if (can.arrays) assertEquals(listOf(2, 3), db.sql("SELECT (ARRAY[1,2,3])[2:3] AS part, :n::int AS n", mapOf("n" to 1)).single()["part"])
    }

    @Test
    public fun `names and values have to match, and names and question marks do not mix (Q16)`(): Unit = test {
        val statements = statementsOf {
            assertFails<IllegalArgumentException> { db.sql("SELECT :a", mapOf("b" to 1)).toList() }
            assertFails<IllegalArgumentException> { db.sql("SELECT :a", mapOf("a" to 1, "b" to 2)).execute() }
            assertFails<IllegalArgumentException> { db.sql("SELECT :a, ?", mapOf("a" to 1)).execute() }
        }
        assertFails<IllegalArgumentException> { db.sql("SELECT ?", 1, 2).toList() }
        assertEquals(emptyList<String>(), statements)
    }

    @Test
    public fun `a value is never a part of the text`(): Unit = test {
        words()
        val nasty = "x'; DELETE FROM word; --"
        assertEquals(0, db.sql("SELECT * FROM word WHERE name = :name", mapOf("name" to nasty)).toList().size)
        assertEquals(nasty, db.sql("SELECT ? AS echo FROM word WHERE hits = 1", nasty).single().get<String>("echo"))
        assertEquals(3, Words.selectAll().count())
    }

    // ---- Rows

    @Test
    public fun `a query in SQL is cold and runs as often as it is asked (Q9)`(): Unit = test {
        val query = db.sql("SELECT name FROM word ORDER BY hits")
        assertEquals(0, query.toList().size)
        words()
        assertEquals(listOf("w1", "w2"), query.map { it.get<String>("name") }.take(2).toList())
        assertEquals("w1", query.first()["name"])
        assertFails<TooManyRowsException> { query.single() }
        assertFails<RecordNotFoundException> { db.sql("SELECT name FROM word WHERE hits = ?", 99).first() }
        assertNull(db.sql("SELECT name FROM word WHERE hits = ?", 99).singleOrNull())
    }

    @Test
    public fun `a row is read by name and by position, as the class that is asked for`(): Unit = test {
        words()
        val row = db.sql("SELECT id, name, hits, note, hits AS name2 FROM word WHERE hits = ?", 1).single()
        assertEquals("w1", row["name"])
        assertEquals("w1", row[1])
        assertEquals(1, row.get<Int>("hits"))
        assertEquals(1L, row.get<Long>(2))
        assertEquals(BigDecimal.ONE, row.get<BigDecimal>("hits"))
        assertEquals(true, row.get<Boolean>("hits"))
        assertEquals(1, row.get("hits", Int::class.java))
        assertNull(row.get<String?>("note"))
        assertFails<DecodeException> { row.get<String>("note") }
        assertFails<DecodeException> { row.get<Int>("name") }
        assertFails<ColumnNotLoadedException> { row.get<Int>("nobody") }
        assertFails<ColumnNotLoadedException> { row[9] }
    }

    @Test
    public fun `of two columns with one name the positions tell them apart`(): Unit = test {
        val result = db.exec("SELECT 1 AS a, 2 AS a")
        assertEquals(listOf("a", "a"), result.columns)
        assertEquals(listOf(1, 2), listOf(result.rows[0].get<Int>(0), result.rows[0].get<Int>(1)))
        assertEquals(2, result.rows[0].get<Int>("a"))
    }

    @Test
    public fun `dates and times come as the classes of java-time`(): Unit = test {
        val day = LocalDate.of(2024, 2, 29)
        val time = LocalDateTime.of(2024, 2, 29, 12, 30, 15)
        val casts = if (backend.product == "PostgreSQL") "?::date AS d, ?::timestamp AS t" else "? AS d, ? AS t"
        val row = db.sql("SELECT $casts", day, time).single()
        assertEquals(day, row.get<LocalDate>("d"))
        assertEquals(time, row.get<LocalDateTime>("t"))
        if (backend.product == "PostgreSQL") {
            assertEquals(Instant.parse("2024-02-29T10:00:00Z"), db.sql("SELECT timestamptz '2024-02-29 12:00:00+02' AS i").single().get<Instant>("i"))
        }
    }

    @Test
    public fun `rows are mapped to objects (D14, Q4)`(): Unit = test {
        val ids = words().map { it[Words.id].value }
        val query = db.sql("SELECT id, name, hits, note FROM word WHERE hits <= :most ORDER BY hits", mapOf("most" to 2))
        val expected = listOf(Word(ids[0], "w1", 1, null), Word(ids[1], "w2", 2, "note 2"))
        assertEquals(expected, query.mapTo<Word>().toList())
        assertEquals(expected, query.fetchSize(1).mapTo<Word>().toList())
        assertEquals(expected, query.execute().mapTo<Word>())
        assertEquals(-1, db.sql("SELECT id, name, note FROM word").mapTo<Word>().first().hits)
        assertFails<MappingException> { db.sql("SELECT id FROM word").mapTo<Word>().toList() }
        assertFails<MappingException> { db.sql("SELECT id, note AS name, note FROM word WHERE hits = 1").mapTo<Word>().toList() }
    }

    @Test
    public fun `rows are streamed in portions, and breaking off ends the statement (Q10)`(): Unit = test {
        words(50)
        val query = db.sql("SELECT name, hits FROM word ORDER BY hits").fetchSize(7)
        assertEquals((1..50).toList(), query.map { it.get<Int>("hits") }.toList())
        assertEquals(listOf("w1", "w2"), query.take(2).map { it["name"] }.toList())
        transaction {
            assertEquals(3, query.take(3).toList().size)
            assertEquals(50, Words.selectAll().count())
        }
    }

    @Test
    public fun `a result has what its statement has, of whatever kind (M12, P18)`(): Unit = test {
        val insert = db.sql("INSERT INTO page_block (${quote}key$quote, text) VALUES (?, ?)", "a", "x").execute()
        assertEquals(1, insert.affected)
        assertTrue(insert.columns.isEmpty() && insert.rows.isEmpty())
        if (!can.insertReturning) assertEquals(Pages.selectAll().single()[Pages.id].value, insert.lastId)
        assertEquals(0, db.exec("CREATE TABLE raw_made (n INT)").rows.size)
        assertEquals(0, db.exec("SELECT n FROM raw_made").affected)
        assertEquals(listOf("n"), db.exec("SELECT n FROM raw_made").columns)
        db.exec("DROP TABLE raw_made")
    }

    @Test
    public fun `raw SQL runs on its database, in the transaction of the caller`(): Unit = test {
        transaction { tx ->
            words()
            assertEquals(3, db.sql("SELECT * FROM word").toList().size)
            tx.setRollbackOnly()
        }
        assertEquals(0, db.sql("SELECT * FROM word").toList().size)
    }

    @Test
    public fun `a statement in SQL that is cancelled stops, and so does a script`(): Unit = test {
        val running = listOf<suspend () -> Any>(
            { db.sql(backend.dialogue.slowStatement).toList() },
            { db.sql(backend.dialogue.slowStatement).fetchSize(1).toList() },
            { db.script("SELECT 1; ${backend.dialogue.slowStatement}; INSERT INTO word (name, hits) VALUES ('never', 1)") },
        )
        for (work in running) {
            val job = launch { work() }
            eventually("the statement runs") { db.pool.inUse == 1 }
            withoutHang("the cancellation") { job.cancelAndJoin() }
            assertEquals(0, db.pool.inUse)
            assertEquals(0, Words.selectAll().count())
        }
    }

    // ---- Scripts

    @Test
    public fun `a script runs statement by statement, whatever its literals and comments hold`(): Unit = test {
        val results = db.script(
            """
            -- words; and a comment
            INSERT INTO word (name, hits) VALUES ('a;b', 1), ('it''s; ?', 2);
            /* nothing; here */ ;;
            UPDATE word SET hits = hits + 1;
            SELECT name, hits FROM word ORDER BY hits; -- the end;
            """,
        )
        assertEquals(listOf(2L, 2L, 2L), results.map { it.affected })
        assertEquals(listOf("a;b" to 2, "it's; ?" to 3), results.last().rows.map { it.get<String>("name") to it.get<Int>("hits") })
        assertEquals(emptyList<Any>(), db.script(" -- nothing\n ; "))
    }

    @Test
    public fun `a script runs on one connection, and in the transaction that is open`(): Unit = test {
        val temporary = "CREATE TEMPORARY TABLE scratch_words (n INT); INSERT INTO scratch_words VALUES (1); SELECT n FROM scratch_words; DROP TABLE scratch_words"
        assertEquals(1, db.script(temporary)[2].rows.single().get<Int>("n"))
        transaction { tx ->
            db.script("INSERT INTO word (name, hits) VALUES ('a', 1); INSERT INTO word (name, hits) VALUES ('b', 1)")
            tx.setRollbackOnly()
        }
        assertEquals(0, Words.selectAll().count())
        db.script("BEGIN; INSERT INTO word (name, hits) VALUES ('a', 1); ROLLBACK; INSERT INTO word (name, hits) VALUES ('b', 1)")
        assertEquals("b", Words.selectAll().single()[Words.name])
    }

    @Test
    public fun `a script ends with the error of the first statement that fails, and names it`(): Unit = test {
        val error = assertFails<DatabaseException> {
            db.script("INSERT INTO word (name, hits) VALUES ('a', 1); INSERT INTO nowhere VALUES (1); INSERT INTO word (name, hits) VALUES ('b', 1)")
        }
        assertTrue(error is SyntaxException && "nowhere" in error.sql.orEmpty(), error.toString())
        assertEquals(listOf("a"), Words.selectAll().toList().map { it[Words.name] })
    }

    @Test
    public fun `a script creates triggers and routines with statements inside`(): Unit = test {
        val script = when (backend.product) {
            "PostgreSQL" -> """
                CREATE FUNCTION count_hits() RETURNS trigger LANGUAGE plpgsql AS ${'$'}body${'$'}
                BEGIN NEW.hits := NEW.hits + 1; RETURN NEW; END; ${'$'}body${'$'};
                CREATE TRIGGER word_hits BEFORE INSERT ON word FOR EACH ROW EXECUTE FUNCTION count_hits();
                INSERT INTO word (name, hits) VALUES ('a', 1);
                DROP TRIGGER word_hits ON word; DROP FUNCTION count_hits();
            """
            "SQLite" -> """
                CREATE TRIGGER word_hits AFTER INSERT ON word BEGIN
                    UPDATE word SET hits = CASE WHEN hits > 0 THEN hits + 1 ELSE 0 END WHERE id = NEW.id; DELETE FROM page_block;
                END;
                INSERT INTO word (name, hits) VALUES ('a', 1);
                DROP TRIGGER word_hits;
            """
            else -> """
                CREATE TRIGGER word_hits BEFORE INSERT ON word FOR EACH ROW BEGIN
                    IF NEW.hits > 0 THEN SET NEW.hits = NEW.hits + 1; END IF;
                    CASE NEW.hits WHEN 7 THEN SET NEW.hits = 8; ELSE SET NEW.note = ';'; END CASE;
                END;
                INSERT INTO word (name, hits) VALUES ('a', 1);
                DROP TRIGGER word_hits;
            """
        }
        db.script(script)
        assertEquals(2, Words.selectAll().single()[Words.hits])
    }
}
