package dev.kormorant

import dev.kormorant.driver.RawColumn
import dev.kormorant.internal.rawAs

/**
 * One row of a statement given as SQL: a map from the names of its columns to values as the driver reads them, and by position.
 *
 * Of two columns with one name the map has the later; positions tell them apart. [get] with a type argument converts as long as nothing
 * is lost: `row.get<LocalDate>("born")`, `row.get<Int?>(0)`.
 */
public class SqlRow internal constructor(private val header: SqlHeader, private val cells: Array<Any?>) : AbstractMap<String, Any?>() {
    override val entries: Set<Map.Entry<String, Any?>> get() = header.names.withIndex().associate { (index, name) -> name to cells[index] }.entries

    override fun containsKey(key: String): Boolean = key in header.positions

    /** The value of the column called [key], as the driver reads it; `null` when it is NULL or there is no such column. */
    override fun get(key: String): Any? = header.positions[key]?.let(cells::get)

    /** The value of the column at [index], from 0, as the driver reads it. */
    public operator fun get(index: Int): Any? = cells[header.checked(index)]

    /**
     * The value of the column called [name] as a [type], `null` when it is NULL.
     *
     * @throws ColumnNotLoadedException if there is no such column.
     * @throws DecodeException if the value does not fit the class without loss.
     */
    public fun <T : Any> get(name: String, type: Class<T>): T? = read(header.position(name), type)

    /** The value of the column at [index], from 0, as a [type]; see the other `get`. */
    public fun <T : Any> get(index: Int, type: Class<T>): T? = read(header.checked(index), type)

    private fun <T : Any> read(index: Int, type: Class<T>): T? {
        val value = cells[index] ?: return null
        val wanted = type.kotlin.javaObjectType
        return if (wanted.isInstance(value)) wanted.cast(value) else wanted.cast(rawAs(value, wanted)) ?: throw DecodeException(
            "The value of column '${header.names[index]}' is a ${value.javaClass.name} and no ${wanted.name}.",
            "Read it as the class it has, or cast it in the statement.",
            null,
        )
    }

    @PublishedApi
    internal fun missing(column: Any): DecodeException =
        DecodeException("The value of column '$column' is NULL.", "Read it as a nullable type.", null)
}

/** The value of the column called [name] as a [T], which must be nullable for NULL; see [SqlRow.get]. */
public inline fun <reified T> SqlRow.get(name: String): T {
    val value = get(name, classOf<T>())
    return if (value == null && null !is T) throw missing(name) else value as T
}

/** The value of the column at [index], from 0, as a [T], which must be nullable for NULL; see [SqlRow.get]. */
public inline fun <reified T> SqlRow.get(index: Int): T {
    val value = get(index, classOf<T>())
    return if (value == null && null !is T) throw missing(index) else value as T
}

@PublishedApi
@Suppress("UNCHECKED_CAST")
internal inline fun <reified T> classOf(): Class<out Any> = T::class.java as Class<out Any>

/** The columns of a result. */
internal class SqlHeader(columns: List<RawColumn>) {
    val names: List<String> = columns.map { it.name }
    val positions: Map<String, Int> = names.withIndex().associate { (index, name) -> name to index }

    fun position(name: String): Int = positions[name] ?: throw notThere("'$name'")

    fun checked(index: Int): Int = if (index in names.indices) index else throw notThere("$index")

    private fun notThere(column: String) = ColumnNotLoadedException("The row has no column $column; it has ${names.joinToString()}.", "Select it, or give it this name by AS.")
}
