@file:JvmName("TextTypes")

package dev.kormorant.postgresql

import dev.kormorant.internal.DialectExpression
import dev.kormorant.internal.DialectOp
import dev.kormorant.internal.noSuch
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ColumnType
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.StringColumnType
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.vendors.PostgreSQLDialect
import org.jetbrains.exposed.v1.core.vendors.currentDialect

/** A type of PostgreSQL whose values travel as text; using it with another database is an UnsupportedByDialectException. */
internal abstract class TextTypeBase<T : Any>(private val name: String) : ColumnType<T>() {
    abstract fun parse(text: String): T

    abstract fun format(value: T): String

    override fun sqlType(): String = name.also { requirePostgreSql(name) }

    override fun parameterMarker(value: T?): String = "?::$name".also { requirePostgreSql(name) }

    @Suppress("UNCHECKED_CAST")
    override fun valueFromDB(value: Any): T = if (value is String) parse(value) else value as T

    override fun notNullValueToDB(value: T): Any = format(value)

    override fun nonNullValueToString(value: T): String = "'${format(value).replace("'", "''")}'::$name"
}

internal fun <T> pgExpression(type: IColumnType<T & Any>, sql: QueryBuilder.() -> Unit): ExpressionWithColumnType<T> = DialectExpression(type) {
    requirePostgreSql()
    sql()
}

internal fun pgOp(sql: QueryBuilder.() -> Unit): Op<Boolean> = DialectOp {
    requirePostgreSql()
    sql()
}

private class CiTextColumnType : StringColumnType() {
    override fun sqlType(): String = "CITEXT".also { requirePostgreSql(it) }

    /** A parameter that is plain text would make the comparison one of plain text. */
    override fun parameterMarker(value: String?): String = "?::citext"
}

private class TsVectorColumnType : TextTypeBase<String>("tsvector") {
    override fun parse(text: String): String = text

    override fun format(value: String): String = value
}

private fun requirePostgreSql(type: String? = null) {
    if (currentDialect !is PostgreSQLDialect) noSuch(if (type == null) "such operator of PostgreSQL" else "type $type")
}

/** A column of text that is compared without regard to case, of PostgreSQL's extension `citext`. */
public fun Table.citext(name: String): Column<String> = registerColumn(name, CiTextColumnType())

/** A column of PostgreSQL's `tsvector`, in its own notation; see [toTsVector] and [matches]. */
public fun Table.tsVector(name: String): Column<String> = registerColumn(name, TsVectorColumnType())
