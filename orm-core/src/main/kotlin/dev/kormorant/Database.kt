package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Driver
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.DriverProvider
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import dev.kormorant.internal.Binder
import dev.kormorant.internal.ConnectionPool
import dev.kormorant.internal.PooledConnection
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.Deadline
import dev.kormorant.internal.Level
import dev.kormorant.internal.ScopeKey
import dev.kormorant.internal.SystemTimer
import dev.kormorant.internal.Timer
import dev.kormorant.internal.bounded
import dev.kormorant.internal.callTimeout
import dev.kormorant.internal.checkNotHeldByAncestors
import dev.kormorant.internal.forServer
import dev.kormorant.internal.suppressing
import dev.kormorant.internal.uncancellable
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import java.util.ServiceLoader
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/**
 * Where the data is: it opens connections, keeps them in a pool, and runs statements and transactions.
 *
 * It is a coroutine-context element. Everything inside `withContext(db) { … }`, `runTest(db) { … }` or [transaction] that needs a
 * database finds it there; there is no global default. One database serves any number of coroutines on any dispatchers, and the
 * caller always resumes on its own.
 *
 * It is not a session: nothing is cached, attached or written behind the caller's back.
 */
public class Database private constructor(
    /** The URL without user, password and parameters. */
    public val url: String,
    /** The settings it was opened with. */
    public val config: DatabaseConfig,
    private val driver: Driver,
) : AbstractCoroutineContextElement(Database) {
    internal val timer: Timer = SystemTimer
    internal val scopeKey = ScopeKey()
    private val listeners = config.listeners.toTypedArray()

    /** How often this thread is inside [allowBlocking]. */
    internal val allowances = ThreadLocal<Int?>()

    /** Whether threads may wait in [blocking]; may be changed at any time. At first [DatabaseConfig.blocking]. */
    @Volatile
    public var blockingPolicy: BlockingPolicy = config.blocking

    private val writers = ConnectionPool(config.pool.limitedTo(driver.maxWriters), timer) { driver.connect(Access.WRITE) }
    private val readers =
        if (driver.maxReaders == 0) writers else ConnectionPool(config.pool.limitedTo(driver.maxReaders), timer) { driver.connect(Access.READ) }

    @Volatile
    private var bridge: ExposedBridge? = null

    /** Name of the database product as its server tells it, `null` before the first connection. */
    public val dialectName: String? get() = bridge?.dialect?.name

    /** Figures of the pool at this moment; readers and writers added up where they are apart. */
    public val pool: PoolStats get() = if (readers === writers) writers.stats else writers.stats + readers.stats

    /** Figures of the prepared statements on the connections that are open at this moment. */
    public val statementCache: StatementCacheStats
        get() = if (readers === writers) writers.statementCache else writers.statementCache + readers.statementCache

    /** Whether a connection has been made and [close] has not been called since. */
    public val isOpen: Boolean get() = bridge != null && !writers.isClosed

    /**
     * Opens the first connection now rather than at the first statement; opens a closed database again. Does nothing when open.
     *
     * @throws ConnectionException if the database cannot be reached or refuses.
     */
    public suspend fun connect() {
        if (isOpen) return
        writers.open()
        if (readers !== writers) readers.open()
        openBridge()
    }

    /**
     * Waits up to [grace] for lent connections to come back, then closes them all. Work that comes later gets [PoolClosedException]
     * until [connect] is called. May be repeated. Runs to its end even if the caller is cancelled.
     *
     * @throws IllegalStateException inside a transaction or pinned connection of this database, which it would wait for.
     */
    public suspend fun close(grace: Duration = 5.seconds) {
        check(currentCoroutineContext()[scopeKey]?.level == null) { "close() was called inside a transaction of the same database." }
        uncancellable(timer, grace + config.cancelTimeout) {
            writers.close(grace)
            if (readers !== writers) readers.close(grace)
            driver.close()
        }
    }

    /** Runs [block] and closes the database afterwards, whatever the outcome. */
    public suspend inline fun <T> use(block: (Database) -> T): T {
        var failure: Throwable? = null
        try {
            return block(this)
        } catch (error: Throwable) {
            failure = error
            throw error
        } finally {
            closeAfter(failure)
        }
    }

    @PublishedApi
    internal suspend fun closeAfter(failure: Throwable?) {
        try {
            close()
        } catch (error: Throwable) {
            if (failure == null) throw error
            failure.addSuppressed(error)
        }
    }

    /**
     * Runs any SQL with `?` for each of [arguments]; inside a transaction or pinned connection it runs there. The arguments travel as
     * parameters, with the type of their class.
     */
    public suspend fun exec(sql: String, vararg arguments: Any?): SqlResult {
        openBridge()
        return SqlResult(run(Binder.ofValues(sql, arguments.asList())))
    }

    override fun toString(): String = "Database($url)"

    // ---- The way of a statement

    /** The bridge to Exposed, made when the first connection has told what the server is. */
    internal suspend fun openBridge(): ExposedBridge = bridge ?: run {
        val lent = writers.acquire()
        try {
            bridgeTo(lent.connection.dialect)
        } finally {
            writers.release(lent)
        }
    }

    private fun bridgeTo(dialect: Dialect) = synchronized(this) { bridge ?: ExposedBridge(dialect, url).also { bridge = it } }

    /** Runs [statement] in the transaction of the caller, else in autocommit on a connection of its own. */
    internal suspend fun run(statement: SqlStatement, access: Access = Access.WRITE): RawResult {
        val scope = currentCoroutineContext()[scopeKey]
        scope?.use()?.let { return it.session.execute(it, statement) }
        val timeout = callTimeout()
        val lent = acquire(access, Deadline.after(timer, timeout), scope?.ancestor)
        try {
            if (timeout == null) return execute(lent.connection, statement)
            val dialect = lent.connection.dialect
            val prelude = dialect.limit(statement, forServer(timeout))?.let { Prelude(listOf(it)) }
            return execute(lent.connection, dialect.limited(statement, forServer(timeout)), prelude)
        } finally {
            release(access, lent)
        }
    }

    /**
     * Runs [statement] and hands its rows over in portions. The connection is held meanwhile, the turn too in a transaction; it is
     * given back clean however [onRows] ends.
     */
    internal suspend fun stream(statement: SqlStatement, access: Access, fetchSize: Int, onRows: suspend (List<Array<Any?>>) -> Unit) {
        val scope = currentCoroutineContext()[scopeKey]
        scope?.use()?.let { level -> return level.session.withConnection(level) { stream(it, statement, fetchSize, level, onRows) } }
        val lent = acquire(access, null, scope?.ancestor)
        try {
            stream(lent.connection, statement, fetchSize, null, onRows)
        } finally {
            release(access, lent)
        }
    }

    private suspend fun stream(connection: Connection, statement: SqlStatement, fetchSize: Int, level: Level?, onRows: suspend (List<Array<Any?>>) -> Unit) {
        var stream: RowStream? = null
        try {
            stream = within(statement, level) { connection.stream(statement, fetchSize) }
            while (true) onRows(within(statement, level) { stream.next() ?: emptyList() }.ifEmpty { break })
        } catch (error: Throwable) {
            throw error.suppressing { if (connection.status == ConnectionStatus.BUSY) stop(connection) { stream?.close() ?: connection.cancel() } }
        }
    }

    /** Ends the statement in progress by [cancel]; if that fails or takes too long, by closing [connection]. */
    private suspend fun stop(connection: Connection, cancel: suspend () -> Unit) {
        var stopped: Unit? = null
        try {
            stopped = uncancellable(cancel)
        } finally {
            if (stopped == null) connection.close()
        }
    }

    /**
     * A connection, by [deadline] if there is one.
     *
     * @param ancestor the innermost level around the caller that holds another connection.
     */
    internal suspend fun acquire(access: Access, deadline: Deadline?, ancestor: Level?): PooledConnection {
        val pool = poolFor(access)
        if (ancestor != null) checkNotHeldByAncestors(ancestor, if (separatesReaders) access else Access.WRITE, pool.max)
        return pool.acquire(deadline?.left)
    }

    internal fun release(access: Access, connection: PooledConnection) = poolFor(access).release(connection)

    private fun poolFor(access: Access) = if (access == Access.READ) readers else writers

    /** Whether reads have connections of their own, so that a read-only block can use them. */
    internal val separatesReaders: Boolean get() = readers !== writers

    /**
     * Runs [statement] and leaves [connection] ready for the next one: if the caller is cancelled meanwhile or the statement's time is
     * up, the statement is cancelled on the server and its answer awaited for `cancelTimeout`, else the connection is closed. The
     * caller owns the connection throughout.
     */
    internal suspend fun execute(
        connection: Connection,
        statement: SqlStatement,
        prelude: Prelude? = null,
        level: Level? = null,
    ): RawResult = within(statement, level) {
        try {
            send(connection, statement, prelude)
        } catch (error: CancellationException) {
            throw error.suppressing { if (connection.status == ConnectionStatus.BUSY) stop(connection, connection::cancel) }
        }
    }

    /** Runs [block], in which [statement] is at work, within the timeout of the call, of [level], or else of the database. */
    private suspend fun <T : Any> within(statement: SqlStatement, level: Level?, block: suspend () -> T): T {
        val own = currentCoroutineContext()[StatementTimeout]?.timeout ?: level?.statementTimeout ?: config.statementTimeout ?: Duration.INFINITE
        val deadline = level?.deadline
        val left = deadline?.left ?: Duration.INFINITE
        if (left.isInfinite() && own.isInfinite()) return block()
        if (left.isPositive()) bounded(timer, minOf(own, left), block)?.let { return it }
        if (deadline != null && left <= own) throw deadline.error("The transaction opened ${level.origin}", statement.sql)
        throw QueryTimeoutException(
            "A statement ran longer than its timeout of $own and was cancelled.",
            "Make it faster, or give it more time with withStatementTimeout or statementTimeout.",
            ErrorDetails(sql = statement.sql),
            null,
        )
    }

    /** [Connection.execute], told to the listeners. */
    internal suspend fun send(connection: Connection, statement: SqlStatement, prelude: Prelude? = null): RawResult {
        if (listeners.isEmpty()) return if (prelude == null) connection.execute(statement) else connection.execute(statement, prelude)
        val start = System.nanoTime()
        try {
            val result = if (prelude == null) connection.execute(statement) else connection.execute(statement, prelude)
            prelude?.statements?.forEach { tell(StatementEvent(it, Duration.ZERO, 0, null)) }
            return result.also { tell(statement, start, it.affected, null) }
        } catch (error: OrmException) {
            prelude?.statements?.take(prelude.answered)?.forEach { tell(StatementEvent(it, Duration.ZERO, 0, null)) }
            tell(statement, start, 0, error)
            throw error
        }
    }

    internal val hasListeners: Boolean get() = listeners.isNotEmpty()

    internal fun tell(event: TransactionEvent) {
        for (listener in listeners) listener.onTransaction(event)
    }

    private fun tell(statement: SqlStatement, start: Long, rows: Long, error: Throwable?) =
        tell(StatementEvent(statement.sql, (System.nanoTime() - start).nanoseconds, rows, error))

    private fun tell(event: StatementEvent) {
        for (listener in listeners) listener.onStatement(event)
    }

    /** Runs [block] out of reach of the caller's cancellation for `cancelTimeout` at most; `null` if that was not enough. */
    internal suspend fun <T : Any> uncancellable(block: suspend () -> T): T? = uncancellable(timer, config.cancelTimeout, block)

    /** The key of the database in a coroutine context, and the way to open one. */
    public companion object Key : CoroutineContext.Key<Database> {
        /**
         * A database for [url]: `sqlite:path`, `sqlite::memory:`, `postgresql://user:password@host:port/database`, and so for `mysql`
         * and `mariadb`; a leading `jdbc:` or `r2dbc:` is tolerated. The scheme picks the driver among the modules on the class path.
         *
         * Does no I/O: the first statement, or [connect], opens the first connection.
         *
         * @throws DriverMissingException if no module on the class path knows the scheme.
         * @throws ConfigurationException if the URL or a setting is not understood.
         */
        public fun open(url: String, block: DatabaseConfig.() -> Unit = {}): Database {
            val config = DatabaseConfig().apply(block)
            config.validate()
            val parsed = DatabaseUrl.parse(url)
            val options = DriverOptions(
                config.connectTimeout,
                config.user ?: parsed.user,
                config.passwordSupplier ?: parsed.password?.let { { it } },
                config.statementCacheSize,
                config.extras.toMap(),
            )
            return Database(parsed.toString(), config, provider(parsed.scheme).open(parsed, options))
        }

        private fun provider(scheme: String): DriverProvider {
            val providers = ServiceLoader.load(DriverProvider::class.java, Database::class.java.classLoader).toList()
            return providers.firstOrNull { scheme in it.schemes } ?: throw DriverMissingException(
                "No driver for the scheme '$scheme' is on the class path.",
                when (scheme) {
                    "sqlite" -> "Add the artifact dev.kormorant:orm-sqlite."
                    "postgresql", "postgres", "mysql", "mariadb" -> "Add the artifact dev.kormorant:orm-jasync."
                    else -> "Known schemes are ${(providers.flatMap { it.schemes } + BUILT_IN).distinct().sorted().joinToString()}."
                },
            )
        }

        private val BUILT_IN = listOf("sqlite", "postgresql", "mysql", "mariadb")

        /** The database of the calling coroutine. */
        internal suspend fun current(): Database = currentCoroutineContext()[Database] ?: throw NoDatabaseException()
    }
}

/** The transaction level the calling coroutine is in, if any, on this database. */
internal suspend fun Database.currentLevel(): Level? = currentCoroutineContext()[scopeKey]?.use()
