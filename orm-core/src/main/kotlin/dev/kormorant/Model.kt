package dev.kormorant

import dev.kormorant.internal.ModelState
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import kotlin.reflect.KProperty
import kotlin.uuid.Uuid

/**
 * How to change: one row as an object.
 *
 * ```
 * class Page : LongModel() {
 *     var key by Pages.key
 *     companion object : LongModelClass<Page>(Pages, ::Page)
 * }
 * ```
 *
 * A model is a detached value: it belongs to no session, no other object stands for the same row, and nothing is written until
 * [save]. Reading or writing a property does no I/O. The constructor makes a row that is not in the database yet. Two models are equal
 * if they are the same object: compare their ids to know whether they stand for the same row. A model may be handed to other
 * coroutines, and read and have its relations loaded by many at once, but not while one of them writes it.
 */
public abstract class Model<ID : Any> {
    internal val state: ModelState = ModelState(this)

    /**
     * The id of the row.
     *
     * @throws ColumnNotLoadedException if the row is new and the database is still to make the id.
     */
    public val id: EntityID<ID>
        get() {
            @Suppress("UNCHECKED_CAST")
            return state.id() as EntityID<ID>
        }

    /** Whether the row is not in the database yet, as far as this object knows. */
    public val isNew: Boolean get() = state.isNew

    /** Whether [save] would write something. */
    public val isDirty: Boolean get() = state.isDirty

    /**
     * The value of [column], which must be one of the model's table.
     *
     * @throws ColumnNotLoadedException if the query that loaded the model did not select it, or the database is still to make it.
     */
    public operator fun <T> get(column: Column<T>): T {
        @Suppress("UNCHECKED_CAST")
        return state.read(column) as T
    }

    /**
     * Sets the value of [column] and marks it to be written by the next [save]; a value it already has changes nothing.
     *
     * @throws DataException if the value is longer than the column.
     */
    public operator fun <T> set(column: Column<T>, value: T): Unit = state.write(column, value)

    /** Reads the column a property is delegated to. */
    @JvmSynthetic
    public operator fun <T> Column<T>.getValue(model: Model<ID>, property: KProperty<*>): T = model[this]

    /** Writes the column a property is delegated to. */
    @JvmSynthetic
    public operator fun <T> Column<T>.setValue(model: Model<ID>, property: KProperty<*>, value: T) {
        model[this] = value
    }

    /** The class and the id, unless that is [sensitive]; never another column, and never I/O. */
    override fun toString(): String = "${javaClass.simpleName}(${if (isNew) "new" else "id=${state.modelClass.shownId(id)}"})"
}

/** A model with an [Int] id. */
public abstract class IntModel : Model<Int>()

/** A model with a [Long] id. */
public abstract class LongModel : Model<Long>()

/** A model with a [Uuid] id. */
public abstract class UuidModel : Model<Uuid>()

/** A model with a [java.util.UUID] id. */
public abstract class UUIDModel : Model<java.util.UUID>()

/** A model whose id is several columns. */
public abstract class CompositeModel : Model<CompositeID>()

/**
 * Writes the model: an INSERT if it is new, else an UPDATE of the columns changed since it was loaded or saved, or no statement if
 * there are none. Ids and defaults made by the database are in the model afterwards. Runs the hooks about saving ([ModelHooks]).
 *
 * @param only writes no other columns, except those that hooks set; the rest stays dirty. `null` writes all dirty columns.
 * @param forceInsert inserts a row even if the model stands for one already: a copy of it if the key has been set anew, else a violation of
 * the key.
 * @return whether a row was written; `false` when clean, and when the row is gone.
 * @throws StaleModelException if the class counts versions and the row has another one, or is gone.
 * @throws ValidationException if a check of the class or database finds something wrong.
 */
public suspend fun Model<*>.save(only: Set<Column<*>>? = null, forceInsert: Boolean = false): Boolean = state.modelClass.save(this, only, forceInsert)

/**
 * Deletes the row by its id. The object stays as it was but is new: saving it again inserts it. Runs the hooks about deleting
 * ([ModelHooks]).
 *
 * @param cascade what becomes of rows that refer to it; other than [Cascade.NONE], all of it is one transaction.
 * @return how many rows of the model itself were deleted: 1, or 0 if the row was gone.
 * @throws ConstraintViolationException if other rows refer to it.
 * @throws StaleModelException if the class counts versions and the row has another one, or is gone.
 * @throws IllegalStateException if the model is new, or a column that a cascade goes by has a value that is not saved.
 */
public suspend fun Model<*>.delete(cascade: Cascade = Cascade.NONE): Int = state.modelClass.delete(this, cascade)

/**
 * Reads the row again: the model has its present values afterwards, unsaved changes and loaded relations are gone.
 *
 * @return the model.
 * @throws RecordNotFoundException if the row is gone; the model stays as it was.
 * @throws IllegalStateException if the model is new.
 */
public suspend fun <M : Model<*>> M.refresh(): M = apply { state.modelClass.refresh(this) }
