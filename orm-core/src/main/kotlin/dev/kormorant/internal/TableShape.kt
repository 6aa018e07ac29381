package dev.kormorant.internal

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.LongColumnType
import org.jetbrains.exposed.v1.core.ShortColumnType
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.CompositeIdTable
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.EntityIDFunctionProvider
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import org.jetbrains.exposed.v1.core.isAutoInc
import java.util.IdentityHashMap

/** The columns of a model's table by position: what a model keeps its values by. The same for every database. */
internal class TableShape(val table: IdTable<*>, version: Column<*>?) {
    val columns: Array<Column<*>> = table.columns.toTypedArray()
    private val positions = IdentityHashMap<Column<*>, Int>().apply { columns.forEachIndexed { position, column -> put(column, position) } }

    /** Positions of the columns that make up the id, one unless it is composite. */
    val key: IntArray = columns.indices.filter { columns[it] in table.idColumns }.toIntArray()

    /** The key as columns. */
    val keyColumns: KeyColumns = KeyColumns(key.map { columns[it] })

    /** Position of the column that counts the changes of a row, or -1. */
    val version: Int = if (version == null) -1 else position(version)

    /** What that column holds in a new row. */
    val firstVersion: Number? = version?.let(::zeroOf)

    /** Sets of columns of which each is unique: the primary key and the unique indices. */
    val uniqueKeys: List<IntArray> by lazy(LazyThreadSafetyMode.PUBLICATION) {
        table.uniqueKeys().map { unique -> unique.map(::position).toIntArray() }
    }

    /** Whether the id is a [CompositeID]. */
    val isComposite: Boolean = table is CompositeIdTable

    /** Columns the database fills when an INSERT leaves them out. */
    val filledByDatabase: BooleanArray = BooleanArray(columns.size) { columns[it].isFilledByDatabase() }

    fun position(column: Column<*>): Int = positions[column]
        ?: throw IllegalArgumentException("Column ${column.table.tableName}.${column.name} is not a column of ${table.tableName}.")

    /** The id in a row of values, which has one. */
    fun id(values: Array<Any?>): EntityID<*> {
        if (!isComposite) return values[key[0]] as EntityID<*>
        val id = CompositeID { parts ->
            @Suppress("UNCHECKED_CAST")
            for (position in key) parts[columns[position] as Column<EntityID<Any>>] = (values[position] as EntityID<*>).value
        }
        @Suppress("UNCHECKED_CAST")
        return EntityIDFunctionProvider.createEntityID(id, table as IdTable<CompositeID>)
    }

    /** The id whose plain value, or list of plain values, in the order of [columns] is [key]. */
    fun idOf(columns: List<Column<*>>, key: Any): EntityID<*> {
        if (!isComposite) return entityId(key)
        val row = arrayOfNulls<Any?>(this.columns.size)
        columns.zip(key as List<*>) { column, part -> row[position(column)] = column.keyValue(part) }
        return id(row)
    }

    /** The values of [id] in the order of [key], as their columns take them. */
    fun keyValues(id: Any): List<Any?> {
        if (!isComposite) return listOf(entityId(id))
        val parts = (id as CompositeID)
        @Suppress("UNCHECKED_CAST")
        return key.map { parts[columns[it] as Column<EntityID<Any>>] }
    }

    @Suppress("UNCHECKED_CAST")
    private fun entityId(id: Any): EntityID<*> = id as? EntityID<*> ?: EntityIDFunctionProvider.createEntityID(id, table as IdTable<Any>)

    private fun Column<*>.isFilledByDatabase() =
        columnType.isAutoInc || isDatabaseGenerated() || (defaultValueInDb() != null && defaultValueFun == null)

    private fun zeroOf(version: Column<*>): Number = when (version.columnType) {
        is IntegerColumnType -> 0
        is LongColumnType -> 0L
        is ShortColumnType -> 0.toShort()
        else -> throw IllegalArgumentException("${version.table.tableName}.${version.name} cannot count versions: it must be an integer, long or short column.")
    }
}
