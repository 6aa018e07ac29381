package dev.kormorant.internal

import dev.kormorant.UnsupportedByDialectException
import org.jetbrains.exposed.v1.core.ComplexExpression
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Function
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import org.jetbrains.exposed.v1.core.vendors.MysqlDialect
import org.jetbrains.exposed.v1.core.vendors.currentDialect

/** A part of the SQL of an expression. */
internal fun interface SqlPart {
    fun appendTo(builder: QueryBuilder)
}

/** An expression whose SQL depends on the dialect. */
internal class DialectExpression<T>(columnType: IColumnType<T & Any>, private val sql: QueryBuilder.(DatabaseDialect) -> Unit) :
    Function<T>(columnType) {
    override fun toQueryBuilder(queryBuilder: QueryBuilder): Unit = queryBuilder.sql(currentDialect)
}

/** A condition whose SQL depends on the dialect. */
internal class DialectOp(private val sql: QueryBuilder.(DatabaseDialect) -> Unit) : Op<Boolean>(), ComplexExpression {
    override fun toQueryBuilder(queryBuilder: QueryBuilder): Unit = queryBuilder.sql(currentDialect)
}

/** Appends text, expressions and other parts, one after another. */
internal fun QueryBuilder.add(vararg parts: Any) {
    for (part in parts) {
        when (part) {
            is SqlPart -> part.appendTo(this)
            is Expression<*> -> part.toQueryBuilder(this)
            else -> append(part.toString())
        }
    }
}

/** Text as a literal of the present dialect. */
internal fun literal(text: String): String {
    val quoted = text.replace("'", "''")
    return "'" + (if (currentDialect is MysqlDialect) quoted.replace("\\", "\\\\") else quoted) + "'"
}

internal fun noSuch(what: String): Nothing = throw UnsupportedByDialectException("${currentDialect.name} has no $what.")
