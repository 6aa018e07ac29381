package dev.kormorant

import dev.kormorant.internal.ModelClasses
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import kotlin.jvm.internal.CallableReference
import kotlin.jvm.internal.ClassBasedDeclarationContainer
import kotlin.reflect.KProperty1

/**
 * How a relation is loaded along with the models that have it: which of the related models, in what order, how many, and what along
 * with them.
 *
 * ```
 * User.all().with(User::tweets) {
 *     where { Tweets.text like "%kotlin%" }
 *     orderBy(Tweets.id, SortOrder.DESC)
 *     limitPerParent(2)
 *     with(Tweet::tags)
 * }
 * ```
 *
 * The models chosen are the value of the relation from then on, until it is forgotten.
 */
public class RelationQuery(internal val relation: Relation<*>) {
    internal val conditions = ArrayList<() -> Op<Boolean>>()
    internal val order = ArrayList<Pair<Expression<*>, SortOrder>>()
    internal var limit: Int? = null
    internal var limitPerParent: Int? = null
    internal var everything = false
    internal var loadsPeers = false
    internal val along by lazy(LazyThreadSafetyMode.NONE) { Along(relation.target.table) }

    /** Whether all related models are wanted, so that those loaded already will do. */
    internal val isPlain: Boolean get() = conditions.isEmpty() && order.isEmpty() && limit == null && limitPerParent == null && !everything

    /** Only related models that match [predicate], and what other calls ask for. */
    public fun where(predicate: () -> Op<Boolean>): RelationQuery = apply { conditions += predicate }

    /** Sorts the related models of each owner by [column]; later calls add further keys. */
    public fun orderBy(column: Expression<*>, order: SortOrder = SortOrder.ASC): RelationQuery = apply { this.order += column to order }

    /** Sorts the related models of each owner by [order], the first key first. */
    public fun orderBy(vararg order: Pair<Expression<*>, SortOrder>): RelationQuery = apply { this.order += order }

    /** At most [count] related models for all owners together. */
    public fun limit(count: Int): RelationQuery = apply {
        require(count >= 0) { "A limit cannot be negative: $count." }
        limit = count
    }

    /** At most [count] related models for each owner, the first ones in the order asked for; done by the database, with ROW_NUMBER. */
    public fun limitPerParent(count: Int): RelationQuery = apply {
        require(count > 0) { "A limit per parent must be more than zero, not $count." }
        limitPerParent = count
    }

    /** Related models that [ModelClass.defaultScope] hides as well. */
    public fun unscoped(): RelationQuery = apply { everything = true }

    /** Relations of the related models are loaded in peers mode; see [ModelQuery.peers]. */
    public fun peers(): RelationQuery = apply { loadsPeers = true }

    /** Loads [relations] of the related models along; see [ModelQuery.with]. */
    @JvmSynthetic
    public fun with(vararg relations: KProperty1<out Model<*>, Related<*>>): RelationQuery = apply { along.addAll(relations.map(::relationOf)) }

    /** Loads a relation of the related models along, as [block] says. */
    @JvmSynthetic
    public fun with(relation: KProperty1<out Model<*>, Related<*>>, block: RelationQuery.() -> Unit): RelationQuery =
        apply { along.add(RelationQuery(relationOf(relation)).apply(block)) }

    /** The same with the relations themselves, as Java programs hold them. */
    public fun with(vararg relations: Relation<*>): RelationQuery = apply { along.addAll(relations.asList()) }

    /** The same with relations and how they are loaded. */
    public fun with(vararg queries: RelationQuery): RelationQuery = apply { queries.forEach(along::add) }
}

/** The relations to load along with models of one table. */
internal class Along(private val owner: Table) {
    val roots = ArrayList<RelationQuery>()

    fun add(query: RelationQuery) {
        if (query.relation.ownerTable != owner) throw unreachable(query.relation)
        roots += query
    }

    /** Adds each relation to the models it is one of: those of the query, or those an earlier relation leads to. */
    fun addAll(relations: List<Relation<*>>) {
        val reached = ArrayList(descendants(roots))
        for (relation in relations) {
            val places = if (relation.ownerTable == owner) listOf(this) else reached.filter { it.relation.target.table == relation.ownerTable }.map { it.along }
            if (places.isEmpty()) throw unreachable(relation)
            for (place in places) reached += RelationQuery(relation).also { place.roots += it }
        }
    }

    private fun descendants(queries: List<RelationQuery>): List<RelationQuery> = queries + queries.flatMap { descendants(it.along.roots) }

    private fun unreachable(relation: Relation<*>) = IllegalArgumentException(
        "The relation of ${relation.ownerTable.tableName} to ${relation.target.table.tableName} cannot be loaded here: " +
            "neither the query nor a relation before it leads to ${relation.ownerTable.tableName}.",
    )
}

/** The relation that a property is delegated to. */
internal fun relationOf(property: KProperty1<out Model<*>, Related<*>>): Relation<*> {
    val owner = ((property as? CallableReference)?.owner as? ClassBasedDeclarationContainer)?.jClass
    requireNotNull(owner) { "with(…) takes property references such as User::posts." }
    @Suppress("UNCHECKED_CAST")
    return (property as KProperty1<Model<*>, Related<*>>).get(ModelClasses.get(owner).sample).relation
}
