package dev.kormorant.test.conformance

import dev.kormorant.batchInsert
import dev.kormorant.cte
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.mapTo
import dev.kormorant.recursiveCte
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.union
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.exists
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.inSubQuery
import org.jetbrains.exposed.v1.core.innerJoin
import org.jetbrains.exposed.v1.core.intLiteral
import org.jetbrains.exposed.v1.core.isNull
import org.jetbrains.exposed.v1.core.less
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.plus
import org.jetbrains.exposed.v1.core.wrapAsExpression
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Common table expressions. */
public abstract class CteSuite(backend: Backend) : Suite(backend, Pages, Staff) {
    private object Staff : LongIdTable("staff") {
        val name = varchar("name", 40)
        val boss = long("boss").nullable()
    }

    private suspend fun staff() {
        val root = Staff.insertAndGetId { it[name] = "ann" }
        val child = Staff.insertAndGetId { it[name] = "bob"; it[boss] = root.value }
        Staff.insertAndGetId { it[name] = "cid"; it[boss] = child.value }
        Staff.insertAndGetId { it[name] = "dot"; it[boss] = root.value }
    }

    private suspend fun pages(count: Int) = Pages.batchInsert((1..count).toList()) { number ->
        this[Pages.key] = "page$number"
        this[Pages.text] = "text${number % 3}"
    }

    @Test
    public fun `a query under a name that a condition of another one reads is declared before it is read`(): Unit = test {
        pages(9)
        val first = cte("first_pages", Pages.select(Pages.id, Pages.key).where { Pages.key less "page5" })
        val some = cte("some_pages", Pages.select(Pages.id, Pages.text).where { Pages.id inSubQuery first.select(first[Pages.id]).where { first[Pages.key] greater "page1" } })
        val query = some.innerJoin(first, { some[Pages.id] }, { first[Pages.id] }).select(first[Pages.key]).where { some[Pages.text] eq "text1" }
        assertTrue(query.sql().run { indexOf("first_pages(") < indexOf("FROM first_pages") }, query.sql())
        assertEquals(listOf("page4"), query.toList().map { it[first[Pages.key]] })
    }

    @Test
    public fun `a query under a name is a table, its values first among the arguments`(): Unit = test {
        pages(9)
        val some = cte("some_pages", Pages.select(Pages.id, Pages.key, Pages.text).where { Pages.text eq "text1" })
        val query = some.select(some[Pages.key]).where { some[Pages.key] greater "page1" }.orderBy(some[Pages.key])
        assertTrue(query.sql().startsWith("WITH some_pages("), query.sql())
        assertEquals(listOf("page4", "page7"), query.toList().map { it[some[Pages.key]] })
        assertEquals(3, some.selectAll().count())
        assertEquals(2, some.selectAll().limit(2).count())
        assertEquals("page7", some.selectAll().orderBy(some[Pages.id], SortOrder.DESC).first()[some[Pages.key]])
    }

    @Test
    public fun `it is joined, also with itself`(): Unit = test {
        staff()
        val bosses = cte("bosses", Staff.select(Staff.id, Staff.name).where { Staff.boss.isNull() })
        val named = Staff.innerJoin(bosses, { boss }, { bosses[Staff.id] }).select(Staff.name, bosses[Staff.name]).orderBy(Staff.id)
        assertEquals(listOf("bob" to "ann", "dot" to "ann"), named.toList().map { it[Staff.name] to it[bosses[Staff.name]] })
        val other = bosses.alias("other")
        val pairs = bosses.join(other, JoinType.INNER, bosses[Staff.id], other[bosses[Staff.id]]).select(other[bosses[Staff.name]])
        assertEquals(listOf("ann"), pairs.toList().map { it[other[bosses[Staff.name]]] })
    }

    @Test
    public fun `one that reads another comes after it, and each is declared once`(): Unit = test {
        pages(9)
        val some = cte("some_pages", Pages.select(Pages.key, Pages.text).where { Pages.key greater "page3" })
        val fewer = cte("fewer_pages", some.select(some[Pages.key]).where { some[Pages.text] eq "text1" })
        val query = fewer.innerJoin(some, { fewer[some[Pages.key]] }, { some[Pages.key] }).select(some[Pages.key]).orderBy(some[Pages.key])
        assertEquals(listOf("page4", "page7"), query.toList().map { it[some[Pages.key]] })
        assertEquals(1, Regex("WITH ").findAll(query.sql()).count())
        assertTrue(query.sql().indexOf("some_pages(") < query.sql().indexOf("fewer_pages("))
    }

    @Test
    public fun `a sub-query, an alias and a set operation bring it along`(): Unit = test {
        pages(9)
        val some = cte("some_pages", Pages.select(Pages.key).where { Pages.text eq "text1" })
        val keys = some.select(some[Pages.key])
        assertEquals(3, Pages.selectAll().where { Pages.key inSubQuery keys }.count())
        assertEquals(3, Pages.selectAll().where { exists(keys.copy().where { some[Pages.key] eq Pages.key }) }.count())
        assertEquals(6, keys.union(Pages.select(Pages.key).where { Pages.text eq "text2" }).count())
        val number = wrapAsExpression<Long>(some.select(some[Pages.key].count())).alias("number")
        assertEquals(3L, Pages.select(Pages.key, number).where { Pages.key less "page2" }.single()[number])
        val outer = keys.alias("outer_pages")
        assertEquals(3, outer.selectAll().count())
        assertEquals(3, some.selectAll().where { some[Pages.key] inSubQuery keys }.count())
    }

    @Test
    public fun `a recursive one walks a tree`(): Unit = test {
        staff()
        val depth = intLiteral(0).alias("depth")
        val tree = recursiveCte("tree", Staff.select(Staff.id, Staff.name, depth).where { Staff.boss.isNull() and (Staff.name like "a%") }) { tree ->
            Staff.innerJoin(tree, { boss }, { tree[Staff.id] }).select(Staff.id, Staff.name, tree[depth] + 1).where { tree[depth] less 5 }
        }
        val query = tree.select(tree[Staff.name], tree[depth]).where { tree[depth] less 9 }.orderBy(tree[depth] to SortOrder.ASC, tree[Staff.name] to SortOrder.ASC)
        assertTrue(query.sql().startsWith("WITH RECURSIVE "))
        assertEquals(listOf("ann" to 0, "bob" to 1, "dot" to 1, "cid" to 2), query.toList().map { it[tree[Staff.name]] to it[tree[depth]] })
        data class Node(val name: String, val depth: Int)
        assertEquals(Node("cid", 2), query.mapTo<Node>().toList().last())
    }

    @Test
    public fun `a recursive one counts without a table`(): Unit = test {
        val number = intLiteral(1).alias("number")
        val numbers = recursiveCte("numbers", Table.Dual.select(number), distinct = true) { numbers ->
            numbers.select(numbers[number] + 1).where { numbers[number] less 4 }
        }
        assertEquals(listOf(1, 2, 3, 4), numbers.selectAll().orderBy(numbers[number]).toList().map { it[numbers[number]] })
    }

    @Test
    public fun `reserved words are names too`(): Unit = test {
        Pages.insert { it[key] = "a" }
        val order = cte("order", Pages.select(Pages.key))
        assertEquals("a", order.selectAll().single()[order[Pages.key]])
    }

    @Test
    public fun `a query that cannot be a table is refused at once`(): Unit = test {
        assertFails<IllegalArgumentException> { cte("bad", Pages.select(Pages.key.count())) }
        assertFails<IllegalArgumentException> { cte("bad", Pages.select(Pages.key, Pages.text.alias("key"))) }
        assertFails<IllegalArgumentException> { recursiveCte("bad", Pages.select(Pages.key)) { Pages.select(Pages.key, Pages.text) } }
        assertFails<IllegalArgumentException> { cte("good", Pages.select(Pages.key))[Pages.text] }
        assertFails<UnsupportedOperationException> { dev.kormorant.Schema.createStatements(cte("good", Pages.select(Pages.key))) }
    }
}
