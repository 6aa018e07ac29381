package dev.kormorant.test.conformance

import dev.kormorant.batchInsert
import dev.kormorant.insert
import dev.kormorant.mapTo
import dev.kormorant.select
import dev.kormorant.selectAll
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ColumnType
import org.jetbrains.exposed.v1.core.ComparisonOp
import org.jetbrains.exposed.v1.core.CustomFunction
import org.jetbrains.exposed.v1.core.CustomOperator
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.LikePattern
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.TextColumnType
import org.jetbrains.exposed.v1.core.VarCharColumnType
import org.jetbrains.exposed.v1.core.WindowFrameBound
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.andIfNotNull
import org.jetbrains.exposed.v1.core.append
import org.jetbrains.exposed.v1.core.avg
import org.jetbrains.exposed.v1.core.between
import org.jetbrains.exposed.v1.core.case
import org.jetbrains.exposed.v1.core.castTo
import org.jetbrains.exposed.v1.core.charLength
import org.jetbrains.exposed.v1.core.coalesce
import org.jetbrains.exposed.v1.core.concat
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.countDistinct
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.eqSubQuery
import org.jetbrains.exposed.v1.core.exists
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.inList
import org.jetbrains.exposed.v1.core.inSubQuery
import org.jetbrains.exposed.v1.core.intLiteral
import org.jetbrains.exposed.v1.core.intParam
import org.jetbrains.exposed.v1.core.isNotNull
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.lowerCase
import org.jetbrains.exposed.v1.core.max
import org.jetbrains.exposed.v1.core.min
import org.jetbrains.exposed.v1.core.minus
import org.jetbrains.exposed.v1.core.neq
import org.jetbrains.exposed.v1.core.notExists
import org.jetbrains.exposed.v1.core.notInList
import org.jetbrains.exposed.v1.core.notInSubQuery
import org.jetbrains.exposed.v1.core.or
import org.jetbrains.exposed.v1.core.plus
import org.jetbrains.exposed.v1.core.rank
import org.jetbrains.exposed.v1.core.rem
import org.jetbrains.exposed.v1.core.rowNumber
import org.jetbrains.exposed.v1.core.stringLiteral
import org.jetbrains.exposed.v1.core.stringParam
import org.jetbrains.exposed.v1.core.substring
import org.jetbrains.exposed.v1.core.sum
import org.jetbrains.exposed.v1.core.times
import org.jetbrains.exposed.v1.core.trim
import org.jetbrains.exposed.v1.core.upperCase
import org.jetbrains.exposed.v1.core.vendors.currentDialect
import org.jetbrains.exposed.v1.core.wrapAsExpression
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.Locale

/** Expressions in queries: Exposed's own, and those that a program has written for Exposed. */
public abstract class ExpressionSuite(backend: Backend) : Suite(backend, Sales, Visits) {
    private object Sales : LongIdTable("sale") {
        val city = varchar("city", 20)
        val amount = integer("amount")
        val clerk = varchar("clerk", 20).nullable()
        val currency = registerColumn("currency", CurrencyColumnType())
    }

    private object Visits : LongIdTable("visit") {
        val city = varchar("city", 20)
    }

    private class Currency(val code: String) {
        override fun equals(other: Any?) = other is Currency && other.code == code

        override fun hashCode() = code.hashCode()
    }

    /** A column type as a program writes it for Exposed. */
    private class CurrencyColumnType : ColumnType<Currency>() {
        override fun sqlType() = currentDialect.dataTypeProvider.varcharType(3)

        override fun valueFromDB(value: Any) = if (value is Currency) value else Currency(value.toString().uppercase(Locale.ROOT))

        override fun notNullValueToDB(value: Currency): Any = value.code.lowercase(Locale.ROOT)
    }

    /** A function as a program writes it for Exposed. */
    private class Twice(private val expression: Expression<Int>) : ExpressionWithColumnType<Int>() {
        override val columnType = IntegerColumnType()

        override fun toQueryBuilder(queryBuilder: QueryBuilder): Unit = queryBuilder { append("(2 * ", expression, ")") }
    }

    /** An operator as a program writes it for Exposed. */
    private class Differs(left: Expression<*>, right: Expression<*>) : ComparisonOp(left, right, "<>")

    private infix fun Column<Int>.differsFrom(other: Int) = Differs(this, intParam(other))

    private suspend fun sales() {
        val rows = listOf(Triple("Bonn", 10, "ann"), Triple("Bonn", 30, null), Triple("Cork", 20, "bob"), Triple("Cork", 5, "ann"), Triple("Oslo", 7, null))
        Sales.batchInsert(rows) { (city, amount, clerk) ->
            this[Sales.city] = city
            this[Sales.amount] = amount
            this[Sales.clerk] = clerk
            this[Sales.currency] = Currency(if (city == "Oslo") "NOK" else "EUR")
        }
        Visits.insert { it[city] = "Bonn" }
    }

    @Test
    public fun `aggregates have their types`(): Unit = test {
        sales()
        val all = Sales.selectAll()
        assertEquals(72, all.scalar(Sales.amount.sum()))
        assertEquals(5 to 30, all.scalar(Sales.amount.min()) to all.scalar(Sales.amount.max()))
        assertEquals(5L, all.scalar(Sales.id.count()))
        assertEquals(3L, all.scalar(Sales.clerk.count()))
        assertEquals(3L, all.scalar(Sales.city.countDistinct()))
        assertEquals(14.4, all.scalar(Sales.amount.avg())!!.toDouble(), 0.01)
        assertNull(all.copy().where { Sales.amount greater 100 }.scalar(Sales.amount.sum()))
        assertNull(all.copy().where { Sales.amount greater 100 }.scalarOrNull(Sales.amount))
    }

    @Test
    public fun `groups have their aggregates`(): Unit = test {
        sales()
        val total = Sales.amount.sum().alias("total")
        val rows = Sales.select(Sales.city, total).groupBy(Sales.city).having { Sales.amount.sum() greater 10 }.orderBy(total, SortOrder.DESC).toList()
        assertEquals(listOf("Bonn" to 40, "Cork" to 25), rows.map { it[Sales.city] to it[total] })
    }

    @Test
    public fun `window functions see the rows around`(): Unit = test {
        sales()
        val number = rowNumber().over().partitionBy(Sales.city).orderBy(Sales.amount)
        val place = rank().over().orderBy(Sales.amount, SortOrder.DESC)
        val running = Sales.amount.sum().over().orderBy(Sales.id).rows(WindowFrameBound.unboundedPreceding(), WindowFrameBound.currentRow())
        val rows = Sales.select(Sales.amount, number, place, running).orderBy(Sales.id).toList()
        assertEquals(listOf(1L, 2L, 2L, 1L, 1L), rows.map { it[number] })
        assertEquals(listOf(3L, 1L, 2L, 5L, 4L), rows.map { it[place] })
        assertEquals(listOf(10, 40, 60, 65, 72), rows.map { it[running] })
    }

    @Test
    public fun `case chooses`(): Unit = test {
        sales()
        val size = case().When(Sales.amount greater 15, stringLiteral("large")).When(Sales.amount greater 6, stringLiteral("medium")).Else(stringLiteral("small"))
        assertEquals(listOf("medium", "large", "large", "small", "medium"), Sales.select(size).orderBy(Sales.id).toList().map { it[size] })
        val byValue = case(Sales.city).When(stringLiteral("Bonn"), intLiteral(1)).Else(intLiteral(0))
        assertEquals(2, Sales.select(byValue).toList().count { it[byValue] == 1 })
    }

    @Test
    public fun `functions and arithmetic are computed by the database`(): Unit = test {
        sales()
        val shout = concat(Sales.city.upperCase(), stringLiteral("!")).alias("shout")
        val first = Sales.city.substring(1, 2)
        val length = Sales.city.charLength()
        val sum = (Sales.amount + 1) * 2 - 1
        val odd = Sales.amount % 2
        val clerk = coalesce(Sales.clerk, stringLiteral("nobody"))
        val trimmed = stringParam("  x ").trim()
        val text = Sales.amount.castTo(VarCharColumnType(20))
        val row = Sales.select(shout, first, length, sum, odd, clerk, trimmed, Sales.city.lowerCase(), text).where { Sales.amount eq 7 }.single()
        assertEquals(listOf("OSLO!", "Os", 4, 15, 1, "nobody", "x", "oslo", "7"), listOf(shout, first, length, sum, odd, clerk, trimmed, Sales.city.lowerCase(), text).map { row[it] })
    }

    @Test
    public fun `conditions of all kinds`(): Unit = test {
        sales()
        suspend fun count(condition: () -> org.jetbrains.exposed.v1.core.Op<Boolean>) = Sales.selectAll().where(condition).count()
        assertEquals(3, count { Sales.amount.between(6, 20) })
        assertEquals(2, count { Sales.amount inList listOf(5, 7, 8) })
        assertEquals(0, count { Sales.amount inList emptyList() })
        assertEquals(3, count { Sales.amount notInList listOf(5, 7, 8) })
        assertEquals(2, count { Sales.city like LikePattern.ofLiteral("Bo") + "%" })
        assertEquals(3, count { Sales.clerk.isNotNull() })
        assertEquals(3, count { (Sales.city eq "Oslo") or (Sales.clerk eq "ann") })
        assertEquals(1, count { (Sales.city eq "Oslo") andIfNotNull null })
        assertEquals(3, count { (Sales.city to Sales.clerk) inList listOf("Bonn" to "ann", "Cork" to "bob", "Cork" to "ann") })
        assertEquals(2, count { Sales.currency neq Currency("EUR") or (Sales.amount eq 5) })
    }

    @Test
    public fun `sub-queries are conditions and values`(): Unit = test {
        sales()
        val visited = Visits.select(Visits.city)
        assertEquals(2, Sales.selectAll().where { Sales.city inSubQuery visited }.count())
        assertEquals(3, Sales.selectAll().where { Sales.city notInSubQuery visited }.count())
        assertEquals(2, Sales.selectAll().where { exists(Visits.selectAll().where { Visits.city eq Sales.city }) }.count())
        assertEquals(3, Sales.selectAll().where { notExists(Visits.selectAll().where { Visits.city eq Sales.city }) }.count())
        assertEquals(2, Sales.selectAll().where { Sales.city eqSubQuery visited }.count())
        val visits = wrapAsExpression<Long>(Visits.select(Visits.id.count()).where { Visits.city eq Sales.city }).alias("visits")
        assertEquals(listOf(1L, 1L, 0L, 0L, 0L), Sales.select(visits).orderBy(Sales.id).toList().map { it[visits] })
        val large = Sales.select(Sales.city, Sales.amount).where { Sales.amount greater 15 }.alias("large")
        assertEquals(setOf("Bonn", "Cork"), large.select(large[Sales.city]).toList().map { it[large[Sales.city]] }.toSet())
    }

    @Test
    public fun `functions, operators and column types written for Exposed work unchanged`(): Unit = test {
        sales()
        val doubled = Twice(Sales.amount)
        val named = CustomFunction("UPPER", TextColumnType(), Sales.city)
        val reduced = CustomOperator("-", IntegerColumnType(), Sales.amount, intParam(1))
        val row = Sales.select(doubled, named, reduced, Sales.currency).where { Sales.currency eq Currency("NOK") }.single()
        assertEquals(14, row[doubled])
        assertEquals("OSLO", row[named])
        assertEquals(6, row[reduced])
        assertEquals(Currency("NOK"), row[Sales.currency])
        assertEquals(4, Sales.selectAll().where { Sales.amount differsFrom 7 }.count())
        assertEquals(1, Sales.selectAll().where { doubled greater 40 }.count())
        data class Sale(val city: String, val currency: Currency, val doubled: Int)
        assertEquals(Sale("Oslo", Currency("NOK"), 14), Sales.select(Sales.city, Sales.currency, doubled.alias("doubled")).where { Sales.amount eq 7 }.mapTo<Sale>().single())
    }

    @Test
    public fun `an expression is found by its SQL where it is not the same object`(): Unit = test {
        sales()
        val row = Sales.select(Sales.amount.sum(), Sales.city.upperCase().alias("shout")).groupBy(Sales.city).orderBy(Sales.city).first()
        assertEquals(40, row[Sales.amount.sum()])
        assertEquals("BONN", row[Sales.city.upperCase().alias("shout")])
        assertTrue(row.hasValue(Sales.amount.sum()))
    }
}
