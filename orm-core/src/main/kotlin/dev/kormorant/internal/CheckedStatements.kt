package dev.kormorant.internal

import dev.kormorant.DataException
import dev.kormorant.ErrorDetails
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ColumnSet
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.autoIncColumnType
import org.jetbrains.exposed.v1.core.statements.BatchReplaceStatement
import org.jetbrains.exposed.v1.core.statements.BatchUpsertStatement
import org.jetbrains.exposed.v1.core.statements.InsertStatement
import org.jetbrains.exposed.v1.core.statements.MultiRowValuesInsertStatement
import org.jetbrains.exposed.v1.core.statements.ReplaceStatement
import org.jetbrains.exposed.v1.core.statements.UpdateStatement
import org.jetbrains.exposed.v1.core.statements.UpsertBuilder
import org.jetbrains.exposed.v1.core.statements.UpsertStatement
import org.jetbrains.exposed.v1.core.statements.insertValue
import org.jetbrains.exposed.v1.core.vendors.MysqlDialect

// Exposed's statements, with its check of a value against the column's length turned into an error that names the column, and with
// batches as one statement of many rows.

internal class CheckedInsert<K : Any>(table: Table, ignore: Boolean = false) : InsertStatement<K>(table, ignore) {
    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

internal class CheckedBatchInsert(table: Table, ignore: Boolean, returnGenerated: Boolean) :
    MultiRowValuesInsertStatement(table, ignore, returnGenerated) {
    override var arguments: List<List<Pair<Column<*>, Any?>>>?
        get() = super.arguments?.withNextIds(table)
        set(value) {
            super.arguments = value
        }

    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

internal class CheckedReplace(table: Table) : ReplaceStatement<Long>(table) {
    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

internal class CheckedBatchReplace(table: Table, returnGenerated: Boolean) : BatchReplaceStatement(table, returnGenerated) {
    override fun prepareSQL(transaction: Transaction, prepared: Boolean): String {
        val rows = arguments.orEmpty().withNextIds(table)
        return transaction.db.dialect.functionProvider.replace(table, rows.first().map { it.first }, valuesOf(rows), transaction, prepared)
    }

    override fun arguments(): List<Iterable<Pair<IColumnType<*>, Any?>>> = listOf(super.arguments().flatten())

    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

internal class CheckedUpsert(table: Table, keys: Array<out Column<*>>, onUpdateExclude: List<Column<*>>?, where: Op<Boolean>?) :
    UpsertStatement<Long>(table, *keys, onUpdateExclude = onUpdateExclude, where = where) {
    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

internal class CheckedBatchUpsert(
    table: Table,
    keys: Array<out Column<*>>,
    onUpdate: (UpsertBuilder.(UpdateStatement) -> Unit)?,
    onUpdateExclude: List<Column<*>>?,
    where: Op<Boolean>?,
    returnGenerated: Boolean,
) : BatchUpsertStatement(table, *keys, onUpdateExclude = onUpdateExclude, where = where, shouldReturnGeneratedValues = returnGenerated) {
    private val assigned: List<Pair<Column<*>, Any?>> =
        onUpdate?.let { assign -> CheckedUpdate(table, null, null).also { assign(it) }.firstDataSet }.orEmpty()

    /** Columns whose values decide which row is meant. */
    val conflictColumns: List<Column<*>> get() = keys.asList().ifEmpty { table.uniqueKeys().firstOrNull().orEmpty() }

    override fun prepareSQL(transaction: Transaction, prepared: Boolean): String {
        val rows = arguments.orEmpty().withNextIds(table)
        val dialect = transaction.db.dialect
        val keyColumns = if (dialect is MysqlDialect) keys.asList() else conflictColumns
        val changes = assigned.ifEmpty { insertedValues(rows.first().map { it.first } - onUpdateExclude.orEmpty().toSet(), keyColumns) }
        return dialect.functionProvider.upsert(table, rows.first(), valuesOf(rows), changes, keyColumns, where, transaction)
    }

    /** What an existing row takes over: all that is not its key, or the key if there is nothing else. */
    private fun insertedValues(columns: List<Column<*>>, keyColumns: List<Column<*>>): List<Pair<Column<*>, Any?>> =
        columns.filter { it !in keyColumns }.ifEmpty { columns }.map { it to insertValue(it) }

    /** The parameters behind those of the rows. */
    val changeArguments: List<Pair<IColumnType<*>, Any?>> by lazy(LazyThreadSafetyMode.NONE) {
        QueryBuilder(true).apply {
            for ((column, value) in assigned) registerArgument(column, value)
            where?.toQueryBuilder(this)
        }.args
    }

    override fun arguments(): List<Iterable<Pair<IColumnType<*>, Any?>>> {
        val builder = QueryBuilder(true)
        for (row in arguments.orEmpty()) for ((column, value) in row) builder.registerArgument(column, value)
        return listOf(builder.args + changeArguments)
    }

    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

internal class CheckedUpdate(targets: ColumnSet, limit: Int?, where: Op<Boolean>?) : UpdateStatement(targets, limit, where) {
    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

/** Runs [block], which gives [column] a value, and says which column refused it. */
internal inline fun checking(column: Column<*>, block: () -> Unit) {
    try {
        block()
    } catch (error: IllegalArgumentException) {
        val name = "${column.table.tableName}.${column.name}"
        throw DataException("Column $name cannot hold the value: ${error.message}.", ErrorDetails(table = column.table.tableName, column = column.name), error)
    }
}

/** The sets of columns of which no two rows have the same values, the primary key first. */
internal fun Table.uniqueKeys(): List<List<Column<*>>> =
    listOfNotNull(primaryKey?.columns?.asList()) + indices.filter { it.unique && it.functions.isNullOrEmpty() && it.filterCondition == null }.map { it.columns }

/** The rows, each with the next value of the sequence that makes the table's ids; Exposed gives it to the last row of a VALUES list only. */
private fun List<List<Pair<Column<*>, Any?>>>.withNextIds(table: Table): List<List<Pair<Column<*>, Any?>>> {
    val id = table.autoIncColumn ?: return this
    val next = id.autoIncColumnType?.nextValExpression ?: return this
    return if (isEmpty() || first().any { it.first == id }) this else map { row -> row + (id to next) }
}

private fun valuesOf(rows: List<List<Pair<Column<*>, Any?>>>): String = QueryBuilder(true).apply {
    rows.appendTo(prefix = "VALUES ") { row -> row.appendTo(prefix = "(", postfix = ")") { (column, value) -> registerArgument(column, value) } }
}.toString()
