package dev.kormorant

import dev.kormorant.internal.equalTo
import dev.kormorant.internal.parameter
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.GreaterEqOp
import org.jetbrains.exposed.v1.core.GreaterOp
import org.jetbrains.exposed.v1.core.IExpressionAlias
import org.jetbrains.exposed.v1.core.IsNotNullOp
import org.jetbrains.exposed.v1.core.IsNullOp
import org.jetbrains.exposed.v1.core.LessEqOp
import org.jetbrains.exposed.v1.core.LessOp
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.compoundAnd
import org.jetbrains.exposed.v1.core.compoundOr

/**
 * Keeps the rows that come after the one with [keys] in the order of the query: keyset pagination, which costs the same on every page
 * and neither repeats nor loses rows that others insert or delete.
 *
 * ```
 * val page = Posts.selectAll().orderBy(Posts.day to SortOrder.DESC, Posts.id to SortOrder.ASC).limit(20)
 * val next = page.copy().after(lastDay, lastId)
 * ```
 *
 * Call it when the order is complete. There is one key for each expression of `orderBy`, in its order, plain ids for id columns; together
 * they should be unique, so the last is usually the primary key. Directions may be mixed. Databases disagree on where NULL
 * stands, so a key that can be NULL, as any column on the outer side of a join, must say it: [SortOrder.ASC_NULLS_LAST] and its kin;
 * then `null` is a key like others.
 *
 * The condition is `k1 >= v1 AND (k1 > v1 OR (k1 = v1 AND k2 > v2))`, which every database can begin with an index on `k1`.
 *
 * @throws IllegalArgumentException if the query has no order, [keys] are not as many as its expressions, one of them has no column
 * type, or one is nullable, or `null`, and does not say where NULL stands.
 */
public fun Query.after(vararg keys: Any?): Query {
    val order = keyset()
    require(keys.size == order.size) { "after() takes one value for each of the ${order.size} expressions of orderBy, not ${keys.size}." }
    val condition = beyond(order, keys.asList())
    return andWhere { condition }
}

/**
 * Keeps the rows that come after [row], a row of this query; see the other `after`.
 *
 * @throws IllegalArgumentException also if an expression of `orderBy` is not selected.
 */
public fun Query.after(row: ResultRow): Query {
    val keys = orderByExpressions.map { (expression) ->
        require(row.hasValue(expression)) { "Pages need what orderBy sorts by among the selected fields." }
        row[expression]
    }
    return after(*keys.toTypedArray())
}

/**
 * The rows in portions of [size], the last one smaller, none empty. Each portion is a statement of its own, which begins [after] the last
 * row of the one before; nothing is held in between, so the collector may take its time.
 *
 * @throws IllegalArgumentException as [after] does, or if the query has a limit or an offset, or [size] is not positive.
 */
public fun Query.pages(size: Int): Flow<List<ResultRow>> {
    require(size > 0) { "A page has at least one row, not $size." }
    require(limit == null && offset == 0L) { "A query that is read in pages cannot have a limit or an offset." }
    keyset()
    val query = copy()
    return flow {
        var rows = query.copy().limit(size).toList()
        while (rows.isNotEmpty()) {
            emit(rows)
            if (rows.size < size) break
            rows = query.copy().limit(size).after(rows.last()).toList()
        }
    }
}

/** One expression of the order of a query. */
private class SortKey(val expression: ExpressionWithColumnType<*>, order: SortOrder) {
    val ascends = order == SortOrder.ASC || order == SortOrder.ASC_NULLS_FIRST || order == SortOrder.ASC_NULLS_LAST
    val nullsLast = order == SortOrder.ASC_NULLS_LAST || order == SortOrder.DESC_NULLS_LAST

    /** The outer side of a join and most functions can be NULL although their type is not: the order tells. */
    val isNullable = order != SortOrder.ASC && order != SortOrder.DESC

    init {
        if (expression.columnType.nullable) requirePlace()
    }

    private fun requirePlace() = require(isNullable) {
        "Databases disagree on where NULL stands; sort by what can be NULL with NULLS FIRST or NULLS LAST to read pages of it."
    }

    fun equalTo(value: Any?): Op<Boolean> = expression equalTo value

    /** The values after [value]; `null` if there cannot be one. */
    fun after(value: Any?): Op<Boolean>? {
        if (value == null) requirePlace()
        return when {
            value == null -> if (nullsLast) null else IsNotNullOp(expression)
            nullsLast -> listOf(strictlyAfter(value), IsNullOp(expression)).compoundOr()
            else -> strictlyAfter(value)
        }
    }

    fun notBefore(value: Any): Op<Boolean> = expression.parameter(value).let { if (ascends) GreaterEqOp(expression, it) else LessEqOp(expression, it) }

    private fun strictlyAfter(value: Any): Op<Boolean> = expression.parameter(value).let { if (ascends) GreaterOp(expression, it) else LessOp(expression, it) }
}

private fun Query.keyset(): List<SortKey> {
    require(orderByExpressions.isNotEmpty()) { "Pages need an order: call orderBy first." }
    return orderByExpressions.map { (expression, order) ->
        val key = if (expression is IExpressionAlias<*>) expression.delegate else expression
        require(key is ExpressionWithColumnType<*>) { "Pages can be sorted by expressions with a column type only." }
        SortKey(key, order)
    }
}

private fun beyond(order: List<SortKey>, values: List<Any?>): Op<Boolean> {
    val alternatives = order.indices.mapNotNull { position ->
        val after = order[position].after(values[position]) ?: return@mapNotNull null
        (order.indices.take(position).map { order[it].equalTo(values[it]) } + after).compoundAnd()
    }
    if (alternatives.isEmpty()) return Op.FALSE
    val beyond = alternatives.compoundOr()
    val first = values[0]
    return if (alternatives.size == 1 || first == null || order[0].isNullable) beyond else order[0].notBefore(first) and beyond
}
