package dev.kormorant.test

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Driver
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.DriverProvider
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger

/**
 * Any number of connections that are all one: the [real] one, in a transaction that is never committed. What each of them takes for
 * a transaction of its own is a savepoint there.
 *
 * Statements queue for the real connection. While one of the connections is in a transaction, the others wait for its end, unless
 * their coroutine was started by it: that transaction is nested in it, as the other would wait for ever. The sandbox owns the real
 * connection from [begin] to [end].
 */
internal class SandboxDriver(private val real: Connection) : Driver {
    private val turns = SandboxTurns()
    private val numbers = AtomicInteger()

    /** The statement after which the server had no transaction any more. */
    @Volatile
    private var ender: String? = null

    /** What a connection that was closed in the middle of a transaction has left. */
    @Volatile
    private var leftover: SandboxConnection? = null

    suspend fun begin() {
        real.execute(control(if (real.dialect.name == "SQLite") "BEGIN IMMEDIATE" else "BEGIN"))
    }

    /** Undoes everything. Throws if something has escaped. */
    suspend fun end() {
        if (real.status == ConnectionStatus.BUSY) real.cancel()
        val escaped = ender
        if (real.status != ConnectionStatus.CLOSED && real.status != ConnectionStatus.IDLE) real.execute(control("ROLLBACK"))
        if (escaped != null) throw AssertionError(endedBy(escaped))
    }

    override suspend fun connect(access: Access): Connection = SandboxConnection(numbers.incrementAndGet())

    override suspend fun close() = Unit

    private fun endedBy(sql: String) =
        "A statement has ended the transaction of the test, so what came before it may be in the database: $sql"

    private inner class SandboxConnection(private val number: Int) : Connection {
        override val dialect: Dialect get() = real.dialect
        override val serverId: Long? get() = real.serverId

        private val savepoint = "sandbox_$number"
        private val guard = "guard_$number"

        @Volatile
        private var busy = false

        @Volatile
        private var closed = false

        @Volatile
        private var begun = false

        @Volatile
        private var failed = false

        @Volatile
        private var guarded = false

        /** What the transaction has set for itself. */
        private val settings = LinkedHashSet<String>()

        override val status: ConnectionStatus
            get() = when {
                closed || real.status == ConnectionStatus.CLOSED -> ConnectionStatus.CLOSED
                busy -> ConnectionStatus.BUSY
                failed -> ConnectionStatus.FAILED
                begun -> ConnectionStatus.IN_TRANSACTION
                else -> ConnectionStatus.IDLE
            }

        override suspend fun execute(statement: SqlStatement): RawResult = inTurn(statement) {
            perform(statement).also { giveTurn() }
        }

        override suspend fun stream(statement: SqlStatement, fetchSize: Int): RowStream = inTurn(statement) {
            if (!begun) setGuard()
            val rows = real.stream(renamed(statement), fetchSize)
            if (begun && rows.leavesConnectionFree) FreeStream(rows, statement).also { giveTurn() } else SandboxStream(rows)
        }

        /** Runs [block], which gives the turn back when it succeeds; a cancelled statement keeps it until it is stopped. */
        private suspend fun <T> inTurn(statement: SqlStatement, block: suspend () -> T): T {
            if (status == ConnectionStatus.CLOSED) throw ConnectionException("The connection is closed.", null, null)
            if (busy) throw ConnectionBusyException("A statement is in progress.", "Wait for its end.")
            turns.take(this)
            busy = true
            try {
                clearLeftover()
                ender?.let { throw ConnectionException(endedBy(it), "Make tables, and whatever else commits by itself, before the test.", null, isTransient = false) }
                val result = block()
                if (real.status == ConnectionStatus.IDLE) ender = statement.sql
                return result
            } catch (error: Throwable) {
                if (error !is CancellationException || real.status != ConnectionStatus.BUSY) afterError(statement)
                throw error
            }
        }

        private suspend fun afterError(statement: SqlStatement) {
            if (real.status == ConnectionStatus.IDLE) ender = ender ?: statement.sql
            if (real.status == ConnectionStatus.IN_TRANSACTION || real.status == ConnectionStatus.FAILED) {
                if (begun) failed = real.status == ConnectionStatus.FAILED else undoGuard()
            }
            giveTurn()
        }

        private suspend fun perform(statement: SqlStatement): RawResult {
            val sql = statement.sql
            return when {
                !begun && BEGIN.containsMatchIn(sql) -> {
                    send("SAVEPOINT $savepoint")
                    begun = true
                    turns.enter(this, currentCoroutineContext()[Job])
                    NOTHING
                }
                SESSION_ONLY.containsMatchIn(sql) -> NOTHING
                begun && sql == "COMMIT" -> {
                    send("RELEASE SAVEPOINT $savepoint")
                    // They would last to the end of the test.
                    for (setting in settings) send("SET LOCAL $setting TO DEFAULT")
                    leave()
                    NOTHING
                }
                begun && sql == "ROLLBACK" -> {
                    undo()
                    NOTHING
                }
                sql.startsWith("SET LOCAL ") -> if (begun) setLocally(statement) else NOTHING
                begun -> real.execute(renamed(statement))
                else -> {
                    setGuard()
                    real.execute(statement).also { releaseGuard() }
                }
            }
        }

        private suspend fun setLocally(statement: SqlStatement): RawResult {
            LOCAL_SETTING.find(statement.sql)?.let { settings += it.groupValues[1] }
            return real.execute(statement)
        }

        private suspend fun undo() {
            send("ROLLBACK TO SAVEPOINT $savepoint")
            send("RELEASE SAVEPOINT $savepoint")
            leave()
        }

        private fun leave() {
            begun = false
            failed = false
            settings.clear()
            turns.leave(this)
        }

        /** In some databases an error makes the whole transaction unusable; a statement that is none must not do that to the test. */
        private suspend fun setGuard() {
            if (!dialect.errorAbortsTransaction) return
            send("SAVEPOINT $guard")
            guarded = true
        }

        private suspend fun releaseGuard() {
            if (!guarded) return
            send("RELEASE SAVEPOINT $guard")
            guarded = false
        }

        private suspend fun undoGuard() {
            if (!guarded) return
            guarded = false
            send("ROLLBACK TO SAVEPOINT $guard")
            send("RELEASE SAVEPOINT $guard")
        }

        private suspend fun send(sql: String) = real.execute(control(sql))

        /** Savepoints of different connections may have the same name. */
        private fun renamed(statement: SqlStatement): SqlStatement {
            val match = SAVEPOINT.matchEntire(statement.sql) ?: return statement
            val (command, quote, name) = match.destructured
            return SqlStatement("$command$quote${number}_$name", reusable = false)
        }

        private fun giveTurn() {
            busy = false
            turns.give()
        }

        override suspend fun cancel() {
            if (!busy) return
            real.cancel()
            afterError(CANCELLED)
        }

        override fun close() {
            if (closed) return
            closed = true
            if (begun) leftover = this
            if (busy) {
                // Nobody waits for the statement any more, and the others cannot go on while it runs.
                real.close()
                giveTurn()
            }
        }

        private suspend fun clearLeftover() {
            val left = leftover ?: return
            leftover = null
            left.undo()
        }

        /** A stream that takes its turn for each portion. */
        private inner class FreeStream(private val rows: RowStream, private val statement: SqlStatement) : RowStream {
            override val columns: List<RawColumn> get() = rows.columns
            override val leavesConnectionFree: Boolean get() = true

            override suspend fun next(): List<Array<Any?>>? = inTurn(statement) { rows.next().also { giveTurn() } }

            override suspend fun close() = inTurn(statement) { rows.close().also { giveTurn() } }
        }

        /** A stream that has the turn until its end. */
        private inner class SandboxStream(private val rows: RowStream) : RowStream {
            override val columns: List<RawColumn> get() = rows.columns
            private var ended = false

            override suspend fun next(): List<Array<Any?>>? {
                if (ended) return null
                try {
                    return rows.next().also { if (it == null) finish() }
                } catch (error: Throwable) {
                    if (error !is CancellationException || real.status != ConnectionStatus.BUSY) {
                        ended = true
                        afterError(CANCELLED)
                    }
                    throw error
                }
            }

            override suspend fun close() {
                if (ended) return
                rows.close()
                finish()
            }

            private suspend fun finish() {
                ended = true
                if (real.status == ConnectionStatus.FAILED) return afterError(CANCELLED)
                releaseGuard()
                giveTurn()
            }
        }
    }

    companion object {
        private val BEGIN = Regex("^(BEGIN|START TRANSACTION)\\b")
        private val SESSION_ONLY = Regex("^(SET TRANSACTION|SET SESSION CHARACTERISTICS|PRAGMA query_only)\\b")
        private val LOCAL_SETTING = Regex("^SET LOCAL (\\w+)")
        private val SAVEPOINT = Regex("(SAVEPOINT |RELEASE SAVEPOINT |ROLLBACK TO SAVEPOINT )([\"`]?)(.*)", RegexOption.DOT_MATCHES_ALL)
        private val NOTHING = RawResult(emptyList(), emptyList(), 0)
        private val CANCELLED = SqlStatement("a cancelled statement")

        private fun control(sql: String) = SqlStatement(sql, reusable = false)

        private val KEYS = AtomicInteger()
        private val OPEN = ConcurrentHashMap<String, SandboxDriver>()

        /** Makes [driver] known under a URL until [retire]. */
        fun publish(driver: SandboxDriver): String = "sandbox:${KEYS.incrementAndGet()}".also { OPEN[it] = driver }

        fun retire(url: String) {
            OPEN.remove(url)
        }

        fun at(url: DatabaseUrl): SandboxDriver =
            OPEN["sandbox:${url.database}"] ?: throw ConfigurationException("There is no sandbox ${url.database}.", "A sandbox is gone when its test has ended.")
    }
}

/** Finds the sandbox of a test that needs a database object of its own. */
internal class SandboxDriverProvider : DriverProvider {
    override val schemes: Set<String> get() = setOf("sandbox")

    override fun open(url: DatabaseUrl, options: DriverOptions): Driver = SandboxDriver.at(url)
}
