package dev.kormorant

import dev.kormorant.internal.CheckedBatchInsert
import dev.kormorant.internal.CheckedInsert
import dev.kormorant.internal.CheckedUpdate
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.batchesOf
import dev.kormorant.internal.insert
import dev.kormorant.internal.insertAll
import dev.kormorant.internal.prepare
import org.jetbrains.exposed.v1.core.AbstractQuery
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Join
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import org.jetbrains.exposed.v1.core.statements.BatchInsertStatement
import org.jetbrains.exposed.v1.core.statements.DeleteStatement
import org.jetbrains.exposed.v1.core.statements.InsertStatement
import org.jetbrains.exposed.v1.core.statements.Statement
import org.jetbrains.exposed.v1.core.statements.UpdateBuilder
import org.jetbrains.exposed.v1.core.statements.UpdateStatement
import org.jetbrains.exposed.v1.core.statements.buildStatement

// Data changes on tables. Each runs at once on the database of the calling coroutine, in its transaction if it is in one, and throws
// what the database makes of it as a DatabaseException. Lambdas are called once, synchronously, while the SQL is made; a value longer
// than its column is a DataException there, before anything is sent.

/**
 * Inserts one row.
 *
 * @return the statement, which has the row as the database stored it: `result[Users.id]`, `resultedValues`, `insertedCount`.
 */
public suspend fun <T : Table> T.insert(body: T.(InsertStatement<Number>) -> Unit): InsertStatement<Number> =
    runInsert { CheckedInsert<Number>(this).also { body(it) } }

/** Inserts one row and returns its id. */
public suspend fun <Key : Any, T : IdTable<Key>> T.insertAndGetId(body: T.(InsertStatement<EntityID<Key>>) -> Unit): EntityID<Key> =
    runInsert { CheckedInsert<EntityID<Key>>(this).also { body(it) } }[id]

/** Inserts one row unless it violates a unique constraint; `insertedCount` of the result is 0 then. */
public suspend fun <T : Table> T.insertIgnore(body: T.(UpdateBuilder<*>) -> Unit): InsertStatement<Long> =
    runInsert { CheckedInsert<Long>(this, ignore = true).also { body(it) } }

/** Inserts one row and returns its id, or `null` if it violates a unique constraint. */
public suspend fun <Key : Any, T : IdTable<Key>> T.insertIgnoreAndGetId(body: T.(UpdateBuilder<*>) -> Unit): EntityID<Key>? {
    val statement = runInsert { CheckedInsert<EntityID<Key>>(this, ignore = true).also { body(it) } }
    return if (statement.insertedCount == 0) null else statement.getOrNull(id)
}

/**
 * Inserts the rows of [selectQuery].
 *
 * @param columns what its fields are stored in, in their order; `null` is all columns but an id that the database makes.
 * @return how many rows were inserted.
 */
public suspend fun <T : Table> T.insert(selectQuery: AbstractQuery<*>, columns: List<Column<*>>? = null): Int =
    runCounted { buildStatement { insert(selectQuery, columns) } }

/** Inserts those rows of [selectQuery] that violate no unique constraint; returns how many. See the `insert` of a query. */
public suspend fun <T : Table> T.insertIgnore(selectQuery: AbstractQuery<*>, columns: List<Column<*>>? = null): Int =
    runCounted { buildStatement { insertIgnore(selectQuery, columns) } }

/**
 * Inserts a row per element of [data], in statements of many rows each, as many as the dialect's parameter limit allows; several
 * statements run in one transaction. No element, no statement.
 *
 * Rows may set different columns as long as each of them is set or has a default in every row; else a new statement begins, and [body]
 * is called for that element once more.
 *
 * @param ignore leaves out rows that violate a unique constraint. On MySQL the result can only tell them apart by ids the database makes.
 * @param shouldReturnGeneratedValues whether ids and database defaults are wanted in the result.
 * @return the inserted rows in the order of [data].
 */
public suspend fun <T : Table, E> T.batchInsert(
    data: Iterable<E>,
    ignore: Boolean = false,
    shouldReturnGeneratedValues: Boolean = true,
    body: BatchInsertStatement.(E) -> Unit,
): List<ResultRow> = runBatch(data.iterator(), { CheckedBatchInsert(this, ignore, shouldReturnGeneratedValues) }, body)

/** Inserts a row per element of [data], which is read before the first is sent; see the other `batchInsert`. */
public suspend fun <T : Table, E> T.batchInsert(
    data: Sequence<E>,
    ignore: Boolean = false,
    shouldReturnGeneratedValues: Boolean = true,
    body: BatchInsertStatement.(E) -> Unit,
): List<ResultRow> = batchInsert(data.asIterable(), ignore, shouldReturnGeneratedValues, body)

/**
 * Changes the rows that match [where].
 *
 * @return how many rows matched, whether or not their values changed.
 * @throws UnsupportedByDialectException if the dialect has no LIMIT for UPDATE and [limit] is given; nothing is sent.
 */
public suspend fun <T : Table> T.update(where: () -> Op<Boolean>, limit: Int? = null, body: T.(UpdateStatement) -> Unit): Int =
    runCounted(limit) { CheckedUpdate(this, limit, where()).also { body(it) } }

/** Changes all rows of the table, or [limit] of them; returns how many. */
public suspend fun <T : Table> T.update(limit: Int? = null, body: T.(UpdateStatement) -> Unit): Int =
    runCounted(limit) { CheckedUpdate(this, limit, null).also { body(it) } }

/**
 * Changes the rows of one table of a join that match [where]; MySQL and MariaDB can change several tables.
 *
 * @return how many rows matched, whether or not their values changed.
 * @throws UnsupportedByDialectException if the dialect cannot do it: SQLite has no UPDATE of a join, and only MariaDB a [limit]. Nothing is sent.
 */
public suspend fun Join.update(where: () -> Op<Boolean>, limit: Int? = null, body: (UpdateStatement) -> Unit): Int =
    runCounted { CheckedUpdate(this, limit, where()).also(body) }

/** Changes all rows of a join; see the other `update`. */
public suspend fun Join.update(limit: Int? = null, body: (UpdateStatement) -> Unit): Int =
    runCounted { CheckedUpdate(this, limit, null).also(body) }

/**
 * Deletes the rows that match [op].
 *
 * @return how many rows were deleted.
 * @throws UnsupportedByDialectException if the dialect has no LIMIT for DELETE and [limit] is given; nothing is sent.
 */
public suspend fun <T : Table> T.deleteWhere(limit: Int? = null, op: T.() -> Op<Boolean>): Int =
    runCounted(limit) { DeleteStatement(this, op(), isIgnore = false, limit) }

/**
 * Deletes the rows that match [op] as far as no constraint forbids it.
 *
 * @return how many rows were deleted; MySQL 8.0 counts those as well that a constraint has kept.
 * @throws UnsupportedByDialectException on all but MySQL and MariaDB; nothing is sent.
 */
public suspend fun <T : Table> T.deleteIgnoreWhere(limit: Int? = null, op: T.() -> Op<Boolean>): Int =
    runCounted(limit) { DeleteStatement(this, op(), isIgnore = true, limit) }

/** Deletes all rows of the table; returns how many. */
public suspend fun Table.deleteAll(): Int = runCounted { DeleteStatement(this) }

/**
 * Deletes the rows of [targetTable], and of [targetTables] on MySQL and MariaDB, that the join finds for [where].
 *
 * @param ignore leaves rows that a constraint protects; MySQL and MariaDB only.
 * @return how many rows were deleted, of all tables together.
 * @throws UnsupportedByDialectException if the dialect cannot do it: SQLite has no DELETE from a join, and none has a [limit]. Nothing is sent.
 */
public suspend fun Join.delete(
    targetTable: Table,
    vararg targetTables: Table,
    ignore: Boolean = false,
    limit: Int? = null,
    where: () -> Op<Boolean>,
): Int = runCounted { DeleteStatement(this, where(), ignore, limit, listOf(targetTable) + targetTables) }

/** Deletes all rows of [targetTable] that the join finds; see the other `delete`. */
public suspend fun Join.delete(targetTable: Table, vararg targetTables: Table, ignore: Boolean = false, limit: Int? = null): Int =
    runCounted { DeleteStatement(this, null, ignore, limit, listOf(targetTable) + targetTables) }

internal suspend fun <S : InsertStatement<*>> runInsert(build: () -> S): S {
    val database = Database.current()
    val bridge = database.openBridge()
    return bridge.render { build() }.also { database.insert(bridge, it) }
}

/** Runs a batch of [elements] with the rows of each statement put into it by [body]. */
internal suspend fun <E, S : BatchInsertStatement> runBatch(
    elements: Iterator<E>,
    create: () -> S,
    body: S.(E) -> Unit,
    conflict: S.() -> List<Column<*>> = { emptyList() },
    furtherParameters: S.() -> Int = { 0 },
): List<ResultRow> {
    if (!elements.hasNext()) return emptyList()
    val database = Database.current()
    val bridge = database.openBridge()
    val maxRows: S.() -> Int = { ((bridge.dialect.maxParameters - furtherParameters()) / table.columns.size).coerceAtLeast(1) }
    val parts = bridge.render { batchesOf(elements, maxRows, conflict, create, body) }
    database.insertAll(bridge, parts)
    return parts.flatMap { it.resultedValues.orEmpty() }
}

internal suspend fun runCounted(build: () -> Statement<Int>): Int {
    val database = Database.current()
    return database.runCounted(database.openBridge(), build)
}

/** [runCounted] for a change of one table. */
private suspend fun runCounted(limit: Int?, build: () -> Statement<Int>): Int {
    val database = Database.current()
    val bridge = database.openBridge()
    if (limit != null && !bridge.dialect.supportsUpdateLimit) {
        throw UnsupportedByDialectException("${bridge.dialect.name} has no LIMIT in UPDATE and DELETE.", "Select the ids with a limit first.")
    }
    return database.runCounted(bridge, build)
}

internal suspend fun Database.runCounted(bridge: ExposedBridge, build: () -> Statement<Int>): Int =
    run(bridge.render { bridge.prepare(build()) }).affected.toInt()
