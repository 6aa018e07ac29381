package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.internal.Level
import dev.kormorant.internal.LevelKind
import dev.kormorant.internal.Session
import dev.kormorant.internal.closedError
import dev.kormorant.internal.finish
import dev.kormorant.internal.uncancellable
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.withContext
import kotlin.time.Duration

/**
 * Runs [block] in a transaction: committed when it returns, rolled back when it throws or is cancelled. Inside a transaction on the
 * same database it is a savepoint ([Propagation.NESTED]), which a failure undoes alone.
 *
 * Statements inside find the transaction in the coroutine context, on whatever thread they run. Coroutines started in the block's
 * scope belong to it: their statements are queued on its one connection, in order, and the block ends after them. A block that runs
 * no statement takes no connection and sends nothing, but the first use of the database connects.
 *
 * Cancellation stops the statement in progress on the server, rolls back, and gives the connection back; that is bounded by
 * [DatabaseConfig.cancelTimeout].
 *
 * @param isolation only for an outermost transaction; `null` is [DatabaseConfig.defaultIsolation].
 * @param readOnly lets the database refuse writes; SQLite runs such a transaction beside the writer.
 * @return what [block] returned.
 * @throws TransactionAbortedException if the block returned but the transaction cannot be committed, because an error in it was caught.
 * @throws CommitOutcomeUnknownException if the link was lost during COMMIT.
 * @throws IllegalStateException if [propagation] forbids or requires a surrounding transaction.
 * @throws IllegalArgumentException if a nested block asks for an isolation level or for another [readOnly].
 */
public suspend fun <T> Database.transaction(
    isolation: Isolation? = null,
    readOnly: Boolean = false,
    propagation: Propagation = Propagation.NESTED,
    block: suspend CoroutineScope.(Transaction) -> T,
): T {
    val outer = currentScope()?.level
    val surrounding = outer?.takeIf { it.kind != LevelKind.CONNECTION }
    when (propagation) {
        Propagation.MANDATORY -> checkNotNull(surrounding) { "A transaction with Propagation.MANDATORY must be inside another one." }
        Propagation.NEVER -> check(surrounding == null) { "A transaction with Propagation.NEVER must not be inside another one." }
        Propagation.NESTED, Propagation.REQUIRED, Propagation.REQUIRES_NEW -> Unit
    }
    if (surrounding != null && propagation != Propagation.REQUIRES_NEW) {
        require(isolation == null) { "Only an outermost transaction can choose its isolation level." }
        require(!readOnly || surrounding.readOnly) { "A block inside a read-write transaction cannot be read-only." }
        return if (propagation == Propagation.REQUIRED) join(surrounding, block) else nested(surrounding, block)
    }
    val level = isolation ?: config.defaultIsolation
    if (outer != null && propagation != Propagation.REQUIRES_NEW) {
        return runLevel(Level(outer.session, outer, LevelKind.TRANSACTION, level, readOnly), block)
    }
    val session = Session(this, if (readOnly && separatesReaders) Access.READ else Access.WRITE)
    return runLevel(Level(session, null, LevelKind.TRANSACTION, level, readOnly), block)
}

/** [Database.transaction] on the database of the calling coroutine. */
public suspend fun <T> transaction(
    isolation: Isolation? = null,
    readOnly: Boolean = false,
    propagation: Propagation = Propagation.NESTED,
    block: suspend CoroutineScope.(Transaction) -> T,
): T = Database.current().transaction(isolation, readOnly, propagation, block)

/**
 * Runs [block] as a savepoint called [name], which any text may be.
 *
 * @throws IllegalStateException if the calling coroutine is not inside this transaction.
 */
public suspend fun <T> Transaction.savepoint(name: String, block: suspend CoroutineScope.(Transaction) -> T): T {
    require(name.isNotEmpty()) { "A savepoint needs a name." }
    check(database.currentScope()?.level?.session === level.session) { "savepoint() was called outside its transaction." }
    return database.nested(level, block, name)
}

/**
 * Runs [block] on one connection kept for it, without a transaction: each statement commits by itself, and session state such as
 * temporary tables and advisory locks is seen by all of them. Inside a transaction or another such block it uses that connection.
 * A transaction left open by raw SQL is rolled back at the end.
 */
public suspend fun <T> Database.connection(block: suspend CoroutineScope.() -> T): T {
    if (currentScope() != null) return withContext(this) { block() }
    return runLevel(Level(Session(this, Access.WRITE), null, LevelKind.CONNECTION)) { block() }
}

private suspend fun <T> Database.nested(
    surrounding: Level,
    block: suspend CoroutineScope.(Transaction) -> T,
    name: String = surrounding.session.nextSavepoint(),
): T = runLevel(Level(surrounding.session, surrounding, LevelKind.SAVEPOINT, readOnly = surrounding.readOnly, savepoint = name), block)

private suspend fun <T> Database.join(surrounding: Level, block: suspend CoroutineScope.(Transaction) -> T): T = try {
    withContext(this) { block(surrounding.transaction) }
} catch (error: Throwable) {
    surrounding.spoiledBy = error
    throw error
}

/** Opens [level], runs [block] in it with its children, and ends it by the table in `docs/transactions.md`. */
private suspend fun <T> Database.runLevel(level: Level, block: suspend CoroutineScope.(Transaction) -> T): T {
    val session = level.session
    val parent = level.parent
    if (parent == null) {
        // Once in the life of a database. Left to the first statements, they would wait for it here and lose their order.
        openBridge()
        session.turns.give(level)
    } else {
        session.turns.take(parent)
        if (parent.isClosed) {
            session.turns.give()
            throw parent.closedError()
        }
        session.turns.give(level)
    }
    val outcome = runCatching { withContext(this + level.context) { block(level.transaction) } }
    level.left()
    val value = try {
        takeLastTurn(level)
        if (level.kind == LevelKind.CONNECTION) outcome.getOrThrow() else finish(level, outcome)
    } finally {
        level.isClosed = true
        session.turns.give(parent)
        if (parent == null) session.close()
    }
    for (action in level.committedActions()) action()
    return value
}

/**
 * Waits, out of reach of cancellation, for a statement of a coroutine that has outlived the block's scope. If it does not end in
 * time its connection is closed, which ends it.
 */
private suspend fun Database.takeLastTurn(level: Level) {
    val turns = level.session.turns
    if (turns.tryTake(level, null) || uncancellable { turns.take(level) } != null) return
    level.session.connection?.close()
    uncancellable(timer, Duration.INFINITE) { turns.take(level) }
}
