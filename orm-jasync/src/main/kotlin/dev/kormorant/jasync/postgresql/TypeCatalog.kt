package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import dev.kormorant.driver.SqlArray
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import io.netty.buffer.ByteBuf
import java.util.concurrent.ConcurrentHashMap

/** Types of one database: the [builtinTypes], and those of extensions and users once a result has shown them. */
internal class TypeCatalog {
    private val learned: MutableMap<Int, PgType> = ConcurrentHashMap()

    /** The type; one that was never looked up reads as text. */
    operator fun get(oid: Int): PgType = builtinTypes[oid] ?: learned[oid] ?: unknown

    /** OIDs in [description] that have to be looked up. */
    fun missing(description: RowDescriptionMessage): Set<Int> =
        description.columnDatas.mapNotNullTo(HashSet(0)) { column -> column.dataType.takeIf { it !in builtinTypes && it !in learned } }

    /** Takes in the rows of [TypeLookup]; what it did not find stays text for good. */
    fun learn(oids: Set<Int>, rows: List<Array<Any?>>) {
        for (row in rows) {
            val oid = (row[0] as Long).toInt()
            val name = row[1] as String
            val element = (row[2] as Long?)?.toInt()
            val delimiter = row[3] as String?
            learned[oid] = if (element == null || delimiter == null) {
                PgType.textual(name)
            } else {
                PgType(name, (builtinTypes[element] ?: PgType.textual(name)).array(delimiter.single()).parse)
            }
        }
        for (oid in oids) learned.putIfAbsent(oid, unknown)
    }

    private val unknown = PgType.textual("unknown")
}

/**
 * Asks the server for the types [oids] between two steps of a statement. It uses a name of its own and ends with the only CloseComplete
 * of its answer, so that it disturbs no unnamed statement.
 */
internal class TypeLookup(val oids: Set<Int>, private val name: String) {
    private var layout = RowLayout.EMPTY
    val rows: MutableList<Array<Any?>> = ArrayList()

    fun write(buffer: ByteBuf): ByteBuf {
        val statement = SqlStatement(SQL, listOf(SqlType.ARRAY), listOf(SqlArray(SqlType.BIGINT, oids.map { it.toLong() and 0xFFFFFFFF })))
        return buffer.parse(name, SQL, intArrayOf(oidOf(SqlType.ARRAY, statement.values.single())))
            .bind(name, statement, IntArray(0)).describePortal().execute(0).closeStatement(name)
    }

    fun onDescription(description: RowDescriptionMessage) {
        layout = RowLayout.text(description, TypeCatalog())
    }

    fun onRow(row: ByteBuf) {
        rows += layout.decode(row)
    }

    private companion object {
        /** A domain over a type is read as that type. */
        const val SQL = "SELECT t.oid::int8, t.typname::text, coalesce(nullif(e.typbasetype, 0), e.oid)::int8, e.typdelim::text " +
            "FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e ON e.typarray = t.oid " +
            "WHERE t.oid::int8 = ANY (\$1)"
    }
}
