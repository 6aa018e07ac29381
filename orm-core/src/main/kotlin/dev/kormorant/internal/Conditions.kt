package dev.kormorant.internal

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.EntityIDColumnType
import org.jetbrains.exposed.v1.core.EqOp
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
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
internal infix fun ExpressionWithColumnType<*>.equalTo(value: Any?): Op<Boolean> = if (value == null) IsNullOp(this) else EqOp(this, parameter(value))

/** A value of a column whose type is known at run time only; where the column holds ids it may be a plain one. */
@Suppress("UNCHECKED_CAST")
internal fun ExpressionWithColumnType<*>.parameter(value: Any): QueryParameter<Any> = QueryParameter(keyValue(value) as Any, columnType as IColumnType<Any>)

/** A condition that the column has one of [keys], which are plain values even where the column holds ids. */
@Suppress("UNCHECKED_CAST")
internal infix fun Column<*>.amongKeys(keys: List<Any>): Op<Boolean> = (this as Column<Any>) inList keys.map { keyValue(it) as Any }

/** The plain value of a key, so that an id and a column that refers to it compare equal. */
internal fun plainKey(value: Any?): Any? = if (value is EntityID<*>) value.value else value

/** [key] as a value of this column: an id where the column holds ids. */
@Suppress("UNCHECKED_CAST")
internal fun ExpressionWithColumnType<*>.keyValue(key: Any?): Any? {
    val type: IColumnType<*> = columnType
    if (key == null || key is EntityID<*> || type !is EntityIDColumnType<*>) return key
    return EntityIDFunctionProvider.createEntityID(key, type.idColumn.table as IdTable<Any>)
}

/** The values of a row by the positions of [shape], with [Unset] for columns the row does not have. */
internal fun rowOf(shape: TableShape, row: ResultRow): Array<Any?> =
    Array(shape.columns.size) { position -> shape.columns[position].let { if (row.hasValue(it)) row[it] else Unset } }
