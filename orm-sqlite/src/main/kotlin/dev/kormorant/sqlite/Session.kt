package dev.kormorant.sqlite

import dev.kormorant.DatabaseException
import dev.kormorant.ErrorDetails
import dev.kormorant.StatementCacheStats
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import org.sqlite.BusyHandler
import org.sqlite.ProgressHandler
import org.sqlite.SQLiteConnection
import org.sqlite.SQLiteException
import org.sqlite.SQLiteLimits
import org.sqlite.core.Codes
import org.sqlite.jdbc4.JDBC4PreparedStatement
import java.sql.SQLException
import java.util.concurrent.locks.LockSupport
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource.Monotonic

/** One statement between its start and its end, as other threads see it. */
internal class Execution {
    /** A request to stop. It belongs to this statement alone, so one that comes late hits no other. */
    @Volatile
    var isCancelled: Boolean = false
}

/**
 * An open database. Only the thread of its connection touches it; [status] may be read from anywhere.
 *
 * A request to stop is polled by SQLite itself: between instructions of a running statement, and while it waits for a lock.
 */
internal class Session(private val native: SQLiteConnection, private val cacheSize: Int, private val busyTimeout: Duration) {
    private val cache = StatementCache(cacheSize)

    val statementCache: StatementCacheStats get() = cache.stats
    private val beginProbe by lazy { prepareNative("BEGIN") }
    private val lastRowId by lazy { Prepared(LAST_ROW_ID.sql, SqlText.of(LAST_ROW_ID), prepareNative(LAST_ROW_ID.sql)) }
    private var execution: Execution? = null
    private var cursor: Cursor? = null
    private var functionFailure: Throwable? = null
    private var longestWait = busyTimeout

    /** [ConnectionStatus.IDLE], [ConnectionStatus.IN_TRANSACTION], or [ConnectionStatus.FAILED] after SQLite itself rolled back. */
    @Volatile
    var status: ConnectionStatus = ConnectionStatus.IDLE
        private set(state) {
            if (state == ConnectionStatus.IDLE && refusesWrites) allowWrites()
            field = state
        }

    /** Whether the transaction that is open is read-only on a connection that is not. */
    private var refusesWrites = false
    private var readOnly = false

    init {
        // Otherwise sqlite-jdbc runs a BEGIN and a COMMIT of its own after each statement.
        native.connectionConfig.isAutoCommit = false
        BusyHandler.setHandler(native, WaitForLock())
        ProgressHandler.setHandler(native, INSTRUCTIONS_PER_POLL, Poll())
    }

    val parameterLimit: Int get() = native.database.limit(SQLiteLimits.SQLITE_LIMIT_VARIABLE_NUMBER.id, -1)

    val version: String get() = native.libversion()

    /** Prepares the connection for its work, waiting at most [patience] for a lock; [settings] come after what every connection has. */
    fun setUp(location: Location, settings: SqliteSettings, readOnly: Boolean, patience: Duration, execution: Execution) {
        this.execution = execution
        longestWait = minOf(busyTimeout, patience)
        for ((name, file) in settings.attached) run("ATTACH DATABASE ${quoted(file.toString())} AS \"$name\"")
        run("PRAGMA foreign_keys=ON")
        if (location is Location.File) {
            if ("journal_mode" !in settings.pragmas) useWal(execution)
            for (name in settings.attached.keys + "main") run("PRAGMA \"$name\".synchronous=NORMAL")
        }
        for ((name, value) in settings.pragmas) run("PRAGMA $name=${quoted(value)}")
        for (function in settings.functions) function.register(native) { functionFailure = it }
        for ((name, order) in settings.collations) register(native, name, order)
        run("PRAGMA schema_version")
        this.readOnly = readOnly
        if (readOnly) run("PRAGMA query_only=ON")
        longestWait = busyTimeout
        this.execution = null
    }

    /** The whole answer to [statement]. */
    fun execute(statement: SqlStatement, execution: Execution): RawResult {
        if (status == ConnectionStatus.FAILED && SqlText.of(statement).verb.endsSavepoint) return NOTHING
        val cursor = open(statement, execution)
        val rows = cursor.fetch(Int.MAX_VALUE)
        return RawResult(cursor.columns, rows, if (cursor.changesRows) cursor.changed else rows.size.toLong(), cursor.lastInsertId)
    }

    /** Makes the first step of [statement]. */
    fun open(statement: SqlStatement, execution: Execution): Cursor {
        if (status == ConnectionStatus.FAILED && SqlText.of(statement).verb != Verb.ROLLBACK) throw rolledBack(statement)
        if (execution.isCancelled) throw interrupted(statement, null)
        this.execution = execution
        functionFailure = null
        val prepared = try {
            cache.take(statement.sql) ?: Prepared(statement.sql, SqlText.of(statement), prepareNative(statement.sql))
        } catch (e: SQLException) {
            this.execution = null
            throw failure(e, statement, Verb.OTHER, Phase.PREPARE, execution.isCancelled)
        }
        return Cursor(statement, prepared).also {
            cursor = it
            it.start()
        }
    }

    /** Ends the statement that is open, if one is. */
    fun end() {
        cursor?.close()
    }

    /** Makes it as good as new for the next user, whatever becomes of the statement that is open. */
    fun clear() {
        runCatching { end() }
        if (status != ConnectionStatus.IDLE) {
            run("ROLLBACK")
            status = ConnectionStatus.IDLE
        }
    }

    fun close() {
        execution = null
        native.close()
    }

    private fun refuseWrites() {
        run("PRAGMA query_only=ON")
        refusesWrites = true
    }

    private fun allowWrites() {
        run("PRAGMA query_only=OFF")
        refusesWrites = false
    }

    private fun prepareNative(sql: String) = native.prepareStatement(sql) as JDBC4PreparedStatement

    private fun run(sql: String) {
        native.createStatement().use { it.execute(sql) }
    }

    /** SQLite does not wait for a lock when it changes the journal mode. */
    private fun useWal(execution: Execution) {
        val deadline = Monotonic.markNow() + longestWait
        while (true) {
            try {
                return run("PRAGMA journal_mode=WAL")
            } catch (e: SQLiteException) {
                if (e.resultCode.code and 0xFF != Codes.SQLITE_BUSY || deadline.hasPassedNow() || execution.isCancelled) throw e
                pause(MAX_PAUSE)
            }
        }
    }

    private fun failure(e: SQLException, statement: SqlStatement, verb: Verb, phase: Phase, cancelled: Boolean): Exception {
        if (status == ConnectionStatus.IN_TRANSACTION && beginsNow()) status = ConnectionStatus.FAILED
        functionFailure?.let(e::addSuppressed)
        return translated(e, statement, verb, phase, cancelled)
    }

    /**
     * Whether no transaction was open: SQLite tells it by taking a BEGIN or not. After an automatic rollback the empty
     * transaction stays, so that statements of the lost one are not committed one by one, and its ROLLBACK finds something to end.
     */
    private fun beginsNow(): Boolean = beginProbe.pointer.safeRunInt<SQLException> { db, pointer ->
        db.step(pointer).also { db.reset(pointer) }
    } == Codes.SQLITE_DONE

    private fun statusAfter(verb: Verb): ConnectionStatus = when (verb) {
        Verb.BEGIN, Verb.SAVEPOINT -> ConnectionStatus.IN_TRANSACTION
        Verb.COMMIT, Verb.ROLLBACK -> ConnectionStatus.IDLE
        // The outermost savepoint may have begun the transaction.
        Verb.RELEASE -> if (beginsNow()) ConnectionStatus.IDLE.also { run("COMMIT") } else ConnectionStatus.IN_TRANSACTION
        else -> status
    }

    private fun rolledBack(statement: SqlStatement) = DatabaseException(
        "SQLite has rolled back the transaction after an error and takes no statement in it.",
        "Roll back, and run the whole transaction again.",
        ErrorDetails(sql = statement.sql),
        null,
    )

    /** The rows of one statement, which are made as they are fetched. */
    inner class Cursor(private val statement: SqlStatement, private val prepared: Prepared) {
        /** Whether the statement is still in progress. */
        var isOpen: Boolean = true
            private set
        var changed: Long = 0
            private set
        var lastInsertId: Long? = null
            private set
        val columns: List<RawColumn> get() = prepared.columns
        val changesRows: Boolean get() = prepared.text.verb.changesRows

        fun start(): Unit = guarded {
            if (prepared.parameters != statement.values.size) {
                throw IllegalArgumentException("The statement has ${prepared.parameters} parameters but ${statement.values.size} values.")
            }
            if (!prepared.start(boundValues(statement))) done()
        }

        /** The next rows, at most [max]; none when there are no more. */
        fun fetch(max: Int): List<Array<Any?>> {
            if (!isOpen) return emptyList()
            val rows = ArrayList<Array<Any?>>()
            guarded {
                if (!prepared.read(rows, max)) done()
            }
            return rows
        }

        /** Ends the statement early. One that changes rows has changed them all by now, but counts them at its end only. */
        fun close() {
            if (!isOpen) return
            try {
                while (changesRows && isOpen) fetch(ROWS_TO_SKIP)
            } finally {
                release()
            }
        }

        private fun done() {
            val verb = prepared.text.verb
            execution = null // what follows is no part of the statement and must not be stopped
            if (changesRows) {
                changed = native.database.changes()
                if (verb == Verb.INSERT && changed == 1L && columns.isEmpty()) lastInsertId = lastRowId()
            }
            status = statusAfter(verb)
            if (statement.sql == SqliteDialect.BEGIN_READ_ONLY && !readOnly) refuseWrites()
            release()
        }

        private fun lastRowId(): Long {
            val rows = ArrayList<Array<Any?>>()
            lastRowId.start(emptyArray())
            lastRowId.read(rows, 1)
            lastRowId.reset()
            return rows.single().single() as Long
        }

        private inline fun guarded(block: () -> Unit) {
            var finished = false
            try {
                block()
                finished = true
            } catch (e: SQLException) {
                val cancelled = execution?.isCancelled == true
                release()
                throw failure(e, statement, prepared.text.verb, Phase.RUN, cancelled)
            } finally {
                if (!finished) release()
            }
        }

        private fun release() {
            if (!isOpen) return
            isOpen = false
            cursor = null
            execution = null
            if (prepared.isClosed) return
            prepared.reset()
            if (statement.reusable && cacheSize > 0) cache.put(prepared) else prepared.close()
        }
    }

    private inner class WaitForLock : BusyHandler() {
        private var deadline: TimeMark = Monotonic.markNow()

        override fun callback(previous: Int): Int {
            if (previous == 0) deadline = Monotonic.markNow() + longestWait
            if (execution?.isCancelled == true || deadline.hasPassedNow()) return 0
            pause(minOf(MAX_PAUSE, (1 shl minOf(previous, MAX_DOUBLINGS)).milliseconds))
            return 1
        }
    }

    private inner class Poll : ProgressHandler() {
        override fun progress(): Int = if (execution?.isCancelled == true) 1 else 0
    }

    private companion object {
        /** Some ten microseconds of work: a request to stop is seen soon, and asking costs nothing that can be measured. */
        const val INSTRUCTIONS_PER_POLL = 2_000
        const val ROWS_TO_SKIP = 1_000
        const val MAX_DOUBLINGS = 5

        /** The savepoints of a transaction are gone with it: there is nothing to undo. */
        val NOTHING = RawResult(emptyList(), emptyList(), 0)
        val MAX_PAUSE = 25.milliseconds
        val LAST_ROW_ID = SqlStatement("SELECT last_insert_rowid()")

        fun pause(time: Duration): Unit = LockSupport.parkNanos(time.inWholeNanoseconds)

        fun quoted(text: String): String = "'${text.replace("'", "''")}'"
    }
}
