package dev.kormorant

import dev.kormorant.internal.KeyColumns
import dev.kormorant.internal.RowValues
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.Table
import kotlin.reflect.KClass

/**
 * The rows of a table as immutable objects: `val users = Users.mapped<UserRow>()`. [T] is a data class, another class with a primary
 * constructor such as a `@Serializable` one, or a record; its parameters are columns as [mapTo] of a query says.
 *
 * @throws MappingException if a parameter has no column, or one that is not nullable has a nullable column.
 */
public inline fun <reified T : Any> Table.mapped(): MappedTable<T> = mapped(T::class)

/** The rows of a table as objects of [type]; see the other `mapped`. */
public fun <T : Any> Table.mapped(type: KClass<T>): MappedTable<T> = MappedTable(this, type)

/**
 * A table whose rows are values of [T], made by [mapped]. What is written is given as a whole object and what comes back is another one;
 * nothing is tracked and no relation is known, that is what models are for. Each function runs at once on the database of the calling
 * coroutine, inside its transaction if it is in one.
 */
public class MappedTable<T : Any> internal constructor(private val table: Table, private val type: KClass<T>) {
    private val stored = RowValues(table, type)

    /** A query for all rows; no I/O until it is collected. */
    public fun select(): SizedIterable<T> = table.selectAll().mapTo(type)

    /** A query for the rows that match [where]; no I/O until it is collected. */
    public fun select(where: () -> Op<Boolean>): SizedIterable<T> = table.selectAll().where(where).mapTo(type)

    /**
     * Inserts [row]. A `null` for a column that cannot be NULL, as for an id the database is to make, leaves the column to its default.
     *
     * @return the row as the database stored it.
     */
    public suspend fun insert(row: T): T = insertAll(listOf(row)).single()

    /**
     * Inserts [rows], many per statement; all of them or none.
     *
     * @return the rows as the database stored them, in their order.
     */
    public suspend fun insertAll(rows: Iterable<T>): List<T> =
        table.batchInsert(rows) { row ->
            for ((column, value) in stored.of(row)) {
                val given = if (value != null || column.columnType.nullable) value else column.defaultValueFun?.invoke() ?: continue
                give(column, given)
            }
        }.mapTo(type)

    /**
     * Writes all columns of [row] that [T] has over the row with its primary key.
     *
     * @return whether the row was there.
     * @throws IllegalArgumentException if [T] has not all columns of the primary key.
     */
    public suspend fun update(row: T): Boolean {
        val (key, others) = stored.of(row).partition { (column, _) -> column in keyColumns().columns }
        require(others.isNotEmpty()) { "${type.simpleName} has nothing to write besides the key of ${table.tableName}." }
        return table.update({ keyed(key.toMap()) }) { statement -> others.forEach { (column, value) -> statement.give(column, value) } } > 0
    }

    /**
     * Deletes the row with the primary key of [row].
     *
     * @return whether it was there.
     * @throws IllegalArgumentException if [T] has not all columns of the primary key.
     */
    public suspend fun delete(row: T): Boolean = table.deleteWhere { keyed(stored.of(row).toMap()) } > 0

    private fun keyColumns() = KeyColumns(requireNotNull(table.primaryKey) { "${table.tableName} has no primary key." }.columns.asList())

    private fun keyed(given: Map<Column<*>, Any?>): Op<Boolean> {
        val key = keyColumns()
        return key.among(listOf(requireNotNull(key.of { given[it] }) { "${type.simpleName} has no value for the primary key ($key) of ${table.tableName}." }))
    }

    override fun toString(): String = "MappedTable(${table.tableName} as ${type.simpleName})"
}
