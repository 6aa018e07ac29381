package dev.kormorant

import dev.kormorant.internal.countRepeated
import dev.kormorant.internal.equalTo
import dev.kormorant.internal.loadRelation
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.dao.id.EntityID

/** The relation of one model: a view without state of its own, made at each reading of the property. */
public sealed class Related<V>(internal val owner: Model<*>, internal val relation: Relation<*>) {
    /** Whether the value is loaded, by calling the relation, by `with`, or by the row of a join. */
    public val isLoaded: Boolean get() = owner.state.isLoaded(relation) || relation.takeFromRow(owner)

    /** Forgets what is loaded; the next call asks the database again. */
    public fun forget(): Unit = owner.state.forget(relation)

    /**
     * Loads the value unless it is loaded already, and keeps it; in peers mode ([Relation.peers], [ModelQuery.peers]) for all models of
     * the result the owner came with, by the same one query. The database is that of the calling coroutine; cancellation leaves the
     * relation as it was.
     */
    public suspend operator fun invoke(): V {
        if (!isLoaded) load()
        return loaded()
    }

    private suspend fun load() {
        val database = owner.state.modelClass.currentDatabase()
        val peers = owner.state.peers?.owners(relation)
        if (peers == null) database.countRepeated(owner, relation)
        database.loadRelation(RelationQuery(relation), peers ?: listOf(owner))
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
        reference.isEmpty(owner) -> null
        isLoaded -> super.loaded() ?: throw reference.rowIsGone(owner)
        else -> super.loaded()
    }
}

/** The one model that refers to the owner. Calling it throws [RecordNotFoundException] if there is none. */
public class BackRef<M : Model<*>> internal constructor(owner: Model<*>, relation: BackReference<M>) : Related<M>(owner, relation) {
    /** The model that refers to the owner; see [Ref.value]. */
    public val value: M @JvmName("value") get() = loaded()

    override fun loaded(): M = if (isLoaded) super.loaded().let { it as M? } ?: throw nobody() else super.loaded()

    private fun nobody() = RecordNotFoundException("No row of ${relation.target.table.tableName} refers to $owner.", null, "Use optionalBackReferencedOn if there may be none.")
}

/** The one model that refers to the owner, or `null`. */
public class OptionalBackRef<M : Model<*>> internal constructor(owner: Model<*>, relation: OptionalBackReference<M>) : Related<M?>(owner, relation) {
    /** The model that refers to the owner, or `null`; see [Ref.value]. */
    public val value: M? @JvmName("value") get() = loaded()
}

/** The models that refer to one, in the order of the relation, which is none in particular unless it says so. */
public class Refs<M : Model<*>> internal constructor(owner: Model<*>, private val referrers: Referrers<M>) : Related<List<@JvmSuppressWildcards M>>(owner, referrers) {
    /**
     * The models that refer to the owner.
     *
     * @throws RelationNotLoadedException if they are not loaded; reading does no I/O.
     */
    public val value: List<M> @JvmName("value") get() = loaded()

    /** A query for them that can be refined and has no order yet; what it returns is not kept. */
    public val query: ModelQuery<M>
        @JvmName("query")
        get() {
            @Suppress("UNCHECKED_CAST")
            val target = referrers.target as ModelClass<*, M>
            val key = checkNotNull(referrers.ownerKey.of(owner.state)) { "$owner has no value in ${referrers.ownerKey} that others could refer to." }
            return target.find { referrers.foundBy.among(listOf(key)) }
        }
}

/** The models linked to one through a link table, in the order of the relation, which is none in particular unless it says so. */
public class Links<M : Model<*>> internal constructor(owner: Model<*>, private val through: ManyToMany<M>) : Related<List<@JvmSuppressWildcards M>>(owner, through) {
    /** The linked models; see [Refs.value]. */
    public val value: List<M> @JvmName("value") get() = loaded()

    /** Links [models] to the owner with one INSERT. Both sides must have been saved. Nothing given, nothing sent. */
    public suspend fun add(vararg models: M) {
        forget()
        if (models.isNotEmpty()) insert(models.asList())
    }

    /** Removes the links to [models] with one DELETE; returns how many there were. */
    public suspend fun remove(vararg models: M): Int {
        forget()
        return if (models.isEmpty()) 0 else delete(models.asList())
    }

    /** Makes [models] the linked ones, in a transaction: adds what is missing with one INSERT and removes the rest with one DELETE. */
    public suspend fun set(models: Collection<M>) {
        forget()
        owner.state.modelClass.currentDatabase().transaction {
            val present = invoke()
            val wanted = models.associateBy { it.id }
            val removed = present.filter { it.id !in wanted }
            val known = present.mapTo(HashSet()) { it.id }
            val added = wanted.values.filter { it.id !in known }
            if (removed.isNotEmpty()) delete(removed)
            if (added.isNotEmpty()) insert(added)
        }
        forget()
    }

    /** Removes all links of the owner with one DELETE; returns how many there were. */
    public suspend fun clear(): Int {
        forget()
        return delete(null)
    }

    private suspend fun insert(models: List<M>) = inDatabase {
        val toOwner = through.foundBy.columns.zip(through.ownerKey.columns).map { (column, key) -> column to column.valueOf(owner, key) }
        through.link.batchInsert(models, shouldReturnGeneratedValues = false) { model ->
            for ((column, value) in toOwner) give(column, value)
            through.linked.columns.zip(through.targetKey.columns).forEach { (column, key) -> give(column, column.valueOf(model, key)) }
        }
    }

    /** Removes the links to [models], or all of them. */
    private suspend fun delete(models: List<M>?): Int = inDatabase {
        through.link.deleteWhere {
            val ofOwner = through.foundBy.among(listOf(checkNotNull(through.ownerKey.of(owner.state))))
            if (models == null) ofOwner else ofOwner and through.linked.among(models.map { checkNotNull(through.targetKey.of(it.state)) })
        }
    }

    private suspend fun <T> inDatabase(block: suspend () -> T): T = withContext(owner.state.modelClass.currentDatabase()) { block() }
}
