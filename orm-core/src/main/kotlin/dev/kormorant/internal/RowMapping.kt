package dev.kormorant.internal

import dev.kormorant.MappingException
import dev.kormorant.RowPlan
import dev.kormorant.RowsReader
import dev.kormorant.SqlHeader
import org.jetbrains.exposed.v1.core.Alias
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.IExpressionAlias
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Table
import java.lang.reflect.Field
import kotlin.reflect.KClass

/** Makes an object of [type] from a row with [fields]: the plan is made once, then each row is a loop over its parameters. */
internal class RowMapping<T : Any>(type: KClass<T>, private val fields: List<Expression<*>>) : RowPlan<T> {
    private val arguments = ArgumentPlan(Construction.of(type), fields.map(::FieldName))

    override fun reader(fields: List<Expression<*>>, bridge: ExposedBridge): RowsReader<T> {
        val decoders = bridge.render { arrayOfNulls<FieldDecoder>(fields.size).also { for (position in arguments.used) it[position] = FieldDecoder(fields[position]) } }
        return RowsReader { rows ->
            val view = RowView()
            bridge.render {
                rows.map { row ->
                    view.values = row
                    arguments.create { position -> decoders[position]?.decode(row, position, view) }
                }
            }
        }
    }

    fun create(row: ResultRow): T = arguments.create { position -> row[fields[position]] }
}

/** Makes an object of [type] from a row that no columns of tables describe. */
internal class RawMapping<T : Any>(type: KClass<T>, header: SqlHeader) {
    private val arguments = ArgumentPlan(Construction.of(type), header.names.map { FieldName("column '$it'", setOf(plainName(it)), null) }, ::rawAs)

    fun create(row: Array<Any?>): T = arguments.create { row[it] }
}

/** What a mapping knows of a field before there are values. */
internal class FieldName(
    /** As an error calls it. */
    val label: String,
    /** What a parameter may be called that asks for it, in the form of [plainName]. */
    val names: Set<String>,
    /** Whether its column is; `null` where there is no telling. */
    val nullable: Boolean?,
    /** Which parameters of that name it is for. */
    val suits: (Parameter) -> Boolean = { true },
) {
    constructor(field: Expression<*>) : this(labelOf(field), namesOf(field), (field as? Column<*>)?.columnType?.nullable)

    private companion object {
        private val COLUMNS = object : ClassValue<List<Field>>() {
            override fun computeValue(type: Class<*>): List<Field> = generateSequence(type) { it.superclass }
                .takeWhile { it != Any::class.java }
                .flatMap { it.declaredFields.asSequence() }
                .filter { Column::class.java.isAssignableFrom(it.type) && it.trySetAccessible() }
                .toList()
        }

        fun labelOf(field: Expression<*>): String = when (field) {
            is Column<*> -> "${field.table.tableName}.${field.name}"
            is IExpressionAlias<*> -> field.alias
            else -> nameInSql(field) ?: "an expression without alias"
        }

        fun namesOf(field: Expression<*>): Set<String> = when (field) {
            is Column<*> -> setOf(plainName(field.name)) + propertyNames(field)
            is IExpressionAlias<*> -> setOf(plainName(field.alias.substringAfterLast('.')))
            else -> setOfNotNull(nameInSql(field)?.let(::plainName))
        }

        /** The properties of the table that hold the column. */
        private fun propertyNames(column: Column<*>): List<String> {
            val table = column.table
            val original: Column<*> = (table as? Alias<*>)?.originalColumn(column) ?: column
            val owner: Table = original.table
            return COLUMNS.get(owner.javaClass).filter { it.get(owner) === original }.map { plainName(it.name) }
        }

        /** The name of what is no more than a name, as an alias is outside the query that it is given in. */
        private fun nameInSql(field: Expression<*>): String? =
            runCatching { field.toString() }.getOrNull()?.substringAfterLast('.')?.takeIf { NAME.matches(it) }

        private val NAME = Regex("[\"`]?[A-Za-z_]\\w*[\"`]?")
    }
}

/** A name without what differs between the ways to write it. */
internal fun plainName(name: String): String = name.filter(Char::isLetterOrDigit).lowercase()

/** Which field each parameter of a constructor takes. */
internal class ArgumentPlan<T : Any>(
    private val construction: Construction<T>,
    fields: List<FieldName>,
    /** Makes a value of the class that a parameter wants, if the value itself is none; `null` if it cannot. */
    private val adapt: (Any, Class<*>) -> Any? = { _, _ -> null },
) {
    private val parameters = construction.parameters
    private val positions = IntArray(parameters.size) { position(parameters[it], fields) }
    private val labels = fields.map { it.label }
    private val isComplete = positions.none { it < 0 }

    /** The parameter that takes the field at [position], if any. */
    fun parameterOf(position: Int): Parameter? = parameters.getOrNull(positions.indexOf(position))

    /** Positions of the fields that are read. */
    val used: List<Int> get() = positions.filter { it >= 0 }

    inline fun create(value: (Int) -> Any?): T {
        val arguments = arrayOfNulls<Any?>(parameters.size)
        for (index in parameters.indices) {
            val position = positions[index]
            if (position >= 0) arguments[index] = parameters[index].convert(value(position), labels[position], adapt)
        }
        return if (isComplete) construction.create(arguments) else construction.createWithDefaults(arguments, positions)
    }

    private fun position(parameter: Parameter, fields: List<FieldName>): Int {
        val name = plainName(parameter.name)
        val found = fields.indices.filter { name in fields[it].names && fields[it].suits(parameter) }
        when {
            found.isEmpty() && parameter.isOptional -> return -1
            found.isEmpty() -> throw MappingException(
                "$parameter has no field among ${fields.joinToString { it.label }}.",
                "Select a column of that name, give an expression that alias, or give the parameter a default value.",
            )
            found.size > 1 -> throw MappingException(
                "$parameter has more than one field: ${found.joinToString { fields[it].label }}.",
                "Select one of them, or give them aliases.",
            )
        }
        val field = fields[found[0]]
        if (field.nullable == true && !parameter.takesNull) {
            throw MappingException("$parameter is not nullable, but ${field.label} is.", "Make it nullable, or select coalesce(…) under its name.")
        }
        return found[0]
    }
}
