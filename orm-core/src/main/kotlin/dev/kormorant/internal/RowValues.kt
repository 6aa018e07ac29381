package dev.kormorant.internal

import dev.kormorant.MappingException
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.EntityIDColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.LongColumnType
import org.jetbrains.exposed.v1.core.ShortColumnType
import org.jetbrains.exposed.v1.core.StringColumnType
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.UuidColumnType
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.java.UUIDColumnType
import java.lang.invoke.MethodHandle
import java.lang.invoke.MethodHandles
import java.lang.invoke.MethodType
import java.util.UUID
import kotlin.reflect.KClass
import kotlin.reflect.full.memberProperties
import kotlin.reflect.jvm.javaField
import kotlin.reflect.jvm.javaGetter
import kotlin.uuid.Uuid
import kotlin.uuid.toJavaUuid
import kotlin.uuid.toKotlinUuid

/** The other direction of a [RowMapping]: the columns of [table] with the values an object of [type] has for them; found once. */
internal class RowValues<T : Any>(table: Table, private val type: KClass<T>) {
    private val readers: List<Pair<Column<*>, MethodHandle>> = run {
        val arguments = ArgumentPlan(Construction.of(type), table.columns.map(::FieldName))
        arguments.used.map { position -> table.columns[position] to reader(checkNotNull(arguments.parameterOf(position)).name) }
    }

    fun of(row: T): List<Pair<Column<*>, Any?>> = readers.map { (column, reader) -> column to stored(column, reader.invokeExact(row as Any)) }

    private fun reader(name: String): MethodHandle {
        val lookup = MethodHandles.lookup()
        val handle = if (type.java.isRecord) {
            lookup.unreflect(type.java.recordComponents.first { it.name == name }.accessor.apply { trySetAccessible() })
        } else {
            val property = type.memberProperties.firstOrNull { it.name == name }
            property?.javaGetter?.let { lookup.unreflect(it.apply { trySetAccessible() }) }
                ?: property?.javaField?.let { lookup.unreflectGetter(it.apply { trySetAccessible() }) }
                ?: throw MappingException("Parameter '$name' of ${type.java.name} is no property.", "Declare it with val, so that its value can be written.", null)
        }
        return handle.asType(MethodType.methodType(Any::class.java, Any::class.java))
    }

    /** The value as the column takes it: what [Parameter] makes of a column's value, undone. */
    private fun stored(column: Column<*>, value: Any?): Any? {
        val type: IColumnType<*> = column.columnType.let { if (it is EntityIDColumnType<*>) it.idColumn.columnType else it }
        val plain = when {
            value is EntityID<*> -> return value
            value is Enum<*> && type is StringColumnType -> value.name
            value is UUID && type is UuidColumnType -> value.toKotlinUuid()
            value is Uuid && type is UUIDColumnType -> value.toJavaUuid()
            value is Long && type is IntegerColumnType -> Math.toIntExact(value)
            value is Int && type is LongColumnType -> value.toLong()
            value is Number && type is ShortColumnType -> Math.toIntExact(value.toLong()).toShort()
            else -> value
        }
        return column.keyValue(plain)
    }
}
