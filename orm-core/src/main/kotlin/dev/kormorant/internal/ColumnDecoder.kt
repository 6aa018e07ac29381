package dev.kormorant.internal

import dev.kormorant.DecodeException
import dev.kormorant.isSensitive
import org.jetbrains.exposed.v1.core.AutoIncColumnType
import org.jetbrains.exposed.v1.core.BooleanColumnType
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.DoubleColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.LongColumnType
import org.jetbrains.exposed.v1.core.NonNullableColumnWithTransform
import org.jetbrains.exposed.v1.core.StringColumnType

/** Reads one column; a value that already is what the column holds is taken as it is. */
internal class ColumnDecoder(private val column: Column<*>) {
    private val type: IColumnType<*> = column.columnType
    private val plainClass: Class<*>? = plainClass(type)
    private val wrapsNull = type as? NonNullableColumnWithTransform<*, *>

    fun decode(row: Array<Any?>, index: Int, view: RowView): Any? {
        val raw = row[index]
        return when {
            raw == null -> wrapsNull?.valueFromDBOrNull(null)
            plainClass != null && plainClass === raw.javaClass -> raw
            else -> convert(index, view)
        }
    }

    private fun convert(index: Int, view: RowView): Any? = try {
        type.readObject(view, index + 1)?.let { type.valueFromDB(it) }
    } catch (error: Exception) {
        throw DecodeException(
            "The value of column ${column.table.tableName}.${column.name} cannot be read as its type ${type.javaClass.simpleName}.",
            "Compare the type of the column in the database with its definition in the table.",
            error.takeUnless { column.isSensitive },
        )
    }

    private companion object {
        fun plainClass(type: IColumnType<*>): Class<*>? = when (type) {
            is IntegerColumnType -> Int::class.javaObjectType
            is LongColumnType -> Long::class.javaObjectType
            is BooleanColumnType -> Boolean::class.javaObjectType
            is DoubleColumnType -> Double::class.javaObjectType
            is StringColumnType -> String::class.java
            is AutoIncColumnType<*> -> plainClass(type.delegate)
            else -> null
        }
    }
}
