package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.RenderedSql
import dev.kormorant.internal.rendered
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ColumnSet
import org.jetbrains.exposed.v1.core.Count
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionAlias
import org.jetbrains.exposed.v1.core.FieldSet
import org.jetbrains.exposed.v1.core.IExpressionAlias
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Slice
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.isAutoInc
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.intLiteral
import org.jetbrains.exposed.v1.core.or
import org.jetbrains.exposed.v1.core.targetTables
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption

/**
 * How to read: a SELECT with Exposed's own clauses, and a cold `Flow` of its rows; see [RowQuery] for how it runs.
 *
 * Conditions given as a lambda are evaluated when the SQL is made, so they may use functions that depend on the dialect.
 */
public open class Query(set: FieldSet, where: Op<Boolean>? = null) : RowQuery<Query>(set.source.targetTables()) {
    private val conditions = ArrayList<Op<Boolean>?.() -> Op<Boolean>>()

    /** A condition that no other can undo; `null`, or giving `null`, for none. */
    internal var scope: (() -> Op<Boolean>?)? = null

    init {
        if (where != null) adjustWhere { where }
    }

    /** What it reads, and from where. */
    final override var set: FieldSet = set
        private set(value) {
            field = value
            sentSet = null
        }

    /** What is sent of [set], found once. */
    private var sentSet: FieldSet? = null

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

    /** Adds a condition on the groups that must hold as well; unlike that of [where] it is evaluated at once. */
    public fun andHaving(predicate: () -> Op<Boolean>): Query = adjustHaving { if (this == null) predicate() else this and predicate() }

    /** Adds a condition on the groups that may hold instead; unlike that of [where] it is evaluated at once. */
    public fun orHaving(predicate: () -> Op<Boolean>): Query = adjustHaving { if (this == null) predicate() else this or predicate() }

    /** Replaces what is selected by what the query selects that [body] makes of the table or join and the present choice. */
    public fun adjustSelect(body: ColumnSet.(FieldSet) -> Query): Query = apply { set = set.source.body(set).set }

    /** Replaces the table or join that is read by what [body] makes of it; what is selected stays. */
    public fun adjustColumnSet(body: ColumnSet.() -> ColumnSet): Query = adjustSelect { selected -> body().select(selected.fields) }

    /**
     * Returns the first row of each combination of values of [columns], and sorts by them; `DISTINCT ON` of PostgreSQL. Further
     * [orderBy] decides which row is the first.
     *
     * @throws IllegalArgumentException if the query is [distinct] already.
     */
    public fun withDistinctOn(vararg columns: Pair<Column<*>, SortOrder>): Query =
        if (columns.isEmpty()) this else withDistinctOn(*columns.map { it.first }.toTypedArray()).orderBy(*columns)

    /**
     * Locks the rows it reads until the end of the transaction. A dialect without row locks leaves [ForUpdateOption.ForUpdate] out, as
     * a transaction that writes has SQLite for itself; running the query with an option of another dialect is an
     * [UnsupportedByDialectException].
     */
    override fun forUpdate(option: ForUpdateOption): Query = apply { forUpdate = option }

    /** Locks no rows, whatever was said before. */
    override fun notForUpdate(): Query = apply { forUpdate = null }

    override fun copy(): Query = Query(set).also { copyTo(it) }

    override fun copyTo(other: Query) {
        super.copyTo(other)
        other.count = count
        other.scope = scope
        other.conditions.clear()
        other.conditions += conditions
    }

    // ---- Terminals

    /**
     * The rows in batches of [batchSize], in the order of the table's auto-increment column, which must be selected: `pages` by that
     * column. Each batch is read by a statement of its own when its turn comes, and complete before it is emitted; none is empty.
     *
     * @throws IllegalArgumentException if [batchSize] is not positive or the query has an order, a limit or an offset.
     * @throws UnsupportedOperationException if there is no auto-increment column.
     */
    public fun fetchBatchedResults(batchSize: Int = 1000, sortOrder: SortOrder = SortOrder.ASC): Flow<Flow<ResultRow>> {
        require(orderByExpressions.isEmpty()) { "A query that is read in batches is sorted by its auto-increment column and cannot have another order." }
        val key = set.source.columns.firstOrNull { it.columnType.isAutoInc }
            ?: throw UnsupportedOperationException("Batches need a table with an auto-increment column.")
        return copy().orderBy(key, sortOrder).pages(batchSize).map { it.asFlow() }
    }

    /**
     * The value of [expression] in the first row, which may be `null`; the query's own columns are left out.
     *
     * @throws RecordNotFoundException if there is no row.
     */
    public suspend fun <T> scalar(expression: Expression<T>): T = selecting(expression).first()[expression]

    /** The value of [expression] in the first row, or `null` if there is no row. */
    public suspend fun <T> scalarOrNull(expression: Expression<T>): T? = selecting(expression).firstOrNull()?.get(expression)

    // ---- Making the SQL

    override val access: Access get() = if (isForUpdate()) Access.WRITE else Access.READ

    override val resultFields: List<Expression<*>> get() = distinctSet().realFields

    override fun sources(): List<Table> = set.source.targetTables()

    override fun rendered(bridge: ExposedBridge): RenderedSql {
        val lock = forUpdate.takeIf { isForUpdate() }
        val query = if (lock == ForUpdateOption.ForUpdate && !bridge.dialect.supportsForUpdate) copy().notForUpdate() else this
        if (query.isForUpdate() && !bridge.dialect.supportsLock(lock!!.querySuffix)) {
            throw UnsupportedByDialectException("${bridge.dialect.name} ${bridge.dialect.version} has no ${lock.querySuffix}.")
        }
        val sent = query.withDistinctFields()
        return bridge.rendered(sent) { sent.prepareSQL(this) }
    }

    override fun appendTo(builder: QueryBuilder) {
        synchronized(this) {
            val wanted = conditions.fold(null as Op<Boolean>?) { condition, body -> condition.body() }
            val visible = scope?.invoke()
            where = if (wanted == null || visible == null) wanted ?: visible else visible and wanted
            appendSelect(builder)
        }
    }

    /** Two fields under one name would make their positions ambiguous. */
    private fun distinctSet(): FieldSet = sentSet ?: run {
        val fields = set.fields.distinctBy { if (it is Column<*>) it else Any() }
        (if (fields.size == set.fields.size) set else Slice(set.source, fields)).also { sentSet = it }
    }

    private fun withDistinctFields(): Query = distinctSet().let { if (it === set) this else onFields(it.fields) }

    private fun selecting(expression: Expression<*>): Query = onFields(listOf(expression))

    internal fun onFields(fields: List<Expression<*>>): Query = Query(Slice(set.source, fields)).also { copyTo(it) }

    /** A derived table where a plain COUNT would count something else. */
    override fun toCount(): Query {
        if (!distinct && distinctOn == null && groupedByColumns.isEmpty() && limit == null && offset == 0L) return also { count = true }
        return Query(Slice(aliased().alias("counted"), listOf(Count(intLiteral(1)))))
    }

    /** Every field under a name of its own, as a derived table requires. */
    internal fun aliased(): Query = onFields(
        set.fields.mapIndexed { position, field -> if (field is IExpressionAlias<*>) field else ExpressionAlias(field, "c$position") },
    )
}
