package dev.kormorant.internal

import dev.kormorant.DecodeException
import dev.kormorant.isSensitive
import org.jetbrains.exposed.v1.core.AutoIncColumnType
import org.jetbrains.exposed.v1.core.BooleanColumnType
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.DoubleColumnType
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IExpressionAlias
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.LongColumnType
import org.jetbrains.exposed.v1.core.NonNullableColumnWithTransform
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.TextColumnType
import org.jetbrains.exposed.v1.core.VarCharColumnType

/** Reads one field by its position; a value that already is what the field holds is taken as it is. Use inside [ExposedBridge.render]. */
internal class FieldDecoder(private val field: Expression<*>) {
    private val type: IColumnType<*>? = decodedType(field)
    private val plainClass: Class<*>? = plainClass(type)
    private val wrapsNull = type as? NonNullableColumnWithTransform<*, *>

    fun decode(row: Array<Any?>, index: Int, view: RowView): Any? {
        val raw = row[index]
        return when {
            raw == null -> wrapsNull?.valueFromDBOrNull(null)
            plainClass != null && plainClass === raw.javaClass -> raw
            else -> convert(raw, index, view)
        }
    }

    private fun convert(raw: Any, index: Int, view: RowView): Any? = try {
        if (type == null) raw else type.readObject(view, index + 1)?.let { type.valueFromDB(it) }
    } catch (error: Exception) {
        throw DecodeException(
            "The value of ${described()} cannot be read as its type ${type?.javaClass?.simpleName}.",
            "Compare the type of the column in the database with its definition in the table.",
            error.takeUnless { field is Column<*> && field.isSensitive },
        )
    }

    private fun described() = if (field is Column<*>) "column ${field.table.tableName}.${field.name}" else "an expression"

    private companion object {
        fun decodedType(field: Expression<*>): IColumnType<*>? = when (field) {
            is ExpressionWithColumnType<*> -> field.columnType
            is IExpressionAlias<*> -> decodedType(field.delegate)
            is Op<*> -> BooleanColumnType()
            else -> null
        }

        /** Not of a class derived from one of these, which may read in a way of its own. */
        fun plainClass(type: IColumnType<*>?): Class<*>? = when (type?.javaClass) {
            IntegerColumnType::class.java -> Int::class.javaObjectType
            LongColumnType::class.java -> Long::class.javaObjectType
            BooleanColumnType::class.java -> Boolean::class.javaObjectType
            DoubleColumnType::class.java -> Double::class.javaObjectType
            VarCharColumnType::class.java, TextColumnType::class.java -> String::class.java
            AutoIncColumnType::class.java -> plainClass((type as AutoIncColumnType<*>).delegate)
            else -> null
        }
    }
}
