package dev.kormorant.async.internal

import dev.kormorant.MappedTable
import dev.kormorant.ModelQuery
import dev.kormorant.Rows
import dev.kormorant.mapTo
import dev.kormorant.mapped
import org.jetbrains.exposed.v1.core.Table

/** What is mapped to a class of Java's. */
internal object Mapped {
    @JvmStatic
    fun <R : Any> rows(query: ModelQuery<*>, type: Class<R>): Rows<R> = query.mapTo(type.kotlin)

    @JvmStatic
    fun <R : Any> table(table: Table, type: Class<R>): MappedTable<R> = table.mapped(type.kotlin)
}
