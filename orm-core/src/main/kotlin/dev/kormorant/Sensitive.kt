package dev.kormorant

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.Table
import java.util.Collections
import java.util.IdentityHashMap
import java.util.WeakHashMap

/**
 * Marks a column whose values are to be seen by nobody: `val token = varchar("token", 64).sensitive()`. No message of an error, no
 * `toString` and no event shows them, an id in such a column included, and Exposed's loggers and interceptors see `…` instead. To be
 * said last: Exposed makes another column of one that becomes nullable or gets a transformation.
 *
 * @return the same column.
 */
public fun <T> Column<T>.sensitive(): Column<T> = also { SensitiveColumns.add(it) }

/** Whether the column is marked [sensitive]. */
public val Column<*>.isSensitive: Boolean get() = this in SensitiveColumns

/** By name, since Exposed makes a new column object when one gets a further property, such as being nullable. */
private object SensitiveColumns {
    private val names: MutableMap<Table, Set<String>> = Collections.synchronizedMap(WeakHashMap())

    /** By identity, as every column has a type object of its own; replaced and never changed. */
    @Volatile
    var types: Map<IColumnType<*>, Unit> = emptyMap()
        private set

    fun add(column: Column<*>) {
        names.merge(column.table, setOf(column.name), Set<String>::plus)
        synchronized(this) { types = IdentityHashMap<IColumnType<*>, Unit>(types).also { it[column.columnType] = Unit } }
    }

    operator fun contains(column: Column<*>): Boolean = names[column.table]?.contains(column.name) == true
}

/** Whether a parameter of this type, which is that of a column, is to be seen by nobody. */
internal val IColumnType<*>.hidesValues: Boolean get() = SensitiveColumns.types.let { it.isNotEmpty() && it.containsKey(this) }

/** [value] for the text of an error: not that of a sensitive column. */
internal fun Column<*>.shown(value: Any?): String = if (isSensitive) "…" else "$value"
