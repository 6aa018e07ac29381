package dev.kormorant

import dev.kormorant.driver.RawResult

/** The answer to a raw statement. */
public class SqlResult internal constructor(private val raw: RawResult) {
    /** Names of the columns, empty when the statement returns no rows. */
    public val columns: List<String> = raw.columns.map { it.name }

    /** The rows, each with its values by column name; of two columns with one name the later wins. */
    public val rows: List<Map<String, Any?>> by lazy(LazyThreadSafetyMode.PUBLICATION) {
        raw.rows.map { row -> columns.withIndex().associate { (index, name) -> name to row[index] } }
    }

    /** Rows inserted, deleted, or matched by an update; for a query the number of rows. */
    public val affected: Long get() = raw.affected

    /** The generated key of an insert, where the database reports one without RETURNING. */
    public val lastId: Long? get() = raw.lastInsertId

    /**
     * The first column of the first row, `null` when it is NULL.
     *
     * @throws RecordNotFoundException if there is no row.
     */
    public fun scalar(): Any? = (raw.rows.firstOrNull() ?: throw RecordNotFoundException("The statement returned no row.", null))[0]

    override fun toString(): String = "SqlResult(${raw.rows.size} rows of $columns, affected=$affected)"
}
