package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.SqlStatement
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.RenderedSql
import dev.kormorant.internal.bind
import dev.kormorant.internal.rendered
import kotlinx.coroutines.flow.FlowCollector
import org.jetbrains.exposed.v1.core.AbstractQuery
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption

/**
 * A statement that returns rows: a [Query] or a [SetOperation]. It is one of Exposed's queries, so it can be an alias, a sub-query, or
 * a source of rows to insert.
 *
 * Building it does no I/O and holds no database: the same query may run on two databases of different kinds. Collecting it, or
 * calling one of the terminal functions, runs it once, in one round trip, on the database of the calling coroutine, inside its
 * transaction if it is in one. The rows are complete before the first is emitted, so a slow collector holds no connection, unless
 * [fetchSize] asks for a stream. A terminal function leaves the query as it was.
 *
 * Every function that runs it throws [UnsupportedByDialectException], before anything is sent, if the database has no such statement.
 */
public sealed class RowQuery<Q : RowQuery<Q>>(targets: List<Table>) : AbstractQuery<Q>(targets), SizedIterable<ResultRow> {
    private val rows = Selection(this, RESULT_ROWS)

    @Suppress("UNCHECKED_CAST")
    private val self: Q get() = this as Q

    // ---- Clauses

    /** Sorts by [column]; later calls add further keys. */
    public fun orderBy(column: Expression<*>, order: SortOrder = SortOrder.ASC): Q = orderBy(column to order)

    /** Sorts by [order], the first key first; later calls add further keys. */
    override fun orderBy(vararg order: Pair<Expression<*>, SortOrder>): Q {
        (orderByExpressions as MutableList).addAll(order)
        return self
    }

    /** Returns at most [count] rows. */
    override fun limit(count: Int): Q {
        require(count >= 0) { "A limit cannot be negative: $count." }
        limit = count
        return self
    }

    /** Leaves out the first [start] rows. */
    override fun offset(start: Long): Q {
        require(start >= 0) { "An offset cannot be negative: $start." }
        offset = start
        return self
    }

    /** Locks the rows until the end of the transaction; see [Query.forUpdate]. */
    abstract override fun forUpdate(option: ForUpdateOption): Q

    /** Locks no rows, whatever was said before. */
    abstract override fun notForUpdate(): Q

    /** A query of its own with the same clauses. */
    abstract override fun copy(): Q

    // ---- Terminals

    /**
     * Emits the rows. With [fetchSize] they come from the server in portions of about that many, of which a few are in memory at a
     * time, and a connection is held until the collection ends, by its end, a `take`, an error or cancellation; in a transaction no
     * other statement can run on it meanwhile ([ConnectionBusyException]). Without, all rows are read first and no connection is held.
     */
    override suspend fun collect(collector: FlowCollector<ResultRow>): Unit = rows.collect(collector)

    /** All rows. */
    override suspend fun toList(): List<ResultRow> = rows.toList()

    /**
     * The first row; asks for one only.
     *
     * @throws RecordNotFoundException if there is none.
     */
    override suspend fun first(): ResultRow = rows.first()

    /** The first row, or `null`; asks for one only. */
    override suspend fun firstOrNull(): ResultRow? = rows.firstOrNull()

    /**
     * The only row; asks for two at most.
     *
     * @throws RecordNotFoundException if there is none.
     * @throws TooManyRowsException if there are more.
     */
    override suspend fun single(): ResultRow = rows.single()

    /**
     * The only row, or `null` if there is none; asks for two at most.
     *
     * @throws TooManyRowsException if there are more.
     */
    override suspend fun singleOrNull(): ResultRow? = rows.singleOrNull()

    /** How many rows the query returns, LIMIT, OFFSET, DISTINCT and GROUP BY included; [ignoreLimit] leaves LIMIT and OFFSET out. Locks no row. */
    override suspend fun count(ignoreLimit: Boolean): Long = count(Database.current(), ignoreLimit)

    /** Whether the query returns no row; asks for one only. */
    override suspend fun empty(): Boolean = firstOrNull() == null

    /** [mapTo] as Java calls it: `db.list(query.as(UserRow.class))`. */
    public fun <T : Any> `as`(type: Class<T>): SizedIterable<T> = mapTo(type.kotlin)

    /** The SQL the query would send to the database of the calling coroutine, with `?` for its values. Sends nothing. */
    public suspend fun sql(): String = statement(Database.current().openBridge()).sql

    // ---- Making the SQL

    internal open val access: Access get() = Access.READ

    /** The fields that the rows have, by position. */
    internal open val resultFields: List<Expression<*>> get() = set.realFields

    internal fun statement(bridge: ExposedBridge, reusable: Boolean = true): SqlStatement =
        bridge.render { bind(rendered(bridge), reusable) }

    /** The text and arguments that are sent; use inside [ExposedBridge.render]. */
    internal open fun rendered(bridge: ExposedBridge): RenderedSql = bridge.rendered(this) { prepareSQL(this) }

    /** The tables it reads, sub-queries in conditions left aside. */
    internal abstract fun sources(): List<Table>

    /** Appends the statement without a WITH clause of its own. */
    internal abstract fun appendTo(builder: QueryBuilder)

    /** Exposed's rendering of a SELECT. */
    internal fun appendSelect(builder: QueryBuilder) {
        super.prepareSQL(builder)
    }

    final override fun prepareSQL(builder: QueryBuilder): String {
        Cte.declaring(builder, sources()) { appendTo(builder) }
        return builder.toString()
    }

    internal fun limited(count: Int): Q = copy().also { it.limit = limit?.coerceAtMost(count) ?: count }

    internal suspend fun count(database: Database, ignoreLimit: Boolean): Long {
        val counted: RowQuery<*> = copy().notForUpdate()
        if (ignoreLimit) {
            counted.limit = null
            counted.offset = 0
        }
        return (database.run(counted.toCount().statement(database.openBridge()), access).rows.single()[0] as Number).toLong()
    }

    /** This query, which is a copy, made to return the number of its rows. */
    internal abstract fun toCount(): RowQuery<*>

    internal suspend fun notFound(database: Database) = RecordNotFoundException("The query on ${tableNames()} returned no row.", sql(database))

    internal suspend fun tooMany(database: Database) = TooManyRowsException("The query on ${tableNames()} returned more than one row.", sql(database))

    private fun tableNames() = targets.joinToString { it.tableName }

    private suspend fun sql(database: Database): String = statement(database.openBridge()).sql
}
