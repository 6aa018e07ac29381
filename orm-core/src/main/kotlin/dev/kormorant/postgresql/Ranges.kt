@file:JvmName("Ranges")

package dev.kormorant.postgresql

import dev.kormorant.internal.SqlPart
import dev.kormorant.internal.add
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.Table
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import java.time.format.DateTimeFormatterBuilder

// Columns of PostgreSQL's ranges and their operators.

/** A column of ranges of `Int`. */
public fun Table.int4Range(name: String): Column<Range<Int>> = registerColumn(name, RangeColumnType("int4range", String::toInt))

/** A column of ranges of `Long`. */
public fun Table.int8Range(name: String): Column<Range<Long>> = registerColumn(name, RangeColumnType("int8range", String::toLong))

/** A column of ranges of decimals. */
public fun Table.numRange(name: String): Column<Range<BigDecimal>> = registerColumn(name, RangeColumnType("numrange", String::toBigDecimal))

/** A column of ranges of dates. */
public fun Table.dateRange(name: String): Column<Range<LocalDate>> = registerColumn(name, RangeColumnType("daterange", LocalDate::parse))

/** A column of ranges of dates with times, without a zone. */
public fun Table.tsRange(name: String): Column<Range<LocalDateTime>> =
    registerColumn(name, RangeColumnType("tsrange") { LocalDateTime.parse(it.replace(' ', 'T')) })

/** A column of ranges of points in time; they come back in UTC. */
public fun Table.tstzRange(name: String): Column<Range<OffsetDateTime>> =
    registerColumn(name, RangeColumnType("tstzrange") { OffsetDateTime.parse(it, ZONED).withOffsetSameInstant(ZoneOffset.UTC) })

/** Whether [value] is one of the values of the range. */
public infix fun <T : Comparable<T>> ExpressionWithColumnType<out Range<T>?>.contains(value: T): Op<Boolean> = contains(Range.of(value, value, upperInclusive = true))

/** Whether all values of [range] are in this one. */
@JvmName("rangeContains")
public infix fun <T : Comparable<T>> ExpressionWithColumnType<out Range<T>?>.contains(range: Range<T>): Op<Boolean> = compared("@>", range)

/** Whether all values of this range are in [range]. */
@JvmName("rangeContainedBy")
public infix fun <T : Comparable<T>> ExpressionWithColumnType<out Range<T>?>.containedBy(range: Range<T>): Op<Boolean> = compared("<@", range)

/** Whether this range and [range] have a value in common. */
@JvmName("rangeOverlaps")
public infix fun <T : Comparable<T>> ExpressionWithColumnType<out Range<T>?>.overlaps(range: Range<T>): Op<Boolean> = compared("&&", range)

/** Whether this range and [range] have no value in common and none between them. */
public infix fun <T : Comparable<T>> ExpressionWithColumnType<out Range<T>?>.adjacentTo(range: Range<T>): Op<Boolean> = compared("-|-", range)

/** Whether all values of this range are less than those of [range]. */
public infix fun <T : Comparable<T>> ExpressionWithColumnType<out Range<T>?>.before(range: Range<T>): Op<Boolean> = compared("<<", range)

/** Whether all values of this range are more than those of [range]. */
public infix fun <T : Comparable<T>> ExpressionWithColumnType<out Range<T>?>.after(range: Range<T>): Op<Boolean> = compared(">>", range)

/** Whether the range has no value. */
public fun ExpressionWithColumnType<out Range<*>?>.isEmpty(): Op<Boolean> = pgOp { add("ISEMPTY(", this@isEmpty, ")") }

/** The values that are in both. */
public infix fun <R : Range<*>?> ExpressionWithColumnType<R>.intersection(range: R & Any): ExpressionWithColumnType<R> =
    pgExpression(columnType) { add("(", this@intersection, " * ", SqlPart { it.registerArgument(columnType, range) }, ")") }

private fun <T : Comparable<T>> ExpressionWithColumnType<out Range<T>?>.compared(operator: String, range: Range<T>): Op<Boolean> {
    @Suppress("UNCHECKED_CAST")
    val type = columnType as IColumnType<Range<T>>
    return pgOp { add(this@compared, " $operator ", SqlPart { it.registerArgument(type, range) }) }
}

private val ZONED: DateTimeFormatter = DateTimeFormatterBuilder().append(DateTimeFormatter.ISO_LOCAL_DATE).appendLiteral(' ')
    .append(DateTimeFormatter.ISO_LOCAL_TIME).appendOffset("+HH:mm", "+00").toFormatter()

/** `[1,5)`, `(,"2024-01-01 00:00:00"]`, `empty`. */
private class RangeColumnType<T : Comparable<T>>(name: String, private val bound: (String) -> T) : TextTypeBase<Range<T>>(name) {
    override fun parse(text: String): Range<T> {
        if (text == "empty") return Range.empty()
        val (lower, upper) = text.substring(1, text.length - 1).split(',', limit = 2).map { it.trim('"') }
        return Range.of(lower.ifEmpty { null }?.let(bound), upper.ifEmpty { null }?.let(bound), text.first() == '[', text.last() == ']')
    }

    /** No bound has a character that would need quotes. */
    override fun format(value: Range<T>): String = value.toString()
}
