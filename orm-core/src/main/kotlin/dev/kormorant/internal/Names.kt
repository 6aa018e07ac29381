package dev.kormorant.internal

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.Table

// Names as the database wants them, quoted where needed. Exposed writes them only in pairs without its internal API, `table.column`.
// Use inside ExposedBridge.render.

/** The name of the table, or its alias. */
internal fun Table.nameInSql(sample: Column<*>): String = @Suppress("UNCHECKED_CAST") Column(this, "x", (sample as Column<Any>).columnType).qualified().removeSuffix(".x")

/** The name of the column without its table. */
internal fun Column<*>.nameInSql(): String = qualified().removePrefix("${table.nameInSql(this)}.")

private fun Column<*>.qualified(): String = QueryBuilder(false).append(this).toString()
