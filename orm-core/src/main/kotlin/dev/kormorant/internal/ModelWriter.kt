package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.Model
import dev.kormorant.ModelClass
import dev.kormorant.RecordNotFoundException
import dev.kormorant.StaleModelException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.RawResult
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.isAutoInc
import java.util.BitSet

/** Writes models of one class on one database, and takes over what the database makes of them. */
internal class ModelWriter(private val type: ModelClass<*, *>, private val database: Database, private val bridge: ExposedBridge) {
    private val shape = type.shape
    private val sql = bridge.sqlOf(shape)

    suspend fun insert(model: Model<*>) = insertPart(givenColumns(model), listOf(model))

    /** Inserts [models], those that give the same columns with one statement of [batchSize] rows at most, all of them or none. */
    suspend fun insertAll(models: List<Model<*>>, batchSize: Int?) {
        val limit = (bridge.dialect.maxParameters / shape.columns.size).coerceAtLeast(1).coerceAtMost(batchSize ?: Int.MAX_VALUE)
        val parts = models.groupBy { givenColumns(it) }.flatMap { (given, group) -> group.chunked(if (given.isEmpty) 1 else limit).map { given to it } }
        if (parts.size == 1) insertPart(parts[0].first, parts[0].second)
        else database.restoring(models) { for ((given, part) in parts) insertPart(given, part) }
    }

    /** Writes the columns at [changed]; returns whether the row was there. */
    suspend fun update(model: Model<*>, changed: BitSet): Boolean {
        if (shape.version >= 0) model.state.read(shape.columns[shape.version])
        if (database.run(sql.update(changed, model.state.row())).affected == 0L) {
            if (shape.version >= 0) throw stale(model)
            return false
        }
        countVersion(model)
        model.state.saved(changed)
        return true
    }

    /** Writes the columns at [changed] of all [models], many rows per statement; returns how many rows were there. */
    suspend fun updateAll(models: List<Model<*>>, changed: BitSet, batchSize: Int): Int {
        val positions = changed.stream().toArray()
        val read = (shape.key + positions).toMutableList().also { if (shape.version >= 0) it += shape.version }
        for (model in models) for (position in read) model.state.read(shape.columns[position])
        val parts = models.chunked(batchSize.coerceAtMost(sql.rowsPerUpdate(positions.size)))
        if (parts.size == 1 && shape.version < 0) return updatePart(positions, changed, models)
        return database.restoring(models) { parts.sumOf { updatePart(positions, changed, it) } }
    }

    private suspend fun updatePart(positions: IntArray, changed: BitSet, models: List<Model<*>>): Int {
        val found = database.run(sql.updateAll(positions, models.map { it.state.row() })).affected.toInt()
        if (shape.version >= 0 && found < models.size) throw stale(models.first().takeIf { models.size == 1 })
        for (model in models) {
            countVersion(model)
            model.state.saved(changed)
        }
        return found
    }

    /** Inserts [model], or writes the columns that were set on it over the row that has its [key] already. */
    suspend fun upsert(model: Model<*>, key: BitSet) {
        val changed = model.state.dirtyColumns().apply { andNot(key) }
        if (shape.version >= 0) changed.clear(shape.version)
        val given = givenColumns(model)
        val upsert = sql.upsertShape(given, key, if (changed.isEmpty) key else changed)
        val result = database.run(sql.insert(upsert, model.state.row()))
        val stored = result.rows.firstOrNull()?.let { row -> bridge.render { sql.decode(row, RowView()) } } ?: readBack(model, key, given)
        model.state.reloaded(stored)
    }

    /** The row that was written, found by [key], or by another unique key [given] if it was that one that the database met. */
    private suspend fun readBack(model: Model<*>, key: BitSet, given: BitSet): Array<Any?> {
        val others = shape.uniqueKeys.filter { unique -> unique.all { given[it] } }
        for (unique in listOf(key.stream().toArray()) + others) {
            val columns = KeyColumns(unique.map { shape.columns[it] })
            val value = columns.of(model.state) ?: continue
            val row = database.rowsByKey(bridge, columns, listOf(value), shape.columns.asList()).values.singleOrNull() ?: continue
            return bridge.render { rowOf(shape, row) }
        }
        throw RecordNotFoundException("The row of ${shape.table.tableName} that was written is gone.", null, null)
    }

    suspend fun delete(model: Model<*>): Int {
        model.state.id()
        if (shape.version >= 0) model.state.read(shape.columns[shape.version])
        val deleted = database.run(sql.delete(model.state.row())).affected.toInt()
        if (deleted == 0 && shape.version >= 0) throw stale(model)
        model.state.deleted()
        return deleted
    }

    /** Inserts rows that give the same columns, with one statement, and takes over what the database made. */
    private suspend fun insertPart(given: BitSet, models: List<Model<*>>) {
        val insert = sql.insertShape(given)
        val missing = sql.missing(given)
        if (insert.returned.isEmpty()) requireKnownKey(missing)
        val rows = models.map { it.state.rowToFill() }
        val result = database.run(if (rows.size == 1) sql.insert(insert, rows[0]) else sql.insertAll(insert, rows))
        if (insert.returned.isNotEmpty()) {
            takeReturned(insert, rows, result)
        } else if (missing.isNotEmpty()) {
            countIds(rows, missing, result)
            readMissing(rows, missing)
        }
        for (row in rows) for (position in row.indices) if (row[position] === Unset) row[position] = null
        models.forEach { it.state.saved(ALL) }
    }

    /** Without RETURNING a database tells the numbers it has counted, but no other key. */
    private fun requireKnownKey(missing: IntArray) {
        val unknown = missing.map { shape.columns[it] }.firstOrNull { it in shape.keyColumns.columns && !it.columnType.isAutoInc } ?: return
        throw UnsupportedByDialectException(
            "${bridge.dialect.name} does not tell what it puts into ${shape.table.tableName}.${unknown.name}, which is part of the key.",
            "Set the column, or give it a default of the client.",
        )
    }

    private fun takeReturned(insert: InsertShape, rows: List<Array<Any?>>, result: RawResult) = bridge.render {
        val view = RowView()
        for (index in rows.indices) sql.decodeInto(rows[index], insert.returned, result.rows[index], view)
    }

    /** Ids counted from the first one, as databases without RETURNING report it. */
    private fun countIds(rows: List<Array<Any?>>, missing: IntArray, result: RawResult) {
        val position = missing.singleOrNull { it in shape.key } ?: return
        val first = result.lastInsertId ?: return
        val step = bridge.dialect.generatedIdStep ?: 1
        val type = shape.columns[position].columnType
        bridge.render { rows.forEachIndexed { index, row -> row[position] = type.valueFromDB(first + index * step) } }
    }

    /** Other columns that the database made, read back by one query for all rows. */
    private suspend fun readMissing(rows: List<Array<Any?>>, missing: IntArray) {
        val columns = missing.filter { it !in shape.key }.map { shape.columns[it] }
        if (columns.isEmpty()) return
        fun keyOf(row: Array<Any?>) = shape.keyColumns.of { row[shape.position(it)] }
        val stored = database.rowsByKey(bridge, shape.keyColumns, rows.mapNotNull(::keyOf), columns)
        bridge.render { for (row in rows) stored[keyOf(row)]?.let { read -> for (column in columns) row[shape.position(column)] = read[column] } }
    }

    /** The columns an INSERT of [model] gives: those set, and those whose default is the client's, which is asked here. */
    private fun givenColumns(model: Model<*>): BitSet {
        val state = model.state
        val given = BitSet(shape.columns.size)
        for (position in shape.columns.indices) {
            val column = shape.columns[position]
            if (!state.isSet(position)) {
                if (column.defaultValueFun != null) state.read(column)
                else if (position == shape.version && !shape.filledByDatabase[position]) state.write(column, shape.firstVersion)
            }
            if (state.isSet(position)) given.set(position)
        }
        return given
    }

    private fun countVersion(model: Model<*>) {
        if (shape.version < 0) return
        val row = model.state.rowToFill()
        row[shape.version] = when (val version = row[shape.version]) {
            is Int -> version + 1
            is Short -> (version + 1).toShort()
            else -> version as Long + 1
        }
    }

    private fun stale(model: Model<*>?) =
        StaleModelException("${model ?: "A row of ${shape.table.tableName}"} was changed or deleted by somebody else since it was loaded.")

    private companion object {
        val ALL = BitSet().apply { set(0, 4096) }
    }
}

/** Runs [block] in a transaction; if it fails, [models] are as they were. */
internal suspend fun <T> Database.restoring(models: List<Model<*>>, block: suspend () -> T): T {
    val restore = models.map { it.state.snapshot() }
    try {
        return transaction { block() }
    } catch (error: Throwable) {
        restore.forEach { it() }
        throw error
    }
}

/** The positions of [columns]. */
internal fun TableShape.bits(columns: Iterable<Column<*>>): BitSet = BitSet().also { bits -> columns.forEach { bits.set(position(it)) } }
