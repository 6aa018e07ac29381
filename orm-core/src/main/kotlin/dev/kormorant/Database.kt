package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Driver
import dev.kormorant.driver.DriverFeature
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.DriverProvider
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import dev.kormorant.internal.Audience
import dev.kormorant.internal.ConnectionPool
import dev.kormorant.internal.Deadline
import dev.kormorant.internal.PooledConnection
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.ExposedTransaction
import dev.kormorant.internal.Interceptors
import dev.kormorant.internal.Level
import dev.kormorant.internal.LevelKind
import dev.kormorant.internal.ScopeKey
import dev.kormorant.internal.Streaming
import dev.kormorant.internal.SubstituteKey
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
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor
import java.util.ServiceLoader
import java.util.concurrent.ConcurrentHashMap
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
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
    internal val substituteKey = SubstituteKey()
    internal val audience = Audience(this, config.listeners.toList())
    private val interceptors: List<StatementInterceptor> = Interceptors.global + config.interceptors

    /** How often this thread is inside [allowBlocking]. */
    internal val allowances = ThreadLocal<Int?>()

    /** Whether threads may wait in [blocking]; may be changed at any time. At first [DatabaseConfig.blocking]. */
    @Volatile
    public var blockingPolicy: BlockingPolicy = config.blocking

    /** Hooks for the models of all classes on this database. */
    public val modelHooks: DatabaseHooks = DatabaseHooks()

    private val writers = poolOf(Access.WRITE, driver.maxWriters)
    private val readers = if (driver.maxReaders == 0) writers else poolOf(Access.READ, driver.maxReaders)

    /** Open connections outside the pool. */
    private val apart: MutableSet<Connection> = ConcurrentHashMap.newKeySet()

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
            // None of them has work that could be waited for.
            apart.forEach(::closeApart)
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
     * Runs any SQL with `?` for each of [arguments] at once; inside a transaction or pinned connection it runs there. [sql] makes a value
     * of it that can be mapped, streamed and run again.
     *
     * @throws UnsupportedByDialectException for DDL in a transaction that the database would commit before it; see
     * [DatabaseConfig.allowImplicitCommit].
     */
    public suspend fun exec(sql: String, vararg arguments: Any?): SqlResult = sql(sql, *arguments).execute()

    /** Runs any SQL with parameters `:name` at once; see [sql]. */
    public suspend fun exec(sql: String, arguments: Map<String, Any?>): SqlResult = sql(sql, arguments).execute()

    override fun toString(): String = "Database($url)"

    // ---- The way of a statement

    /** @throws UnsupportedByDialectException if the driver cannot do [what]. */
    internal fun require(feature: DriverFeature, what: String) {
        if (feature !in driver.features) throw UnsupportedByDialectException("The database at $url has no $what.", "PostgreSQL has it.")
    }

    /** A connection outside the pool, which the caller closes; [close] does too. */
    internal suspend fun connectApart(): Connection {
        if (writers.isClosed) throw PoolClosedException("The database is closed.", "Open it again with connect().")
        return driver.connect(Access.WRITE).also {
            apart += it
            if (writers.isClosed) closeApart(it)
        }
    }

    internal fun closeApart(connection: Connection) {
        apart -= connection
        connection.close()
    }

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

    /** A transaction as Exposed's interceptors see it, with those of the database; the bridge must have been made. */
    internal fun newExposedTransaction(readOnly: Boolean): ExposedTransaction =
        checkNotNull(bridge).newTransaction(readOnly).also { interceptors.forEach(it::register) }

    /** Runs [statement] in the transaction of the caller, else in autocommit on a connection of its own. */
    internal suspend fun run(statement: SqlStatement, access: Access = Access.WRITE): RawResult =
        intercepting(statement) { perform(statement, access) }

    /** Runs [block], which runs [statement], within what Exposed's interceptors want to do before and after, if there are any. */
    private suspend inline fun <T> intercepting(statement: SqlStatement, noinline block: suspend () -> T): T {
        val level = currentCoroutineContext()[scopeKey]?.level
        val transaction = level?.exposed ?: if (interceptors.isEmpty()) null else newExposedTransaction(readOnly = false)
        val told = transaction?.interceptors ?: return block()
        return told.around(statement, block)
    }

    private suspend fun perform(statement: SqlStatement, access: Access): RawResult {
        currentLevel()?.let { return it.session.execute(it, statement) }
        val timeout = callTimeout() ?: return onConnection(access) { execute(it, statement) }
        return onConnection(access, Deadline.after(timer, timeout)) { connection ->
            val dialect = connection.dialect
            val prelude = dialect.limit(statement, forServer(timeout))?.let { Prelude(listOf(it)) }
            execute(connection, dialect.limited(statement, forServer(timeout)), prelude)
        }
    }

    /** Runs [statement] and hands its rows over in portions; the connection is given back clean however [onRows] ends. */
    internal suspend fun stream(
        statement: SqlStatement,
        access: Access,
        fetchSize: Int,
        onColumns: (List<RawColumn>) -> Unit = {},
        onRows: suspend (List<Array<Any?>>) -> Unit,
    ): Unit = intercepting(statement) { Streaming(this, statement, fetchSize, onColumns, onRows).run(access) }

    /** Runs [block] on the connection of the caller's transaction, whose turn it holds meanwhile, else on one of its own. */
    internal suspend fun <T> onConnection(access: Access, deadline: Deadline? = null, block: suspend (Connection) -> T): T {
        currentLevel()?.let { return it.session.withConnection(it, block) }
        val lent = acquire(access, deadline, currentCoroutineContext()[scopeKey]?.ancestor)
        try {
            return block(lent.connection)
        } finally {
            release(access, lent)
        }
    }

    /** What [block] returns; if it fails while a statement is in progress on [connection], that is ended by [cancel]. */
    internal suspend fun <T> stopping(connection: Connection, cancel: suspend () -> Unit = connection::cancel, block: suspend () -> T): T = try {
        block()
    } catch (error: Throwable) {
        throw error.suppressing { if (connection.status == ConnectionStatus.BUSY) stop(connection, cancel) }
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
        val pool = currentCoroutineContext()[substituteKey]?.pool ?: poolFor(access)
        if (ancestor != null) checkNotHeldByAncestors(ancestor, if (separatesReaders) access else Access.WRITE, pool.max)
        return audience.acquiring(pool::release) { pool.acquire(deadline?.left) }
    }

    internal fun release(access: Access, connection: PooledConnection) {
        try {
            audience.released(connection.connection)
        } finally {
            poolFor(access).release(connection)
        }
    }

    private fun poolFor(access: Access) = if (access == Access.READ) readers else writers

    private fun poolOf(access: Access, limit: Int) = ConnectionPool(config.pool.limitedTo(limit), timer) { audience.opening { driver.connect(access) } }

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
    internal suspend fun <T : Any> within(statement: SqlStatement, level: Level?, block: suspend () -> T): T {
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
    internal suspend fun send(connection: Connection, statement: SqlStatement, prelude: Prelude? = null): RawResult =
        audience.executing(connection, statement, prelude) { if (prelude == null) connection.execute(statement) else connection.execute(statement, prelude) }

    internal suspend fun tellRepeated(event: RepeatedLoadEvent) {
        audience.here()?.forEach { it.onRepeatedLoad(event) }
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

/** Whether the calling coroutine is inside a transaction on this database. */
internal suspend fun Database.isInTransaction(): Boolean = currentLevel().let { it != null && it.kind != LevelKind.CONNECTION }

/** The transaction level the calling coroutine is in, if any, on this database. */
internal suspend fun Database.currentLevel(): Level? = currentCoroutineContext()[scopeKey]?.use()
