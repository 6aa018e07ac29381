package dev.kormorant.internal

import dev.kormorant.Model
import dev.kormorant.Relation
import java.lang.reflect.Modifier
import kotlin.reflect.KProperty

/** The relations that a model class declares. */
internal class DeclaredRelations(private val sample: () -> Model<*>) {
    /** Those of delegated properties, filled by the first model made; replaced and never changed. */
    @Volatile
    private var delegated: Array<Pair<KProperty<*>, Relation<*>>> = emptyArray()

    /** By how `with` spells them after the class's name: `::tweets` of a property, `.TWEETS` of a static field. */
    val bySpelling: Map<String, Relation<*>> by lazy(LazyThreadSafetyMode.PUBLICATION) {
        val fields = generateSequence<Class<*>>(sample().javaClass) { it.superclass }.flatMap { it.declaredFields.asSequence() }
            .filter { Modifier.isStatic(it.modifiers) && Relation::class.java.isAssignableFrom(it.type) }
            .onEach { it.isAccessible = true }
        delegated.associate { (property, relation) -> "::${property.name}" to relation } + fields.associate { ".${it.name}" to it.get(null) as Relation<*> }
    }

    val all: Collection<Relation<*>> get() = bySpelling.values

    /** The one relation object that all models share for [property]. */
    fun shared(property: KProperty<*>, relation: Relation<*>): Relation<*> {
        for (known in delegated) if (known.first === property) return known.second
        synchronized(this) {
            for (known in delegated) if (known.first == property) return known.second
            delegated += property to relation
        }
        return relation
    }

    /** How `with` spells [relation] after the name of the model. */
    fun spelling(relation: Relation<*>): String = bySpelling.entries.firstOrNull { it.value == relation }?.key ?: " to ${relation.target.table.tableName}"
}
