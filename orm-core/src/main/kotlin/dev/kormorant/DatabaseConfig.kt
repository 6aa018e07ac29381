package dev.kormorant

import org.jetbrains.exposed.v1.core.CompositeSqlLogger
import org.jetbrains.exposed.v1.core.SqlLogger
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Settings of a [Database], made in the block of [Database.open]; changing them afterwards has no effect. */
public class DatabaseConfig internal constructor() {
    /** User name; wins over the one in the URL. */
    public var user: String? = null

    /** The pool of connections. */
    public val pool: PoolConfig = PoolConfig()

    /** Bound of opening one connection, handshake included. 10 s: longer than a slow handshake, shorter than a user's patience. */
    public var connectTimeout: Duration = 10.seconds

    /**
     * How long a cancelled statement, a COMMIT or a ROLLBACK may take to be answered before the connection is closed instead. 5 s:
     * a server that is alive answers a cancel in milliseconds.
     */
    public var cancelTimeout: Duration = 5.seconds

    /**
     * How long a statement may run before it is cancelled on the server and fails with [QueryTimeoutException]; `null`, the default,
     * sets no bound, as only the program knows which statements may take long. [withStatementTimeout] sets it for a transaction or a call.
     */
    public var statementTimeout: Duration? = null

    /** How long a statement may wait for its turn on the connection of its transaction. 30 s: a longer wait is a deadlock in the program. */
    public var transactionWaitTimeout: Duration = 30.seconds

    /**
     * How long a statement may wait for a stream that another coroutine is collecting on the connection of its transaction. 5 s: the collector
     * decides how long that takes, and often waits for the very statement. The coroutine that collects is told at once.
     */
    public var streamTimeout: Duration = 5.seconds

    /** What becomes of coroutines started in a transaction that says nothing else. [Children.QUEUE]: what they do is part of it. */
    public var children: Children = Children.QUEUE

    /**
     * How long a transaction may hold its connection without running a statement before its listeners hear of it
     * ([DatabaseListener.onTransaction]); `null`, the default, does not watch, as only the program knows how long is too long.
     */
    public var idleThreshold: Duration? = null

    /** Whether a transaction that was idle for longer than [idleThreshold] is rolled back at its end, with a [TransactionAbortedException]. For tests. */
    public var idleFails: Boolean = false

    /**
     * Whether transactions remember where they were opened, for errors and events. Default `true`: it costs some 5 µs for each block, a
     * few hundredths of the round trips that a transaction makes.
     */
    public var creationSites: Boolean = true

    /** Whether threads may wait in [blocking]; [Database.blockingPolicy] at the start. */
    public var blocking: BlockingPolicy = BlockingPolicy.FORBID

    /** Isolation level of transactions that name none; `null` leaves it to the database. */
    public var defaultIsolation: Isolation? = null

    /**
     * Prepared statements kept per connection. 256: more than the shapes of a usual service, less than a server minds.
     *
     * 0 keeps none. That is for a pooler between program and server that hands out another server session for each transaction, such
     * as PgBouncer in transaction mode: a statement kept in one session is unknown in the next.
     */
    public var statementCacheSize: Int = 256

    internal var repeatedLoads: RepeatedLoads? = null
        private set

    /**
     * Watches for relations that are loaded for one model after another, where `with` would load them for all models of a result by
     * one query. The load after the [limit]th is told to the listeners ([DatabaseListener.onRepeatedLoad]). For development and tests;
     * off by default.
     *
     * @param limit 10 by default: fewer are hardly worth a change.
     * @param fail whether that load throws [RepeatedLoadException] besides.
     */
    public fun repeatedLoads(limit: Int = 10, fail: Boolean = false) {
        repeatedLoads = RepeatedLoads(limit, fail)
    }

    /**
     * Whether DDL may run inside a transaction of a database that commits the transaction before it, as MySQL and MariaDB do. `false`:
     * a rollback that undoes half of the work is hardly ever meant. Where it is `true`, what comes after the DDL commits statement by
     * statement.
     */
    public var allowImplicitCommit: Boolean = false

    internal var passwordSupplier: (() -> String?)? = null
    internal val listeners = ArrayList<DatabaseListener>()
    internal val interceptors = ArrayList<StatementInterceptor>()
    internal val extras = HashMap<Class<*>, Any>()

    /** Password, asked for at every connect so that a rotated one is picked up; wins over the one in the URL. */
    public fun password(supplier: () -> String?) {
        passwordSupplier = supplier
    }

    /** Settings of the pool. */
    public fun pool(block: PoolConfig.() -> Unit): Unit = pool.block()

    /** Adds a listener; all of them hear every event, in the order they were added. */
    public fun listener(listener: DatabaseListener) {
        listeners += listener
    }

    /** Shows every statement that succeeds to Exposed's [loggers], with its values: `logger(StdOutSqlLogger)`. */
    public fun logger(vararg loggers: SqlLogger) {
        interceptors += CompositeSqlLogger().also { all -> loggers.forEach(all::addLogger) }
    }

    /**
     * Tells Exposed's [interceptor] of every statement, COMMIT and ROLLBACK, as [Transaction.registerInterceptor] does for one transaction;
     * a statement outside of transactions comes with one of its own, whose end is not told.
     */
    public fun interceptor(interceptor: StatementInterceptor) {
        interceptors += interceptor
    }

    /**
     * The settings of one backend, made by [create] the first time: what a backend's own block, such as `sqlite { }`, changes. Drivers
     * find them by [type] in [dev.kormorant.driver.DriverOptions.extras].
     */
    public fun <T : Any> extra(type: Class<T>, create: () -> T): T = type.cast(extras.getOrPut(type, create))

    internal fun validate() {
        fun check(valid: Boolean, problem: () -> String) {
            if (!valid) throw ConfigurationException(problem())
        }
        check(connectTimeout.isPositive()) { "connectTimeout must be more than zero, not $connectTimeout." }
        check(cancelTimeout.isPositive()) { "cancelTimeout must be more than zero, not $cancelTimeout." }
        check(statementTimeout?.isPositive() ?: true) { "statementTimeout must be more than zero, not $statementTimeout." }
        check(transactionWaitTimeout.isPositive()) { "transactionWaitTimeout must be more than zero, not $transactionWaitTimeout." }
        check(streamTimeout.isPositive()) { "streamTimeout must be more than zero, not $streamTimeout." }
        check(idleThreshold?.isPositive() ?: true) { "idleThreshold must be more than zero, not $idleThreshold." }
        check(statementCacheSize >= 0) { "statementCacheSize must not be negative, but is $statementCacheSize." }
    }
}
