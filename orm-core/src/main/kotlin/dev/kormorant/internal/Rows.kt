package dev.kormorant.internal

import dev.kormorant.RowsReader
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.hidesValues
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.statements.Statement

/** The text of the statement [source], and its arguments in the order of the `?` in it. */
internal class RenderedSql(val source: Statement<*>, val sql: String, val arguments: List<Pair<IColumnType<*>, Any?>>)

/** Renders [statement] once. */
internal fun ExposedBridge.prepare(statement: Statement<*>, reusable: Boolean = true): SqlStatement = render { transaction ->
    val sql = checked(statement.prepareSQL(transaction))
    bind(RenderedSql(statement, sql, statement.arguments().flatten()), reusable)
}

/** Renders [source] as what [build] appends, with the arguments registered on the way. Use inside [ExposedBridge.render]. */
internal inline fun ExposedBridge.rendered(source: Statement<*>, build: QueryBuilder.() -> Unit): RenderedSql {
    val builder = QueryBuilder(true)
    builder.build()
    return RenderedSql(source, checked(builder.toString()), builder.args)
}

/** The text [sql], unless it has a clause that the database does not have: Exposed renders those as well. */
internal fun ExposedBridge.checked(sql: String): String {
    for (clause in dialect.missingClauses) {
        if (clause.texts.none { it in sql }) continue
        val bare = sql.replace(QUOTED, "")
        if (clause.texts.any { it in bare }) throw UnsupportedByDialectException("${dialect.name} ${dialect.version} has no ${clause.sql}.")
    }
    return sql
}

/** Literals, quoted names and comments. */
private val QUOTED = Regex("""(?s)'[^']*'|"[^"]*"|`[^`]*`|/\*.*?\*/""")

internal fun bind(rendered: RenderedSql, reusable: Boolean = true): SqlStatement {
    val binder = Binder(rendered.arguments.size)
    for ((type, value) in rendered.arguments) binder.add(type, value)
    return binder.rendered(rendered, reusable)
}

/** A statement that Exposed has rendered, as its interceptors and loggers want to see it. */
internal class RenderedStatement(val rendered: RenderedSql, types: List<SqlType>, values: List<Any?>, reusable: Boolean) :
    SqlStatement(rendered.sql, types, values, reusable)

/** A statement with values of sensitive columns, at the positions of [hidden]. */
internal class SecretiveStatement(sql: String, types: List<SqlType>, values: List<Any?>, reusable: Boolean, val hidden: Set<Int>) :
    SqlStatement(sql, types, values, reusable)

/** The values of this under another text, of which those of sensitive columns stay hidden. */
internal fun SqlStatement.under(sql: String): SqlStatement {
    val arguments = (this as? RenderedStatement)?.rendered?.arguments.orEmpty()
    return SecretiveStatement(sql, types, values, reusable = false, arguments.indices.filterTo(HashSet()) { arguments[it].first.hidesValues })
}

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
