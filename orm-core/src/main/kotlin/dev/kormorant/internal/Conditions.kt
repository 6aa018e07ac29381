package dev.kormorant.internal

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.EntityIDColumnType
import org.jetbrains.exposed.v1.core.EqOp
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IsNullOp
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryParameter
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.EntityIDFunctionProvider
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import org.jetbrains.exposed.v1.core.inList

/** A condition on a column whose type is known at run time only; `null` means IS NULL. */
internal infix fun Column<*>.equalTo(value: Any?): Op<Boolean> {
    if (value == null) return IsNullOp(this)
    @Suppress("UNCHECKED_CAST")
    return EqOp(this, QueryParameter(value, columnType as IColumnType<Any>))
}

/** A condition that the column has one of [keys], which are plain values even where the column holds ids. */
@Suppress("UNCHECKED_CAST")
internal infix fun Column<*>.amongKeys(keys: List<Any>): Op<Boolean> {
    return (this as Column<Any>) inList keys.map { keyValue(it) as Any }
}

/** The plain value of a key, so that an id and a column that refers to it compare equal. */
internal fun plainKey(value: Any?): Any? = if (value is EntityID<*>) value.value else value

/** [key] as [equalTo] takes it for this column. */
internal fun Column<*>.keyValue(key: Any?): Any? {
    val type = columnType
    @Suppress("UNCHECKED_CAST")
    return if (key != null && type is EntityIDColumnType<*>) EntityIDFunctionProvider.createEntityID(key, type.idColumn.table as IdTable<Any>) else key
}

/** The values of a row by the positions of [shape], with [Unset] for columns the row does not have. */
internal fun rowOf(shape: TableShape, row: ResultRow): Array<Any?> =
    Array(shape.columns.size) { position -> shape.columns[position].let { if (row.hasValue(it)) row[it] else Unset } }
