package dev.kormorant.async.internal

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.inList

// Functions of Exposed that Java cannot call: their names are Java keywords, or their types overlap when erased.

internal fun bigint(table: Table, name: String): Column<Long> = table.long(name)

internal fun smallint(table: Table, name: String): Column<Short> = table.short(name)

internal fun real(table: Table, name: String): Column<Float> = table.float(name)

internal fun doublePrecision(table: Table, name: String): Column<Double> = table.double(name)

internal fun fixedChar(table: Table, name: String, length: Int): Column<String> = table.char(name, length)

internal fun <T> withDefault(table: Table, column: Column<T>, value: T): Column<T> = with(table) { column.default(value) }

internal fun <T : Any> inIds(column: Column<EntityID<T>>, ids: Iterable<T>): Op<Boolean> = column inList ids
