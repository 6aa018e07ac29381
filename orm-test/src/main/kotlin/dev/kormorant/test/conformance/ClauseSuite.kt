package dev.kormorant.test.conformance

import dev.kormorant.RowQuery
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.andHaving
import dev.kormorant.andWhere
import dev.kormorant.batchInsert
import dev.kormorant.cte
import dev.kormorant.driver.QueryClause
import dev.kormorant.except
import dev.kormorant.explain
import dev.kormorant.insert
import dev.kormorant.intersect
import dev.kormorant.orHaving
import dev.kormorant.orWhere
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.AbstractQuery.CommentPosition
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.anyFrom
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.isNotNull
import org.jetbrains.exposed.v1.core.isNull
import org.jetbrains.exposed.v1.core.joinQuery
import org.jetbrains.exposed.v1.core.lastQueryAlias
import org.jetbrains.exposed.v1.core.less
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.max
import org.jetbrains.exposed.v1.core.neq
import org.jetbrains.exposed.v1.core.or
import org.jetbrains.exposed.v1.core.stringLiteral
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The clauses of a SELECT, and what becomes of those that a dialect does not have. */
public abstract class ClauseSuite(backend: Backend) : Suite(backend, Pages, Users, Tweets, Keys) {
    /** For ANY and ALL of a table, which must have one column. */
    private object Keys : Table("only_keys") {
        val key = varchar("key", 40)
    }

    private suspend fun pages(count: Int) = Pages.batchInsert((1..count).toList()) { number ->
        this[Pages.key] = "page$number"
        this[Pages.text] = "text${number % 3}"
    }

    // ---- What is missing

    private val latest = Tweets.select(Tweets.author, Tweets.id.max().alias("latest")).groupBy(Tweets.author).alias("latest_tweets")

    private fun examples(): Map<QueryClause, RowQuery<*>> = mapOf(
        QueryClause.DISTINCT_ON to Pages.select(Pages.text).withDistinctOn(Pages.text).orderBy(Pages.text),
        QueryClause.FULL_JOIN to Users.join(Tweets, JoinType.FULL, Users.id, Tweets.author).select(Users.name),
        QueryClause.LATERAL to Users.joinQuery(on = { Users.id.isNotNull() }, lateral = true) {
            Tweets.select(Tweets.text).where { Tweets.author eq Users.id }.limit(1)
        }.select(Users.name),
        QueryClause.WITH to cte("some_pages", Pages.select(Pages.key)).selectAll(),
        QueryClause.INTERSECT to Pages.select(Pages.key).intersect(Pages.select(Pages.key)),
        QueryClause.EXCEPT to Pages.select(Pages.key).except(Pages.select(Pages.key)),
        QueryClause.QUANTIFIED_QUERY to Pages.select(Pages.key).where { Pages.key eq anyFrom(Users.select(Users.name)) },
        QueryClause.TABLE_QUERY to Pages.select(Pages.key).where { Pages.key eq anyFrom(Keys) },
        QueryClause.QUANTIFIED_ARRAY to Pages.select(Pages.key).where { Pages.key eq anyFrom(listOf("a", "b")) },
    )

    @Test
    public fun `a clause that the dialect does not have is refused before anything is sent`(): Unit = test {
        val examples = examples()
        assertEquals(QueryClause.entries - QueryClause.EXPLAIN_ANALYZE, examples.keys.toList())
        for ((clause, query) in examples) {
            if (clause !in can.missingClauses) {
                query.toList()
                continue
            }
            val sent = statementsOf {
                val error = assertFails<UnsupportedByDialectException> { query.toList() }
                assertTrue(clause.sql in error.problem && backend.product in error.problem, error.problem)
                assertFails<UnsupportedByDialectException> { query.count() }
                assertFails<UnsupportedByDialectException> { Pages.selectAll().where { org.jetbrains.exposed.v1.core.exists(query) }.toList() }
                assertFails<UnsupportedByDialectException> { explain { query }.toList() }
            }
            assertEquals(emptyList<String>(), sent, "$clause")
        }
    }

    @Test
    public fun `the words of a clause in a literal, a name or a comment are no clause`(): Unit = test {
        pages(1)
        for (text in listOf(" JOIN LATERAL ", " FULL JOIN ", "DISTINCT ON (", " INTERSECT ", " EXCEPT ", " ANY (? ", "it's WITH ")) {
            val literal = stringLiteral(text).alias("literal")
            assertEquals(text, Pages.select(literal).comment(" INTERSECT ").single()[literal])
        }
    }

    @Test
    public fun `an option of a lock is obeyed, or refused before anything is sent`(): Unit = test {
        pages(2)
        val options = listOf(
            ForUpdateOption.PostgreSQL.ForUpdate(ForUpdateOption.PostgreSQL.MODE.NO_WAIT),
            ForUpdateOption.PostgreSQL.ForUpdate(ForUpdateOption.PostgreSQL.MODE.SKIP_LOCKED),
            ForUpdateOption.PostgreSQL.ForNoKeyUpdate,
            ForUpdateOption.PostgreSQL.ForShare(ForUpdateOption.PostgreSQL.MODE.NO_WAIT),
            ForUpdateOption.PostgreSQL.ForKeyShare,
            ForUpdateOption.MySQL.ForUpdate(ForUpdateOption.MySQL.MODE.SKIP_LOCKED),
            ForUpdateOption.MySQL.ForShare,
            ForUpdateOption.MySQL.LockInShareMode,
            ForUpdateOption.MariaDB.LockInShareMode,
            ForUpdateOption.Oracle.ForUpdateWait(1),
        )
        for (option in options) {
            val query = Pages.selectAll().forUpdate(option)
            val sent = statementsOf {
                if (option.querySuffix in can.locks) {
                    transaction { assertEquals(2, query.toList().size) }
                } else {
                    assertTrue(option.querySuffix in assertFails<UnsupportedByDialectException> { query.toList() }.problem)
                }
            }
            assertEquals(option.querySuffix in can.locks, sent.any { it.endsWith(option.querySuffix) })
            if (option.querySuffix !in can.locks) assertEquals(emptyList<String>(), sent)
        }
        assertEquals(2, Pages.selectAll().forUpdate(ForUpdateOption.Oracle.ForUpdateNoWait).notForUpdate().toList().size)
    }

    @Test
    public fun `tables of a lock are named`(): Unit = test {
        val option = ForUpdateOption.PostgreSQL.ForUpdate(ForUpdateOption.PostgreSQL.MODE.NO_WAIT, Users)
        val query = Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id).selectAll().forUpdate(option)
        needs("FOR SHARE NOWAIT" in can.locks, "FOR UPDATE OF")
        transaction { assertEquals(0, query.toList().size) }
        assertTrue(query.sql().endsWith("FOR UPDATE OF users NOWAIT"))
    }

    // ---- EXPLAIN

    @Test
    public fun `explain tells how a statement would run, and does not run it`(): Unit = test {
        pages(2)
        assertFalse(explain { Pages.selectAll().where { Pages.key eq "page1" } }.toList().isEmpty())
        explain { Pages.insert { it[key] = "page3"; it[text] = "" } }.toList()
        assertFalse(explain { Pages.update({ Pages.key eq "page1" }) { it[text] = "changed" } }.toList().isEmpty())
        assertEquals(2, Pages.selectAll().count())
        assertEquals(0, Pages.selectAll().where { Pages.text eq "changed" }.count())
        val flow = explain { Pages.selectAll().forUpdate() }
        assertEquals(0, statementsOf { explain { Pages.selectAll() } }.size)
        assertNotEquals("", flow.toList().first().toString())
    }

    @Test
    public fun `explain analyze runs the statement where the database can`(): Unit = test {
        pages(2)
        if (QueryClause.EXPLAIN_ANALYZE !in can.missingClauses) {
            assertFalse(explain(analyze = true) { Pages.selectAll() }.toList().isEmpty())
        } else {
            val sent = statementsOf { assertFails<UnsupportedByDialectException> { explain(analyze = true) { Pages.selectAll() }.toList() } }
            assertEquals(emptyList<String>(), sent)
        }
    }

    @Test
    public fun `explain takes the database's options`(): Unit = test {
        val options = mapOf("PostgreSQL" to "FORMAT JSON", "MySQL" to "FORMAT=JSON", "MariaDB" to "FORMAT=JSON")[backend.product]
        if (options == null) {
            assertFails<UnsupportedByDialectException> { explain(options = "VERBOSE") { Pages.selectAll() }.toList() }
            return@test
        }
        assertTrue("{" in explain(options = options) { Pages.selectAll() }.toList().joinToString())
    }

    // ---- Clauses

    @Test
    public fun `conditions are added and replaced`(): Unit = test {
        pages(6)
        suspend fun count(build: dev.kormorant.Query.() -> Unit) = Pages.selectAll().apply(build).count()
        assertEquals(2, count { andWhere { Pages.text eq "text1" } })
        assertEquals(1, count { where { Pages.text eq "text1" }.andWhere { Pages.key eq "page1" } })
        assertEquals(3, count { where { Pages.text eq "text1" }.orWhere { Pages.key eq "page2" } })
        assertEquals(1, count { orWhere { Pages.key eq "page2" } })
        assertEquals(4, count { where { Pages.text eq "text1" }.adjustWhere { Pages.text neq "text1" } })
        assertEquals(1, count { where(Pages.key eq "page1") })
        assertFails<IllegalStateException> { Pages.selectAll().where { Pages.key eq "a" }.where { Pages.key eq "b" } }
        assertEquals(1, dev.kormorant.Query(Pages, Pages.key eq "page1").count())
        val number = Pages.id.count()
        fun groups() = Pages.select(Pages.text, number).groupBy(Pages.text).having { number greater 1L }
        assertEquals(3, groups().toList().size)
        assertEquals(1, groups().andHaving { Pages.text eq "text1" }.toList().size)
        assertEquals(3, groups().orHaving { Pages.text eq "text1" }.toList().size)
        assertEquals(0, groups().adjustHaving { number less 1L }.toList().size)
        assertFails<IllegalStateException> { groups().having { number less 1L } }
    }

    @Test
    public fun `what is selected, and from where, is replaced`(): Unit = test {
        pages(2)
        Users.insert { it[name] = "page1" }
        val query = Pages.select(Pages.key).where { Pages.key like "page%" }.orderBy(Pages.key)
        assertEquals(listOf("text1", "text2"), query.copy().adjustSelect { select(Pages.text) }.toList().map { it[Pages.text] })
        val joined = query.copy().adjustColumnSet { join(Users, JoinType.INNER, Pages.key, Users.name) }
        assertEquals(listOf("page1"), joined.toList().map { it[Pages.key] })
        assertEquals(listOf("page1"), joined.adjustSelect { selected -> select(selected.fields + Users.id) }.toList().map { it[Pages.key] })
        assertEquals(2, query.toList().size)
    }

    @Test
    public fun `distinct rows`(): Unit = test {
        pages(6)
        assertEquals(3, Pages.select(Pages.text).withDistinct().toList().size)
        assertEquals(6, Pages.select(Pages.text).withDistinct().withDistinct(false).toList().size)
        assertFails<IllegalArgumentException> { Pages.select(Pages.text).withDistinct().withDistinctOn(Pages.text) }
        needs(QueryClause.DISTINCT_ON !in can.missingClauses, "DISTINCT ON")
        val first = Pages.select(Pages.text, Pages.key).withDistinctOn(Pages.text to SortOrder.DESC).orderBy(Pages.key, SortOrder.DESC)
        assertEquals(listOf("page5", "page4", "page6"), first.toList().map { it[Pages.key] })
        assertEquals(3, first.count())
    }

    @Test
    public fun `rows are sorted by several keys, with NULL where it is wanted`(): Unit = test {
        val ann = Users.insert { it[name] = "ann" }[Users.id]
        val bob = Users.insert { it[name] = "bob" }[Users.id]
        for ((text, editor) in listOf("one" to ann, "two" to null, "three" to bob)) Tweets.insert {
            it[author] = ann
            it[Tweets.text] = text
            it[Tweets.editor] = editor
        }
        suspend fun texts(order: SortOrder) = Tweets.selectAll().orderBy(Tweets.editor to order, Tweets.id to SortOrder.ASC).toList().map { it[Tweets.text] }
        assertEquals(listOf("two", "one", "three"), texts(SortOrder.ASC_NULLS_FIRST))
        assertEquals(listOf("one", "three", "two"), texts(SortOrder.ASC_NULLS_LAST))
        assertEquals(listOf("two", "three", "one"), texts(SortOrder.DESC_NULLS_FIRST))
        assertEquals(listOf("three", "one", "two"), texts(SortOrder.DESC_NULLS_LAST))
        assertEquals(listOf("three", "two", "one"), Tweets.selectAll().orderBy(Tweets.id, SortOrder.DESC).toList().map { it[Tweets.text] })
        assertEquals("two", Tweets.selectAll().orderBy(Tweets.author).orderBy(Tweets.text, SortOrder.DESC).first()[Tweets.text])
    }

    @Test
    public fun `comments are sent along`(): Unit = test {
        pages(1)
        val query = Pages.selectAll().comment("first").comment("second", CommentPosition.AFTER_SELECT).comment("third", CommentPosition.BACK)
        assertEquals("page1", query.single()[Pages.key])
        val sql = query.sql()
        assertTrue(sql.startsWith("/*first*/ SELECT /*second*/ ") && sql.endsWith(" /*third*/"), sql)
        assertFails<IllegalStateException> { query.comment("again") }
        assertTrue(query.adjustComments(CommentPosition.FRONT, "other").sql().startsWith("/*other*/"))
        assertTrue(query.adjustComments(CommentPosition.FRONT).sql().startsWith("SELECT"))
    }

    @Test
    public fun `tables are joined in every way`(): Unit = test {
        val ann = Users.insert { it[name] = "ann" }[Users.id]
        Users.insert { it[name] = "bob" }
        Tweets.insert { it[author] = ann; it[text] = "one" }
        suspend fun rows(join: org.jetbrains.exposed.v1.core.Join) = join.select(Users.name, Tweets.text).toList().size
        assertEquals(1, rows(Users.join(Tweets, JoinType.INNER, Users.id, Tweets.author)))
        assertEquals(2, rows(Users.join(Tweets, JoinType.LEFT, Users.id, Tweets.author)))
        assertEquals(2, rows(Tweets.join(Users, JoinType.RIGHT, Tweets.author, Users.id)))
        pages(3)
        assertEquals(6, (Users crossJoin Pages).select(Users.name, Pages.key).toList().size)
        assertEquals(0, rows(Users.join(Tweets, JoinType.INNER, Users.id, Tweets.author) { Tweets.text eq "two" }))
        assertEquals(1, rows(Users.join(Tweets, JoinType.INNER) { (Users.id eq Tweets.author) and (Users.name eq "ann") }))
        if (QueryClause.FULL_JOIN !in can.missingClauses) assertEquals(2, rows(Users.join(Tweets, JoinType.FULL, Users.id, Tweets.author)))
        val editors = Users.alias("editors")
        val both = Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id).join(editors, JoinType.LEFT, Tweets.editor, editors[Users.id])
        val row = both.select(Users.name, editors[Users.name]).single()
        assertEquals("ann" to null, row[Users.name] to row.getOrNull(editors[Users.name]))
        assertEquals(1, both.selectAll().where { editors[Users.id].isNull() or (editors[Users.name] eq "x") }.count())
    }

    @Test
    public fun `a query is joined under an alias, also a lateral one`(): Unit = test {
        val ann = Users.insert { it[name] = "ann" }[Users.id]
        val bob = Users.insert { it[name] = "bob" }[Users.id]
        for (number in 1..3) Tweets.insert { it[author] = ann; it[text] = "ann$number" }
        Tweets.insert { it[author] = bob; it[text] = "bob1" }
        val newest = Tweets.id.max().alias("newest")
        val perAuthor = Tweets.select(Tweets.author, newest).groupBy(Tweets.author)
        val join = Users.joinQuery(on = { it[Tweets.author] eq Users.id }, joinPart = { perAuthor })
        val alias = join.lastQueryAlias!!
        val found = join.select(Users.name, alias[newest]).orderBy(Users.name).toList()
        assertEquals(listOf("ann", "bob"), found.map { it[Users.name] })
        assertEquals(Tweets.selectAll().where { Tweets.text eq "ann3" }.single()[Tweets.id], found[0][alias[newest]])
        assertEquals(2, latest.selectAll().count())
        needs(QueryClause.LATERAL !in can.missingClauses, "LATERAL")
        val lateral = Users.joinQuery(on = { Users.id.isNotNull() }, lateral = true) {
            Tweets.select(Tweets.text).where { Tweets.author eq Users.id }.orderBy(Tweets.id, SortOrder.DESC).limit(2)
        }
        val texts = lateral.select(Users.name, lateral.lastQueryAlias!![Tweets.text]).toList().map { it[lateral.lastQueryAlias!![Tweets.text]] }
        assertEquals(setOf("ann3", "ann2", "bob1"), texts.toSet())
    }
}
