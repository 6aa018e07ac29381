package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.RawResult
import dev.kormorant.internal.Binder
import dev.kormorant.internal.Cascading
import dev.kormorant.internal.DeclaredRelations
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.ModelMappings
import dev.kormorant.internal.ModelWriter
import dev.kormorant.internal.RowView
import dev.kormorant.internal.TableShape
import dev.kormorant.internal.TableSql
import dev.kormorant.internal.Unset
import dev.kormorant.internal.bits
import dev.kormorant.internal.equalTo
import dev.kormorant.internal.peersOf
import dev.kormorant.internal.restoring
import dev.kormorant.internal.rowOf
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.compoundAnd
import org.jetbrains.exposed.v1.core.compoundOr
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import org.jetbrains.exposed.v1.core.statements.UpdateStatement
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import java.util.BitSet
import kotlin.LazyThreadSafetyMode.PUBLICATION
import kotlin.uuid.Uuid

/**
 * What can be done with the rows of [table] as models: the companion of a model class.
 *
 * Every suspend function runs at once on the database of the calling coroutine, inside its transaction if it is in one; without a
 * database in the context it is [database]. Hooks are registered here as well, see [ModelHooks].
 *
 * @param factory makes an unsaved model; called once per row loaded, so it should do no more than construct.
 */
public abstract class ModelClass<ID : Any, M : Model<ID>>(public val table: IdTable<ID>, private val factory: () -> M) : ModelHooks<M>() {
    /** What relations to this class hold, made once and not per relation. */
    internal val itself: Lazy<ModelClass<ID, M>> = lazyOf(this)

    internal val shape: TableShape by lazy(PUBLICATION) { TableShape(table, version) }

    /** A model that is never saved: what its relations are can be asked of it. */
    internal val sample: M by lazy(PUBLICATION) { factory() }

    internal val mappings = ModelMappings(this)

    internal val relations = DeclaredRelations { sample }

    /** The database of this class where the coroutine context has none; read at each call. `null` by default: there is no global one. */
    public open val database: Database? get() = null

    /**
     * An integer column that counts the changes of a row: each UPDATE and DELETE of a model is for the version it was loaded with only,
     * and [StaleModelException] if somebody else was faster. `null` by default: the last one to write wins.
     */
    public open val version: Column<out Number>? get() = null

    /**
     * A condition that every query of this class has, and every relation to it: `Posts.deletedAt.isNull()` for rows that are deleted
     * softly, or the tenant of the caller. Asked for at each query. Only [unscoped] queries see the other rows. Models are saved, deleted
     * and refreshed whether or not their rows match; `deleteById`, `wrapRow` and `findBySql` do not ask either. `null` by default.
     */
    public open val defaultScope: Op<Boolean>? get() = null

    internal suspend fun currentDatabase(): Database = currentCoroutineContext()[Database] ?: database ?: throw NoDatabaseException()

    // ---- Reading

    /** A query for the models that match [condition]; no I/O yet. */
    public fun find(condition: () -> Op<Boolean>): ModelQuery<M> = all().where(condition)

    /** A query for all models; no I/O yet. */
    public fun all(): ModelQuery<M> = ModelQuery(this, Query(table).also { it.scope = ::defaultScope })

    /** A query for all models, those that [defaultScope] hides as well; no I/O yet. */
    public fun unscoped(): ModelQuery<M> = ModelQuery(this, Query(table))

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
        if (defaultScope != null) return withId(id).firstOrNull()
        val database = currentDatabase()
        val bridge = database.openBridge()
        val sql = bridge.sqlOf(shape)
        return materialise(database, bridge, sql, database.run(sql.selectById(id), Access.READ)).firstOrNull()
    }

    /** The first model that matches [condition], or `null`. */
    public suspend fun getOrNull(condition: () -> Op<Boolean>): M? = find(condition).firstOrNull()

    /**
     * The model with [id], whose row is locked until the end of the transaction, so that nobody else changes it meanwhile. SQLite, whose
     * transactions have the whole database to themselves, needs no lock.
     *
     * @param option how to lock, and what to do if somebody else has the lock; waits by default.
     * @throws RecordNotFoundException if there is none.
     * @throws IllegalStateException outside a transaction, where the lock would be gone at once.
     */
    public suspend fun getForUpdate(id: ID, option: ForUpdateOption = ForUpdateOption.ForUpdate): M {
        check(currentDatabase().isInTransaction()) { "getForUpdate needs a transaction: the lock ends with it." }
        return withId(id).forUpdate(option).firstOrNull() ?: throw notFound(id)
    }

    /**
     * The models of the rows any query returns, columns found by their names: `Page.findBySql("SELECT * FROM page WHERE id > ?", 5L)`.
     * Columns of the table that it does not return are not loaded, other columns are left out.
     */
    public suspend fun findBySql(sql: String, vararg arguments: Any?): List<M> {
        val database = currentDatabase()
        val bridge = database.openBridge()
        val tableSql = bridge.sqlOf(shape)
        val result = database.run(Binder.ofValues(sql, arguments.asList()))
        val positions = tableSql.positionsOf(result.columns)
        return materialise(database, bridge, result) { row, view -> tableSql.decodeInto(Array(shape.columns.size) { Unset }, positions, row, view) }
    }

    /** How many rows match [condition]. */
    public suspend fun count(condition: () -> Op<Boolean>): Long = find(condition).count()

    /** How many rows the table has. */
    public suspend fun count(): Long = all().count()

    /** Whether a row matches [condition]. */
    public suspend fun exists(condition: () -> Op<Boolean>): Boolean = find(condition).exists()

    /** The value of [expression] over all rows: `User.scalar(Users.age.max())`; see [ModelQuery.scalar] for some of them. */
    public suspend fun <T> scalar(expression: Expression<T>): T = all().scalar(expression)

    // ---- Writing one

    /** Inserts a row with the values [init] sets and returns it as the database stored it. */
    public suspend fun create(init: M.() -> Unit): M = new(init).also { insert(it) }

    /** A model with the values [init] sets, not saved; no I/O. */
    public fun new(init: M.() -> Unit): M = factory().apply(init)

    /**
     * The model whose columns have the values [lookup] sets, created with these and those of [defaults] if there is none. Safe
     * against others doing the same at once, in autocommit and inside a transaction, if a unique constraint covers the looked-up columns.
     *
     * @return the model, and whether this call created it.
     */
    public suspend fun getOrCreate(lookup: M.() -> Unit, defaults: M.() -> Unit = {}): Pair<M, Boolean> {
        val wanted = new(lookup)
        val looked = wanted.state.dirtyColumns().stream().toArray()
        require(looked.isNotEmpty()) { "getOrCreate needs at least one column to look up." }
        val values = wanted.state.row().clone()
        val matching = { find { equal(looked, values) } }
        matching().firstOrNull()?.let { return it to false }
        return insertOr(wanted.apply(defaults), matching)
    }

    /** The model with [id], created with it and the values of [defaults] if there is none; see the other `getOrCreate`. */
    public suspend fun getOrCreate(id: ID, defaults: M.() -> Unit): Pair<M, Boolean> = getOrCreate({ state.writeId(id) }, defaults)

    /**
     * Inserts a row with the values [init] sets; if that breaks a unique constraint, the model that has the same values in the columns
     * of a primary key or unique index of the table. As safe against others as [getOrCreate], and the better choice where the row is
     * seldom there.
     *
     * @return the model, and whether this call created it.
     * @throws ConstraintViolationException the original one, if [init] sets no such columns or no row has their values.
     */
    public suspend fun createOrGet(init: M.() -> Unit): Pair<M, Boolean> {
        val wanted = new(init)
        val given = wanted.state.dirtyColumns()
        val keys = shape.uniqueKeys.filter { key -> key.all { given[it] && wanted.state.row()[it] != null } }
        val values = wanted.state.row().clone()
        return insertOr(wanted, if (keys.isEmpty()) null else ({ find { keys.map { equal(it, values) }.compoundOr() } }))
    }

    /**
     * Inserts a row with the values [init] sets, or gives these to the row that has the same values in [keys], by one statement.
     * Defaults of the table are for a new row only.
     *
     * @param keys columns of one unique constraint; by default the first one of the table, the primary key before others, whose columns
     * [init] sets. MySQL and MariaDB look at all unique constraints of the table.
     * @return the model as the database stored it.
     * @throws IllegalArgumentException if [init] sets the columns of no unique constraint, or one of them to NULL.
     */
    public suspend fun upsert(vararg keys: Column<*>, init: M.() -> Unit): M {
        val model = new(init)
        val given = model.state.dirtyColumns()
        fun isGiven(position: Int) = given[position] && model.state.row()[position] != null
        val key = if (keys.isEmpty()) shape.uniqueKeys.firstOrNull { it.all(::isGiven) }?.asList() else keys.map { shape.position(it) }
        require(key != null && key.all(::isGiven)) { "upsert must set all columns of a unique constraint of ${table.tableName}, none to NULL." }
        writer().upsert(model, BitSet().also { bits -> key.forEach { bits.set(it) } })
        return model
    }

    /**
     * Reads the model with [id], locking its row, lets [change] set values and saves it, in a transaction.
     *
     * @return the saved model, or `null` if there is none.
     */
    public suspend fun findByIdAndUpdate(id: ID, change: M.() -> Unit): M? = currentDatabase().transaction {
        withId(id).forUpdate().firstOrNull()?.also {
            it.change()
            save(it, null, forceInsert = false)
        }
    }

    // ---- Writing many

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
        if (all.isNotEmpty()) writer().insertAll(all, batchSize)
        return all
    }

    /**
     * Writes [columns] of [models], whether or not they are dirty, with one UPDATE per batch in which each row gets its own values; all
     * batches or none. No model, no statement.
     *
     * @param columns at least one, none of the key.
     * @param batchSize rows per statement at most, 1000 by default, as databases look for the values of a row one after another; the
     * dialect's parameter limit may allow fewer.
     * @return how many of the rows were there.
     * @throws StaleModelException if the class counts versions and one of the rows has another one, or is gone; nothing is written.
     */
    public suspend fun updateAll(models: Iterable<M>, vararg columns: Column<*>, batchSize: Int = 1000): Int {
        require(batchSize > 0) { "batchSize must be more than zero, not $batchSize." }
        val changed = shape.bits(columns.asList())
        require(!changed.isEmpty && shape.key.none { changed[it] } && !(shape.version >= 0 && changed[shape.version])) {
            "updateAll needs the columns to write, and cannot write the key or the version."
        }
        val all = models.toList()
        all.forEach { require(!it.isNew) { "$it is not in the database." } }
        return if (all.isEmpty()) 0 else writer().updateAll(all, changed, batchSize)
    }

    /** Gives the rows that match [condition] the values [body] sets; returns how many there were. Models in memory stay as they are. */
    public suspend fun updateWhere(condition: () -> Op<Boolean>, body: IdTable<ID>.(UpdateStatement) -> Unit): Int =
        inDatabase { table.update({ scoped(condition()) }, body = body) }

    /** Deletes the rows that match [condition]; returns how many there were. */
    public suspend fun deleteWhere(condition: () -> Op<Boolean>): Int = inDatabase { table.deleteWhere { scoped(condition()) } }

    /** Deletes the row with [id]; returns how many rows were deleted, 0 or 1. */
    public suspend fun deleteById(id: ID): Int {
        val database = currentDatabase()
        return database.run(database.openBridge().sqlOf(shape).deleteById(id)).affected.toInt()
    }

    // ---- Rows

    /**
     * The model of a row that a query of the table's columns returned, such as a join; columns the query left out are not loaded.
     * References of the model are, if the row has the columns of the model they refer to.
     */
    public fun wrapRow(row: ResultRow): M = wrapValues(rowOf(shape, row)).also { it.state.joined = row }

    internal fun wrapValues(values: Array<Any?>): M = factory().also { it.state.loaded(values) }

    /** Models of rows that have all columns in the order of the shape. */
    internal suspend fun materialise(database: Database, bridge: ExposedBridge, sql: TableSql, result: RawResult, together: Boolean = false): List<M> =
        materialise(database, bridge, result, together, sql::decode)

    private suspend fun materialise(
        database: Database,
        bridge: ExposedBridge,
        result: RawResult,
        together: Boolean = false,
        decode: (Array<Any?>, RowView) -> Array<Any?>,
    ): List<M> {
        if (result.rows.isEmpty()) return emptyList()
        val models = database.audience.decoding(result.rows.size) {
            bridge.render {
                val view = RowView()
                result.rows.map { wrapValues(decode(it, view)) }
            }
        }
        if (models.size > 1) database.peersOf(this, models, together)?.let { peers -> models.forEach { it.state.peers = peers } }
        database.loaded(this, models)
        return models
    }

    // ---- What models and relations ask

    internal suspend fun save(model: Model<*>, only: Set<Column<*>>?, forceInsert: Boolean): Boolean {
        if (model.isNew || forceInsert) {
            require(only == null) { "A row is inserted whole: there is none that `only` could leave as it is." }
            insert(model)
            return true
        }
        val before = model.state.dirtyColumns()
        val wanted = if (only == null) before else shape.bits(only).apply { and(before) }
        if (wanted.isEmpty) return false
        val database = currentDatabase()
        val values = if (only == null) null else model.state.row().clone()
        return database.saving(this, model, created = false) {
            val byHooks = model.state.dirtyColumns()
            if (values != null) before.stream().forEach { if (model.state.row()[it] == values[it]) byHooks.clear(it) }
            writer().update(model, wanted.apply { or(byHooks) })
        }
    }

    private suspend fun insert(model: Model<*>) {
        currentDatabase().saving(this, model, created = true) {
            writer().insert(model)
            true
        }
    }

    internal suspend fun delete(model: Model<*>, cascade: Cascade): Int {
        check(!model.isNew) { "$model is not in the database." }
        val database = currentDatabase()
        return database.deleting(this, model) {
            if (cascade == Cascade.NONE) writer().delete(model)
            else database.restoring(listOf(model)) {
                Cascading(database, database.openBridge(), cascade).clear(this@ModelClass, listOf(model))
                writer().delete(model)
            }
        }
    }

    internal suspend fun refresh(model: Model<*>) {
        check(!model.isNew) { "$model is not in the database." }
        val database = currentDatabase()
        val bridge = database.openBridge()
        val sql = bridge.sqlOf(shape)
        val row = database.run(sql.selectById(model.state.id())).rows.firstOrNull() ?: throw notFound(model.state.id())
        model.state.reloaded(bridge.render { sql.decode(row, RowView()) })
    }

    internal fun shownId(id: Any): String = if (shape.key.any { shape.columns[it].isSensitive }) "…" else "$id"

    // ---- Pieces

    private suspend fun writer(): ModelWriter = currentDatabase().let { ModelWriter(this, it, it.openBridge()) }

    /** Inserts [wanted]; if a unique constraint forbids it, what [matching] finds. */
    private suspend fun insertOr(wanted: M, matching: (() -> ModelQuery<M>)?): Pair<M, Boolean> {
        val database = currentDatabase()
        try {
            if (database.currentLevel() == null) insert(wanted) else database.transaction { insert(wanted) }
            return wanted to true
        } catch (error: ConstraintViolationException) {
            if (error.kind != ConstraintKind.UNIQUE || matching == null) throw error
            val latest = database.openBridge().dialect.latestCommitted
            val query = if (latest == null) matching() else matching().forUpdate(latest)
            return (query.firstOrNull() ?: throw error) to false
        }
    }

    private fun withId(id: Any): ModelQuery<M> = find { shape.key.zip(shape.keyValues(id)) { position, value -> shape.columns[position] equalTo value }.compoundAnd() }

    private fun equal(positions: IntArray, values: Array<Any?>): Op<Boolean> = positions.map { shape.columns[it] equalTo values[it] }.compoundAnd()

    private fun scoped(condition: Op<Boolean>): Op<Boolean> = defaultScope?.let { listOf(it, condition).compoundAnd() } ?: condition

    private suspend fun <T> inDatabase(block: suspend () -> T): T = withContext(currentDatabase()) { block() }

    private fun notFound(id: Any) = RecordNotFoundException(
        "There is no row of ${table.tableName} with id ${shownId(id)}.",
        "SELECT … FROM ${table.tableName} WHERE ${table.idColumns.joinToString(" AND ") { "${it.name} = ?" }}",
    )
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
