package dev.kormorant.internal

import dev.kormorant.Children
import dev.kormorant.OrmException
import dev.kormorant.StatementTimeout
import dev.kormorant.Transaction
import dev.kormorant.TransactionClosedException
import dev.kormorant.TransactionOptions
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.Job
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.time.Duration

/** What a level is to the server. */
internal enum class LevelKind {
    /** A pinned connection; statements run in autocommit. */
    CONNECTION,

    /** BEGIN … COMMIT. */
    TRANSACTION,

    /** SAVEPOINT … RELEASE inside a transaction. */
    SAVEPOINT,
}

/** One open block on a [Session]: the pinned connection, the transaction, or a savepoint in it. */
internal class Level(
    val session: Session,
    val parent: Level?,
    val kind: LevelKind,
    private val options: TransactionOptions = DEFAULTS,
    /** By when it must be done, the levels around it included. */
    val deadline: Deadline? = parent?.deadline,
    savepoint: String? = null,
    /** Counts the runs of the block, from 1. */
    val attempt: Int = 1,
    /** Of the run of the block, if it may be run again. */
    val journal: ModelJournal? = null,
) {
    private val database get() = session.database

    /** Not that of an open one: MySQL would forget the other. */
    private val savepoint: String? = savepoint?.let { wanted ->
        generateSequence(wanted) { "$it'" }.first { name -> parent?.chain?.none { it.savepoint.equals(name, ignoreCase = true) } ?: true }
    }

    val transaction: Transaction = Transaction(this)

    val readOnly: Boolean = if (kind == LevelKind.SAVEPOINT && parent != null) parent.readOnly else options.readOnly

    /** On a pinned connection coroutines always take turns. */
    val children: Children = when {
        kind == LevelKind.CONNECTION -> Children.QUEUE
        else -> options.children ?: parent?.takeIf { it.kind != LevelKind.CONNECTION }?.children ?: database.config.children
    }

    val statementTimeout: Duration? = options.statementTimeout ?: parent?.statementTimeout

    /** Whether the server knows of this level. Written by the holder of the turn. */
    var begun: Boolean = kind == LevelKind.CONNECTION

    /** The coroutine that runs the block; it cannot end before those started in it. */
    @Volatile
    var job: Job? = null

    @Volatile
    var isClosed: Boolean = false

    @Volatile
    var rollbackOnly: Boolean = false

    /** Why the level can only be rolled back, when a joined block failed. */
    @Volatile
    var spoiledBy: Throwable? = null

    /** The transaction this level is or is part of; `null` for a pinned connection. */
    val root: Level? = if (kind == LevelKind.TRANSACTION) this else parent?.root

    /** Why the server has no transaction any more, or nobody knows what it has. Shared by all levels of the transaction. */
    @Volatile
    var endedBy: OrmException? = null
        get() = if (root === this) field else root?.endedBy
        set(error) = if (root === this) field = error else root?.endedBy = error

    /** The transaction as Exposed sees it, one for all its levels; `null` for a pinned connection. */
    val exposed: ExposedTransaction? get() = root?.ownExposed

    private val ownExposed: ExposedTransaction by lazy { session.database.newExposedTransaction(readOnly) }

    /** What a coroutine has to have in its context to run in this level: its scope, the transaction for Exposed, its timeout. */
    fun context(journal: ModelJournal?): CoroutineContext =
        Scope(this, journal) + (exposed?.context ?: EmptyCoroutineContext) + (options.statementTimeout?.let(::StatementTimeout) ?: EmptyCoroutineContext)

    /** To be called where the block of this level has ended, before anything else. */
    fun left() {
        if (root === this) ownExposed.leaveThread()
    }

    /** Under which the server knows the outcome. */
    @Volatile
    var transactionId: Long? = null

    /** What the transaction was opened with. */
    var opened: BeginOptions = NOTHING
        private set

    /** The bound of statements that the server was told last, on the [root]. */
    var serverLimit: Duration? = null
        private set

    private var limitChanged = false

    private val createdAt = if (database.config.creationSites) Site.here() else Site.UNKNOWN
    private val afterCommit = ArrayList<suspend () -> Unit>()

    /** Where the block stands in the user's code. */
    val origin: String get() = createdAt.toString()

    /** This level and those around it, innermost first. */
    val chain: Sequence<Level> get() = generateSequence(this) { it.parent }

    private fun beginOptions() = BeginOptions(
        options.isolation ?: database.config.defaultIsolation,
        readOnly,
        options.deferrable,
        options.lockTimeout,
        listOfNotNull(statementTimeout?.takeIf { it.isFinite() }, deadline?.left).minOrNull()?.let(::forServer),
        options.resolvable,
    )

    /** @throws dev.kormorant.UnsupportedByDialectException if the database cannot do what is asked for. */
    fun check(dialect: Dialect) {
        if (options.concernsServer) dialect.begin(beginOptions())
    }

    fun beginStatements(dialect: Dialect): List<String> = when (kind) {
        LevelKind.CONNECTION -> emptyList()
        LevelKind.TRANSACTION -> {
            opened = beginOptions()
            serverLimit = opened.statementTimeout
            limitChanged = false
            dialect.begin(opened)
        }
        LevelKind.SAVEPOINT -> listOf("SAVEPOINT ${quoted(dialect)}")
    }

    fun commitStatement(dialect: Dialect): SqlStatement = when (kind) {
        LevelKind.SAVEPOINT -> control("RELEASE SAVEPOINT ${quoted(dialect)}")
        else -> COMMIT
    }

    /** Takes the server back to where this level began; a savepoint is still there afterwards and is released. */
    fun rollbackStatements(dialect: Dialect): List<SqlStatement> = when (kind) {
        LevelKind.SAVEPOINT -> listOf(control("ROLLBACK TO SAVEPOINT ${quoted(dialect)}"), commitStatement(dialect))
        else -> listOf(ROLLBACK)
    }

    fun tellLimit(timeout: Duration?) {
        serverLimit = timeout
        limitChanged = true
    }

    /** The server has gone back to what it was told before some savepoint, or may not have heard of the last limit. */
    fun forgetLimit() {
        if (limitChanged) serverLimit = FORGOTTEN
    }

    /** Sent with the end of the level, so that nothing of it lingers on the connection. */
    fun restoreStatements(dialect: Dialect): List<String> = if (kind == LevelKind.TRANSACTION) dialect.restore(opened) else emptyList()

    fun afterCommit(action: suspend () -> Unit) {
        synchronized(afterCommit) { afterCommit += action }
    }

    /** Actions to run now that this level is committed; those of a savepoint wait for the transaction around it. */
    fun committedActions(): List<suspend () -> Unit> {
        val actions = synchronized(afterCommit) { afterCommit.toList().also { afterCommit.clear() } }
        if (kind != LevelKind.SAVEPOINT) return actions
        actions.forEach { parent?.afterCommit(it) }
        return emptyList()
    }

    fun forgetActions() {
        synchronized(afterCommit) { afterCommit.clear() }
    }

    /** As before its first statement: it has been ended and may begin again. */
    fun reset() {
        begun = kind == LevelKind.CONNECTION
        rollbackOnly = false
        spoiledBy = null
        if (kind == LevelKind.TRANSACTION) {
            endedBy = null
            transactionId = null
            session.lastError = null
        }
    }

    fun closedError(): TransactionClosedException {
        val user = if (database.config.creationSites) ", and is used ${Site.here()}" else ""
        return TransactionClosedException(
            "The transaction opened $origin has ended$user.",
            "Work that outlives the block needs a transaction of its own; start children inside the block's scope.",
        )
    }

    private fun quoted(dialect: Dialect): String {
        val quote = dialect.identifiers.quote
        return quote + requireNotNull(savepoint).replace(quote, quote + quote) + quote
    }

    companion object {
        /** Nobody knows what the server was told last; no timeout of a user is like it. */
        private val FORGOTTEN: Duration = Duration.INFINITE

        private val DEFAULTS = TransactionOptions()
        private val NOTHING = BeginOptions()
        private val COMMIT = control("COMMIT")
        private val ROLLBACK = control("ROLLBACK")

        fun control(sql: String): SqlStatement = SqlStatement(sql, reusable = false)
    }
}
