package dev.kormorant

import dev.kormorant.driver.DmlKind
import dev.kormorant.internal.CheckedInsert
import dev.kormorant.internal.CheckedUpdate
import dev.kormorant.internal.RowReader
import dev.kormorant.internal.prepare
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.statements.DeleteStatement
import org.jetbrains.exposed.v1.core.statements.InsertStatement
import org.jetbrains.exposed.v1.core.statements.ReturningStatement
import org.jetbrains.exposed.v1.core.statements.Statement
import org.jetbrains.exposed.v1.core.statements.UpdateStatement
import org.jetbrains.exposed.v1.core.statements.UpsertBuilder
import org.jetbrains.exposed.v1.core.statements.UpsertStatement

// Data changes that answer with the rows they have changed. Each is a cold flow: nothing happens until it is collected, and each
// collection runs the statement once, on the database of the collecting coroutine, whole before the first row is emitted, so that
// breaking off early undoes nothing. Lambdas are called once per collection, while the SQL is made. A dialect without such a
// statement throws UnsupportedByDialectException when the flow is collected, and nothing is sent: MySQL has none, MariaDB none for UPDATE.

/**
 * Inserts one row when collected.
 *
 * @param returning what is wanted of the row.
 * @param ignoreErrors inserts nothing, and emits nothing, if the row violates a unique constraint.
 */
public fun <T : Table> T.insertReturning(
    returning: List<Expression<*>> = columns,
    ignoreErrors: Boolean = false,
    body: T.(InsertStatement<Number>) -> Unit,
): Flow<ResultRow> = returning(DmlKind.INSERT, returning) { CheckedInsert<Number>(this, ignoreErrors).also { body(it) } }

/** Changes the rows that match [where] when collected, and emits [returning] of each as it is then. */
public fun <T : Table> T.updateReturning(
    returning: List<Expression<*>> = columns,
    where: () -> Op<Boolean>,
    body: T.(UpdateStatement) -> Unit,
): Flow<ResultRow> = returning(DmlKind.UPDATE, returning) { CheckedUpdate(this, null, where()).also { body(it) } }

/** Changes all rows when collected, and emits [returning] of each as it is then. */
public fun <T : Table> T.updateReturning(returning: List<Expression<*>> = columns, body: T.(UpdateStatement) -> Unit): Flow<ResultRow> =
    returning(DmlKind.UPDATE, returning) { CheckedUpdate(this, null, null).also { body(it) } }

/** Deletes the rows that match [where] when collected, and emits [returning] of each. */
public fun <T : Table> T.deleteReturning(returning: List<Expression<*>> = columns, where: () -> Op<Boolean>): Flow<ResultRow> =
    returning(DmlKind.DELETE, returning) { DeleteStatement(this, where()) }

/** Deletes all rows when collected, and emits [returning] of each. */
public fun <T : Table> T.deleteReturning(returning: List<Expression<*>> = columns): Flow<ResultRow> =
    returning(DmlKind.DELETE, returning) { DeleteStatement(this) }

/** [upsert] when collected; emits [returning] of the row as it is then, or nothing if [where] holds an existing row back. */
public fun <T : Table> T.upsertReturning(
    vararg keys: Column<*>,
    returning: List<Expression<*>> = columns,
    onUpdate: (UpsertBuilder.(UpdateStatement) -> Unit)? = null,
    onUpdateExclude: List<Column<*>>? = null,
    where: (() -> Op<Boolean>)? = null,
    body: T.(UpsertStatement<Long>) -> Unit,
): Flow<ResultRow> = returning(DmlKind.INSERT, returning) { upsertStatement(keys, onUpdate, onUpdateExclude, where, body) }

private fun Table.returning(kind: DmlKind, fields: List<Expression<*>>, build: () -> Statement<*>): Flow<ResultRow> = flow {
    val database = Database.current()
    val bridge = database.openBridge()
    if (kind !in bridge.dialect.returning) {
        throw UnsupportedByDialectException("${bridge.dialect.name} has no $kind … RETURNING.", "Use the function without Returning, and read the rows by a query.")
    }
    val statement = bridge.render { bridge.prepare(ReturningStatement(this@returning, fields, build())) }
    for (row in RowReader(fields, bridge).read(database.run(statement))) emit(row)
}
