package dev.kormorant.internal

import dev.kormorant.DataException
import dev.kormorant.ErrorDetails
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.statements.InsertStatement
import org.jetbrains.exposed.v1.core.statements.MultiRowValuesInsertStatement
import org.jetbrains.exposed.v1.core.statements.UpdateStatement

// Exposed's statements, with its check of a value against the column's length turned into an error that names the column.

internal class CheckedInsert<K : Any>(table: Table, ignore: Boolean = false) : InsertStatement<K>(table, ignore) {
    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

internal class CheckedBatchInsert(table: Table, ignore: Boolean, returnGenerated: Boolean) :
    MultiRowValuesInsertStatement(table, ignore, returnGenerated) {
    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

internal class CheckedUpdate(table: Table, limit: Int?, where: Op<Boolean>?) : UpdateStatement(table, limit, where) {
    override operator fun <S> set(column: Column<S>, value: S): Unit = checking(column) { super.set(column, value) }
}

/** Runs [block], which gives [column] a value, and says which column refused it. */
internal inline fun checking(column: Column<*>, block: () -> Unit) {
    try {
        block()
    } catch (error: IllegalArgumentException) {
        val name = "${column.table.tableName}.${column.name}"
        throw DataException("Column $name cannot hold the value: ${error.message}.", ErrorDetails(table = column.table.tableName, column = column.name), error)
    }
}
