package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.RawResult
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.InsertShape
import dev.kormorant.internal.RowView
import dev.kormorant.internal.TableShape
import dev.kormorant.internal.TableSql
import dev.kormorant.internal.Unset
import dev.kormorant.internal.equalTo
import dev.kormorant.internal.rowOf
import kotlinx.coroutines.currentCoroutineContext
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.compoundAnd
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import java.util.BitSet
import kotlin.uuid.Uuid

/**
 * What can be done with the rows of [table] as models: the companion of a model class.
 *
 * Every suspend function runs at once on the database of the calling coroutine, inside its transaction if it is in one; without a
 * database in the context it is [database].
 *
 * @param factory makes an unsaved model; called once per row loaded, so it should do no more than construct.
 */
public abstract class ModelClass<ID : Any, M : Model<ID>>(public val table: IdTable<ID>, private val factory: () -> M) {
    /** What relations to this class hold, made once and not per relation. */
    internal val itself: Lazy<ModelClass<ID, M>> = lazyOf(this)

    internal val shape: TableShape by lazy(LazyThreadSafetyMode.PUBLICATION) { TableShape(table) }

    /** A model that is never saved: what its relations are can be asked of it. */
    internal val sample: M by lazy(LazyThreadSafetyMode.PUBLICATION) { factory() }

    /** The database of this class where the coroutine context has none; read at each call. `null` by default: there is no global one. */
    public open val database: Database? get() = null

    internal suspend fun currentDatabase(): Database = currentCoroutineContext()[Database] ?: database ?: throw NoDatabaseException()

    // ---- Reading

    /** A query for the models that match [condition]; no I/O yet. */
    public fun find(condition: () -> Op<Boolean>): ModelQuery<M> = all().where(condition)

    /** A query for all models; no I/O yet. */
    public fun all(): ModelQuery<M> = ModelQuery(this, Query(table))

    /**
     * The model with [id].
     *
     * @throws RecordNotFoundException if there is none.
     */
    public suspend fun get(id: ID): M = getOrNull(id) ?: throw notFound(id)

    /** The model with [id]; see the other `get`. */
    public suspend fun get(id: EntityID<ID>): M = get(id.value)

    /**
     * The first model that matches [condition]; more than one is not an error, [ModelQuery.single] is the strict form.
     *
     * @throws RecordNotFoundException if there is none.
     */
    public suspend fun get(condition: () -> Op<Boolean>): M = find(condition).first()

    /** The model with [id], or `null`. */
    public suspend fun getOrNull(id: ID): M? {
        val database = currentDatabase()
        val bridge = database.openBridge()
        val sql = bridge.sqlOf(shape)
        return materialise(bridge, sql, database.run(sql.selectById(id), Access.READ)).firstOrNull()
    }

    /** The first model that matches [condition], or `null`. */
    public suspend fun getOrNull(condition: () -> Op<Boolean>): M? = find(condition).firstOrNull()

    /** How many rows match [condition]. */
    public suspend fun count(condition: () -> Op<Boolean>): Long = find(condition).count()

    /** How many rows the table has. */
    public suspend fun count(): Long = all().count()

    /** Whether a row matches [condition]. */
    public suspend fun exists(condition: () -> Op<Boolean>): Boolean = !find(condition).empty()

    // ---- Writing

    /** Inserts a row with the values [init] sets and returns it as the database stored it. */
    public suspend fun create(init: M.() -> Unit): M = factory().apply(init).also { insert(it) }

    /** A model with the values [init] sets, not saved; no I/O. */
    public fun new(init: M.() -> Unit): M = factory().apply(init)

    /**
     * Inserts [models], many rows per statement, as many as the dialect's parameter limit allows, and all or none of them. Ids and
     * defaults made by the database are in the models afterwards, on every database. No model, no statement.
     *
     * @param batchSize rows per statement at most; `null` is the dialect's limit.
     * @return [models].
     * @throws IllegalArgumentException if one of them is in the database already.
     */
    public suspend fun createAll(models: Iterable<M>, batchSize: Int? = null): List<M> {
        require(batchSize == null || batchSize > 0) { "batchSize must be more than zero, not $batchSize." }
        val all = models.toList()
        all.forEach { require(it.isNew) { "$it is in the database already." } }
        if (all.isEmpty()) return all
        val database = currentDatabase()
        val bridge = database.openBridge()
        val sql = bridge.sqlOf(shape)
        val limit = (bridge.dialect.maxParameters / shape.columns.size).coerceAtLeast(1).coerceAtMost(batchSize ?: Int.MAX_VALUE)
        val parts = all.groupBy { givenColumns(it) }.flatMap { (given, group) -> group.chunked(if (given.isEmpty) 1 else limit).map { given to it } }
        if (parts.size == 1) insertPart(database, bridge, sql, parts[0].first, parts[0].second)
        else database.transaction { for ((given, part) in parts) insertPart(database, bridge, sql, given, part) }
        return all
    }

    /**
     * The model whose columns have the values [lookup] sets, created with these and those of [defaults] if there is none. Safe
     * against others doing the same at once, in autocommit and inside a transaction, if a unique constraint covers the looked-up columns.
     *
     * @return the model, and whether this call created it.
     */
    public suspend fun getOrCreate(lookup: M.() -> Unit, defaults: M.() -> Unit = {}): Pair<M, Boolean> {
        val wanted = factory().apply(lookup)
        val looked = wanted.state.dirtyColumns().stream().toArray().map { shape.columns[it] to wanted.state.row()[it] }
        require(looked.isNotEmpty()) { "getOrCreate needs at least one column to look up." }
        fun matching() = find { looked.map { (column, value) -> column equalTo value }.compoundAnd() }
        matching().firstOrNull()?.let { return it to false }
        val database = currentDatabase()
        wanted.defaults()
        try {
            if (database.currentLevel() == null) insert(wanted) else database.transaction { insert(wanted) }
            return wanted to true
        } catch (error: ConstraintViolationException) {
            if (error.kind != ConstraintKind.UNIQUE) throw error
            val latest = database.openBridge().dialect.latestCommitted
            val query = if (latest == null) matching() else matching().forUpdate(latest)
            return (query.firstOrNull() ?: throw error) to false
        }
    }

    /** The model with [id], created with it and the values of [defaults] if there is none; see the other `getOrCreate`. */
    public suspend fun getOrCreate(id: ID, defaults: M.() -> Unit): Pair<M, Boolean> = getOrCreate({ state.writeId(id) }, defaults)

    /** Deletes the row with [id]; returns how many rows were deleted, 0 or 1. */
    public suspend fun deleteById(id: ID): Int {
        val database = currentDatabase()
        return database.run(database.openBridge().sqlOf(shape).deleteById(id)).affected.toInt()
    }

    /**
     * The model of a row that a query of the table's columns returned, such as a join; columns the query left out are not loaded.
     * References of the model are, if the row has the columns of the model they refer to.
     */
    public fun wrapRow(row: ResultRow): M = wrapValues(rowOf(shape, row)).also { it.state.joined = row }

    // ---- What Model.kt calls

    internal suspend fun save(model: Model<*>, only: Set<Column<*>>?): Boolean {
        if (model.isNew) {
            require(only == null) { "A new model is saved whole: there is no row that `only` could leave as it is." }
            insert(model)
            return true
        }
        val dirty = model.state.dirtyColumns()
        if (only != null) dirty.and(BitSet().also { wanted -> only.forEach { wanted.set(shape.position(it)) } })
        if (dirty.isEmpty) return false
        val database = currentDatabase()
        val sql = database.openBridge().sqlOf(shape)
        if (database.run(sql.update(dirty, model.state.row())).affected == 0L) return false
        model.state.saved(dirty)
        return true
    }

    internal suspend fun delete(model: Model<*>): Int {
        check(!model.isNew) { "$model is not in the database." }
        val database = currentDatabase()
        val deleted = database.run(database.openBridge().sqlOf(shape).deleteById(model.state.id())).affected.toInt()
        model.state.deleted()
        return deleted
    }

    internal fun wrapValues(values: Array<Any?>): M = factory().also { it.state.loaded(values) }

    /** Models of rows that have all columns in the order of the shape. */
    internal fun materialise(bridge: ExposedBridge, sql: TableSql, result: RawResult): List<M> {
        if (result.rows.isEmpty()) return emptyList()
        return bridge.render {
            val view = RowView()
            result.rows.map { wrapValues(sql.decode(it, view)) }
        }
    }

    // ---- INSERT

    private suspend fun insert(model: Model<*>) {
        val database = currentDatabase()
        val bridge = database.openBridge()
        insertPart(database, bridge, bridge.sqlOf(shape), givenColumns(model), listOf(model))
    }

    /** Inserts rows that give the same columns, with one statement, and takes over what the database made. */
    private suspend fun insertPart(database: Database, bridge: ExposedBridge, sql: TableSql, given: BitSet, models: List<Model<*>>) {
        val insert = sql.insertShape(given)
        val rows = models.map { it.state.row() }
        val result = database.run(if (rows.size == 1) sql.insert(insert, rows[0]) else sql.insertAll(insert, rows))
        val missing = sql.missing(given)
        if (insert.returned.isNotEmpty()) {
            takeReturned(bridge, sql, insert, rows, result)
        } else if (missing.isNotEmpty()) {
            countIds(bridge, rows, missing, result)
            readMissing(database, bridge, sql, rows, missing)
        }
        for (row in rows) for (position in row.indices) if (row[position] === Unset) row[position] = null
        models.forEach { it.state.saved(ALL) }
    }

    private fun takeReturned(bridge: ExposedBridge, sql: TableSql, insert: InsertShape, rows: List<Array<Any?>>, result: RawResult) = bridge.render {
        val view = RowView()
        for (index in rows.indices) sql.decodeInto(rows[index], insert.returned, result.rows[index], view)
    }

    /** Ids counted from the first one, as databases without RETURNING report it. */
    @Suppress("UNCHECKED_CAST")
    private fun countIds(bridge: ExposedBridge, rows: List<Array<Any?>>, missing: IntArray, result: RawResult) {
        val position = missing.singleOrNull { it in shape.key } ?: return
        val first = result.lastInsertId ?: return
        val step = bridge.dialect.generatedIdStep ?: 1
        val type = shape.columns[position].columnType
        bridge.render { rows.forEachIndexed { index, row -> row[position] = type.valueFromDB(first + index * step) } }
    }

    /** Other columns that the database made, read back by id. */
    private suspend fun readMissing(database: Database, bridge: ExposedBridge, sql: TableSql, rows: List<Array<Any?>>, missing: IntArray) {
        if (missing.all { it in shape.key }) return
        for (row in rows) {
            val stored = database.run(sql.selectById(shape.id(row))).rows.firstOrNull() ?: continue
            val decoded = bridge.render { sql.decode(stored, RowView()) }
            for (position in missing) row[position] = decoded[position]
        }
    }

    /** The columns an INSERT of [model] gives: those set, and those whose default is the client's, which is asked here. */
    private fun givenColumns(model: Model<*>): BitSet {
        val given = BitSet(shape.columns.size)
        for (position in shape.columns.indices) {
            val column = shape.columns[position]
            if (!model.state.isSet(position) && column.defaultValueFun != null) model.state.read(column)
            if (model.state.isSet(position)) given.set(position)
        }
        return given
    }

    private fun notFound(id: ID) = RecordNotFoundException(
        "There is no row of ${table.tableName} with id $id.",
        "SELECT … FROM ${table.tableName} WHERE ${table.idColumns.joinToString(" AND ") { "${it.name} = ?" }}",
    )

    private companion object {
        val ALL = BitSet().apply { set(0, 4096) }
    }
}

/** A model class with [Int] ids. */
public abstract class IntModelClass<M : IntModel>(table: IdTable<Int>, factory: () -> M) : ModelClass<Int, M>(table, factory)

/** A model class with [Long] ids. */
public abstract class LongModelClass<M : LongModel>(table: IdTable<Long>, factory: () -> M) : ModelClass<Long, M>(table, factory)

/** A model class with [Uuid] ids. */
public abstract class UuidModelClass<M : UuidModel>(table: IdTable<Uuid>, factory: () -> M) : ModelClass<Uuid, M>(table, factory)

/** A model class with [java.util.UUID] ids. */
public abstract class UUIDModelClass<M : UUIDModel>(table: IdTable<java.util.UUID>, factory: () -> M) : ModelClass<java.util.UUID, M>(table, factory)

/** A model class whose ids are several columns. */
public abstract class CompositeModelClass<M : CompositeModel>(table: IdTable<CompositeID>, factory: () -> M) : ModelClass<CompositeID, M>(table, factory)
