package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlSyntax
import dev.kormorant.jasync.ServerSql
import dev.kormorant.StatementCacheStats
import dev.kormorant.jasync.StatementCache
import io.netty.buffer.ByteBuf
import java.util.Arrays
import java.util.concurrent.ThreadLocalRandom

/** A text with the types of its parameters: the same text with other types is another statement. */
internal class StatementKey(val sql: String, val oids: IntArray) {
    override fun equals(other: Any?): Boolean = other is StatementKey && sql == other.sql && Arrays.equals(oids, other.oids)

    override fun hashCode(): Int = 31 * sql.hashCode() + Arrays.hashCode(oids)
}

/** A statement of the server under [name]; under the empty name it lasts until the next of that name. */
internal class Prepared(val name: String, val key: StatementKey, val sql: String) {
    /** Whether the server has it. */
    var parsed: Boolean = false

    /** How its rows look when columns are asked for in binary where possible; `null` until the server has told. */
    var layout: RowLayout? = null

    val isNamed: Boolean get() = name.isNotEmpty()
}

/**
 * The prepared statements of one session. Only the statement in progress uses it: first the caller who starts it, then the event loop.
 *
 * Names begin with random characters, so that behind a pooler that exchanges servers a name is either ours or unknown.
 */
internal class PreparedStatements(private val capacity: Int) {
    private val prefix = "k${ThreadLocalRandom.current().nextLong(Long.MAX_VALUE).toString(36)}_"
    private val cache = StatementCache<StatementKey, Prepared>(capacity)

    val stats: StatementCacheStats get() = cache.stats
    private val toClose = ArrayList<String>()
    private var count = 0L

    /**
     * The statement to use for [statement], known to the server or not.
     *
     * @throws IllegalArgumentException if the text has another number of parameters.
     * @throws UnsupportedByDialectException if it has more parameters than the protocol can count.
     */
    fun find(statement: SqlStatement): Prepared {
        val types = statement.types
        require(statement.values.size == types.size) { "The statement has ${types.size} types and ${statement.values.size} arguments." }
        val key = StatementKey(statement.sql, IntArray(types.size) { oidOf(types[it], statement.values[it]) })
        val keep = statement.reusable && capacity > 0
        if (keep) cache[key]?.let { return it }
        if (types.size > MAX_PARAMETERS) {
            throw UnsupportedByDialectException(
                "The statement has ${types.size} parameters; PostgreSQL takes $MAX_PARAMETERS.",
                "Split it, or pass the values as one array.",
            )
        }
        return Prepared(if (keep) newName() else "", key, serverSql(statement))
    }

    /** The text as the server wants it; the number of parameters is checked. */
    fun serverSql(statement: SqlStatement): String {
        val parsed = ServerSql.parse(statement.sql, SqlSyntax.POSTGRESQL)
        require(parsed.parameterCount == statement.types.size) {
            "The statement has ${parsed.parameterCount} parameters and ${statement.types.size} arguments."
        }
        return parsed.text
    }

    fun newName(): String = prefix + count++.toString(36)

    /** The server has it now. */
    fun onParsed(prepared: Prepared) {
        prepared.parsed = true
        if (prepared.isNamed) cache.put(prepared.key, prepared)?.let { toClose += it.name }
    }

    /** [prepared] is of no use any more; what takes its place is not known to the server yet. */
    fun replace(prepared: Prepared): Prepared {
        forget(prepared)
        return Prepared(newName(), prepared.key, prepared.sql)
    }

    fun forget(prepared: Prepared) {
        cache.remove(prepared.key)
        toClose += prepared.name
    }

    /** Closes on the server what was forgotten or pushed out; closing a name the server does not have is no error. */
    fun writeClosing(buffer: ByteBuf) {
        for (name in toClose) buffer.closeStatement(name)
    }

    fun onClosingSent(): Unit = toClose.clear()

    internal companion object {
        const val MAX_PARAMETERS: Int = 65_535
    }
}
