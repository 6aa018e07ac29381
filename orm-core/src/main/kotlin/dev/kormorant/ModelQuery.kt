package dev.kormorant

import dev.kormorant.internal.ModelClasses
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import kotlin.jvm.internal.CallableReference
import kotlin.jvm.internal.ClassBasedDeclarationContainer
import kotlin.reflect.KProperty1

/**
 * A [Query] whose rows are models, with the relations to load along: a cold `Flow<M>`.
 *
 * Like a query it does no I/O until it is collected or a terminal function is called, holds no database, and may be run again;
 * each run makes new models.
 */
public class ModelQuery<M : Model<*>> internal constructor(
    private val modelClass: ModelClass<*, M>,
    /** The query for the rows. */
    internal val rows: Query,
) : Flow<M> {
    private val relations = ArrayList<Relation<*>>()

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
     * Loads [relations] along: `User.all().with(User::posts, Post::tags)`. One query for each, whatever the number of models; none
     * when there is no model to load it for. A relation must be of the models of the query, or of those an earlier one leads to.
     *
     * @throws IllegalArgumentException if it is of neither, or the property is no relation.
     */
    @JvmSynthetic
    public fun with(vararg relations: KProperty1<out Model<*>, Related<*>>): ModelQuery<M> = with(*relations.map(::relationOf).toTypedArray())

    /** The same with the relations themselves, as Java programs hold them. */
    public fun with(vararg relations: Relation<*>): ModelQuery<M> = apply {
        for (relation in relations) {
            val reachable = this.relations.mapTo(hashSetOf<Table>(modelClass.table)) { it.target.table }
            require(relation.ownerTable in reachable) {
                "The relation of ${relation.ownerTable.tableName} to ${relation.target.table.tableName} cannot be loaded here: " +
                    "neither the query nor a relation before it leads to ${relation.ownerTable.tableName}."
            }
            this.relations += relation
        }
    }

    override suspend fun collect(collector: FlowCollector<M>) {
        for (model in toList()) collector.emit(model)
    }

    /** All models. */
    public suspend fun toList(): List<M> = run(rows)

    /**
     * The first model; asks for one row only.
     *
     * @throws RecordNotFoundException if there is none.
     */
    public suspend fun first(): M = firstOrNull() ?: throw rows.notFound(modelClass.currentDatabase())

    /** The first model, or `null`; asks for one row only. */
    public suspend fun firstOrNull(): M? = run(rows.limited(1)).firstOrNull()

    /**
     * The only model; asks for two rows at most.
     *
     * @throws RecordNotFoundException if there is none.
     * @throws TooManyRowsException if there are more.
     */
    public suspend fun single(): M {
        val models = run(rows.limited(2))
        if (models.size > 1) throw rows.tooMany(modelClass.currentDatabase())
        return models.firstOrNull() ?: throw rows.notFound(modelClass.currentDatabase())
    }

    /** How many models the query returns; see [Query.count]. */
    public suspend fun count(ignoreLimit: Boolean = false): Long = rows.count(modelClass.currentDatabase(), ignoreLimit)

    /** Whether the query returns no model. */
    public suspend fun empty(): Boolean = firstOrNull() == null

    private suspend fun run(query: Query): List<M> {
        val database = modelClass.currentDatabase()
        val bridge = database.openBridge()
        val models = modelClass.materialise(bridge, bridge.sqlOf(modelClass.shape), database.run(query.statement(bridge), query.access))
        if (relations.isNotEmpty() && models.isNotEmpty()) loadRelations(database, models)
        return models
    }

    private suspend fun loadRelations(database: Database, models: List<M>) {
        val loaded = hashMapOf<Table, MutableSet<Model<*>>>(modelClass.table to models.toMutableSet())
        for (relation in relations) {
            val owners = loaded[relation.ownerTable].orEmpty().filterNot { it.state.isLoaded(relation) }
            if (owners.isNotEmpty()) relation.load(database, owners)
            val targets = loaded.getOrPut(relation.target.table) { LinkedHashSet() }
            for (owner in loaded[relation.ownerTable].orEmpty().toList()) {
                when (val related = owner.state.related(relation)) {
                    is Model<*> -> targets += related
                    is List<*> -> related.forEach { targets += it as Model<*> }
                }
            }
        }
    }

    private fun relationOf(property: KProperty1<out Model<*>, Related<*>>): Relation<*> {
        val owner = ((property as? CallableReference)?.owner as? ClassBasedDeclarationContainer)?.jClass
        requireNotNull(owner) { "with(…) takes property references such as User::posts." }
        @Suppress("UNCHECKED_CAST")
        return (property as KProperty1<Model<*>, Related<*>>).get(ModelClasses.get(owner).sample).relation
    }
}
