package dev.kormorant

import dev.kormorant.internal.CheckedBatchReplace
import dev.kormorant.internal.CheckedBatchUpsert
import dev.kormorant.internal.CheckedReplace
import dev.kormorant.internal.CheckedUpsert
import org.jetbrains.exposed.v1.core.AbstractQuery
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryAlias
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.statements.BatchReplaceStatement
import org.jetbrains.exposed.v1.core.statements.BatchUpsertStatement
import org.jetbrains.exposed.v1.core.statements.MergeSelectStatement
import org.jetbrains.exposed.v1.core.statements.MergeStatement
import org.jetbrains.exposed.v1.core.statements.MergeTableStatement
import org.jetbrains.exposed.v1.core.statements.ReplaceStatement
import org.jetbrains.exposed.v1.core.statements.UpdateBuilder
import org.jetbrains.exposed.v1.core.statements.UpdateStatement
import org.jetbrains.exposed.v1.core.statements.UpsertBuilder
import org.jetbrains.exposed.v1.core.statements.UpsertStatement
import org.jetbrains.exposed.v1.core.statements.buildStatement

// Rows that are inserted or, if they are there, changed, replaced or merged. As for the other data changes, each runs at once on the
// database of the calling coroutine.

/**
 * Inserts a row, or changes the one that is there with the same values in [keys].
 *
 * MySQL and MariaDB look at every unique key of the table and take neither [keys] nor [where].
 *
 * @param keys columns with a unique constraint; none is the primary key, or else the first unique index.
 * @param onUpdate what an existing row is changed to, from its own columns and, by `insertValue(column)`, from the values of the insert;
 *   `null` is all values of the insert.
 * @param onUpdateExclude columns of an existing row that are left as they are, without [onUpdate].
 * @param where which existing rows may be changed; `insertedCount` of the result is 0 when it holds an existing row back.
 * @return the statement, which has the row as it is stored now: `result[Words.count]`. Where the database returns no rows, it is read
 *   back by the unique keys that were given. `insertedCount` is 1 for an insert and for a change.
 * @throws UnsupportedByDialectException if the dialect cannot do it; nothing is sent.
 */
public suspend fun <T : Table> T.upsert(
    vararg keys: Column<*>,
    onUpdate: (UpsertBuilder.(UpdateStatement) -> Unit)? = null,
    onUpdateExclude: List<Column<*>>? = null,
    where: (() -> Op<Boolean>)? = null,
    body: T.(UpsertStatement<Long>) -> Unit,
): UpsertStatement<Long> = runInsert { upsertStatement(keys, onUpdate, onUpdateExclude, where, body) }

/**
 * [upsert] of a row per element of [data], in statements of many rows each; several statements run in one transaction. An element with
 * the key of an earlier one changes its row again.
 *
 * @param shouldReturnGeneratedValues whether the rows are wanted as they are stored; else the result has the values given.
 * @return the rows in the order of [data], without those that [where] has held back.
 */
public suspend fun <T : Table, E : Any> T.batchUpsert(
    data: Iterable<E>,
    vararg keys: Column<*>,
    onUpdate: (UpsertBuilder.(UpdateStatement) -> Unit)? = null,
    onUpdateExclude: List<Column<*>>? = null,
    where: (() -> Op<Boolean>)? = null,
    shouldReturnGeneratedValues: Boolean = true,
    body: BatchUpsertStatement.(E) -> Unit,
): List<ResultRow> = runBatch(
    data.iterator(),
    { CheckedBatchUpsert(this, keys, onUpdate, onUpdateExclude, where?.invoke(), shouldReturnGeneratedValues) },
    body,
    { conflictColumns },
    { changeArguments.size },
)

/** [upsert] of a row per element of [data], which is read before the first is sent; see the other `batchUpsert`. */
public suspend fun <T : Table, E : Any> T.batchUpsert(
    data: Sequence<E>,
    vararg keys: Column<*>,
    onUpdate: (UpsertBuilder.(UpdateStatement) -> Unit)? = null,
    onUpdateExclude: List<Column<*>>? = null,
    where: (() -> Op<Boolean>)? = null,
    shouldReturnGeneratedValues: Boolean = true,
    body: BatchUpsertStatement.(E) -> Unit,
): List<ResultRow> = batchUpsert(
    data.asIterable(),
    keys = keys,
    onUpdate = onUpdate,
    onUpdateExclude = onUpdateExclude,
    where = where,
    shouldReturnGeneratedValues = shouldReturnGeneratedValues,
    body = body,
)

/**
 * Inserts a row, after deleting those with the same values in a unique key: columns that are not given get their defaults.
 *
 * @return the statement, which has the row as it is stored now.
 * @throws UnsupportedByDialectException on PostgreSQL; nothing is sent.
 */
public suspend fun <T : Table> T.replace(body: T.(UpdateBuilder<*>) -> Unit): ReplaceStatement<Long> =
    runInsert { CheckedReplace(this).also { body(it) } }

/** [replace] with the rows of [selectQuery]; returns how many there were. [columns] as for the `insert` of a query. */
public suspend fun <T : Table> T.replace(selectQuery: AbstractQuery<*>, columns: List<Column<*>>? = null): Int =
    runCounted { buildStatement { replace(selectQuery, columns) } }

/** [replace] of a row per element of [data], in statements of many rows each; returns the rows in order. See [batchInsert]. */
public suspend fun <T : Table, E : Any> T.batchReplace(
    data: Iterable<E>,
    shouldReturnGeneratedValues: Boolean = true,
    body: BatchReplaceStatement.(E) -> Unit,
): List<ResultRow> = runBatch(data.iterator(), { CheckedBatchReplace(this, shouldReturnGeneratedValues) }, body)

/** [replace] of a row per element of [data]; see the other `batchReplace`. */
public suspend fun <T : Table, E : Any> T.batchReplace(
    data: Sequence<E>,
    shouldReturnGeneratedValues: Boolean = true,
    body: BatchReplaceStatement.(E) -> Unit,
): List<ResultRow> = batchReplace(data.asIterable(), shouldReturnGeneratedValues, body)

/**
 * Compares this table with [source] and inserts, updates and deletes as [body] says.
 *
 * @param on which rows belong together.
 * @return how many rows were inserted, updated and deleted.
 * @throws UnsupportedByDialectException on all but PostgreSQL from 15 on; nothing is sent.
 */
public suspend fun <D : Table, S : Table> D.mergeFrom(source: S, on: () -> Op<Boolean>, body: MergeTableStatement.() -> Unit): Int =
    runMerge { buildStatement { mergeFrom(source, on, body) } }

/** Compares this table with [source] by their primary keys; see the other `mergeFrom`. */
public suspend fun <D : Table, S : Table> D.mergeFrom(source: S, body: MergeTableStatement.() -> Unit): Int =
    runMerge { buildStatement { mergeFrom(source, null, body) } }

/** Compares this table with the rows of [selectQuery]; see the other `mergeFrom`. */
public suspend fun <T : Table> T.mergeFrom(selectQuery: QueryAlias, on: () -> Op<Boolean>, body: MergeSelectStatement.() -> Unit): Int =
    runMerge { buildStatement { mergeFrom(selectQuery, on, body) } }

internal fun <T : Table> T.upsertStatement(
    keys: Array<out Column<*>>,
    onUpdate: (UpsertBuilder.(UpdateStatement) -> Unit)?,
    onUpdateExclude: List<Column<*>>?,
    where: (() -> Op<Boolean>)?,
    body: T.(UpsertStatement<Long>) -> Unit,
): UpsertStatement<Long> {
    val statement = CheckedUpsert(this, keys, onUpdateExclude, where?.invoke())
    onUpdate?.let { statement.storeUpdateValues(it) }
    return statement.also { body(it) }
}

private suspend fun runMerge(build: () -> MergeStatement): Int {
    val database = Database.current()
    val dialect = database.openBridge().dialect
    if (!dialect.supportsMerge) {
        throw UnsupportedByDialectException("${dialect.name} ${dialect.version} has no MERGE.", "Use upsert or batchUpsert.")
    }
    return runCounted(build)
}
