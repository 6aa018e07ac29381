package dev.kormorant.internal

import dev.kormorant.ColumnNotLoadedException
import dev.kormorant.Model
import dev.kormorant.ModelClass
import dev.kormorant.Relation
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import java.util.BitSet

/** Stands where a model has no value for a column. */
internal object Unset

/** The values of a model by the positions of its [TableShape], which of them are to be written, and its loaded relations. */
internal class ModelState(private val model: Model<*>) {
    val modelClass: ModelClass<*, *> by lazy(LazyThreadSafetyMode.PUBLICATION) { ModelClasses.get(model.javaClass) }

    /** Made at the first write of a new model, or handed over by the decoder. */
    private var values: Array<Any?>? = null
    private var dirty: BitSet? = null
    private var relations: HashMap<Relation<*>, Any?>? = null

    var isNew: Boolean = true
        private set

    val isDirty: Boolean get() = isNew || dirty?.isEmpty == false

    private val shape: TableShape get() = modelClass.shape

    fun id(): EntityID<*> {
        for (position in shape.key) read(shape.columns[position])
        return shape.id(row())
    }

    /** The row, with [Unset] for what is not known. */
    fun row(): Array<Any?> = values ?: Array<Any?>(shape.columns.size) { Unset }.also { values = it }

    fun read(column: Column<*>): Any? {
        val row = row()
        val position = shape.position(column)
        val value = row[position]
        return if (value !== Unset) value else initial(column).also { if (isNew && !shape.filledByDatabase[position]) keep(position, it) }
    }

    private fun keep(position: Int, default: Any?) {
        touch()
        row()[position] = default
    }

    /** What an unset column of a new row will be. */
    private fun initial(column: Column<*>): Any? {
        val default = column.defaultValueFun
        return when {
            !isNew -> throw notLoaded(column, "was not selected by the query that loaded this ${model.javaClass.simpleName}", "Load the whole model.")
            default != null -> default()
            column.columnType.nullable -> null
            else -> throw notLoaded(column, "has no value yet", "Set it, or save the model first if the database makes it.")
        }
    }

    private fun notLoaded(column: Column<*>, what: String, hint: String) =
        ColumnNotLoadedException("Column ${column.table.tableName}.${column.name} $what.", hint)

    fun write(column: Column<*>, value: Any?) {
        touch()
        val row = row()
        val position = shape.position(column)
        if (!isNew && row[position] == value) return
        @Suppress("UNCHECKED_CAST")
        checking(column) { (column.columnType as IColumnType<Any>).validateValueBeforeUpdate(value) }
        row[position] = value
        (dirty ?: BitSet(row.size).also { dirty = it }).set(position)
        relations?.keys?.removeIf { it.dependsOn(column) }
    }

    fun writeId(id: Any) {
        val values = shape.keyValues(id)
        shape.key.forEachIndexed { index, position -> write(shape.columns[position], values[index]) }
    }

    fun isSet(position: Int): Boolean = row()[position] !== Unset

    /** Columns to write: all that have a value when new, else those changed; never the id of a row that is there. */
    fun dirtyColumns(): BitSet = (dirty?.clone() as BitSet? ?: BitSet()).also { changed -> for (position in shape.key) if (!isNew) changed.clear(position) }

    /** Takes the row as the database has it. */
    fun loaded(row: Array<Any?>) {
        if (values != null) touch()
        values = row
        dirty = null
        isNew = false
    }

    /** The row is written as far as [columns] go. */
    fun saved(columns: BitSet) {
        touch()
        dirty?.andNot(columns)
        isNew = false
    }

    fun deleted() {
        touch()
        isNew = true
    }

    // ---- Blocks that run again

    private fun touch() {
        ModelJournal.current.get()?.keep(this)
    }

    /** Gives back the state of now. */
    fun restorer(): () -> Unit {
        val values = values?.clone()
        val dirty = dirty?.clone() as BitSet?
        val relations = relations?.let { HashMap(it) }
        val joined = joined
        val isNew = isNew
        return {
            this.values = values
            this.dirty = dirty
            this.relations = relations
            this.joined = joined
            this.isNew = isNew
        }
    }

    // ---- Relations

    /** The row of a query this model was made of, which may hold models it refers to. */
    var joined: ResultRow? = null

    fun isLoaded(relation: Relation<*>): Boolean = relations?.containsKey(relation) == true

    fun related(relation: Relation<*>): Any? = relations?.get(relation)

    fun relate(relation: Relation<*>, value: Any?) {
        touch()
        (relations ?: HashMap<Relation<*>, Any?>(4).also { relations = it })[relation] = value
    }

    fun forget(relation: Relation<*>) {
        touch()
        relations?.remove(relation)
        joined = null
    }
}

/** Finds the [ModelClass] of a model: the static field that holds it, which in Kotlin is the companion. */
internal object ModelClasses : ClassValue<ModelClass<*, *>>() {
    override fun computeValue(type: Class<*>): ModelClass<*, *> = generateSequence(type) { it.superclass }
        .flatMap { it.declaredFields.asSequence() }
        .filter { java.lang.reflect.Modifier.isStatic(it.modifiers) && ModelClass::class.java.isAssignableFrom(it.type) }
        .onEach { it.isAccessible = true }
        .map { it.get(null) as ModelClass<*, *> }
        .firstOrNull()
        ?: throw IllegalStateException(
            "${type.name} has no model class: give it a companion object, or in Java a static final field, that is a ModelClass.",
        )
}
