package dev.kormorant

import org.jetbrains.exposed.v1.core.ColumnSet
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.FieldSet
import org.jetbrains.exposed.v1.core.Slice

/** A query for all columns of a table or join. */
public fun FieldSet.selectAll(): Query = Query(this)

/** A query for the given columns and expressions. */
public fun ColumnSet.select(column: Expression<*>, vararg columns: Expression<*>): Query = select(listOf(column) + columns)

/** A query for the given columns and expressions. */
public fun ColumnSet.select(columns: List<Expression<*>>): Query = Query(Slice(this, columns))
