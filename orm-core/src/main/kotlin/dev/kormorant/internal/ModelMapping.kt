package dev.kormorant.internal

import dev.kormorant.Model
import dev.kormorant.ModelClass
import dev.kormorant.OptionalBackReference
import dev.kormorant.OptionalReference
import dev.kormorant.Relation
import java.util.concurrent.ConcurrentHashMap
import kotlin.reflect.KClass

/**
 * Makes an object of one class from a model and what is loaded of its relations; found once per class and model class. Parameters that
 * take a list, a record or a data class take relations, others take columns.
 */
internal class ModelMapping<T : Any>(type: KClass<T>, modelClass: ModelClass<*, *>) {
    private val columns = modelClass.shape.columns
    private val relations: List<Relation<*>> = modelClass.relations.all.toList()
    private val arguments: ArgumentPlan<T>

    /** The mappings of related models by position, made at first use, since classes may name each other. */
    private val nested: List<Lazy<ModelMapping<*>>?>

    init {
        val relationNames = modelClass.relations.bySpelling.keys.map(::plainName)
        val takesRelation = { parameter: Parameter -> parameter.related != null && plainName(parameter.name) in relationNames }
        val ofColumns = columns.map { column -> FieldName(column).let { FieldName(it.label, it.names, it.nullable) { parameter -> !takesRelation(parameter) } } }
        val ofRelations = modelClass.relations.bySpelling.map { (spelling, relation) ->
            val mayBeEmpty = relation is OptionalReference<*, *> || relation is OptionalBackReference<*>
            FieldName("${modelClass.table.tableName}$spelling", setOf(plainName(spelling)), mayBeEmpty) { takesRelation(it) && it.isMany == relation.isMany }
        }
        arguments = ArgumentPlan(Construction.of(type), ofColumns + ofRelations)
        nested = relations.mapIndexed { index, relation ->
            arguments.parameterOf(columns.size + index)?.related?.let { related -> lazy(LazyThreadSafetyMode.PUBLICATION) { relation.target.mappingTo(related) } }
        }
    }

    fun create(model: Model<*>): T = arguments.create { position ->
        if (position < columns.size) model.state.read(columns[position]) else related(model, position - columns.size)
    }

    private fun related(model: Model<*>, index: Int): Any? {
        val mapping = checkNotNull(nested[index]).value
        return when (val related = relations[index].of(model).loaded()) {
            null -> null
            is Model<*> -> mapping.create(related)
            else -> (related as List<*>).map { mapping.create(it as Model<*>) }
        }
    }
}

/** The mappings from the models of one class. */
internal class ModelMappings(private val modelClass: ModelClass<*, *>) {
    private val found = ConcurrentHashMap<KClass<*>, ModelMapping<*>>()

    @Suppress("UNCHECKED_CAST")
    fun <T : Any> to(type: KClass<T>): ModelMapping<T> = found.getOrPut(type) { ModelMapping(type, modelClass) } as ModelMapping<T>
}

internal fun <T : Any> ModelClass<*, *>.mappingTo(type: KClass<T>): ModelMapping<T> = mappings.to(type)
