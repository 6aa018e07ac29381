package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.internal.RowView
import dev.kormorant.internal.checked
import dev.kormorant.internal.prepare
import dev.kormorant.internal.under
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import org.jetbrains.exposed.v1.core.ExplainResultRow
import org.jetbrains.exposed.v1.core.statements.Statement
import org.jetbrains.exposed.v1.core.statements.StatementBuilder
import org.jetbrains.exposed.v1.core.statements.buildStatement

/**
 * How the database would run a statement: `explain { Users.selectAll() }`, `explain { Users.update({ … }) { … } }`. A cold flow of the
 * rows of its plan, in the database's own form.
 *
 * @param analyze runs the statement too, a change of data included.
 * @param options what the database takes in addition, as `FORMAT JSON`.
 * @param body makes the statement, with [StatementBuilder] as the receiver; called for each collection.
 * @throws UnsupportedByDialectException when collected, before anything is sent, if the database has no such option.
 */
public fun explain(analyze: Boolean = false, options: String? = null, body: StatementBuilder.() -> Statement<*>): Flow<ExplainResultRow> = flow {
    val database = Database.current()
    val bridge = database.openBridge()
    val statement = bridge.render { buildStatement(body) }
    val explained = if (statement is RowQuery<*>) statement.statement(bridge) else bridge.prepare(statement)
    val sql = bridge.render { bridge.checked(it.db.dialect.functionProvider.explain(analyze, options, explained.sql, it)) }
    val access = if (statement is RowQuery<*>) statement.access else Access.WRITE
    val plan = database.run(explained.under(sql), access)
    val positions = plan.columns.withIndex().associate { (position, column) -> column.name to position }
    val view = RowView()
    for (row in plan.rows) {
        view.values = row
        emit(ExplainResultRow.create(view, positions))
    }
}
