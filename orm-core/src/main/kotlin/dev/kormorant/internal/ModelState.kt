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

/** Stands where a relation was loaded and then forgotten, so that it is not taken from the row of a join again. */
private object Forgotten

/** The values of a model by the positions of its [TableShape], which of them are to be written, and its loaded relations. */
internal class ModelState(private val model: Model<*>) {
    private var type: ModelClass<*, *>? = null
    val modelClass: ModelClass<*, *> get() = type ?: ModelClasses.get(model.javaClass).also { type = it }

    /** Made at the first write of a new model, or handed over by the decoder. */
    private var values: Array<Any?>? = null
    private var dirty: BitSet? = null

    /** A list that is replaced and never changed: any number of coroutines may load relations of one model at once. */
    @Volatile
    private var relations: LoadedRelation? = null

    var isNew: Boolean = true
        private set

    val isDirty: Boolean get() = isNew || !dirtyColumns().isEmpty

    private val shape: TableShape get() = modelClass.shape

    fun id(): EntityID<*> {
        for (position in shape.key) read(shape.columns[position])
        return shape.id(row())
    }

    /** The row, with [Unset] for what is not known. */
    fun row(): Array<Any?> = values ?: Array<Any?>(shape.columns.size) { Unset }.also { values = it }

    /** The row, for somebody who is going to change it. */
    fun rowToFill(): Array<Any?> {
        touch()
        return row()
    }

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
        if (relations != null) keepRelations { !it.dependsOn(column) }
    }

    fun writeId(id: Any) {
        val values = shape.keyValues(id)
        shape.key.forEachIndexed { index, position -> write(shape.columns[position], values[index]) }
    }

    fun isSet(position: Int): Boolean = row()[position] !== Unset

    /** Columns to write: all that were set when new, else those changed; never the id or the version of a row that is there. */
    fun dirtyColumns(): BitSet {
        val changed = dirty?.clone() as BitSet? ?: return BitSet()
        if (isNew) return changed
        for (position in shape.key) changed.clear(position)
        if (shape.version >= 0) changed.clear(shape.version)
        return changed
    }

    /** Whether one of [columns] has another value than the row is known to have. */
    fun hasChanged(columns: List<Column<*>>): Boolean = dirty?.let { changed -> columns.any { changed[shape.position(it)] } } ?: false

    /** Takes the row as the database has it. */
    fun loaded(row: Array<Any?>) {
        if (values != null) touch()
        values = row
        dirty = null
        isNew = false
    }

    /** Takes the row as the database has it now; what was loaded of relations may be true no more. */
    fun reloaded(row: Array<Any?>) {
        touch()
        loaded(row)
        relations = null
        joined = null
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

    /** Remembers the model as it is; the function returned makes it so again. */
    fun snapshot(): () -> Unit {
        val row = values?.clone()
        val changed = dirty?.clone() as BitSet?
        val new = isNew
        val loaded = relations
        val source = joined
        return {
            values = row
            dirty = changed
            isNew = new
            relations = loaded
            joined = source
        }
    }

    /** A block that may run again has to know what the model was like. */
    private fun touch() {
        ModelJournal.current.get()?.keep(this)
    }

    // ---- Relations

    /** The row of a query this model was made of, which may hold models it refers to. */
    var joined: ResultRow? = null

    /** What the models of one result have in common; `null` for a model that was read alone. */
    var peers: Peers? = null

    fun isLoaded(relation: Relation<*>): Boolean = entry(relation).let { it != null && it.value !== Forgotten }

    fun isForgotten(relation: Relation<*>): Boolean = entry(relation)?.value === Forgotten

    fun related(relation: Relation<*>): Any? = entry(relation)?.value.takeUnless { it === Forgotten }

    fun relate(relation: Relation<*>, value: Any?): Unit = synchronized(this) {
        touch()
        relations = LoadedRelation(relation, value, relations.without { it == relation })
    }

    fun forget(relation: Relation<*>) {
        touch()
        if (joined != null) relate(relation, Forgotten) else keepRelations { it != relation }
    }

    private fun entry(relation: Relation<*>): LoadedRelation? {
        var entry = relations
        while (entry != null && entry.relation != relation) entry = entry.next
        return entry
    }

    private inline fun keepRelations(crossinline wanted: (Relation<*>) -> Boolean): Unit = synchronized(this) {
        relations = relations.without { !wanted(it) }
    }
}

/** A relation that is loaded, and the next one. */
private class LoadedRelation(val relation: Relation<*>, val value: Any?, val next: LoadedRelation?)

private fun LoadedRelation?.without(unwanted: (Relation<*>) -> Boolean): LoadedRelation? = when {
    this == null -> null
    unwanted(relation) -> next.without(unwanted)
    else -> next.without(unwanted).let { if (it === next) this else LoadedRelation(relation, value, it) }
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
