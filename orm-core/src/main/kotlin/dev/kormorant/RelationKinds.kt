package dev.kormorant

import dev.kormorant.internal.KeyColumns
import dev.kormorant.internal.keyValue
import dev.kormorant.internal.plainKey
import dev.kormorant.internal.referredBy
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ColumnSet
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Join
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.compoundAnd
import org.jetbrains.exposed.v1.core.EqOp
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.statements.UpdateBuilder
import kotlin.LazyThreadSafetyMode.PUBLICATION
import kotlin.reflect.KProperty

// An expression such as `User referencedOn Posts.author` makes a relation for each model that is made, of which the first one stays
// (provideDelegate). So a relation finds its columns when it is first asked for them, and not when it is made.

/**
 * How models of one class belong to models of another, and the delegate of the property that says so:
 * `val author by User referencedOn Posts.author`.
 *
 * The property's value is a [Related]. Reading it does no I/O; calling it does.
 */
public sealed class Relation<V : Related<*>>(private val later: Lazy<ModelClass<*, *>>) {
    internal val target: ModelClass<*, *> get() = later.value

    /** Columns of the owner whose values say which rows are related. */
    internal abstract val ownerKey: KeyColumns

    /** Columns that have these values in the rows that are related. */
    internal abstract val foundBy: KeyColumns

    /** What to select the related rows from. */
    internal open val source: ColumnSet get() = target.table

    /** Whether many models can be related to one, and not one at most. */
    internal abstract val isMany: Boolean

    internal val ownerTable: Table get() = ownerKey.columns.first().table

    /** The order of related models, unless a query along which they are loaded has another one. */
    internal var order: List<Pair<Expression<*>, SortOrder>> = emptyList()
        private set

    internal var loadsPeers: Boolean = false
        private set

    /** The relation of [model]: what a property delegated to this relation returns. */
    public abstract fun of(model: Model<*>): V

    /**
     * Loads the relation in peers mode: calling it on one model loads it for all models that came in the same result, by one query.
     *
     * @return this relation.
     */
    public fun peers(): Relation<V> = apply { loadsPeers = true }

    /** All models of a class share one object for a property. */
    @JvmSynthetic
    public operator fun provideDelegate(model: Model<*>, property: KProperty<*>): Relation<V> {
        @Suppress("UNCHECKED_CAST")
        return model.state.modelClass.relations.shared(property, this) as Relation<V>
    }

    @JvmSynthetic
    public operator fun getValue(model: Model<*>, property: KProperty<*>): V = of(model)

    /** Whether what is loaded stops being true when [column] of the owner changes. */
    internal fun dependsOn(column: Column<*>): Boolean = column in ownerKey.columns

    /** Loads the relation of [owner] from the row it was made of, if that has it. */
    internal open fun takeFromRow(owner: Model<*>): Boolean = false

    internal fun sortBy(order: List<Pair<Expression<*>, SortOrder>>) {
        this.order += order
    }

    override fun equals(other: Any?): Boolean = this === other ||
        other is Relation<*> && other.javaClass == javaClass && other.ownerKey == ownerKey && other.foundBy == foundBy && other.target === target && other.order == order

    override fun hashCode(): Int = foundBy.hashCode()

    override fun toString(): String = "Relation of ${ownerTable.tableName} to ${target.table.tableName}"
}

/** The part that a mandatory and an optional reference share. */
public sealed class AnyReference<V : Related<*>>(later: Lazy<ModelClass<*, *>>, private val columns: List<Column<*>>) : Relation<V>(later) {
    private var from: KeyColumns? = null
    private var to: KeyColumns? = null

    override val ownerKey: KeyColumns get() = from ?: KeyColumns(columns).also { from = it }
    override val foundBy: KeyColumns get() = to ?: KeyColumns(referredBy(columns) ?: target.shape.keyColumns.columns).also { to = it }
    override val isMany: Boolean get() = false

    override fun takeFromRow(owner: Model<*>): Boolean {
        val row = owner.state.joined?.takeIf { row -> target.shape.columns.all { row.hasValue(it) } } ?: return false
        if (owner.state.isForgotten(this)) return false
        val wanted = ownerKey.of(owner.state) ?: return false
        if (foundBy.of(row) != wanted) return false
        owner.state.relate(this, target.wrapRow(row))
        return true
    }

    internal fun isEmpty(owner: Model<*>): Boolean = ownerKey.of(owner.state) == null

    internal fun idOf(owner: Model<*>): EntityID<*>? {
        val only = ownerKey.only?.let { owner.state.read(it) ?: return null }
        if (only is EntityID<*> && foundBy.only == target.table.id) return only
        val key = ownerKey.of(owner.state) ?: return null
        if (foundBy.columns.toSet() == target.table.idColumns) return target.shape.idOf(foundBy.columns, key)
        return (owner.state.related(this) as Model<*>?)?.id ?: throw RelationNotLoadedException(
            "$owner refers to ${target.table.tableName} by $foundBy, not by its id.",
            "Load the relation first.",
        )
    }

    internal fun assign(owner: Model<*>, model: Model<*>?) {
        require(model == null || !model.isNew) { "$model must be saved before $owner can refer to it." }
        ownerKey.columns.zip(foundBy.columns).forEach { (column, key) ->
            if (model != null) owner.state.write(column, column.valueOf(model, key))
            else if (column.columnType.nullable) owner.state.write(column, null)
        }
        owner.state.relate(this, model)
    }

    internal fun rowIsGone(owner: Model<*>): RecordNotFoundException {
        val key = ownerKey.columns.zip(foundBy.columns).joinToString(" and ") { (column, key) -> "${key.name} ${column.shown(plainKey(owner.state.read(column)))}" }
        return RecordNotFoundException("There is no row of ${target.table.tableName} with $key.", null, null)
    }
}

/** Delegate made by [referencedOn]. */
public class Reference<ID : Any, M : Model<ID>> internal constructor(later: Lazy<ModelClass<ID, M>>, columns: List<Column<*>>) :
    AnyReference<Ref<ID, M>>(later, columns) {
    /** The same with a target asked for at first use: for relations in static fields, where classes that name each other would be circular. */
    public constructor(target: () -> ModelClass<ID, M>, vararg columns: Column<*>) : this(lazy(PUBLICATION, target), columns.asList())

    override fun of(model: Model<*>): Ref<ID, M> = Ref(model, this)
}

/** Delegate made by [optionalReferencedOn]. */
public class OptionalReference<ID : Any, M : Model<ID>> internal constructor(later: Lazy<ModelClass<ID, M>>, columns: List<Column<*>>) :
    AnyReference<OptionalRef<ID, M>>(later, columns) {
    /** The same with a target asked for at first use; see [Reference]. */
    public constructor(target: () -> ModelClass<ID, M>, vararg columns: Column<*>) : this(lazy(PUBLICATION, target), columns.asList())

    override fun of(model: Model<*>): OptionalRef<ID, M> = OptionalRef(model, this)
}

/** What all relations to models that refer to the owner share. */
public sealed class AnyReferrers<V : Related<*>>(later: Lazy<ModelClass<*, *>>, private val columns: List<Column<*>>) : Relation<V>(later) {
    private var from: KeyColumns? = null
    private var to: KeyColumns? = null

    override val ownerKey: KeyColumns get() = to ?: KeyColumns(requireNotNull(referredBy(columns), ::noKey)).also { to = it }
    override val foundBy: KeyColumns get() = from ?: KeyColumns(columns).also { from = it }

    private fun noKey() = "${columns.joinToString { "${it.table.tableName}.${it.name}" }} refers to nothing: it is no foreign key."
}

/** Delegate made by [referrersOn] and [optionalReferrersOn]. */
public class Referrers<M : Model<*>> internal constructor(later: Lazy<ModelClass<*, M>>, columns: List<Column<*>>) : AnyReferrers<Refs<M>>(later, columns) {
    /** The same with a target asked for at first use; see [Reference]. */
    public constructor(target: () -> ModelClass<*, M>, vararg columns: Column<*>) : this(lazy(PUBLICATION, target), columns.asList())

    override val isMany: Boolean get() = true

    override fun of(model: Model<*>): Refs<M> = Refs(model, this)

    /** Sorts the related models by [column]; later calls add further keys. */
    public fun orderBy(column: Expression<*>, order: SortOrder): Referrers<M> = apply { sortBy(listOf(column to order)) }

    /** Sorts the related models by [column], the least first: `val posts by Post referrersOn Posts.author orderBy Posts.title`. */
    public infix fun orderBy(column: Expression<*>): Referrers<M> = orderBy(column, SortOrder.ASC)
}

/** Delegate made by [backReferencedOn]. */
public class BackReference<M : Model<*>> internal constructor(later: Lazy<ModelClass<*, M>>, columns: List<Column<*>>) : AnyReferrers<BackRef<M>>(later, columns) {
    /** The same with a target asked for at first use; see [Reference]. */
    public constructor(target: () -> ModelClass<*, M>, vararg columns: Column<*>) : this(lazy(PUBLICATION, target), columns.asList())

    override val isMany: Boolean get() = false

    override fun of(model: Model<*>): BackRef<M> = BackRef(model, this)
}

/** Delegate made by [optionalBackReferencedOn]. */
public class OptionalBackReference<M : Model<*>> internal constructor(later: Lazy<ModelClass<*, M>>, columns: List<Column<*>>) :
    AnyReferrers<OptionalBackRef<M>>(later, columns) {
    /** The same with a target asked for at first use; see [Reference]. */
    public constructor(target: () -> ModelClass<*, M>, vararg columns: Column<*>) : this(lazy(PUBLICATION, target), columns.asList())

    override val isMany: Boolean get() = false

    override fun of(model: Model<*>): OptionalBackRef<M> = OptionalBackRef(model, this)
}

/** Delegate made by [via]. */
public class ManyToMany<M : Model<*>> internal constructor(later: Lazy<ModelClass<*, M>>, private val from: List<Column<*>>, private val to: List<Column<*>>) :
    Relation<Links<M>>(later) {
    /** The same with a target asked for at first use; see [Reference]. [source] refers to the model that has the relation, [linked] to the others. */
    public constructor(target: () -> ModelClass<*, M>, source: Column<*>, linked: Column<*>) : this(lazy(PUBLICATION, target), listOf(source), listOf(linked))

    internal val link: Table get() = from.first().table

    /** Columns of the link table that refer to the target. */
    internal val linked: KeyColumns get() = sides.linked
    internal val targetKey: KeyColumns get() = sides.targetKey

    override val foundBy: KeyColumns get() = sides.foundBy
    override val ownerKey: KeyColumns get() = sides.ownerKey
    override val isMany: Boolean get() = true
    override val source: ColumnSet get() = sides.join

    private var found: Sides? = null
    private val sides: Sides get() = found ?: Sides().also { found = it }

    private inner class Sides {
        val linked = KeyColumns(to)
        val targetKey = KeyColumns(checkNotNull(referredBy(to)))
        val foundBy = KeyColumns(from)
        val ownerKey = KeyColumns(checkNotNull(referredBy(from)))
        val join: ColumnSet = Join(link, target.table, JoinType.INNER) { linked.columns.zip(targetKey.columns) { column, key -> EqOp(column, key) }.compoundAnd() }
    }

    override fun of(model: Model<*>): Links<M> = Links(model, this)

    /** Sorts the related models by [column]; later calls add further keys. */
    public fun orderBy(column: Expression<*>, order: SortOrder): ManyToMany<M> = apply { sortBy(listOf(column to order)) }

    /** Sorts the related models by [column], the least first. */
    public infix fun orderBy(column: Expression<*>): ManyToMany<M> = orderBy(column, SortOrder.ASC)
}

/** What a column that refers to [key] of [model] holds. */
internal fun Column<*>.valueOf(model: Model<*>, key: Column<*>): Any? = keyValue(plainKey(model.state.read(key)))

@Suppress("UNCHECKED_CAST")
internal fun UpdateBuilder<*>.give(column: Column<*>, value: Any?): Unit = set(column as Column<Any?>, value)
