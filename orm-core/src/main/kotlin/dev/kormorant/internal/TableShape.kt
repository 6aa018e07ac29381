package dev.kormorant.internal

import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.CompositeIdTable
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.EntityIDFunctionProvider
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import org.jetbrains.exposed.v1.core.isAutoInc
import java.util.BitSet
import java.util.IdentityHashMap
import java.util.concurrent.ConcurrentHashMap

/** The columns of a model's table by position: what a model keeps its values by. The same for every database. */
internal class TableShape(val table: IdTable<*>) {
    val columns: Array<Column<*>> = table.columns.toTypedArray()
    private val positions = IdentityHashMap<Column<*>, Int>().apply { columns.forEachIndexed { position, column -> put(column, position) } }

    /** Positions of the columns that make up the id, one unless it is composite. */
    val key: IntArray = columns.indices.filter { columns[it] in table.idColumns }.toIntArray()

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
}

/** An INSERT of one set of columns: its text, the positions of its parameters and of the columns it returns. */
internal class InsertShape(val sql: String, val given: IntArray, val returned: IntArray)

/** The SQL of every statement a model makes on one database, rendered once per set of columns, and how its rows are read. */
internal class TableSql(private val bridge: ExposedBridge, val shape: TableShape) {
    private val columns = shape.columns
    private val types: List<SqlType> = columns.map { Binder.sqlTypeOf(it.columnType) }
    private val decoders: Array<FieldDecoder> = bridge.render { Array(columns.size) { FieldDecoder(columns[it]) } }
    private val inserts = ConcurrentHashMap<BitSet, InsertShape>()
    private val updates = ConcurrentHashMap<BitSet, String>()
    private val table = bridge.render { it.identity(shape.table) }
    private val names: List<String> = bridge.render { transaction -> columns.map { transaction.identity(it) } }
    private val byId: String = shape.key.joinToString(" AND ") { "${names[it]} = ${marker(it)}" }
    private val select = "SELECT ${names.joinToString()} FROM $table WHERE $byId"
    private val delete = "DELETE FROM $table WHERE $byId"

    fun selectById(id: Any): SqlStatement = statement(select, shape.key, shape.keyValues(id))

    fun deleteById(id: Any): SqlStatement = statement(delete, shape.key, shape.keyValues(id))

    fun update(dirty: BitSet, values: Array<Any?>): SqlStatement {
        val changed = dirty.stream().toArray()
        val sql = updates.getOrPut(dirty.clone() as BitSet) {
            "UPDATE $table SET ${changed.joinToString { "${names[it]} = ${marker(it)}" }} WHERE $byId"
        }
        return statement(sql, changed + shape.key, (changed + shape.key).map { values[it] })
    }

    fun insertShape(given: BitSet): InsertShape = inserts.getOrPut(given.clone() as BitSet) {
        val positions = given.stream().toArray()
        val returned = if (DmlKind.INSERT !in bridge.dialect.returning) IntArray(0) else missing(given)
        InsertShape(insertSql(positions, returned, 1), positions, returned)
    }

    fun insert(shape: InsertShape, values: Array<Any?>): SqlStatement = statement(shape.sql, shape.given, shape.given.map { values[it] })

    /** One INSERT of several rows. */
    fun insertAll(shape: InsertShape, rows: List<Array<Any?>>): SqlStatement {
        val repeated = IntArray(shape.given.size * rows.size) { shape.given[it % shape.given.size] }
        val sql = insertSql(shape.given, shape.returned, rows.size)
        return statement(sql, repeated, rows.flatMap { row -> shape.given.map { row[it] } }, reusable = false)
    }

    /** Positions that only the database knows after an INSERT of [given]. */
    fun missing(given: BitSet): IntArray = columns.indices.filter { !given[it] && shape.filledByDatabase[it] }.toIntArray()

    /** A row of all columns in the order of the shape: its values become those of a model, in place. */
    fun decode(row: Array<Any?>, view: RowView): Array<Any?> {
        view.values = row
        for (position in row.indices) row[position] = decoders[position].decode(row, position, view)
        return row
    }

    /** Sets the columns at [positions] of [values] from a row that has just these. */
    fun decodeInto(values: Array<Any?>, positions: IntArray, row: Array<Any?>, view: RowView) {
        view.values = row
        for (index in positions.indices) values[positions[index]] = decoders[positions[index]].decode(row, index, view)
    }

    private fun insertSql(given: IntArray, returned: IntArray, rows: Int): String = bridge.render { transaction ->
        val provider = transaction.db.dialect.functionProvider
        val group = given.joinToString(prefix = "(", postfix = ")") { marker(it) }
        val values = if (given.isEmpty()) "" else "VALUES " + List(rows) { group }.joinToString()
        val insert = provider.insert(false, shape.table, given.map { columns[it] }, values, transaction)
        if (returned.isEmpty()) insert else "$insert RETURNING ${returned.joinToString { names[it] }}"
    }

    private fun statement(sql: String, positions: IntArray, values: List<Any?>, reusable: Boolean = true): SqlStatement = bridge.render {
        val binder = Binder(positions.size)
        for (index in positions.indices) binder.add(columns[positions[index]].columnType, values[index])
        binder.statement(sql, reusable)
    }

    @Suppress("UNCHECKED_CAST")
    private fun marker(position: Int): String = bridge.render { (columns[position].columnType as IColumnType<Any>).parameterMarker(null) }
}
