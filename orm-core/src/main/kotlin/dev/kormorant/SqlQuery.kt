@file:JvmName("SqlQueries")

package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.SqlStatement
import dev.kormorant.internal.Binder
import dev.kormorant.internal.NamedSql
import dev.kormorant.internal.RawMapping
import dev.kormorant.internal.refuseImplicitCommit
import dev.kormorant.internal.statementsOf
import kotlinx.coroutines.flow.FlowCollector
import kotlin.reflect.KClass

/**
 * A statement given as SQL, with its values: what [Database.sql] makes. It is cold: [execute], collecting it and every other function
 * that returns rows run it anew, on the database it is of, inside its transaction if the caller is in one.
 *
 * Rows are read whole before the first is emitted, unless [fetchSize] asks for a stream. `first` and `single` read all rows: write a
 * LIMIT.
 */
public class SqlQuery<out T> internal constructor(
    private val database: Database,
    private val sql: String,
    private val values: Values,
    private val fetchSize: Int?,
    private val read: (List<RawColumn>) -> (Array<Any?>) -> T,
) : Rows<T> {
    /** Values by position or by name. */
    internal class Values(val positional: List<Any?>?, val named: Map<String, Any?>?)

    /** The same statement, whose rows come from the server in portions of about [rows] when it is collected; see [Query.collect]. */
    public fun fetchSize(rows: Int): SqlQuery<T> {
        require(rows > 0) { "fetchSize must be more than zero, not $rows." }
        return SqlQuery(database, sql, values, rows, read)
    }

    /**
     * An object of [R] for each row: `db.sql("SELECT id, name FROM users").mapTo<UserRow>()`. See the `mapTo` of a query; since no column
     * describes the values, each is converted to the class of its parameter as long as nothing is lost.
     *
     * @throws MappingException when it runs, if the class does not fit the columns.
     */
    public inline fun <reified R : Any> mapTo(): SqlQuery<R> = mapTo(R::class)

    /** An object of [type] for each row; see the other `mapTo`. */
    public fun <R : Any> mapTo(type: KClass<R>): SqlQuery<R> =
        SqlQuery(database, sql, values, fetchSize) { columns -> RawMapping(type, SqlHeader(columns))::create }

    /** [mapTo] as Java calls it: `db.list(db.sql("…").as(UserRow.class))`. */
    public fun <R : Any> `as`(type: Class<R>): SqlQuery<R> = mapTo(type.kotlin)

    /** Runs it, of whatever kind it is: rows, the number of rows affected, and the last id, as far as it has them. */
    public suspend fun execute(): SqlResult = SqlResult(database.run(statement()))

    override suspend fun collect(collector: FlowCollector<T>) {
        if (fetchSize == null) {
            for (row in toList()) collector.emit(row)
            return
        }
        var create: ((Array<Any?>) -> T)? = null
        database.stream(statement(), Access.WRITE, fetchSize, { create = read(it) }) { rows -> for (row in rows) collector.emit(create!!(row)) }
    }

    override suspend fun toList(): List<T> = database.run(statement()).let { result -> result.rows.map(read(result.columns)) }

    override suspend fun first(): T = toList().ifEmpty { throw notFound() }[0]

    override suspend fun firstOrNull(): T? = toList().firstOrNull()

    override suspend fun single(): T = atMostOne().ifEmpty { throw notFound() }[0]

    override suspend fun singleOrNull(): T? = atMostOne().firstOrNull()

    private suspend fun atMostOne(): List<T> = toList().also { if (it.size > 1) throw TooManyRowsException("The statement returned more than one row.", sql) }

    private fun notFound() = RecordNotFoundException("The statement returned no row.", sql)

    private suspend fun statement(): SqlStatement {
        val bridge = database.openBridge()
        database.refuseImplicitCommit(bridge, sql)
        val named = values.named ?: return Binder.ofValues(sql, values.positional.orEmpty())
        val parsed = NamedSql.parse(sql, bridge.dialect.syntax)
        val unused = named.keys - parsed.names.toSet()
        require(unused.isEmpty()) { "The statement has no parameter called ${unused.joinToString()}." }
        return Binder.ofValues(parsed.text, parsed.names.map { name -> named.getValue(name, parsed) })
    }

    private fun Map<String, Any?>.getValue(name: String, parsed: NamedSql): Any? {
        require(name in this) { "There is no value for the parameter :$name; the statement has ${parsed.names.distinct().joinToString { ":$it" }}." }
        return this[name]
    }

    override fun toString(): String = sql
}

/**
 * A statement of any kind with a `?` for each of [arguments], to be run by what is called on it: `db.sql("SELECT … WHERE id > ?", 5)`.
 *
 * The arguments travel as parameters with the type of their class, never as part of the text. A `?` in a literal, a quoted name or a
 * comment is text, and `??` is the operator `?`.
 */
public fun Database.sql(sql: String, vararg arguments: Any?): SqlQuery<SqlRow> = sql(sql, SqlQuery.Values(arguments.asList(), null))

/**
 * A statement of any kind with parameters `:name`, each as often as wanted: `db.sql("… WHERE id = :id", mapOf("id" to 5))`. It has no `?`
 * but as the operator `??`; see the other `sql`.
 *
 * What runs it throws [IllegalArgumentException], before anything is sent, if a parameter has no value or a value no parameter.
 */
public fun Database.sql(sql: String, arguments: Map<String, Any?>): SqlQuery<SqlRow> = sql(sql, SqlQuery.Values(null, arguments.toMap()))

private fun Database.sql(sql: String, values: SqlQuery.Values): SqlQuery<SqlRow> =
    SqlQuery(this, sql, values, null) { columns -> SqlHeader(columns).let { header -> { row -> SqlRow(header, row) } } }

/**
 * Runs the statements of [script], separated by semicolons, one after another, and returns their results in order. All of them run on
 * one connection: that of the caller's transaction, else in autocommit, where BEGIN and COMMIT may be among them.
 *
 * A semicolon inside of a literal, a quoted name, a comment, a dollar quote, or between BEGIN and END of a trigger or routine separates
 * nothing. There are no parameters: a `?` is an operator. The first statement that fails ends the script with its error.
 */
public suspend fun Database.script(script: String): List<SqlResult> {
    val bridge = openBridge()
    val statements = statementsOf(script, bridge.dialect.syntax)
    return connection {
        statements.map { statement ->
            refuseImplicitCommit(bridge, statement)
            SqlResult(run(Binder.ofValues(statement, emptyList(), reusable = false)))
        }
    }
}
