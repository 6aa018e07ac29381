package dev.kormorant

import dev.kormorant.internal.literal
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ColumnType
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.vendors.MysqlDialect
import org.jetbrains.exposed.v1.core.vendors.PostgreSQLDialect
import org.jetbrains.exposed.v1.core.vendors.currentDialect

/**
 * A column of an enum type of the database, with the names of [klass]'s constants as labels: on PostgreSQL a type called [typeName],
 * which [Schema.create] makes; on MySQL and MariaDB `ENUM(…)`; on SQLite text with as many characters as the longest name.
 */
public class NativeEnumColumnType<E : Enum<E>>(
    /** The enum class. */
    public val klass: Class<E>,
    /** Name of the type where it has one. */
    public val typeName: String,
) : ColumnType<E>() {
    private val constants: Map<String, E> = klass.enumConstants.associateBy { it.name }

    /** Names of the constants, in order. */
    public val labels: List<String> get() = constants.keys.toList()

    override fun sqlType(): String = when (currentDialect) {
        is PostgreSQLDialect -> typeName
        is MysqlDialect -> "ENUM(${labels.joinToString(",", transform = ::literal)})"
        else -> currentDialect.dataTypeProvider.varcharType(labels.maxOf { it.length })
    }

    /** PostgreSQL does not take text for the value of an enum. */
    override fun parameterMarker(value: E?): String = if (currentDialect is PostgreSQLDialect) "CAST(? AS $typeName)" else "?"

    @Suppress("UNCHECKED_CAST")
    override fun valueFromDB(value: Any): E = if (klass.isInstance(value)) {
        value as E
    } else {
        constants[value.toString()] ?: throw DecodeException("'$value' is no constant of ${klass.simpleName}.", "Add it to the enum class.", null)
    }

    override fun notNullValueToDB(value: E): Any = value.name

    override fun nonNullValueToString(value: E): String = literal(value.name)

    override fun equals(other: Any?): Boolean = other is NativeEnumColumnType<*> && klass == other.klass && typeName == other.typeName

    override fun hashCode(): Int = 31 * klass.hashCode() + typeName.hashCode()
}

/**
 * A column of an enum type of the database, see [NativeEnumColumnType].
 *
 * @param typeName name of the type on PostgreSQL, in lower case; by default that of the class.
 */
public inline fun <reified E : Enum<E>> Table.nativeEnumeration(name: String, typeName: String = E::class.java.simpleName.lowercase()): Column<E> =
    nativeEnumeration(name, E::class.java, typeName)

/** A column of an enum type of the database, see [NativeEnumColumnType]. */
public fun <E : Enum<E>> Table.nativeEnumeration(name: String, klass: Class<E>, typeName: String): Column<E> =
    registerColumn(name, NativeEnumColumnType(klass, typeName))
