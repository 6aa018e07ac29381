package dev.kormorant.sqlite

import dev.kormorant.StatementCacheStats
import dev.kormorant.driver.RawColumn
import org.sqlite.core.Codes
import org.sqlite.core.DB
import org.sqlite.jdbc4.JDBC4PreparedStatement
import java.sql.SQLException

/** A prepared statement. Used by the thread of its connection only. */
internal class Prepared(val sql: String, val text: SqlText, private val native: JDBC4PreparedStatement) {
    val parameters: Int = native.parameterCount

    /** Columns of its rows; those of `SELECT *` are right after [start] only. */
    var columns: List<RawColumn> = describe()
        private set

    /** Whether the row of the last step is still to be read. */
    private var onRow = false

    /** SQLite drops a statement after some errors. */
    val isClosed: Boolean get() = native.pointer.isClosed

    /** Binds [values] and makes the first step: whether there is a row. */
    fun start(values: Array<Any?>): Boolean {
        onRow = native.database.execute(native, values)
        if (text.selectsAll) columns = describe()
        return onRow
    }

    /** Adds to [rows] until there are [max], or no more: whether there may be further ones. It never steps ahead of what is asked for. */
    fun read(rows: MutableList<Array<Any?>>, max: Int): Boolean = native.pointer.safeRunInt<SQLException> { db, pointer ->
        var code = Codes.SQLITE_ROW
        while (rows.size < max) {
            if (onRow) onRow = false else code = db.step(pointer)
            if (code != Codes.SQLITE_ROW) break
            rows += Array(columns.size) { value(db, pointer, it) }
        }
        if (code != Codes.SQLITE_ROW && code != Codes.SQLITE_DONE) db.throwex(code)
        code
    } == Codes.SQLITE_ROW

    /** Makes it ready for the next use and frees the values it held. */
    fun reset() {
        native.pointer.safeRunInt<SQLException> { db, pointer ->
            if (parameters > 0) db.clear_bindings(pointer)
            db.reset(pointer)
        }
    }

    fun close(): Unit = native.close()

    private fun value(db: DB, pointer: Long, column: Int): Any? = when (db.column_type(pointer, column)) {
        Codes.SQLITE_INTEGER -> db.column_long(pointer, column)
        Codes.SQLITE_FLOAT -> db.column_double(pointer, column)
        Codes.SQLITE_TEXT -> db.column_text(pointer, column)
        Codes.SQLITE_BLOB -> db.column_blob(pointer, column)
        else -> null
    }

    private fun describe(): List<RawColumn> = native.pointer.safeRun<List<RawColumn>, SQLException> { db, pointer ->
        List(db.column_count(pointer)) {
            RawColumn(db.column_name(pointer, it), db.column_decltype(pointer, it).orEmpty().lowercase())
        }
    }
}

/**
 * The statements of one connection that are likely to come again: at most [capacity], those not used for longest closed first. It
 * belongs to the thread of the connection but for [stats].
 */
internal class StatementCache(private val capacity: Int) {
    private val statements = object : LinkedHashMap<String, Prepared>(16, 0.75f, true) {
        override fun removeEldestEntry(eldest: Map.Entry<String, Prepared>): Boolean = (size > capacity).also {
            if (!it) return@also
            eldest.value.close()
            evictions += 1
        }
    }

    @Volatile private var hits = 0L

    @Volatile private var misses = 0L

    @Volatile private var evictions = 0L

    val stats: StatementCacheStats get() = StatementCacheStats(statements.size, hits, misses, evictions)

    /** Takes it out, so that a statement in use is never closed. */
    fun take(sql: String): Prepared? = statements.remove(sql).also { if (it == null) misses += 1 else hits += 1 }

    fun put(prepared: Prepared) {
        statements.put(prepared.sql, prepared)?.close()
    }
}
