package dev.kormorant.internal

import dev.kormorant.RowsReader
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import org.jetbrains.exposed.v1.core.AbstractQuery
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.statements.Statement

/** Renders [statement] once: its text, and its arguments in the order of the `?` in it. */
internal fun ExposedBridge.prepare(statement: Statement<*>, reusable: Boolean = true): SqlStatement = render { transaction ->
    val sql = statement.prepareSQL(transaction)
    bind(sql, statement.arguments().flatten(), reusable, statement)
}

/** Renders [query] by one builder, which takes in the arguments on the way. */
internal fun ExposedBridge.prepare(query: AbstractQuery<*>, reusable: Boolean = true): SqlStatement = render {
    val builder = QueryBuilder(true)
    query.prepareSQL(builder)
    bind(builder.toString(), builder.args, reusable, query)
}

internal fun bind(sql: String, arguments: List<Pair<IColumnType<*>, Any?>>, reusable: Boolean, source: Statement<*>): SqlStatement {
    val binder = Binder(arguments.size)
    for ((type, value) in arguments) binder.add(type, value)
    return binder.rendered(sql, reusable, source, arguments)
}

/** A statement that Exposed has rendered, as its interceptors and loggers want to see it. */
internal class RenderedStatement(
    sql: String,
    types: List<SqlType>,
    values: List<Any?>,
    reusable: Boolean,
    val source: Statement<*>,
    val arguments: List<Pair<IColumnType<*>, Any?>>,
) : SqlStatement(sql, types, values, reusable)

/** Reads rows whose positions are [fields]; what each field needs is found once, not per row. */
internal class RowReader(private val fields: List<Expression<*>>, private val bridge: ExposedBridge) : RowsReader<ResultRow> {
    private val index = FieldIndex(fields, bridge)
    private val readers: Array<IColumnType<*>?> = Array(fields.size) { position -> typeOf(fields[position])?.takeUnless { it.readsPlainly() } }
    private val readsPlainly = readers.all { it == null }

    fun read(result: RawResult): List<ResultRow> = read(result.rows)

    override fun read(rows: List<Array<Any?>>): List<ResultRow> {
        if (rows.isEmpty()) return emptyList()
        return bridge.render {
            val view = RowView()
            rows.map { values ->
                if (!readsPlainly) {
                    view.values = values
                    for (position in fields.indices) readers[position]?.let { values[position] = it.readObject(view, position + 1) }
                }
                ResultRow(index, values)
            }
        }
    }
}
