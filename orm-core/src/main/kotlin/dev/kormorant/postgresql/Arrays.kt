@file:JvmName("Arrays")

package dev.kormorant.postgresql

import dev.kormorant.internal.SqlPart
import dev.kormorant.internal.add
import org.jetbrains.exposed.v1.core.ArrayColumnType
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.Op

// Operators on PostgreSQL's arrays that Exposed has not: its own are `get`, `slice`, `anyFrom` and `allFrom`.

/** Whether all of [elements] are in the array. */
@JvmName("arrayContains")
public infix fun <E> ExpressionWithColumnType<out List<E>?>.contains(elements: List<E>): Op<Boolean> = compared("@>", elements)

/** Whether all elements of the array are among [elements]. */
@JvmName("arrayContainedBy")
public infix fun <E> ExpressionWithColumnType<out List<E>?>.containedBy(elements: List<E>): Op<Boolean> = compared("<@", elements)

/** Whether the array and [elements] have one in common. */
@JvmName("arrayOverlaps")
public infix fun <E> ExpressionWithColumnType<out List<E>?>.overlaps(elements: List<E>): Op<Boolean> = compared("&&", elements)

/** Number of elements, 0 for an empty array. */
public fun ExpressionWithColumnType<out List<*>?>.cardinality(): ExpressionWithColumnType<Int?> =
    pgExpression(IntegerColumnType()) { add("CARDINALITY(", this@cardinality, ")") }

/** The array with [elements] at its end: `it[tags] = tags.append(listOf("new"))`. */
@JvmName("arrayAppend")
public fun <E, L : List<E>?> ExpressionWithColumnType<L>.append(elements: List<E>): ExpressionWithColumnType<L> =
    pgExpression(columnType) { add("(", this@append, " || ", array(elements), ")") }

/** The array without all elements that are equal to [element]. */
@JvmName("arrayRemove")
public fun <E, L : List<E>?> ExpressionWithColumnType<L>.remove(element: E): ExpressionWithColumnType<L> =
    pgExpression(columnType) { add("ARRAY_REMOVE(", this@remove, ", ", SqlPart { it.registerArgument(elementType<E>(), element) }, ")") }

private fun <E> ExpressionWithColumnType<out List<E>?>.compared(operator: String, elements: List<E>): Op<Boolean> =
    pgOp { add(this@compared, " $operator ", array(elements)) }

private fun ExpressionWithColumnType<*>.array(elements: List<*>): SqlPart {
    @Suppress("UNCHECKED_CAST")
    val type = columnType as IColumnType<Any>
    return SqlPart { it.registerArgument(type, elements) }
}

@Suppress("UNCHECKED_CAST")
private fun <E> ExpressionWithColumnType<*>.elementType() = (columnType as ArrayColumnType<*, *>).delegate as IColumnType<E & Any>
