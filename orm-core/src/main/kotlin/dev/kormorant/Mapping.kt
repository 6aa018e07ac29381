package dev.kormorant

import dev.kormorant.internal.RowMapping
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import org.jetbrains.exposed.v1.core.ResultRow
import kotlin.reflect.KClass

/**
 * An object of [T] for each row: `query.mapTo<UserRow>()`.
 *
 * [T] is a data class or other Kotlin class, by its primary constructor; a Java record; or a Java class with one public constructor
 * compiled with `-parameters`. A parameter takes the value of the column or alias of its name, where `createdAt`, `created_at` and
 * `CREATED_AT` are one name, and a column also goes by the name of its property in the table. A parameter with a default value may be
 * missing. Fields that no parameter asks for are left out.
 *
 * Ids come as their plain values unless the parameter is an `EntityID`; value classes are wrapped; a text becomes the enum constant of
 * that name; integers widen without loss, and the two classes of UUID are exchanged.
 *
 * The constructor is found now, not per row, so what does not fit is an error before anything is sent.
 *
 * @throws MappingException if a parameter has no field or two, if one that is not nullable has a nullable column, or if [T] has no such
 * constructor; while reading, if a value is `null` or of a class that its parameter does not take.
 */
public inline fun <reified T : Any> RowQuery<*>.mapTo(): SizedIterable<T> = mapTo(T::class)

/** An object of [type] for each row; see the other `mapTo`. */
public fun <T : Any> RowQuery<*>.mapTo(type: KClass<T>): SizedIterable<T> =
    RowMapping(type, resultFields).let { mapping -> Selection(copy(), mapping) }

/** An object of [T] for each row of a statement that returns rows; see the other `mapTo`. What does not fit fails at the first row. */
public inline fun <reified T : Any> Flow<ResultRow>.mapTo(): Flow<T> = mapTo(T::class)

/** An object of [type] for each row of a statement that returns rows; see the other `mapTo`. What does not fit fails at the first row. */
public fun <T : Any> Flow<ResultRow>.mapTo(type: KClass<T>): Flow<T> = flow {
    var mapping: RowMapping<T>? = null
    collect { row -> emit((mapping ?: RowMapping(type, row.fieldIndex.keys.toList()).also { mapping = it }).create(row)) }
}

/** An object of [T] for each of these rows, as `batchInsert` returns them; see the other `mapTo`. */
public inline fun <reified T : Any> List<ResultRow>.mapTo(): List<T> = mapTo(T::class)

/** An object of [type] for each of these rows, as `batchInsert` returns them; see the other `mapTo`. */
public fun <T : Any> List<ResultRow>.mapTo(type: KClass<T>): List<T> {
    val mapping = RowMapping(type, (firstOrNull() ?: return emptyList()).fieldIndex.keys.toList())
    return map(mapping::create)
}
