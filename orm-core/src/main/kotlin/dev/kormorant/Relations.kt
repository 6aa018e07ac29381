package dev.kormorant

import dev.kormorant.internal.RowReader
import dev.kormorant.internal.RowView
import dev.kormorant.internal.amongKeys
import dev.kormorant.internal.equalTo
import dev.kormorant.internal.plainKey
import dev.kormorant.internal.queryByKeys
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.EntityIDColumnType
import org.jetbrains.exposed.v1.core.Join
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.Slice
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import kotlinx.coroutines.withContext
import kotlin.reflect.KProperty

/**
 * How models of one class belong to models of another, and the delegate of the property that says so:
 * `val author by User referencedOn Posts.author`.
 *
 * The property's value is a [Related]. Reading it does no I/O; calling it does.
 */
public sealed class Relation<V : Related<*>>(private val later: Lazy<ModelClass<*, *>>) {
    internal val target: ModelClass<*, *> get() = later.value

    /** Table of the models that have the relation. */
    internal abstract val ownerTable: Table

    /** The relation of [model]: what a property delegated to this relation returns. */
    public abstract fun of(model: Model<*>): V

    @JvmSynthetic
    public operator fun getValue(model: Model<*>, property: KProperty<*>): V = of(model)

    /** Loads the relation of all [owners] in one query, or one per portion of keys that fits the parameter limit. */
    internal abstract suspend fun load(database: Database, owners: List<Model<*>>)

    /** Whether what is loaded stops being true when [column] of the owner changes. */
    internal abstract fun dependsOn(column: Column<*>): Boolean

    /** Loads the relation of [owner] from the row it was made of, if that has it. */
    internal open fun takeFromRow(owner: Model<*>): Boolean = false

    internal abstract val identity: List<Any>

    override fun equals(other: Any?): Boolean = other is Relation<*> && other.javaClass == javaClass && other.identity == identity

    override fun hashCode(): Int = identity.hashCode()

    /** Loads all models whose [column] has one of [keys]. */
    internal suspend fun targetsBy(database: Database, column: Column<*>, keys: List<Any>): List<Model<*>> {
        val bridge = database.openBridge()
        val sql = bridge.sqlOf(target.shape)
        val models = ArrayList<Model<*>>()
        database.queryByKeys(bridge, keys, { part -> Query(target.table).where { column amongKeys part } }) { models += target.materialise(bridge, sql, it) }
        return models
    }
}

// ---- What a property returns

/** The relation of one model: a view without state of its own, made at each reading of the property. */
public sealed class Related<V>(internal val owner: Model<*>, internal val relation: Relation<*>) {
    /** Whether the value is loaded, by calling the relation or by `with`. */
    public val isLoaded: Boolean get() = owner.state.isLoaded(relation) || relation.takeFromRow(owner)

    /** Forgets what is loaded; the next call asks the database again. */
    public fun forget(): Unit = owner.state.forget(relation)

    /** Loads the value unless it is loaded already, and keeps it. */
    public suspend operator fun invoke(): V {
        if (!isLoaded) relation.load(owner.state.modelClass.currentDatabase(), listOf(owner))
        return loaded()
    }

    internal open fun loaded(): V {
        if (!isLoaded) {
            throw RelationNotLoadedException(
                "The relation of $owner to ${relation.target.table.tableName} is not loaded.",
                "Call the relation to load it, add it to with(…) of the query that loads the owner, or join and use wrapRow.",
            )
        }
        @Suppress("UNCHECKED_CAST")
        return owner.state.related(relation) as V
    }
}

/** A reference to one model. Calling it throws [RecordNotFoundException] if the row it refers to is gone. */
public class Ref<ID : Any, M : Model<ID>> internal constructor(owner: Model<*>, private val reference: Reference<ID, M>) :
    Related<M>(owner, reference) {
    /**
     * The model referred to; setting it sets the column, and the model must have been saved.
     *
     * @throws RelationNotLoadedException if it is not loaded; reading does no I/O.
     */
    public var value: M
        @JvmName("value")
        get() = loaded()
        set(model) = reference.assign(owner, model)

    /** The id in the column; never I/O. */
    public val id: EntityID<ID>
        @JvmName("id")
        get() {
            @Suppress("UNCHECKED_CAST")
            return reference.idOf(owner) as EntityID<ID>
        }

    override fun loaded(): M = if (isLoaded) super.loaded().let { it as M? } ?: throw reference.rowIsGone(owner) else super.loaded()
}

/** A reference that may be empty. */
public class OptionalRef<ID : Any, M : Model<ID>> internal constructor(owner: Model<*>, private val reference: OptionalReference<ID, M>) :
    Related<M?>(owner, reference) {
    /** The model referred to, or `null`; see [Ref.value]. */
    public var value: M?
        @JvmName("value")
        get() = loaded()
        set(model) = reference.assign(owner, model)

    /** The id in the column, or `null`; never I/O. */
    public val id: EntityID<ID>?
        @JvmName("id")
        get() {
            @Suppress("UNCHECKED_CAST")
            return reference.idOf(owner) as EntityID<ID>?
        }

    override fun loaded(): M? = when {
        reference.idOf(owner) == null -> null
        isLoaded -> super.loaded() ?: throw reference.rowIsGone(owner)
        else -> super.loaded()
    }
}

/** The models that refer to one, in no particular order. */
public class Refs<M : Model<*>> internal constructor(owner: Model<*>, private val referrers: Referrers<M>) : Related<List<@JvmSuppressWildcards M>>(owner, referrers) {
    /**
     * The models that refer to the owner.
     *
     * @throws RelationNotLoadedException if they are not loaded; reading does no I/O.
     */
    public val value: List<M> @JvmName("value") get() = loaded()

    /** A query for them that can be refined; what it returns is not kept. */
    public val query: ModelQuery<M>
        @JvmName("query")
        get() {
            @Suppress("UNCHECKED_CAST")
            val target = referrers.target as ModelClass<*, M>
            return target.find { referrers.column amongKeys listOf(checkNotNull(plainKey(owner.state.read(referrers.key)))) }
        }
}

/** The models linked to one through a link table, in no particular order. */
public class Links<M : Model<*>> internal constructor(owner: Model<*>, private val through: ManyToMany<M>) : Related<List<@JvmSuppressWildcards M>>(owner, through) {
    /** The linked models; see [Refs.value]. */
    public val value: List<M> @JvmName("value") get() = loaded()

    /** Links [models] to the owner with one INSERT. Both sides must have been saved. Nothing given, nothing sent. */
    public suspend fun add(vararg models: M) {
        forget()
        if (models.isNotEmpty()) through.insertLinks(owner, models.asList())
    }

    /** Removes the links to [models] with one DELETE; returns how many there were. */
    public suspend fun remove(vararg models: M): Int {
        forget()
        return if (models.isEmpty()) 0 else through.deleteLinks(owner, models.asList())
    }

    /** Makes [models] the linked ones, in a transaction: adds what is missing and removes the rest. */
    public suspend fun set(models: Collection<M>) {
        forget()
        owner.state.modelClass.currentDatabase().transaction {
            val present = invoke()
            val wanted = models.associateBy { it.id }
            val removed = present.filter { it.id !in wanted }
            val known = present.mapTo(HashSet()) { it.id }
            val added = wanted.values.filter { it.id !in known }
            if (removed.isNotEmpty()) through.deleteLinks(owner, removed)
            if (added.isNotEmpty()) through.insertLinks(owner, added)
        }
        forget()
    }

    /** Removes all links of the owner with one DELETE; returns how many there were. */
    public suspend fun clear(): Int {
        forget()
        return through.deleteLinks(owner, null)
    }
}

// ---- The kinds of relation

/** The part that a mandatory and an optional reference share. */
public sealed class AnyReference<V : Related<*>>(later: Lazy<ModelClass<*, *>>, internal val column: Column<*>) : Relation<V>(later) {
    private val key: Column<*> get() = column.referee ?: target.table.id

    override val ownerTable: Table get() = column.table
    override val identity: List<Any> get() = listOf(target.table, column)

    override fun dependsOn(column: Column<*>): Boolean = column == this.column

    override suspend fun load(database: Database, owners: List<Model<*>>) {
        val keys = owners.mapNotNullTo(LinkedHashSet()) { plainKey(it.state.read(column)) }
        val byKey = if (keys.isEmpty()) emptyMap() else targetsBy(database, key, keys.toList()).associateBy { plainKey(it.state.read(key)) }
        for (owner in owners) owner.state.relate(this, byKey[plainKey(owner.state.read(column))])
    }

    override fun takeFromRow(owner: Model<*>): Boolean {
        val row = owner.state.joined?.takeIf { row -> target.shape.columns.all { row.hasValue(it) } } ?: return false
        val wanted = plainKey(owner.state.read(column)) ?: return false
        if (plainKey(row.getOrNull(key)) != wanted) return false
        owner.state.relate(this, target.wrapRow(row))
        return true
    }

    internal fun idOf(owner: Model<*>): EntityID<*>? =
        owner.state.read(column).let { it as? EntityID<*> ?: if (it == null) null else (owner.state.related(this) as Model<*>?)?.id ?: throw notAnId(owner) }

    internal fun assign(owner: Model<*>, model: Model<*>?) {
        require(model == null || !model.isNew) { "$model must be saved before $owner can refer to it." }
        val value = model?.state?.read(key)
        owner.state.write(column, if (column.referee == null || value is EntityID<*> == holdsIds()) value else plainKey(value))
        owner.state.relate(this, model)
    }

    private fun holdsIds() = column.columnType is EntityIDColumnType<*>

    internal fun rowIsGone(owner: Model<*>) =
        RecordNotFoundException("There is no row of ${target.table.tableName} with ${key.name} ${plainKey(owner.state.read(column))}.", null, null)

    private fun notAnId(owner: Model<*>) = RelationNotLoadedException(
        "$owner refers to ${target.table.tableName} by ${key.name}, not by its id.",
        "Load the relation first.",
    )
}

/** Delegate made by [referencedOn]. */
public class Reference<ID : Any, M : Model<ID>> internal constructor(later: Lazy<ModelClass<ID, M>>, column: Column<*>) :
    AnyReference<Ref<ID, M>>(later, column) {
    /** The same with a target asked for at first use: for relations in static fields, where classes that name each other would be circular. */
    public constructor(column: Column<*>, target: () -> ModelClass<ID, M>) : this(lazy(LazyThreadSafetyMode.PUBLICATION, target), column)

    override fun of(model: Model<*>): Ref<ID, M> = Ref(model, this)
}

/** Delegate made by [optionalReferencedOn]. */
public class OptionalReference<ID : Any, M : Model<ID>> internal constructor(later: Lazy<ModelClass<ID, M>>, column: Column<*>) :
    AnyReference<OptionalRef<ID, M>>(later, column) {
    /** The same with a target asked for at first use: for relations in static fields, where classes that name each other would be circular. */
    public constructor(column: Column<*>, target: () -> ModelClass<ID, M>) : this(lazy(LazyThreadSafetyMode.PUBLICATION, target), column)

    override fun of(model: Model<*>): OptionalRef<ID, M> = OptionalRef(model, this)
}

/** Delegate made by [referrersOn]. */
public class Referrers<M : Model<*>> internal constructor(later: Lazy<ModelClass<*, M>>, internal val column: Column<*>) : Relation<Refs<M>>(later) {
    /** The same with a target asked for at first use: for relations in static fields, where classes that name each other would be circular. */
    public constructor(column: Column<*>, target: () -> ModelClass<*, M>) : this(lazy(LazyThreadSafetyMode.PUBLICATION, target), column)

    /** The column of the owner that [column] refers to. */
    internal val key: Column<*> = requireNotNull(column.referee) { "${column.table.tableName}.${column.name} refers to no other column." }

    override val ownerTable: Table get() = key.table
    override val identity: List<Any> get() = listOf(target.table, column)

    override fun of(model: Model<*>): Refs<M> = Refs(model, this)

    override fun dependsOn(column: Column<*>): Boolean = column == key

    override suspend fun load(database: Database, owners: List<Model<*>>) {
        val keys = owners.mapNotNullTo(LinkedHashSet()) { plainKey(it.state.read(key)) }
        val byOwner = if (keys.isEmpty()) emptyMap() else targetsBy(database, column, keys.toList()).groupBy { plainKey(it.state.read(column)) }
        for (owner in owners) owner.state.relate(this, byOwner[plainKey(owner.state.read(key))].orEmpty())
    }
}

/** Delegate made by [via]. */
public class ManyToMany<M : Model<*>> internal constructor(later: Lazy<ModelClass<*, M>>, private val source: Column<*>, private val linked: Column<*>) :
    Relation<Links<M>>(later) {
    /** The same with a target asked for at first use: for relations in static fields, where classes that name each other would be circular. */
    public constructor(source: Column<*>, linked: Column<*>, target: () -> ModelClass<*, M>) : this(lazy(LazyThreadSafetyMode.PUBLICATION, target), source, linked)

    private val link: Table = source.table
    private val key: Column<*> = checkNotNull(source.referee)
    private val targetKey: Column<*> = checkNotNull(linked.referee)

    override val ownerTable: Table get() = key.table
    override val identity: List<Any> get() = listOf(target.table, source, linked)

    override fun of(model: Model<*>): Links<M> = Links(model, this)

    override fun dependsOn(column: Column<*>): Boolean = column == key

    override suspend fun load(database: Database, owners: List<Model<*>>) {
        val bridge = database.openBridge()
        val sql = bridge.sqlOf(target.shape)
        val fields = target.shape.columns.asList()
        val join = Join(link, target.table, JoinType.INNER, linked, targetKey)
        val reader = RowReader(listOf(source), bridge)
        val byOwner = HashMap<Any?, MutableList<Model<*>>>()
        val byId = HashMap<EntityID<*>, Model<*>>()
        val keys = owners.mapNotNullTo(LinkedHashSet()) { plainKey(it.state.read(key)) }
        database.queryByKeys(bridge, keys.toList(), { part -> Query(Slice(join, fields + source)).where { source amongKeys part } }) { result ->
            val sources = reader.read(result.rows.map { arrayOf(it[fields.size]) })
            val rows = result.rows.map { it.copyOf(fields.size) }
            bridge.render {
                val view = RowView()
                rows.forEachIndexed { index, row ->
                    val values = sql.decode(row, view)
                    val model = byId.getOrPut(target.shape.id(values)) { target.wrapValues(values) }
                    byOwner.getOrPut(plainKey(sources[index][source])) { ArrayList() } += model
                }
            }
        }
        for (owner in owners) owner.state.relate(this, byOwner[plainKey(owner.state.read(key))].orEmpty())
    }

    internal suspend fun insertLinks(owner: Model<*>, models: List<Model<*>>) = inDatabase(owner) {
        link.batchInsert(models, shouldReturnGeneratedValues = false) { model ->
            @Suppress("UNCHECKED_CAST")
            set(source as Column<Any>, checkNotNull(owner.state.read(key)))
            @Suppress("UNCHECKED_CAST")
            set(linked as Column<Any>, checkNotNull(model.state.read(targetKey)))
        }
    }

    /** Removes the links to [models], or all of them. */
    internal suspend fun deleteLinks(owner: Model<*>, models: List<Model<*>>?): Int = inDatabase(owner) {
        link.deleteWhere {
            val ofOwner = this@ManyToMany.source equalTo owner.state.read(key)
            if (models == null) ofOwner else ofOwner and (linked amongKeys models.map { checkNotNull(plainKey(it.state.read(targetKey))) })
        }
    }

    private suspend fun <T> inDatabase(owner: Model<*>, block: suspend () -> T): T =
        withContext(owner.state.modelClass.currentDatabase()) { block() }
}

// ---- How relations are declared

/** `val author by User referencedOn Posts.author`: the one model that a column refers to. */
public infix fun <ID : Any, M : Model<ID>, K : Any> ModelClass<ID, M>.referencedOn(column: Column<K>): Reference<ID, M> = Reference(itself, column)

/** `val editor by User optionalReferencedOn Posts.editor`: the model that a nullable column refers to, or none. */
public infix fun <ID : Any, M : Model<ID>, K : Any> ModelClass<ID, M>.optionalReferencedOn(column: Column<K?>): OptionalReference<ID, M> =
    OptionalReference(itself, column)

/** `val posts by Post referrersOn Posts.author`: the models whose column refers to this one. */
public infix fun <M : Model<*>> ModelClass<*, M>.referrersOn(column: Column<*>): Referrers<M> = Referrers(itself, column)

/**
 * `val tags by Tag via ArticleTags`: the models linked to this one by the rows of [link], which has one foreign key to each side.
 *
 * @throws IllegalArgumentException if [link] does not have just one foreign key to the target and one to another table; name the
 * columns then.
 */
public infix fun <M : Model<*>> ModelClass<*, M>.via(link: Table): ManyToMany<M> {
    val (toTarget, toSource) = link.columns.filter { it.referee != null }.partition { it.referee?.table == table }
    require(toTarget.size == 1 && toSource.size == 1) {
        "${link.tableName} must have one foreign key to ${table.tableName} and one to another table; otherwise use via(source, target)."
    }
    return ManyToMany(itself, toSource.single(), toTarget.single())
}

/** [via] with the columns of the link table named: [source] refers to the model that has the property, [target] to the others. */
public fun <M : Model<*>> ModelClass<*, M>.via(source: Column<*>, target: Column<*>): ManyToMany<M> {
    require(source.table == target.table) { "Both columns must be of the link table." }
    require(source.referee != null && target.referee != null) { "Both columns must be foreign keys." }
    return ManyToMany(itself, source, target)
}
