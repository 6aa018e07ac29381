package dev.kormorant

import dev.kormorant.driver.RawResult
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.loadAlong
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import kotlin.reflect.KProperty1

/**
 * A [Query] whose rows are models, with the relations to load along: a cold `Flow<M>`.
 *
 * Like a query it does no I/O until it is collected or a terminal function is called, holds no database, and may be run again;
 * each run makes new models.
 */
public class ModelQuery<M : Model<*>> internal constructor(
    internal val modelClass: ModelClass<*, M>,
    /** The query for the rows. */
    internal val rows: Query,
) : Rows<M> {
    private val along = Along(modelClass.table)
    private var loadsPeers = false

    /** Sets the condition; see [Query.where]. */
    public fun where(predicate: () -> Op<Boolean>): ModelQuery<M> = apply { rows.where(predicate) }

    /** Adds a condition that must hold as well. */
    public fun andWhere(predicate: () -> Op<Boolean>): ModelQuery<M> = apply { rows.andWhere(predicate) }

    /** Adds a condition that may hold instead. */
    public fun orWhere(predicate: () -> Op<Boolean>): ModelQuery<M> = apply { rows.orWhere(predicate) }

    /** Sorts by [column]; later calls add further keys. */
    public fun orderBy(column: Expression<*>, order: SortOrder = SortOrder.ASC): ModelQuery<M> = apply { rows.orderBy(column, order) }

    /** Sorts by [order], the first key first. */
    public fun orderBy(vararg order: Pair<Expression<*>, SortOrder>): ModelQuery<M> = apply { rows.orderBy(*order) }

    /** Returns at most [count] models. */
    public fun limit(count: Int): ModelQuery<M> = apply { rows.limit(count) }

    /** Leaves out the first [start] models. */
    public fun offset(start: Long): ModelQuery<M> = apply { rows.offset(start) }

    /** Locks the rows until the end of the transaction; see [Query.forUpdate]. */
    public fun forUpdate(option: ForUpdateOption = ForUpdateOption.ForUpdate): ModelQuery<M> = apply { rows.forUpdate(option) }

    /**
     * Collecting it brings the models in portions of about [rows]; see [Query.collect]. Relations are loaded along for each portion,
     * while the stream is open: outside a transaction on a second connection, which SQLite in memory does not have; inside one on the same
     * connection, which MySQL and MariaDB keep busy ([ConnectionBusyException]).
     */
    public fun fetchSize(rows: Int): ModelQuery<M> = apply { this.rows.fetchSize(rows) }

    /**
     * Peers mode: calling a relation of one of the models loads it for all models of the result, by one query. The models keep each other
     * in memory for that.
     */
    public fun peers(): ModelQuery<M> = apply { loadsPeers = true }

    /** The query itself. */
    public fun with(): ModelQuery<M> = this

    /**
     * Loads [relations] along: `User.all().with(User::posts, Post::tags)`. One query for each relation and level, whatever the number of
     * models; none when there is no model to load it for. A relation must be of the models of the query, or of those an earlier one
     * leads to.
     *
     * @throws IllegalArgumentException if it is of neither, or the property is no relation.
     */
    @JvmSynthetic
    public fun with(vararg relations: KProperty1<out Model<*>, Related<*>>): ModelQuery<M> = apply { along.addAll(relations.map(::relationOf)) }

    /** Loads [relation] along as [block] says: which models, in what order, how many, and what along with them. */
    @JvmSynthetic
    public fun with(relation: KProperty1<out Model<*>, Related<*>>, block: RelationQuery.() -> Unit): ModelQuery<M> =
        apply { along.add(RelationQuery(relationOf(relation)).apply(block)) }

    /** The same with the relations themselves, as Java programs hold them. */
    public fun with(vararg relations: Relation<*>): ModelQuery<M> = apply { along.addAll(relations.asList()) }

    /** The same with relations and how they are loaded. */
    public fun with(vararg queries: RelationQuery): ModelQuery<M> = apply { queries.forEach(along::add) }

    /** Emits the models; see [Query.collect]. */
    override suspend fun collect(collector: FlowCollector<M>) {
        val portion = rows.fetchSize
        if (portion == null) {
            for (model in toList()) collector.emit(model)
            return
        }
        val database = modelClass.currentDatabase()
        val bridge = database.openBridge()
        database.stream(rows.statement(bridge), rows.access, portion) { rows ->
            for (model in models(database, bridge, RawResult(emptyList(), rows, 0))) collector.emit(model)
        }
    }

    /** All models. */
    override suspend fun toList(): List<M> = run(rows)

    /**
     * The first model; asks for one row only.
     *
     * @throws RecordNotFoundException if there is none.
     */
    override suspend fun first(): M = firstOrNull() ?: throw rows.notFound(modelClass.currentDatabase())

    /** The first model, or `null`; asks for one row only. */
    override suspend fun firstOrNull(): M? = run(rows.limited(1)).firstOrNull()

    /**
     * The only model; asks for two rows at most.
     *
     * @throws RecordNotFoundException if there is none.
     * @throws TooManyRowsException if there are more.
     */
    override suspend fun single(): M = singleOrNull() ?: throw rows.notFound(modelClass.currentDatabase())

    /**
     * The only model, or `null` if there is none; asks for two rows at most.
     *
     * @throws TooManyRowsException if there are more.
     */
    override suspend fun singleOrNull(): M? {
        val models = run(rows.limited(2))
        if (models.size > 1) throw rows.tooMany(modelClass.currentDatabase())
        return models.firstOrNull()
    }

    /** How many models the query returns; see [Query.count]. */
    public suspend fun count(ignoreLimit: Boolean = false): Long = rows.count(modelClass.currentDatabase(), ignoreLimit)

    /** Whether the query returns no model; asks for one row only. */
    public suspend fun empty(): Boolean = !exists()

    /** Whether the query returns a model; see [empty]. */
    public suspend fun exists(): Boolean = inDatabase { !rows.empty() }

    /**
     * The value of [expression] over the rows of the query, `User.find { … }.scalar(Users.age.max())`; it may be `null`.
     *
     * @throws RecordNotFoundException if there is no row.
     */
    public suspend fun <T> scalar(expression: Expression<T>): T = inDatabase { rows.scalar(expression) }

    /** The value of [expression] over the rows of the query, or `null` if there is no row. */
    public suspend fun <T> scalarOrNull(expression: Expression<T>): T? = inDatabase { rows.scalarOrNull(expression) }

    private suspend fun run(query: Query): List<M> {
        val database = modelClass.currentDatabase()
        val bridge = database.openBridge()
        return models(database, bridge, database.run(query.statement(bridge), query.access))
    }

    private suspend fun models(database: Database, bridge: ExposedBridge, result: RawResult): List<M> {
        val models = modelClass.materialise(database, bridge, bridge.sqlOf(modelClass.shape), result, loadsPeers)
        if (along.roots.isNotEmpty()) database.loadAlong(along.roots, models)
        return models
    }

    private suspend fun <T> inDatabase(block: suspend () -> T): T = withContext(modelClass.currentDatabase()) { block() }
}
