package dev.kormorant.test.conformance

import dev.kormorant.RecordNotFoundException
import dev.kormorant.TooManyRowsException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.batchInsert
import dev.kormorant.driver.QueryClause
import dev.kormorant.except
import dev.kormorant.intersect
import dev.kormorant.mapTo
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.union
import dev.kormorant.unionAll
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.inSubQuery
import org.jetbrains.exposed.v1.core.intLiteral
import org.jetbrains.exposed.v1.core.less
import org.jetbrains.exposed.v1.core.lessEq
import org.jetbrains.exposed.v1.core.stringLiteral
import org.jetbrains.exposed.v1.core.upperCase
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** UNION, INTERSECT and EXCEPT. */
public abstract class SetOperationSuite(backend: Backend) : Suite(backend, Pages, Users) {
    private suspend fun pages(count: Int) = Pages.batchInsert((1..count).toList()) { this[Pages.key] = "page$it" }

    private fun low(limit: String) = Pages.select(Pages.key).where { Pages.key lessEq limit }

    private fun high(limit: String) = Pages.select(Pages.key).where { Pages.key greater limit }

    private suspend fun keys(query: dev.kormorant.SetOperation) = query.orderBy(Pages.key).toList().map { it[Pages.key] }

    @Test
    public fun `union has each row once, unionAll has its duplicates (Q6)`(): Unit = test {
        pages(5)
        assertEquals((1..5).map { "page$it" }, keys(low("page3").union(high("page1"))))
        assertEquals(listOf("page1", "page2", "page2", "page3", "page3", "page4", "page5"), keys(low("page3").unionAll(high("page1"))))
        assertEquals(5, keys(low("page3").unionAll(high("page1")).withDistinct()).size)
        assertEquals(7, keys(low("page3").union(high("page1")).withDistinct(false)).size)
    }

    @Test
    public fun `intersect has the rows of both, except those of the first only (Q6)`(): Unit = test {
        needs(QueryClause.INTERSECT !in can.missingClauses, "INTERSECT")
        pages(5)
        assertEquals(listOf("page2", "page3"), keys(low("page3").intersect(high("page1"))))
        assertEquals(listOf("page1"), keys(low("page3").except(high("page1"))))
        assertEquals(listOf("page1"), keys(low("page3").except(high("page1")).copy()))
        assertEquals(1, low("page3").except(high("page1")).withDistinct().count())
    }

    @Test
    public fun `operations are chained`(): Unit = test {
        pages(6)
        val query = low("page1").union(Pages.select(Pages.key).where { Pages.key eq "page4" }).union(high("page5"))
        assertEquals(listOf("page1", "page4", "page6"), keys(query))
    }

    @Test
    public fun `the whole is sorted, limited and counted, and stays as it was (Q5)`(): Unit = test {
        pages(5)
        val query = low("page3").unionAll(high("page1")).orderBy(Pages.key to SortOrder.DESC)
        assertEquals(listOf("page4", "page3"), query.copy().limit(2).offset(1).toList().map { it[Pages.key] })
        assertEquals(7, query.count())
        assertEquals(2, query.copy().limit(2).count())
        assertEquals(7, query.copy().limit(2).count(ignoreLimit = true))
        assertEquals("page5", query.first()[Pages.key])
        assertTrue(statementsOf { query.first() }.single().endsWith("LIMIT 1"))
        assertFails<TooManyRowsException> { query.single() }
        assertEquals(false, query.empty())
        assertEquals(7, query.toList().size)
        val nothing = high("page9").union(high("page8"))
        assertTrue(nothing.empty())
        assertFails<RecordNotFoundException> { nothing.first() }
    }

    @Test
    public fun `an operation on queries that name a column twice is counted`(): Unit = test {
        pages(5)
        val twice = Pages.select(Pages.key, Pages.key).where { Pages.key lessEq "page2" }
        val query = twice.union(Pages.select(Pages.key, Pages.key)).union(twice).orderBy(Pages.key)
        assertEquals(5, query.count())
        assertEquals(3, query.copy().limit(3).count())
    }

    @Test
    public fun `an expression is read by itself or by its alias`(): Unit = test {
        pages(2)
        val loud = Pages.key.upperCase()
        val kind = stringLiteral("page").alias("kind")
        val rows = Pages.select(loud, kind).union(Users.select(Users.name, stringLiteral("user"))).toList()
        assertEquals(setOf("PAGE1" to "page", "PAGE2" to "page"), rows.map { it[loud] to it[kind] }.toSet())
    }

    @Test
    public fun `a query that is sorted and limited is an operand where the database can`(): Unit = test {
        pages(5)
        val latest = Pages.select(Pages.key).orderBy(Pages.key to SortOrder.DESC).limit(1)
        if (can.boundedOperands) {
            assertEquals(listOf("page1", "page5"), keys(low("page1").unionAll(latest)))
        } else {
            val sent = statementsOf { assertHint(assertFails<UnsupportedByDialectException> { low("page1").unionAll(latest).toList() }, "alias") }
            assertEquals(emptyList<String>(), sent)
        }
        val through = latest.alias("latest")
        assertEquals(listOf("page1", "page5"), keys(low("page1").unionAll(through.select(through[Pages.key]))))
    }

    @Test
    public fun `an operand that skips rows, and an operation that is limited, stand for themselves where the database can`(): Unit = test {
        pages(5)
        val nothing = Pages.select(Pages.key).offset(5)
        val lowest = low("page3").union(high("page3")).orderBy(Pages.key).limit(1)
        if (can.boundedOperands) {
            if (backend.product == "PostgreSQL") assertEquals(listOf("page1"), keys(low("page1").unionAll(nothing)))
            needs(backend.product != "MySQL", "parentheses within parentheses in a UNION before 8.0.22")
            assertEquals(listOf("page1", "page5"), keys(lowest.union(high("page4"))))
        } else {
            for (query in listOf(low("page1").unionAll(nothing), lowest.union(high("page4")))) {
                assertEquals(emptyList<String>(), statementsOf { assertFails<UnsupportedByDialectException> { query.toList() } })
            }
        }
    }

    @Test
    public fun `a set operation is an alias and a sub-query`(): Unit = test {
        pages(5)
        val both = low("page1").union(high("page4")).alias("both_ends")
        assertEquals(2, both.selectAll().count())
        assertEquals("page5", both.select(both[Pages.key]).orderBy(both[Pages.key], SortOrder.DESC).first()[both[Pages.key]])
        assertEquals(2, Pages.selectAll().where { Pages.key inSubQuery low("page1").union(high("page4")) }.count())
    }

    @Test
    public fun `a set operation is a flow, streamed or not, and can be mapped`(): Unit = test {
        data class Key(val key: String)
        pages(20)
        val query = low("page3").unionAll(high("page3")).orderBy(Pages.key)
        assertEquals(20, query.map { it[Pages.key] }.toList().size)
        assertEquals(20, query.copy().fetchSize(3).map { it[Pages.key] }.toList().size)
        assertEquals("page1", query.mapTo<Key>().first().key)
    }

    @Test
    public fun `what cannot be combined is refused at once`(): Unit = test {
        assertFails<IllegalArgumentException> { Pages.select(Pages.key).union(Pages.selectAll()) }
        assertFails<IllegalArgumentException> { Pages.select(Pages.key).union(Pages.select(Pages.key).forUpdate()) }
        assertFails<IllegalArgumentException> { Pages.select(Pages.key).union(Pages.select(Pages.key)).forUpdate() }
        assertEquals(0, Pages.select(Pages.key).union(Pages.select(Pages.key)).notForUpdate().count())
    }

    @Test
    public fun `arguments of all parts come in the order of the text`(): Unit = test {
        pages(5)
        val one = Pages.select(Pages.key, intLiteral(1).alias("part")).where { (Pages.key eq "page1") }
        val two = Pages.select(Pages.key, intLiteral(2).alias("part")).where { (Pages.key less "page4") }.andWhere { Pages.key greater "page2" }
        assertEquals(listOf("page1", "page3"), keys(one.union(two)))
    }
}
