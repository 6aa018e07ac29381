package dev.kormorant.internal

import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.statements.insertValue
import java.util.BitSet
import java.util.concurrent.ConcurrentHashMap

/** An INSERT of one set of columns: its text, the positions of its parameters and of the columns it returns. */
internal class InsertShape(val sql: String, val given: IntArray, val returned: IntArray)

/** The SQL of every statement a model makes on one database, rendered once per set of columns, and how its rows are read. */
internal class TableSql(private val bridge: ExposedBridge, val shape: TableShape) {
    private val columns = shape.columns
    private val decoders: Array<FieldDecoder> = bridge.render { Array(columns.size) { FieldDecoder(columns[it]) } }
    private val selects = ConcurrentHashMap<KeyColumns, String>()
    private val inserts = ConcurrentHashMap<BitSet, InsertShape>()
    private val updates = ConcurrentHashMap<BitSet, String>()
    private val upserts = ConcurrentHashMap<List<BitSet>, InsertShape>()
    private val table = bridge.render { it.identity(shape.table) }
    private val names: List<String> = bridge.render { transaction -> columns.map { transaction.identity(it) } }
    private val markers: List<String> = bridge.render { columns.map { marker(it) } }
    private val all = columns.indices.toList().toIntArray()
    private val byId: String = equal(shape.key)

    /** The key, and the version the row had, if its class counts versions. */
    private val lock: IntArray = if (shape.version < 0) shape.key else shape.key + shape.version
    private val byLock: String = equal(lock)
    private val select = "SELECT ${names.joinToString()} FROM $table WHERE $byId"
    private val delete = "DELETE FROM $table WHERE $byId"
    private val deleteLocked = "DELETE FROM $table WHERE $byLock"
    private val returnsInserted = DmlKind.INSERT in bridge.dialect.returning

    /** Positions by the names the database gives columns in an answer. */
    private val positions: Map<String, Int> = columns.indices.associateBy { columns[it].name.trim('"', '`').lowercase() }

    fun selectById(id: Any): SqlStatement = statement(select, shape.key, shape.keyValues(id))

    /** All columns of the rows with one [key]. */
    fun selectBy(columns: KeyColumns, key: Any): SqlStatement {
        val positions = columns.columns.map { shape.position(it) }.toIntArray()
        val values = if (columns.only != null) listOf(key) else key as List<*>
        val sql = selects.getOrPut(columns) { "SELECT ${names.joinToString()} FROM $table WHERE ${equal(positions)}" }
        return statement(sql, positions, columns.columns.zip(values) { column, value -> column.keyValue(value) })
    }

    fun deleteById(id: Any): SqlStatement = statement(delete, shape.key, shape.keyValues(id))

    /** Deletes the row in the version it has in [values]. */
    fun delete(values: Array<Any?>): SqlStatement = statement(deleteLocked, lock, lock.map { values[it] })

    fun update(changed: BitSet, values: Array<Any?>): SqlStatement {
        val positions = changed.stream().toArray()
        val sql = updates.getOrPut(changed.clone() as BitSet) {
            "UPDATE $table SET ${(positions.map { "${names[it]} = ${markers[it]}" } + nextVersion()).joinToString()} WHERE $byLock"
        }
        return statement(sql, positions + lock, (positions + lock).map { values[it] })
    }

    /**
     * One UPDATE of several rows, which gives each its own values of the columns at [changed]. The column itself is the ELSE of its
     * CASE, so that the server gives the parameters its type.
     */
    fun updateAll(changed: IntArray, rows: List<Array<Any?>>): SqlStatement {
        val parameters = ArrayList<Int>()
        val values = ArrayList<Any?>()
        fun bind(positions: IntArray, row: Array<Any?>) = positions.forEach {
            parameters += it
            values += row[it]
        }
        val cases = changed.map { position ->
            rows.joinToString(" ", "${names[position]} = CASE ", " ELSE ${names[position]} END") { row ->
                bind(shape.key + position, row)
                "WHEN $byId THEN ${markers[position]}"
            }
        }
        val sql = "UPDATE $table SET ${(cases + nextVersion()).joinToString()} WHERE ${anyOf(rows.size)}"
        rows.forEach { bind(lock, it) }
        return statement(sql, parameters.toIntArray(), values, reusable = false)
    }

    /** How many rows one [updateAll] of [changed] columns can have. */
    fun rowsPerUpdate(changed: Int): Int = (bridge.dialect.maxParameters / (changed * (shape.key.size + 1) + lock.size)).coerceAtLeast(1)

    fun insertShape(given: BitSet): InsertShape = inserts.getOrPut(given.clone() as BitSet) {
        val positions = given.stream().toArray()
        val returned = if (returnsInserted) missing(given) else IntArray(0)
        InsertShape(insertSql(positions, returned, 1), positions, returned)
    }

    fun insert(shape: InsertShape, values: Array<Any?>): SqlStatement = statement(shape.sql, shape.given, shape.given.map { values[it] })

    /** One INSERT of several rows. */
    fun insertAll(shape: InsertShape, rows: List<Array<Any?>>): SqlStatement {
        val repeated = IntArray(shape.given.size * rows.size) { shape.given[it % shape.given.size] }
        val sql = insertSql(shape.given, shape.returned, rows.size)
        return statement(sql, repeated, rows.flatMap { row -> shape.given.map { row[it] } }, reusable = false)
    }

    /** An INSERT of [given] that writes [changed] where a row with the same [key] is there; it returns the whole row where it can. */
    fun upsertShape(given: BitSet, key: BitSet, changed: BitSet): InsertShape = upserts.getOrPut(listOf(given, key, changed).map { it.clone() as BitSet }) {
        val positions = given.stream().toArray()
        val sql = bridge.render { transaction ->
            val values = positions.joinToString(prefix = "VALUES (", postfix = ")") { markers[it] }
            val update = changed.stream().toArray().map { columns[it] to insertValue(columns[it]) } + listOfNotNull(nextVersion().firstOrNull()?.let { columns[shape.version] to Verbatim("$table.${names[shape.version]} + 1") })
            val target = if (bridge.dialect.upsertNamesKey) key.stream().toArray().map { columns[it] } else emptyList()
            transaction.db.dialect.functionProvider.upsert(shape.table, positions.map { columns[it] to null }, values, update, target, null, transaction)
        }
        if (returnsInserted) InsertShape("$sql RETURNING ${names.joinToString()}", positions, all) else InsertShape(sql, positions, IntArray(0))
    }

    /** Positions that only the database knows after an INSERT of [given]. */
    fun missing(given: BitSet): IntArray = columns.indices.filter { !given[it] && shape.filledByDatabase[it] }.toIntArray()

    /** A row of all columns in the order of the shape: its values become those of a model, in place. */
    fun decode(row: Array<Any?>, view: RowView): Array<Any?> {
        view.values = row
        for (position in row.indices) row[position] = decoders[position].decode(row, position, view)
        return row
    }

    /** Sets the columns at [positions] of [values] from a row that has just these; what has the position -1 is left out. */
    fun decodeInto(values: Array<Any?>, positions: IntArray, row: Array<Any?>, view: RowView): Array<Any?> {
        view.values = row
        for (index in positions.indices) if (positions[index] >= 0) values[positions[index]] = decoders[positions[index]].decode(row, index, view)
        return values
    }

    /** The positions of columns the database names, -1 for those the table does not have. */
    fun positionsOf(named: List<RawColumn>): IntArray = IntArray(named.size) { positions[named[it].name.lowercase()] ?: -1 }

    private fun insertSql(given: IntArray, returned: IntArray, rows: Int): String = bridge.render { transaction ->
        val provider = transaction.db.dialect.functionProvider
        val group = given.joinToString(prefix = "(", postfix = ")") { markers[it] }
        val values = if (given.isEmpty()) "" else "VALUES " + List(rows) { group }.joinToString()
        val insert = provider.insert(false, shape.table, given.map { columns[it] }, values, transaction)
        if (returned.isEmpty()) insert else "$insert RETURNING ${returned.joinToString { names[it] }}"
    }

    private fun statement(sql: String, positions: IntArray, values: List<Any?>, reusable: Boolean = true): SqlStatement = bridge.render {
        val binder = Binder(positions.size)
        for (index in positions.indices) binder.add(columns[positions[index]].columnType, values[index])
        binder.statement(sql, reusable)
    }

    private fun equal(positions: IntArray): String = positions.joinToString(" AND ") { "${names[it]} = ${markers[it]}" }

    private fun nextVersion(): List<String> = if (shape.version < 0) emptyList() else names[shape.version].let { listOf("$it = $it + 1") }

    /** The condition that a row is one of [count], nested in pairs, since SQLite bounds the depth of an expression. */
    private fun anyOf(count: Int): String = when {
        lock.size == 1 -> List(count) { markers[lock[0]] }.joinToString(prefix = "${names[lock[0]]} IN (", postfix = ")")
        count == 1 -> "($byLock)"
        else -> "(${anyOf(count / 2)} OR ${anyOf(count - count / 2)})"
    }

    @Suppress("UNCHECKED_CAST")
    private fun marker(column: Column<*>): String = (column.columnType as IColumnType<Any>).parameterMarker(null)
}

/** SQL as it stands. */
private class Verbatim(private val sql: String) : Expression<Any?>() {
    override fun toQueryBuilder(queryBuilder: QueryBuilder) {
        queryBuilder.append(sql)
    }
}
