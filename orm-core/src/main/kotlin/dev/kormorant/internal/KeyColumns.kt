package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.Query
import dev.kormorant.driver.Access
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Slice

/**
 * Columns that tell rows apart: a primary key, or one side of a foreign key. The key of a row is the plain value of the column, or the
 * list of the plain values where there are several, so that an id and the columns that refer to it compare equal.
 */
internal class KeyColumns(val columns: List<Column<*>>) {
    val only: Column<*>? = columns.singleOrNull()

    /** The key of a row whose values [read] gives, or `null` if it refers to nothing because one of them is NULL. */
    inline fun of(read: (Column<*>) -> Any?): Any? {
        only?.let { return plainKey(read(it)) }
        return columns.map { plainKey(read(it)) ?: return null }
    }

    fun of(state: ModelState): Any? = of { state.read(it) }

    fun of(row: ResultRow): Any? = of { row.getOrNull(it) }

    /** The condition that a row has one of [keys]. */
    fun among(keys: List<Any>): Op<Boolean> = if (only != null) only amongKeys keys else AnyOfKeys(columns, keys.map { it as List<*> })

    /** How many of its keys one statement with [others] more parameters can have. */
    fun perStatement(maxParameters: Int, others: Int = 0): Int =
        ((maxParameters - others) / columns.size).coerceIn(1, if (only != null) Int.MAX_VALUE else MAX_COMPOSITE_KEYS)

    override fun equals(other: Any?): Boolean = other is KeyColumns && columns == other.columns

    override fun hashCode(): Int = columns.hashCode()

    override fun toString(): String = columns.joinToString { it.name }

    private companion object {
        /** Databases take a long time to plan thousands of alternatives. */
        const val MAX_COMPOSITE_KEYS = 1_000
    }
}

/** `a = ? AND b = ? OR …`, nested in pairs, since SQLite bounds the depth of an expression. */
private class AnyOfKeys(private val columns: List<Column<*>>, private val keys: List<List<*>>) : Op<Boolean>() {
    override fun toQueryBuilder(queryBuilder: QueryBuilder) = append(queryBuilder, 0, keys.size)

    private fun append(builder: QueryBuilder, from: Int, until: Int) {
        if (until - from > 1) {
            val middle = (from + until) / 2
            builder.append("(")
            append(builder, from, middle)
            builder.append(" OR ")
            append(builder, middle, until)
            builder.append(")")
            return
        }
        columns.forEachIndexed { position, column ->
            builder.append(if (position == 0) "(" else " AND ")
            builder.append(column.equalTo(column.keyValue(keys[from][position])))
        }
        builder.append(")")
    }
}

/**
 * Runs the query that [query] makes once per portion of [keys] that fits the dialect's parameter limit, beside the parameters the
 * query has of its own; [read] takes each answer.
 */
internal suspend fun Database.queryByKeys(
    bridge: ExposedBridge,
    columns: KeyColumns,
    keys: List<Any>,
    query: (List<Any>) -> SqlStatement,
    read: (RawResult) -> Unit,
) {
    val limit = bridge.dialect.maxParameters
    val portions = if (keys.size <= columns.perStatement(limit) / 2) listOf(keys) else {
        val own = query(keys.take(1)).values.size - columns.columns.size
        keys.chunked(columns.perStatement(limit, own))
    }
    for (portion in portions) read(run(query(portion), Access.READ))
}

/** Rows of the table of [key] by their keys, with [columns] of them. */
internal suspend fun Database.rowsByKey(bridge: ExposedBridge, key: KeyColumns, keys: List<Any>, columns: List<Column<*>>): Map<Any?, ResultRow> {
    val fields = (key.columns + columns).distinct()
    val reader = RowReader(fields, bridge)
    val found = HashMap<Any?, ResultRow>()
    val query = { part: List<Any> -> Query(Slice(key.columns.first().table, fields)).where(key.among(part)).statement(bridge, part.size == 1) }
    queryByKeys(bridge, key, keys, query) { result -> bridge.render { for (row in reader.read(result)) found[key.of(row)] = row } }
    return found
}

/** The columns that [columns] refer to, in their order, if they are a foreign key. */
internal fun referredBy(columns: List<Column<*>>): List<Column<*>>? {
    columns.singleOrNull()?.referee?.let { return listOf(it) }
    val key = columns.first().table.foreignKeys.firstOrNull { it.from == columns.toSet() } ?: return null
    return columns.map { key.references.getValue(it) }
}
