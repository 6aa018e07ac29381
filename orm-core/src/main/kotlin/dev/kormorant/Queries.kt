package dev.kormorant

import org.jetbrains.exposed.v1.core.ColumnSet
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.FieldSet
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.Slice

/** A query for all columns of a table or join. */
public fun FieldSet.selectAll(): Query = Query(this)

/** A query for the given columns and expressions. */
public fun ColumnSet.select(column: Expression<*>, vararg columns: Expression<*>): Query = select(listOf(column) + columns)

/** A query for the given columns and expressions. */
public fun ColumnSet.select(columns: List<Expression<*>>): Query = Query(Slice(this, columns))

// The next four are members of Query. They are here as well for programs that import them by name, as they do from Exposed.

/** Adds a condition that must hold as well. */
@Suppress("EXTENSION_SHADOWED_BY_MEMBER")
public fun Query.andWhere(andPart: () -> Op<Boolean>): Query = andWhere(andPart)

/** Adds a condition that may hold instead. */
@Suppress("EXTENSION_SHADOWED_BY_MEMBER")
public fun Query.orWhere(orPart: () -> Op<Boolean>): Query = orWhere(orPart)

/** Adds a condition on the groups that must hold as well. */
@Suppress("EXTENSION_SHADOWED_BY_MEMBER")
public fun Query.andHaving(andPart: () -> Op<Boolean>): Query = andHaving(andPart)

/** Adds a condition on the groups that may hold instead. */
@Suppress("EXTENSION_SHADOWED_BY_MEMBER")
public fun Query.orHaving(orPart: () -> Op<Boolean>): Query = orHaving(orPart)
