package dev.kormorant

import dev.kormorant.driver.RawResult
import dev.kormorant.internal.RawMapping
import kotlin.reflect.KClass

/** The answer to a statement given as SQL, of whatever kind. */
public class SqlResult internal constructor(private val raw: RawResult) {
    private val header = SqlHeader(raw.columns)

    /** Names of the columns, empty when the statement returns no rows. */
    public val columns: List<String> get() = header.names

    /** The rows, in order. */
    public val rows: List<SqlRow> = raw.rows.map { SqlRow(header, it) }

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

    /** An object of [T] for each row; see [SqlQuery.mapTo]. */
    public inline fun <reified T : Any> mapTo(): List<T> = mapTo(T::class)

    /** An object of [type] for each row; see [SqlQuery.mapTo]. */
    public fun <T : Any> mapTo(type: KClass<T>): List<T> = RawMapping(type, header).let { mapping -> raw.rows.map(mapping::create) }

    /** [mapTo] as Java calls it. */
    public fun <T : Any> `as`(type: Class<T>): List<T> = mapTo(type.kotlin)

    override fun toString(): String = "SqlResult(${raw.rows.size} rows of $columns, affected=$affected)"
}
