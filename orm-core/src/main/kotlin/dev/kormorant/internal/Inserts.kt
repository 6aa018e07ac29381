package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ColumnWithTransform
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.isAutoInc
import org.jetbrains.exposed.v1.core.statements.BatchInsertStatement
import org.jetbrains.exposed.v1.core.statements.InsertStatement

/**
 * Runs [statement] and fills its `resultedValues`, one row per row inserted: the values given, the defaults of the client, and what
 * only the database knows. That comes back with the INSERT where the dialect has RETURNING; else ids are counted from the first
 * one reported and the rest is read by primary key.
 */
internal suspend fun Database.insert(bridge: ExposedBridge, statement: InsertStatement<*>) {
    val insert = bridge.render { Insert(bridge, statement) }
    val result = run(insert.statement)
    val rows = bridge.render { insert.rows(result) }
    statement.setResult(readMissing(bridge, insert.missing, rows), result.affected.toInt())
}

/** Runs the parts of one batch, all of them or none. */
internal suspend fun Database.insertAll(bridge: ExposedBridge, parts: List<InsertStatement<*>>) {
    if (parts.size == 1) return insert(bridge, parts.single())
    transaction { for (part in parts) insert(bridge, part) }
}

/** Adds [columns] to rows just inserted, by one query for all of them. Rows without a complete primary key stay as they are. */
private suspend fun Database.readMissing(bridge: ExposedBridge, columns: List<Column<*>>, rows: List<ResultRow>): List<ResultRow> {
    val table = columns.firstOrNull()?.table ?: return rows
    val key = KeyColumns(table.primaryKey?.columns.orEmpty().asList().ifEmpty { return rows })
    if (rows.any { row -> key.columns.any { !row.hasValue(it) } }) return rows
    return bridge.render { rows.map { key.of(it) } }.let { keys ->
        val found = rowsByKey(bridge, key, keys.filterNotNull(), columns)
        bridge.render {
            rows.mapIndexed { position, row ->
                val read = found[keys[position]] ?: return@mapIndexed row
                ResultRow.createAndFillValues(row.fieldIndex.keys.associateWith { row.getOrNull(it) } + columns.associateWith { read.getOrNull(it) })
            }
        }
    }
}

/** One rendered INSERT and how to read its answer. */
private class Insert(private val bridge: ExposedBridge, private val source: InsertStatement<*>) {
    private val table: Table = source.table
    private val arguments: List<List<Pair<Column<*>, Any?>>> = source.arguments.orEmpty()
    private val given: Set<Column<*>> = arguments.firstOrNull().orEmpty().mapTo(HashSet()) { it.first }
    private val wantsGenerated = source !is BatchInsertStatement || source.shouldReturnGeneratedValues

    /** Columns whose value only the database knows. An expression is such a value, too. */
    private val generated: List<Column<*>> = table.columns.filter { column ->
        if (column in given) arguments.any { row -> row.any { it.first == column && it.second is Expression<*> } } else column.isFilledByDatabase()
    }
    private val returned: List<Column<*>> = when {
        !wantsGenerated || DmlKind.INSERT !in bridge.dialect.returning -> emptyList()
        source.isIgnore && arguments.size > 1 -> table.columns
        else -> generated
    }
    private val countedId: Column<*>? = generated.firstOrNull { it.columnType.isAutoInc }.takeIf { wantsGenerated && returned.isEmpty() }

    /** Columns that neither RETURNING nor the reported id gives. */
    val missing: List<Column<*>> = if (wantsGenerated && returned.isEmpty()) generated.filter { it != countedId } else emptyList()

    val statement: SqlStatement = render()

    private fun render(): SqlStatement = bridge.render { transaction ->
        val sql = source.prepareSQL(transaction)
        val provider = transaction.db.dialect.functionProvider
        val complete = if (returned.isEmpty()) sql else provider.returning(sql, returned, transaction)
        bind(complete, source.arguments().flatten(), reusable = arguments.size == 1)
    }

    fun rows(result: RawResult): List<ResultRow> {
        if (source.isIgnore && arguments.size > 1 && returned.isNotEmpty()) return RowReader(returned, bridge).read(result)
        if (source.isIgnore && result.affected == 0L) return emptyList()
        val fromDatabase = if (returned.isEmpty()) emptyList() else RowReader(returned, bridge).read(result)
        val ids = countedIds(result)
        return arguments.mapIndexed { position, row ->
            val values = HashMap<Expression<*>, Any?>()
            for (column in table.columns) if (column !in given && column !in generated && column.columnType.nullable) values[column] = null
            for ((column, value) in row) if (value !is Expression<*>) values[column] = column.unwrapped(value)
            fromDatabase.getOrNull(position)?.let { read -> for (column in returned) values[column] = read.getOrNull(column) }
            if (countedId != null && ids != null) values[countedId] = ids[position]
            ResultRow.createAndFillValues(values)
        }
    }

    /** The ids of all rows, from the first one, when every row was inserted. */
    private fun countedIds(result: RawResult): List<Long>? {
        val first = result.lastInsertId?.takeIf { countedId != null && result.affected == arguments.size.toLong() } ?: return null
        val step = bridge.dialect.generatedIdStep ?: 1
        return List(arguments.size) { first + it * step }
    }

    private fun Column<*>.isFilledByDatabase() = columnType.isAutoInc || isDatabaseGenerated() || (defaultValueInDb() != null && defaultValueFun == null)

    @Suppress("UNCHECKED_CAST")
    private fun Column<*>.unwrapped(value: Any?): Any? = (columnType as? ColumnWithTransform<Any, Any>)?.unwrapRecursive(value) ?: value
}
