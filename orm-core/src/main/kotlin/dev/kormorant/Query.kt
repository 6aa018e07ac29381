package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.SqlStatement
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.RowReader
import dev.kormorant.internal.prepare
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import org.jetbrains.exposed.v1.core.AbstractQuery
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Count
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionAlias
import org.jetbrains.exposed.v1.core.IExpressionAlias
import org.jetbrains.exposed.v1.core.Slice
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.intLiteral
import org.jetbrains.exposed.v1.core.FieldSet
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.or
import org.jetbrains.exposed.v1.core.targetTables
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption

/**
 * How to read: a SELECT with Exposed's own clauses, and a cold `Flow` of its rows.
 *
 * Building it does no I/O and holds no database: the same query may run on two databases of different kinds. Collecting it, or
 * calling one of the terminal functions, runs it once, in one round trip, on the database of the calling coroutine, inside its
 * transaction if it is in one. The rows are complete before the first is emitted, so a slow collector holds no connection, unless
 * [fetchSize] asks for a stream. A terminal function leaves the query as it was.
 *
 * Conditions given as a lambda are evaluated when the SQL is made, so they may use functions that depend on the dialect.
 */
public open class Query(override val set: FieldSet) : AbstractQuery<Query>(set.source.targetTables()), Flow<ResultRow> {
    private val conditions = ArrayList<Op<Boolean>?.() -> Op<Boolean>>()

    /** A condition that no other can undo; `null`, or giving `null`, for none. */
    internal var scope: (() -> Op<Boolean>?)? = null

    // ---- Clauses

    /**
     * Sets the condition of the query.
     *
     * @throws IllegalStateException if it has one; use [andWhere], [orWhere] or [adjustWhere] to change it.
     */
    public fun where(predicate: () -> Op<Boolean>): Query {
        check(conditions.isEmpty()) { "WHERE is specified twice; use andWhere or orWhere to add to it." }
        return adjustWhere { predicate() }
    }

    /** Sets the condition of the query; see the other `where`. */
    public fun where(predicate: Op<Boolean>): Query = where { predicate }

    /** Adds a condition that must hold as well. */
    public fun andWhere(predicate: () -> Op<Boolean>): Query = adjustWhere { if (this == null) predicate() else this and predicate() }

    /** Adds a condition that may hold instead. */
    public fun orWhere(predicate: () -> Op<Boolean>): Query = adjustWhere { if (this == null) predicate() else this or predicate() }

    /** Replaces the condition by what [body] makes of it; `null` stands for none so far. */
    public fun adjustWhere(body: Op<Boolean>?.() -> Op<Boolean>): Query = apply { conditions += body }

    /** Sorts by [column]; later calls add further keys. */
    public fun orderBy(column: Expression<*>, order: SortOrder = SortOrder.ASC): Query = orderBy(column to order)

    /** Sorts by [order], the first key first; later calls add further keys. */
    public fun orderBy(vararg order: Pair<Expression<*>, SortOrder>): Query = apply { (orderByExpressions as MutableList).addAll(order) }

    /** Returns at most [count] rows. */
    public fun limit(count: Int): Query = apply {
        require(count >= 0) { "A limit cannot be negative: $count." }
        limit = count
    }

    /** Leaves out the first [start] rows. */
    public fun offset(start: Long): Query = apply {
        require(start >= 0) { "An offset cannot be negative: $start." }
        offset = start
    }

    /** Locks the rows it reads until the end of the transaction; a dialect without row locks leaves the clause out. */
    public fun forUpdate(option: ForUpdateOption = ForUpdateOption.ForUpdate): Query = apply { forUpdate = option }

    /** A query of its own with the same clauses. */
    public open fun copy(): Query = Query(set).also { copyTo(it) }

    override fun copyTo(other: Query) {
        super.copyTo(other)
        other.scope = scope
        other.conditions.clear()
        other.conditions += conditions
    }

    override fun prepareSQL(builder: QueryBuilder): String {
        synchronized(this) {
            val wanted = conditions.fold(null as Op<Boolean>?) { condition, body -> condition.body() }
            val visible = scope?.invoke()
            where = if (wanted == null || visible == null) wanted ?: visible else visible and wanted
            return super.prepareSQL(builder)
        }
    }

    // ---- Terminals

    /**
     * Emits the rows. With [fetchSize] they come from the server in portions of about that many, of which a few are in memory at a
     * time, and a connection is held until the collection ends, by its end, a `take`, an error or cancellation; in a transaction no
     * other statement can run on it meanwhile ([ConnectionBusyException]). Without, all rows are read first and no connection is held.
     */
    override suspend fun collect(collector: FlowCollector<ResultRow>) {
        val portion = fetchSize
        if (portion == null) {
            for (row in toList()) collector.emit(row)
            return
        }
        require(portion > 0) { "fetchSize must be more than zero, not $portion." }
        val database = Database.current()
        val bridge = database.openBridge()
        val query = withDistinctFields()
        val reader = RowReader(query.set.realFields, bridge)
        database.stream(query.statement(bridge), access, portion) { rows -> for (row in reader.read(rows)) collector.emit(row) }
    }

    /** All rows. */
    public suspend fun toList(): List<ResultRow> {
        val database = Database.current()
        val bridge = database.openBridge()
        val query = withDistinctFields()
        return RowReader(query.set.realFields, bridge).read(database.run(query.statement(bridge), access))
    }

    /**
     * The first row; asks for one only.
     *
     * @throws RecordNotFoundException if there is none.
     */
    public suspend fun first(): ResultRow = firstOrNull() ?: throw notFound(Database.current())

    /** The first row, or `null`; asks for one only. */
    public suspend fun firstOrNull(): ResultRow? = limited(1).toList().firstOrNull()

    /**
     * The only row; asks for two at most.
     *
     * @throws RecordNotFoundException if there is none.
     * @throws TooManyRowsException if there are more.
     */
    public suspend fun single(): ResultRow = singleOrNull() ?: throw notFound(Database.current())

    /**
     * The only row, or `null` if there is none; asks for two at most.
     *
     * @throws TooManyRowsException if there are more.
     */
    public suspend fun singleOrNull(): ResultRow? {
        val rows = limited(2).toList()
        if (rows.size > 1) throw tooMany(Database.current())
        return rows.firstOrNull()
    }

    /** How many rows the query returns, LIMIT, OFFSET, DISTINCT and GROUP BY included; [ignoreLimit] leaves LIMIT and OFFSET out. */
    public suspend fun count(ignoreLimit: Boolean = false): Long = count(Database.current(), ignoreLimit)

    internal suspend fun count(database: Database, ignoreLimit: Boolean): Long {
        val bridge = database.openBridge()
        val counted = copy()
        if (ignoreLimit) {
            counted.limit = null
            counted.offset = 0
        }
        return (database.run(counted.toCount().statement(bridge), access).rows.single()[0] as Number).toLong()
    }

    /** Whether the query returns no row; asks for one only. */
    public suspend fun empty(): Boolean = firstOrNull() == null

    /**
     * The value of [expression] in the first row, which may be `null`; the query's own columns are left out.
     *
     * @throws RecordNotFoundException if there is no row.
     */
    public suspend fun <T> scalar(expression: Expression<T>): T = selecting(expression).first()[expression]

    /** The value of [expression] in the first row, or `null` if there is no row. */
    public suspend fun <T> scalarOrNull(expression: Expression<T>): T? = selecting(expression).firstOrNull()?.get(expression)

    // ---- Making the SQL

    internal val access: Access get() = if (isForUpdate()) Access.WRITE else Access.READ

    internal fun statement(bridge: ExposedBridge, reusable: Boolean = true): SqlStatement =
        withoutUnknownLock(bridge).let { bridge.prepare(reusable) { it.prepareSQL(this) } }

    private fun withoutUnknownLock(bridge: ExposedBridge): Query =
        if (!isForUpdate() || bridge.dialect.supportsForUpdate) this else copy().also { it.forUpdate = null }

    internal fun limited(count: Int): Query = copy().also { it.limit = limit?.coerceAtMost(count) ?: count }

    /** Two fields under one name would make their positions ambiguous. */
    private fun withDistinctFields(): Query {
        val distinct = set.fields.distinctBy { if (it is Column<*>) it else Any() }
        return if (distinct.size == set.fields.size) this else onFields(distinct)
    }

    private fun selecting(expression: Expression<*>): Query = onFields(listOf(expression))

    private fun onFields(fields: List<Expression<*>>): Query = Query(Slice(set.source, fields)).also { copyTo(it) }

    /** This query, made to return the number of its rows; a derived table where a plain COUNT would count something else. */
    private fun toCount(): Query {
        if (!distinct && distinctOn == null && groupedByColumns.isEmpty() && limit == null && offset == 0L) return also { count = true }
        return Query(Slice(aliased().alias("counted"), listOf(Count(intLiteral(1)))))
    }

    /** Every field under a name of its own, as a derived table requires. */
    private fun aliased(): Query = onFields(
        set.fields.mapIndexed { position, field -> if (field is IExpressionAlias<*>) field else ExpressionAlias(field, "c$position") },
    )

    internal suspend fun notFound(database: Database) = RecordNotFoundException("The query on ${tableNames()} returned no row.", sql(database))

    internal suspend fun tooMany(database: Database) = TooManyRowsException("The query on ${tableNames()} returned more than one row.", sql(database))

    private fun tableNames() = targets.joinToString { it.tableName }

    private suspend fun sql(database: Database): String = statement(database.openBridge()).sql
}
