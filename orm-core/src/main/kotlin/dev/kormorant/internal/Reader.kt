package dev.kormorant.internal

import org.jetbrains.exposed.v1.core.AutoIncColumnType
import org.jetbrains.exposed.v1.core.BooleanColumnType
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.DoubleColumnType
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.FloatColumnType
import org.jetbrains.exposed.v1.core.IExpressionAlias
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.LongColumnType
import org.jetbrains.exposed.v1.core.ShortColumnType
import org.jetbrains.exposed.v1.core.VarCharColumnType
import org.jetbrains.exposed.v1.core.statements.api.RowApi
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneOffset

/** One row from a driver in the form Exposed's column types read; [values] is exchanged from row to row. */
internal class RowView : RowApi {
    lateinit var values: Array<Any?>

    override fun getObject(index: Int): Any? = values[index - 1]

    override fun getObject(name: String): Any? = throw UnsupportedOperationException("Columns are read by position.")

    override fun <T> getObject(index: Int, type: Class<T>): T? = values[index - 1]?.let { convert(it, type) }

    override fun <T> getObject(name: String, type: Class<T>): T? = throw UnsupportedOperationException("Columns are read by position.")

    override fun getString(index: Int): String? = values[index - 1]?.toString()

    /** A value as the class some of Exposed's columns ask for; one that cannot be converted is left to the column itself. */
    private fun <T> convert(value: Any, type: Class<T>): T {
        val converted: Any = if (type.isInstance(value)) value else when (type) {
            String::class.java -> value.toString()
            java.sql.Timestamp::class.java -> localDateTime(value)?.let(java.sql.Timestamp::valueOf) ?: value
            java.sql.Date::class.java -> if (value is LocalDate) java.sql.Date.valueOf(value) else value
            java.sql.Time::class.java -> if (value is LocalTime) java.sql.Time.valueOf(value) else value
            LocalDateTime::class.java -> localDateTime(value) ?: value
            OffsetDateTime::class.java -> offsetDateTime(value) ?: value
            Instant::class.java -> offsetDateTime(value)?.toInstant() ?: value
            else -> value
        }
        @Suppress("UNCHECKED_CAST")
        return converted as T
    }

    private fun localDateTime(value: Any): LocalDateTime? = when (value) {
        is LocalDateTime -> value
        is OffsetDateTime -> value.toLocalDateTime()
        is String -> LocalDateTime.parse(value.replace(' ', 'T'))
        else -> null
    }

    private fun offsetDateTime(value: Any): OffsetDateTime? = when (value) {
        is OffsetDateTime -> value
        is LocalDateTime -> value.atOffset(ZoneOffset.UTC)
        else -> null
    }
}

/**
 * Column types whose `readObject` is the plain default, so that the driver's value can be taken as it is; not those derived from them,
 * which may read in a way of their own.
 */
internal fun IColumnType<*>.readsPlainly(): Boolean = javaClass in PLAIN || this is AutoIncColumnType<*> && delegate.readsPlainly()

private val PLAIN: Set<Class<*>> = setOf(
    IntegerColumnType::class.java, LongColumnType::class.java, ShortColumnType::class.java, BooleanColumnType::class.java,
    DoubleColumnType::class.java, FloatColumnType::class.java, VarCharColumnType::class.java,
)

/** The type through which [expression] is read, or `null` for an expression that has none. */
internal fun typeOf(expression: Expression<*>): IColumnType<*>? = (expression as? ExpressionWithColumnType<*>)?.columnType

/** Where each selected expression stands in a row. A column is found by its name; anything else first by identity, since the hash of an expression is its SQL. */
internal class FieldIndex(fields: List<Expression<*>>, private val bridge: ExposedBridge) : AbstractMap<Expression<*>, Int>() {
    private val columns = HashMap<Expression<*>, Int>()
    private val others = java.util.IdentityHashMap<Expression<*>, Int>()
    private val positions: LinkedHashSet<Map.Entry<Expression<*>, Int>> = LinkedHashSet()
    private val bySql: Map<Expression<*>, Int> by lazy { bridge.render { others.toMap(HashMap()) } }

    init {
        fields.forEachIndexed { index, field ->
            if (field is Column<*>) columns.putIfAbsent(field, index) else others.putIfAbsent(field, index)
            positions += Entry(field, index)
        }
        // An alias is found by what it stands for as well.
        fields.forEachIndexed { index, field ->
            val aliased = (field as? IExpressionAlias<*>)?.delegate ?: return@forEachIndexed
            if (aliased is Column<*>) columns.putIfAbsent(aliased, index) else others.putIfAbsent(aliased, index)
        }
    }

    override val entries: Set<Map.Entry<Expression<*>, Int>> get() = positions
    override val size: Int get() = positions.size

    override fun get(key: Expression<*>): Int? = when {
        key is Column<*> -> columns[key]
        else -> others[key] ?: if (others.isEmpty()) null else bridge.render { bySql[key] }
    }

    override fun containsKey(key: Expression<*>): Boolean = get(key) != null

    /** Compared by identity, since the set must not hash expressions. */
    private class Entry(override val key: Expression<*>, override val value: Int) : Map.Entry<Expression<*>, Int>
}
