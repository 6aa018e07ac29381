package dev.kormorant

import dev.kormorant.internal.CheckedBatchInsert
import dev.kormorant.internal.CheckedInsert
import dev.kormorant.internal.CheckedUpdate
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.insert
import dev.kormorant.internal.insertAll
import dev.kormorant.internal.prepare
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import org.jetbrains.exposed.v1.core.statements.BatchInsertStatement
import org.jetbrains.exposed.v1.core.statements.DeleteStatement
import org.jetbrains.exposed.v1.core.statements.InsertStatement
import org.jetbrains.exposed.v1.core.statements.Statement
import org.jetbrains.exposed.v1.core.statements.UpdateBuilder
import org.jetbrains.exposed.v1.core.statements.UpdateStatement

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
 * Inserts a row per element of [data], in statements of many rows each, as many as the dialect's parameter limit allows; several
 * statements run in one transaction. No element, no statement.
 *
 * @param ignore leaves out rows that violate a unique constraint.
 * @param shouldReturnGeneratedValues whether ids and database defaults are wanted in the result.
 * @return the inserted rows in the order of [data].
 */
public suspend fun <T : Table, E> T.batchInsert(
    data: Iterable<E>,
    ignore: Boolean = false,
    shouldReturnGeneratedValues: Boolean = true,
    body: BatchInsertStatement.(E) -> Unit,
): List<ResultRow> {
    val elements = data as? List<E> ?: data.toList()
    if (elements.isEmpty()) return emptyList()
    val database = Database.current()
    val bridge = database.openBridge()
    val parts = bridge.render {
        elements.chunked((bridge.dialect.maxParameters / columns.size).coerceAtLeast(1)).map { part ->
            CheckedBatchInsert(this, ignore, shouldReturnGeneratedValues).also { statement ->
                for (element in part) {
                    statement.addBatch()
                    statement.body(element)
                }
            }
        }
    }
    database.insertAll(bridge, parts)
    return parts.flatMap { it.resultedValues.orEmpty() }
}

/**
 * Changes the rows that match [where].
 *
 * @return how many rows matched, whether or not their values changed.
 * @throws UnsupportedByDialectException if the dialect has no LIMIT for UPDATE and [limit] is given; nothing is sent.
 */
public suspend fun <T : Table> T.update(where: () -> Op<Boolean>, limit: Int? = null, body: T.(UpdateStatement) -> Unit): Int =
    runCounted { CheckedUpdate(this, limit, where()).also { body(it) } }

/** Changes all rows of the table, or [limit] of them; returns how many. */
public suspend fun <T : Table> T.update(limit: Int? = null, body: T.(UpdateStatement) -> Unit): Int =
    runCounted { CheckedUpdate(this, limit, null).also { body(it) } }

/**
 * Deletes the rows that match [op].
 *
 * @return how many rows were deleted.
 * @throws UnsupportedByDialectException if the dialect has no LIMIT for DELETE and [limit] is given; nothing is sent.
 */
public suspend fun <T : Table> T.deleteWhere(limit: Int? = null, op: T.() -> Op<Boolean>): Int =
    runCounted { DeleteStatement(this, op(), isIgnore = false, limit) }

/** Deletes all rows of the table; returns how many. */
public suspend fun Table.deleteAll(): Int = runCounted { DeleteStatement(this) }

private suspend fun <S : InsertStatement<*>> runInsert(build: () -> S): S {
    val database = Database.current()
    val bridge = database.openBridge()
    return bridge.render { build() }.also { database.insert(bridge, it) }
}

private suspend fun runCounted(build: () -> Statement<Int>): Int {
    val database = Database.current()
    return database.runCounted(database.openBridge(), build)
}

internal suspend fun Database.runCounted(bridge: ExposedBridge, build: () -> Statement<Int>): Int =
    run(bridge.render { bridge.prepare(build()) }).affected.toInt()
