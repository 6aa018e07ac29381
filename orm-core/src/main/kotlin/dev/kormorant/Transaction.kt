package dev.kormorant

import dev.kormorant.internal.Level

/**
 * The handle of an open transaction or savepoint, given to the block of [Database.transaction].
 *
 * Statements do not need it: they find the transaction in the coroutine context. It says how the transaction is to end.
 */
public class Transaction internal constructor(internal val level: Level) {
    /** The database the transaction runs on. */
    public val database: Database get() = level.session.database

    /** Whether the transaction was opened read-only. */
    public val readOnly: Boolean get() = level.readOnly

    /** Whether the block is still open. */
    public val isOpen: Boolean get() = !level.isClosed

    /** Makes this level end with a rollback; the block still returns its value and no exception is thrown. */
    public fun setRollbackOnly() {
        level.rollbackOnly = true
    }

    /** Whether the level is marked to end with a rollback. */
    public val isRollbackOnly: Boolean get() = level.rollbackOnly

    /**
     * Runs [action] once, after the outermost transaction has been committed, on the coroutine that ran it; never after a rollback.
     * It runs outside the transaction. An exception from it reaches the caller of the transaction, whose work stays committed.
     */
    public fun afterCommit(action: suspend () -> Unit): Unit = level.afterCommit(action)

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
}
