package dev.kormorant.internal

import dev.kormorant.Isolation
import dev.kormorant.OrmException
import dev.kormorant.Transaction
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.SqlStatement
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

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
    private val isolation: Isolation? = null,
    val readOnly: Boolean = false,
    private val savepoint: String? = null,
) {
    val transaction: Transaction = Transaction(this)

    /** Whether the server knows of this level. Written by the holder of the turn. */
    var begun: Boolean = kind == LevelKind.CONNECTION

    @Volatile
    var isClosed: Boolean = false

    @Volatile
    var rollbackOnly: Boolean = false

    /** Why the level can only be rolled back, when a joined block failed. */
    @Volatile
    var spoiledBy: Throwable? = null

    /** The transaction this level is or is part of; `null` for a pinned connection. */
    private val root: Level? = if (kind == LevelKind.TRANSACTION) this else parent?.root

    /** Why the server has no transaction any more, or nobody knows what it has. Shared by all levels of the transaction. */
    @Volatile
    var endedBy: OrmException? = null
        get() = if (root === this) field else root?.endedBy
        set(error) = if (root === this) field = error else root?.endedBy = error

    /** The transaction as Exposed sees it, one for all its levels; `null` for a pinned connection. */
    val exposed: ExposedTransaction? get() = root?.ownExposed

    private val ownExposed: ExposedTransaction by lazy { session.database.newExposedTransaction(readOnly) }

    /** What a coroutine has to have in its context to run in this level. */
    val context: CoroutineContext get() = Scope(this) + (exposed?.context ?: EmptyCoroutineContext)

    /** To be called where the block of this level has ended, before anything else. */
    fun left() {
        if (root === this) ownExposed.leaveThread()
    }

    private val createdAt: StackWalker.StackFrame? = creationSite()
    private val afterCommit = ArrayList<suspend () -> Unit>()

    /** Where the block stands in the user's code. */
    val origin: String get() = createdAt?.let { "at ${it.fileName}:${it.lineNumber}" } ?: "of unknown origin"

    fun beginStatements(dialect: Dialect): List<String> = when (kind) {
        LevelKind.CONNECTION -> emptyList()
        LevelKind.TRANSACTION -> dialect.begin(isolation, readOnly)
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

    private fun quoted(dialect: Dialect): String {
        val quote = dialect.identifiers.quote
        return quote + requireNotNull(savepoint).replace(quote, quote + quote) + quote
    }

    private companion object {
        val COMMIT = control("COMMIT")
        val ROLLBACK = control("ROLLBACK")
        val WALKER: StackWalker = StackWalker.getInstance()

        fun control(sql: String) = SqlStatement(sql, reusable = false)

        fun creationSite(): StackWalker.StackFrame? = WALKER.walk { frames ->
            frames.filter { frame -> PRIVATE_PACKAGES.none { frame.className.startsWith(it) } }.findFirst().orElse(null)
        }

        private val PRIVATE_PACKAGES = listOf(
            "dev.kormorant.internal.", "dev.kormorant.Database", "dev.kormorant.Transaction", "dev.kormorant.async.", "kotlinx.coroutines.", "kotlin.", "java.",
        )
    }
}
