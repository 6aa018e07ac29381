package dev.kormorant

import dev.kormorant.internal.Level
import dev.kormorant.internal.endAndBegin
import org.jetbrains.exposed.v1.core.CompositeSqlLogger
import org.jetbrains.exposed.v1.core.SqlLogger
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor

/**
 * The handle of an open transaction or savepoint, given to the block of [Database.transaction].
 *
 * Statements do not need it: they find the transaction in the coroutine context. It says how the transaction is to end.
 */
public open class Transaction internal constructor(internal val level: Level) {
    /** The database the transaction runs on. */
    public val database: Database get() = level.session.database

    /** Whether the transaction was opened read-only. */
    public val readOnly: Boolean get() = level.readOnly

    /** Whether the block is still open, and has not been ended for good by [commit] or [rollback]. */
    public val isOpen: Boolean get() = !level.isClosed

    /** The run of the block it is in, from 1; more only with [TransactionOptions.retry]. */
    public val attempt: Int get() = level.attempt

    /** Makes this level end with a rollback; the block still returns its value and no exception is thrown. */
    public fun setRollbackOnly() {
        level.rollbackOnly = true
    }

    /** Whether the level is marked to end with a rollback. */
    public val isRollbackOnly: Boolean get() = level.rollbackOnly

    /**
     * Ends this level now as if its block had returned, and begins it again: what follows is work of its own, undone alone. Actions of
     * [afterCommit] run here if it is the outermost level. It waits for its turn, and for nested blocks that are open. Nothing is sent if
     * no statement has run since the last begin.
     *
     * The rules are those of the end of a block: marked rollback-only, it is rolled back. If it throws, the level has ended for good.
     *
     * @param begin `false` ends it for good: the next statement of the block is a [TransactionClosedException].
     * @throws IllegalStateException if there is no transaction ([Propagation.NOT_SUPPORTED]).
     * @throws TransactionClosedException if it has ended before.
     */
    public suspend fun commit(begin: Boolean = true): Unit = endAndBegin(level, begin, isRollback = false)

    /** Undoes the work of this level now and begins it again; see [commit]. */
    public suspend fun rollback(begin: Boolean = true): Unit = endAndBegin(level, begin, isRollback = true)

    /**
     * Runs [action] once, after the outermost transaction has been committed, on the coroutine that ran it; never after a rollback.
     * It runs outside the transaction. An exception from it reaches the caller of the transaction, whose work stays committed.
     */
    public fun afterCommit(action: suspend () -> Unit): Unit = level.afterCommit(action)

    /**
     * Shows every statement of the transaction to [loggers], with its values, once it has succeeded, from now to the end of the outermost
     * level.
     */
    public fun addLogger(vararg loggers: SqlLogger): CompositeSqlLogger = exposed().addLogger(*loggers)

    /**
     * Tells [interceptor] of every statement, COMMIT and ROLLBACK of the transaction, from now to the end of the outermost level. What it
     * throws before a COMMIT makes the transaction roll back; a savepoint's end and that of a block that ran no statement are not told.
     *
     * It is called on the coroutine that does the work: be quick. Parameters cannot be changed any more.
     */
    public fun registerInterceptor(interceptor: StatementInterceptor): Boolean = exposed().register(interceptor)

    /** Tells [interceptor] nothing any more; returns whether it was registered. */
    public fun unregisterInterceptor(interceptor: StatementInterceptor): Boolean = exposed().interceptors?.remove(interceptor) == true

    private fun exposed() = checkNotNull(level.exposed) { "This is not a transaction." }

    override fun toString(): String = "Transaction(${level.kind.name.lowercase()} ${level.origin})"
}

/** What a transaction does when there is one already on the same database. */
public enum class Propagation {
    /** A savepoint inside it: a failure undoes only this block. */
    NESTED,

    /** Part of it: a failure makes the whole of it roll back, even if the exception is caught. */
    REQUIRED,

    /** A transaction of its own on a second connection, committed whatever becomes of the outer one. */
    REQUIRES_NEW,

    /** Must be inside one, and is a savepoint there. */
    MANDATORY,

    /** Must be the outermost. */
    NEVER,

    /**
     * Runs without a transaction, outside the one there is: statements commit by themselves, on other connections, and actions of
     * `afterCommit` run when the block has returned.
     */
    NOT_SUPPORTED,
}
