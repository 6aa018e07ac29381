package dev.kormorant.test

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.DatabaseConfig
import dev.kormorant.DatabaseException
import dev.kormorant.ErrorDetails
import dev.kormorant.OrmException
import dev.kormorant.driver.Access
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.Driver
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.DriverProvider
import dev.kormorant.driver.Folding
import dev.kormorant.driver.IdentifierRules
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SchemaDialect
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlSyntax
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitCancellation
import org.jetbrains.exposed.v1.core.Version
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import org.jetbrains.exposed.v1.core.vendors.PostgreSQLDialect
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger

/**
 * A database without a server: it answers by a script and remembers what it was asked.
 *
 * ```
 * val script = ScriptedDriver()
 * script.on("SELECT 1") { ScriptedDriver.rows(listOf("one"), listOf(1)) }
 * script.open().use { db -> db.exec("SELECT 1") }
 * assertEquals(listOf("SELECT 1"), script.sent)
 * ```
 *
 * It speaks the dialect of PostgreSQL. What no rule is about is answered with no rows. A connection is inside a transaction from
 * BEGIN to COMMIT or ROLLBACK. It waits for nothing by itself and has no clock, so it serves under virtual time as well.
 *
 * @param errorAbortsTransaction whether a refused statement leaves a transaction unusable, as in PostgreSQL.
 * @param begin the statements that open a transaction.
 */
public class ScriptedDriver(private val errorAbortsTransaction: Boolean = true, private val begin: List<String> = listOf("BEGIN")) {
    private class Rule(val prefix: String, val answer: suspend (SqlStatement) -> RawResult)

    private val rules = CopyOnWriteArrayList<Rule>()
    private val late = CopyOnWriteArrayList<String>()
    private val calls = CopyOnWriteArrayList<Call>()
    private val connections = CopyOnWriteArrayList<ScriptedConnection>()
    private val key = KEYS.incrementAndGet().toString()

    /** A statement that came in. */
    public class Call internal constructor(
        /** Number of the connection, from 1 in the order they were opened. */
        public val connection: Int,
        public val sql: String,
        public val values: List<Any?>,
    )

    /** The statements that came in, in order, over all connections; `CANCEL` stands for a request to cancel. */
    public val sent: List<String> get() = calls.map { it.sql }

    /** The statements that came in, with their connections and values. */
    public val received: List<Call> get() = calls.toList()

    /** Connections opened so far. */
    public val opened: Int get() = connections.size

    /** Connections that are closed. */
    public val closed: Int get() = connections.count { it.status == ConnectionStatus.CLOSED }

    /** Answers statements that begin with [prefix] by [answer] from now on; of several rules the one added last counts. */
    public fun on(prefix: String, answer: suspend (SqlStatement) -> RawResult) {
        rules.add(0, Rule(prefix, answer))
    }

    /** Refuses statements that begin with [prefix]; the connection stays usable. */
    public fun refuse(prefix: String): Unit = on(prefix) {
        throw DatabaseException("The script refuses ${it.sql}.", null, ErrorDetails(sql = it.sql), null)
    }

    /** Loses the link when a statement that begins with [prefix] comes in. */
    public fun loseLink(prefix: String): Unit = on(prefix) { throw ConnectionException("The link was lost during ${it.sql}.", null, null) }

    /** Never answers statements that begin with [prefix]. */
    public fun neverAnswer(prefix: String): Unit = on(prefix) { awaitCancellation() }

    /** Never answers statements that begin with [prefix]; they take effect all the same when they are cancelled. */
    public fun answerTooLate(prefix: String) {
        late += prefix
        neverAnswer(prefix)
    }

    /** Whether a request to cancel is answered; `false` leaves it, and the statement, without an answer. */
    @Volatile
    public var answersCancel: Boolean = true

    /** A database on this driver; whoever opens it closes it. */
    public fun open(configure: DatabaseConfig.() -> Unit = {}): Database {
        DRIVERS[key] = ScriptedLink()
        return Database.open("scripted:$key", configure)
    }

    /**
     * Fails unless every connection of [database] has been given back, outside a transaction.
     *
     * @throws AssertionError whose cause has the stack of the last statement of a connection that was not.
     */
    public fun assertAllReturned(database: Database) {
        val inUse = database.pool.inUse
        val culprit = connections.firstOrNull { it.status != ConnectionStatus.IDLE && it.status != ConnectionStatus.CLOSED }
        if (inUse != 0 || culprit != null) {
            val last = culprit ?: connections.lastOrNull { it.status != ConnectionStatus.CLOSED }
            throw AssertionError("$inUse connections are not given back; the last statement on one was ${last?.lastUse?.message}.", last?.lastUse)
        }
    }

    private inner class ScriptedLink : Driver {
        override suspend fun connect(access: Access): Connection = ScriptedConnection(connections.size + 1).also { connections += it }

        override suspend fun close() = Unit
    }

    private inner class ScriptedConnection(private val number: Int) : Connection {
        override val dialect: Dialect = ScriptedDialect(errorAbortsTransaction, begin)
        override val serverId: Long get() = number.toLong()

        @Volatile
        override var status: ConnectionStatus = ConnectionStatus.IDLE

        /** The state a cancelled statement was sent in. */
        @Volatile
        private var interrupted = ConnectionStatus.IDLE

        @Volatile
        var lastUse: Exception? = null

        override suspend fun execute(statement: SqlStatement): RawResult {
            if (status == ConnectionStatus.CLOSED) throw ConnectionException("The connection is closed.", null, null)
            if (status == ConnectionStatus.BUSY) throw ConnectionBusyException("A statement is in progress.", "Wait for its end.")
            calls += Call(number, statement.sql, statement.values)
            lastUse = Exception(statement.sql)
            val before = status
            status = ConnectionStatus.BUSY
            try {
                val answer = if (before == ConnectionStatus.FAILED && !statement.sql.startsWith("ROLLBACK")) refused(statement) else answer(statement)
                settle(after(before, statement.sql))
                return answer
            } catch (error: CancellationException) {
                interrupted = before
                throw error
            } catch (error: OrmException) {
                settle(if (error.connectionLost) ConnectionStatus.CLOSED else afterError(before))
                throw error
            }
        }

        private fun refused(statement: SqlStatement): RawResult =
            throw DatabaseException("The transaction is aborted.", null, ErrorDetails(sql = statement.sql), null)

        private suspend fun answer(statement: SqlStatement): RawResult =
            rules.firstOrNull { statement.sql.startsWith(it.prefix) }?.answer?.invoke(statement) ?: RawResult(emptyList(), emptyList(), 0)

        private fun settle(state: ConnectionStatus) {
            if (status != ConnectionStatus.CLOSED) status = state
        }

        private fun after(before: ConnectionStatus, sql: String): ConnectionStatus = when {
            sql.startsWith("BEGIN") || sql.startsWith("ROLLBACK TO") -> ConnectionStatus.IN_TRANSACTION
            sql == "COMMIT" || sql == "ROLLBACK" -> ConnectionStatus.IDLE
            else -> before
        }

        private fun afterError(before: ConnectionStatus): ConnectionStatus =
            if (before != ConnectionStatus.IDLE && errorAbortsTransaction) ConnectionStatus.FAILED else before

        override suspend fun stream(statement: SqlStatement, fetchSize: Int): RowStream {
            val result = execute(statement)
            val portions = result.rows.chunked(fetchSize).iterator()
            return object : RowStream {
                override val columns: List<RawColumn> = result.columns

                override suspend fun next(): List<Array<Any?>>? = if (portions.hasNext()) portions.next() else null

                override suspend fun close() = Unit
            }
        }

        override suspend fun cancel() {
            if (status != ConnectionStatus.BUSY) return
            calls += Call(number, "CANCEL", emptyList())
            if (!answersCancel) awaitCancellation()
            val sql = lastUse?.message.orEmpty()
            settle(if (late.any(sql::startsWith)) after(interrupted, sql) else afterError(interrupted))
        }

        override fun close() {
            status = ConnectionStatus.CLOSED
        }
    }

    public companion object {
        private val KEYS = AtomicInteger()
        private val DRIVERS = ConcurrentHashMap<String, Driver>()

        internal fun driver(key: String): Driver =
            DRIVERS[key] ?: throw ConfigurationException("There is no ScriptedDriver $key.", "Open it by ScriptedDriver().open().")

        /** An answer of [rows], each with a value per column. */
        public fun rows(columns: List<String>, vararg rows: List<Any?>): RawResult =
            RawResult(columns.map { RawColumn(it, "unknown") }, rows.map { it.toTypedArray() }, rows.size.toLong())

        /** An answer to a data change of [count] rows. */
        public fun affected(count: Long): RawResult = RawResult(emptyList(), emptyList(), count)
    }
}

private class ScriptedDialect(override val errorAbortsTransaction: Boolean, private val begin: List<String>) : Dialect {
    override val syntax: SqlSyntax get() = SqlSyntax.POSTGRESQL
    override val name: String get() = "Scripted"
    override val version: Version = Version.from("18.0")
    override val exposed: DatabaseDialect = PostgreSQLDialect()
    override val identifiers: IdentifierRules = IdentifierRules("\"", Folding.LOWER, 63, emptyList())
    override val maxParameters: Int get() = 1000
    override val returning: Set<DmlKind> = DmlKind.entries.toSet()
    override val transactionalDdl: Boolean get() = true
    override val tableNames: String get() = "SELECT name FROM tables WHERE schema = ?"
    override val schema: SchemaDialect get() = throw UnsupportedOperationException("The scripted database has no tables.")

    override fun begin(options: BeginOptions): List<String> = begin
}

/** Finds the [ScriptedDriver] that opens the database. */
public class ScriptedDriverProvider : DriverProvider {
    override val schemes: Set<String> get() = setOf("scripted")

    override fun open(url: DatabaseUrl, options: DriverOptions): Driver = ScriptedDriver.driver(url.database)
}
