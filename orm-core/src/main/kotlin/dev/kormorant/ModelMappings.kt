package dev.kormorant

import dev.kormorant.internal.ModelMapping
import dev.kormorant.internal.mappingTo
import kotlinx.coroutines.flow.FlowCollector
import kotlin.reflect.KClass

/**
 * An object of [T] with the values of this model: a data class, another class with a primary constructor such as a `@Serializable` one,
 * or a record. Parameters take columns as in [mapTo] of a query. A parameter whose class is itself such a class, or a list of one, takes
 * the relation of its name, which must be loaded, with its related models mapped in turn. No I/O.
 *
 * @throws RelationNotLoadedException if a relation it takes is not loaded.
 * @throws ColumnNotLoadedException if a column it takes is not loaded.
 * @throws MappingException if a parameter has no column or relation, or one that is not nullable has a nullable column.
 */
public inline fun <reified T : Any> Model<*>.mapTo(): T = mapTo(T::class)

/** An object of [type] with the values of this model; see the other `mapTo`. */
public fun <T : Any> Model<*>.mapTo(type: KClass<T>): T = state.modelClass.mappingTo(type).create(this)

/**
 * An object of [T] for each model: `User.all().with(User::posts).mapTo<UserRow>()`; see [mapTo] of a model. What has no place is an
 * error now, before anything is sent; a relation that `with` does not load is one at the first model.
 */
public inline fun <reified T : Any> ModelQuery<*>.mapTo(): Rows<T> = mapTo(T::class)

/** An object of [type] for each model; see the other `mapTo`. */
public fun <T : Any> ModelQuery<*>.mapTo(type: KClass<T>): Rows<T> = MappedModels(this, modelClass.mappingTo(type))

private class MappedModels<T : Any>(private val query: ModelQuery<*>, private val mapping: ModelMapping<T>) : Rows<T> {
    override suspend fun collect(collector: FlowCollector<T>) = query.collect { collector.emit(mapping.create(it)) }

    override suspend fun toList(): List<T> = query.toList().map { mapping.create(it) }

    override suspend fun first(): T = mapping.create(query.first())

    override suspend fun firstOrNull(): T? = query.firstOrNull()?.let { mapping.create(it) }

    override suspend fun single(): T = mapping.create(query.single())

    override suspend fun singleOrNull(): T? = query.singleOrNull()?.let { mapping.create(it) }
}
