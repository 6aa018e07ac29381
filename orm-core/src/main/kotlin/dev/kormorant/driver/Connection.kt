package dev.kormorant.driver

import dev.kormorant.StatementCacheStats

/**
 * One link to a database. At most one statement is in progress; the pool lends a connection to one user at a time, but
 * [status], [cancel] and [close] may be called from any thread at any time.
 */
public interface Connection {
    /** Facts about the server behind this connection. */
    public val dialect: Dialect

    /** The server's own name for this session (backend pid, connection id), or `null` where there is none. */
    public val serverId: Long?

    /** Figures of its prepared statements; may be read from any thread and be a little behind. */
    public val statementCache: StatementCacheStats get() = StatementCacheStats.NONE

    /** What the wire last said, never what the user is believed to have done. */
    public val status: ConnectionStatus

    /**
     * Sends [statement] and suspends until its answer has arrived *whole*: the next statement can never see a part of it.
     *
     * If the coroutine is cancelled, the call ends at once with the cancellation while the statement goes on and [status] is
     * [ConnectionStatus.BUSY]; the caller still owns the connection and calls [cancel] or [close].
     *
     * @throws dev.kormorant.DatabaseException if the database refuses the statement; the connection stays usable.
     * @throws dev.kormorant.ConnectionException if the link is lost; the status is [ConnectionStatus.CLOSED] then.
     * @throws dev.kormorant.ConnectionBusyException if another statement is in progress; nothing is sent.
     * @throws IllegalArgumentException if the number of arguments is not the number of parameters; nothing is sent.
     */
    public suspend fun execute(statement: SqlStatement): RawResult

    /**
     * Like the other [execute], with [prelude] ahead. If one of its statements fails, its error is thrown, with its SQL, and
     * [statement] does not run, unless [Prelude.guards] says that it may.
     *
     * A driver that can send both in one round trip overrides this; it must be certain then that the server skips [statement].
     */
    public suspend fun execute(statement: SqlStatement, prelude: Prelude): RawResult {
        for (sql in prelude.statements) prelude.onAnswer(execute(SqlStatement(sql, reusable = false)).rows.lastOrNull()?.firstOrNull())
        return execute(statement)
    }

    /**
     * Like [execute], but the rows come in portions of about [fetchSize] and never more than a few portions are held in memory.
     * The connection is [ConnectionStatus.BUSY] until the stream has ended or is closed.
     */
    public suspend fun stream(statement: SqlStatement, fetchSize: Int): RowStream

    /**
     * Starts `COPY … TO STDOUT`. Only with [DriverFeature.COPY].
     *
     * @throws IllegalArgumentException if [sql] has a parameter.
     */
    public suspend fun copyOut(sql: String): CopyOut = throw UnsupportedOperationException("copyOut")

    /**
     * Starts `COPY … FROM STDIN`. Only with [DriverFeature.COPY].
     *
     * @throws IllegalArgumentException if [sql] has a parameter.
     */
    public suspend fun copyIn(sql: String): CopyIn = throw UnsupportedOperationException("copyIn")

    /** Tells [receiver], from now on, what comes on the channels that this session listens to. Only with [DriverFeature.NOTIFICATIONS]. */
    public fun receive(receiver: NotificationReceiver): Unit = throw UnsupportedOperationException("receive")

    /**
     * Asks the server to stop the statement in progress and suspends until it has been answered whole, one way or the other.
     * Returns at once when none is in progress. A cancel never outlives this call: it cannot hit the next statement.
     * It has no bound of its own; the caller sets one and then [close]s.
     */
    public suspend fun cancel()

    /** Closes the link without waiting for anything; a statement in progress fails with `ConnectionException`. May be repeated. */
    public fun close()
}

/** State of a connection as told by the wire. */
public enum class ConnectionStatus {
    /** Outside a transaction; the only state in which a pool may keep a connection. */
    IDLE,

    /** Inside a transaction that can go on. */
    IN_TRANSACTION,

    /** Inside a transaction that the server will only roll back (PostgreSQL after an error). */
    FAILED,

    /** A statement is in progress. */
    BUSY,

    /** The link is gone. */
    CLOSED,
}

/** Rows of a running statement, read by one coroutine. */
public interface RowStream {
    /** Columns of the rows, in order. */
    public val columns: List<RawColumn>

    /**
     * Whether other statements may run on the connection between two calls, which is not [ConnectionStatus.BUSY] then; calls and statements
     * still come one after the other. Otherwise the connection is the stream's until its end.
     */
    public val leavesConnectionFree: Boolean get() = false

    /** The next rows, at least one, or `null` after the last; throws as [Connection.execute] does. */
    public suspend fun next(): List<Array<Any?>>?

    /** Ends the statement, early or not; afterwards the connection can take the next one. May be repeated. */
    public suspend fun close()
}
