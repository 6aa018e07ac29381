package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.Query
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ColumnWithTransform
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Slice
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.compoundAnd
import org.jetbrains.exposed.v1.core.compoundOr
import org.jetbrains.exposed.v1.core.isAutoInc
import org.jetbrains.exposed.v1.core.statements.BatchInsertStatement
import org.jetbrains.exposed.v1.core.statements.BatchReplaceStatement
import org.jetbrains.exposed.v1.core.statements.InsertStatement
import org.jetbrains.exposed.v1.core.statements.ReplaceStatement
import org.jetbrains.exposed.v1.core.statements.UpsertBuilder

/**
 * Runs [statement] and fills its `resultedValues`, one row per row written: the values given, the defaults of the client, and what
 * only the database knows. That comes back with the INSERT where the dialect has RETURNING; else ids are counted from the first
 * one reported and the rest is read, by primary key if the rows are new, by the unique columns given if they may have been there.
 */
internal suspend fun Database.insert(bridge: ExposedBridge, statement: InsertStatement<*>) {
    val insert = bridge.render { Insert(bridge, statement) }
    val result = run(insert.statement)
    val rows = bridge.render { insert.rows(result) }
    val complete = when {
        insert.mustFind -> readStored(bridge, statement.table, rows)
        insert.hasSkipped(result) -> insert.added(result, readStored(bridge, statement.table, rows))
        else -> readMissing(bridge, insert.missing, rows)
    }
    // MySQL counts a row twice that it has met and changed.
    statement.setResult(complete, minOf(result.affected, insert.size.toLong()).toInt())
}

/** Runs the parts of one batch, all of them or none. */
internal suspend fun Database.insertAll(bridge: ExposedBridge, parts: List<InsertStatement<*>>) {
    if (parts.size == 1) return insert(bridge, parts.single())
    transaction { for (part in parts) insert(bridge, part) }
}

/** Adds [columns] to rows just inserted, by one query for all of them. Rows without a complete primary key stay as they are. */
private suspend fun Database.readMissing(bridge: ExposedBridge, columns: List<Column<*>>, rows: List<ResultRow>): List<ResultRow> {
    val table = columns.firstOrNull()?.table ?: return rows
    val key = table.primaryKey?.columns.orEmpty().asList()
    if (key.isEmpty() || rows.any { !it.has(key) }) return rows
    val found = readByKeys(bridge, table, (key + columns).distinct(), rows.map { listOf(key) to it })
    return bridge.render {
        rows.map { row ->
            val read = found[key to row.keyValues(key)] ?: return@map row
            ResultRow.createAndFillValues(row.fieldIndex.keys.associateWith { row.getOrNull(it) } + columns.associateWith { read.getOrNull(it) })
        }
    }
}

/** The rows of [table] that [rows] have become, found by the first of its unique keys that is there; a row without any stays as it is. */
private suspend fun Database.readStored(bridge: ExposedBridge, table: Table, rows: List<ResultRow>): List<ResultRow> {
    val keys = table.uniqueKeys()
    val wanted = rows.map { row -> keys.filter { row.has(it) } to row }
    val found = readByKeys(bridge, table, table.columns, wanted)
    return wanted.map { (present, row) ->
        present.firstNotNullOfOrNull { found[it to row.keyValues(it)] } ?: readAlike(bridge, table, present, row) ?: row
    }
}

/** For a text that is equal to the stored one in the database's eyes only. */
private suspend fun Database.readAlike(bridge: ExposedBridge, table: Table, keys: List<List<Column<*>>>, row: ResultRow): ResultRow? {
    for (key in keys) {
        val query = Query(table).where { key.map { it equalTo row[it] }.compoundAnd() }
        RowReader(table.columns, bridge).read(run(query.statement(bridge))).firstOrNull()?.let { return it }
    }
    return null
}

/** The rows that have the values of one of the keys given with each of [rows], by key and its values. */
private suspend fun Database.readByKeys(
    bridge: ExposedBridge,
    table: Table,
    fields: List<Column<*>>,
    rows: List<Pair<List<List<Column<*>>>, ResultRow>>,
): Map<Pair<List<Column<*>>, List<Any?>>, ResultRow> {
    val wanted = rows.flatMap { (keys, row) -> keys.map { it to row } }
    if (wanted.isEmpty()) return emptyMap()
    val keys = wanted.mapTo(LinkedHashSet()) { it.first }
    val found = HashMap<Pair<List<Column<*>>, List<Any?>>, ResultRow>()
    for (part in wanted.chunked((bridge.dialect.maxParameters / keys.maxOf { it.size }).coerceAtMost(MAX_ALTERNATIVES))) {
        val query = Query(Slice(table, fields)).where { part.map { (key, row) -> key.map { it equalTo row[it] }.compoundAnd() }.compoundOr() }
        for (row in RowReader(fields, bridge).read(run(query.statement(bridge)))) for (key in keys) if (row.has(key)) found[key to row.keyValues(key)] = row
    }
    return found
}

/** Bound of the conditions joined by OR in one query, which the database parses one inside the other. */
private const val MAX_ALTERNATIVES = 500

private fun ResultRow.has(key: List<Column<*>>) = key.all { hasValue(it) && getOrNull(it) != null }

private fun ResultRow.keyValues(key: List<Column<*>>): List<Any?> = key.map { plainKey(this[it]) }

/** One rendered INSERT and how to read its answer. */
private class Insert(private val bridge: ExposedBridge, private val source: InsertStatement<*>) {
    private val table: Table = source.table
    private val arguments: List<List<Pair<Column<*>, Any?>>> = source.arguments.orEmpty()
    private val given: Set<Column<*>> = arguments.firstOrNull().orEmpty().mapTo(HashSet()) { it.first }
    private val wantsGenerated = source !is BatchInsertStatement || source.shouldReturnGeneratedValues
    private val hasReturning = DmlKind.INSERT in bridge.dialect.returning
    private val canReturn = wantsGenerated && hasReturning

    /** Whether it leaves rows that were there as they are, or changes them, so that what is stored is not what was given. */
    private val keepsStored = source is UpsertBuilder
    private val replaces = source is ReplaceStatement<*> || source is BatchReplaceStatement
    private val skips = source.isIgnore && arguments.size > 1

    /** Columns whose value only the database knows. An expression is such a value, too. */
    private val generated: List<Column<*>> = table.columns.filter { column ->
        if (column in given) arguments.any { row -> row.any { it.first == column && it.second is Expression<*> } } else column.isFilledByDatabase()
    }
    /** Columns that were not given, but whose value is the constant default of their definition, or NULL. */
    private val known: List<Column<*>> =
        table.columns.filter { it !in given && it !in generated && (it.columnType.nullable || it.defaultValueFun != null) }
    /** Which rows were left out, the answer alone can tell. */
    private val returnsStored = canReturn && keepsStored || hasReturning && skips
    private val returned: List<Column<*>> = when {
        returnsStored -> if (wantsGenerated) table.columns else table.columns.filter { it in given }
        canReturn -> generated
        else -> emptyList()
    }
    private val countedId: Column<*>? = generated.firstOrNull { it.columnType.isAutoInc }.takeIf { wantsGenerated && !canReturn }

    /** Rows given. */
    val size: Int get() = arguments.size

    /** Columns that neither RETURNING nor the reported id gives. */
    val missing: List<Column<*>> = if (wantsGenerated && !canReturn) generated.filter { it != countedId } else emptyList()

    /** Whether the rows have to be looked for, since some may have been there. */
    val mustFind: Boolean = wantsGenerated && !canReturn && (keepsStored || replaces)

    val statement: SqlStatement = render()

    private fun render(): SqlStatement = bridge.render { transaction ->
        val sql = source.prepareSQL(transaction)
        val provider = transaction.db.dialect.functionProvider
        val complete = if (returned.isEmpty()) sql else provider.returning(sql, returned, transaction)
        bind(RenderedSql(source, complete, source.arguments().flatten()), reusable = arguments.size == 1)
    }

    fun rows(result: RawResult): List<ResultRow> {
        if (returnsStored) return RowReader(returned, bridge).read(result)
        if (source.isIgnore && result.affected == 0L) return emptyList()
        val fromDatabase = if (returned.isEmpty()) emptyList() else RowReader(returned, bridge).read(result)
        val ids = countedIds(result)
        return arguments.mapIndexed { position, row ->
            val values = HashMap<Expression<*>, Any?>()
            for (column in known) values[column] = column.defaultValueFun?.invoke()
            for ((column, value) in row) if (value !is Expression<*>) values[column] = column.unwrapped(value)
            fromDatabase.getOrNull(position)?.let { read -> for (column in returned) values[column] = read.getOrNull(column) }
            if (countedId != null && ids != null) values[countedId] = ids[position]
            ResultRow.createAndFillValues(values)
        }
    }

    /** Whether rows were left out of which the answer does not tell. */
    fun hasSkipped(result: RawResult): Boolean = skips && countedId != null && result.lastInsertId != null && result.affected in 1 until size

    /** Those of [rows] that are not older than the first one inserted. */
    fun added(result: RawResult, rows: List<ResultRow>): List<ResultRow> {
        val id = countedId ?: return rows
        val first = result.lastInsertId ?: return rows
        return rows.filter { row -> row.hasValue(id) && (plainKey(row[id]) as Number).toLong() >= first }
    }

    /** The ids of all rows, from the first one, when every row is new. */
    private fun countedIds(result: RawResult): List<Long>? {
        val first = result.lastInsertId?.takeIf { countedId != null } ?: return null
        val allNew = if (keepsStored || replaces) isWithoutKeys() || (replaces && size == 1) else result.affected == size.toLong()
        if (!allNew) return null
        val step = bridge.dialect.generatedIdStep ?: 1
        return List(size) { first + it * step }
    }

    /** Whether no row has the values of a unique key, so that none can meet another one. */
    private fun isWithoutKeys() = table.uniqueKeys().none { key -> arguments.any { row -> key.all { column -> row.any { it.first == column && it.second != null } } } }

    private fun Column<*>.isFilledByDatabase() = columnType.isAutoInc || isDatabaseGenerated() || (defaultValueInDb() != null && defaultValueFun == null)

    @Suppress("UNCHECKED_CAST")
    private fun Column<*>.unwrapped(value: Any?): Any? = (columnType as? ColumnWithTransform<Any, Any>)?.unwrapRecursive(value) ?: value
}
