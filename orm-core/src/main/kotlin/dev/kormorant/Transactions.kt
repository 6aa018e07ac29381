package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.internal.Deadline
import dev.kormorant.internal.Level
import dev.kormorant.internal.LevelKind
import dev.kormorant.internal.ModelJournal
import dev.kormorant.internal.Session
import dev.kormorant.internal.finish
import dev.kormorant.internal.uncancellable
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
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
 * @param retry runs the block again after a serialization failure or a deadlock; a nested block leaves it to the outermost.
 * @param timeout within which it must be done, see [TransactionOptions.timeout].
 * @return what [block] returned.
 * @throws TransactionAbortedException if the block returned but the transaction cannot be committed, because an error in it was caught.
 * @throws CommitOutcomeUnknownException if the link was lost during COMMIT.
 * @throws QueryTimeoutException after [timeout].
 * @throws IllegalStateException if [propagation] forbids or requires a surrounding transaction.
 * @throws IllegalArgumentException if a nested block asks for an isolation level or for another [readOnly].
 */
public suspend fun <T> Database.transaction(
    isolation: Isolation? = null,
    readOnly: Boolean = false,
    propagation: Propagation = Propagation.NESTED,
    retry: Retry? = null,
    timeout: Duration? = null,
    block: suspend CoroutineScope.(Transaction) -> T,
): T = transaction(TransactionOptions(isolation, readOnly, propagation, retry, timeout), block)

/** [Database.transaction] with all that can be said about a transaction. */
public suspend fun <T> Database.transaction(options: TransactionOptions, block: suspend CoroutineScope.(Transaction) -> T): T {
    val outer = currentLevel()
    val surrounding = outer?.takeIf { it.kind != LevelKind.CONNECTION }
    when (options.propagation) {
        Propagation.MANDATORY -> checkNotNull(surrounding) { "A transaction with Propagation.MANDATORY must be inside another one." }
        Propagation.NEVER -> check(surrounding == null) { "A transaction with Propagation.NEVER must not be inside another one." }
        Propagation.NOT_SUPPORTED -> return withoutTransaction(surrounding, options, block)
        Propagation.NESTED, Propagation.REQUIRED, Propagation.REQUIRES_NEW -> Unit
    }
    val deadline = Deadline.after(timer, options.timeout)
    if (surrounding != null && options.propagation != Propagation.REQUIRES_NEW) {
        require(!options.concernsServer) { "Only an outermost transaction can choose its isolation level and the like." }
        require(!options.readOnly || surrounding.readOnly) { "A block inside a read-write transaction cannot be read-only." }
        return if (options.propagation == Propagation.REQUIRED) join(surrounding, block) else nested(surrounding, options, deadline, block)
    }
    val retry = options.retry ?: return outermost(outer, options, deadline, 1, null, block)
    return retrying(retry, deadline) { attempt, journal -> outermost(outer, options, deadline, attempt, journal, block) }
}

/** [Database.transaction] on the database of the calling coroutine. */
public suspend fun <T> transaction(
    isolation: Isolation? = null,
    readOnly: Boolean = false,
    propagation: Propagation = Propagation.NESTED,
    retry: Retry? = null,
    timeout: Duration? = null,
    block: suspend CoroutineScope.(Transaction) -> T,
): T = Database.current().transaction(isolation, readOnly, propagation, retry, timeout, block)

/** [Database.transaction] on the database of the calling coroutine. */
public suspend fun <T> transaction(options: TransactionOptions, block: suspend CoroutineScope.(Transaction) -> T): T =
    Database.current().transaction(options, block)

/**
 * Runs [block] as a savepoint called [name], which any text may be.
 *
 * @throws IllegalStateException if the calling coroutine is not inside this transaction.
 */
public suspend fun <T> Transaction.savepoint(name: String, block: suspend CoroutineScope.(Transaction) -> T): T {
    require(name.isNotEmpty()) { "A savepoint needs a name." }
    check(level.root != null && database.currentLevel()?.session === level.session) { "savepoint() was called outside its transaction." }
    return database.nested(level, NESTED, null, block, name)
}

/**
 * Runs [block] on one connection kept for it, without a transaction: each statement commits by itself, and session state such as
 * temporary tables and advisory locks is seen by all of them. Inside a transaction or another such block it uses that connection.
 * A transaction left open by raw SQL is rolled back at the end.
 */
public suspend fun <T> Database.connection(block: suspend CoroutineScope.() -> T): T {
    if (currentLevel() != null) return withContext(this) { block() }
    return runLevel(Level(session(Access.WRITE), null, LevelKind.CONNECTION)) { block() }
}

private val NESTED = TransactionOptions()

private suspend fun <T> Database.outermost(
    outer: Level?,
    options: TransactionOptions,
    deadline: Deadline?,
    attempt: Int,
    journal: ModelJournal?,
    block: suspend CoroutineScope.(Transaction) -> T,
): T {
    val parent = outer?.takeIf { options.propagation != Propagation.REQUIRES_NEW }
    val session = parent?.session ?: session(if (options.readOnly && separatesReaders) Access.READ else Access.WRITE)
    return runLevel(Level(session, parent, LevelKind.TRANSACTION, options, deadline, attempt = attempt, journal = journal), block)
}

/** A session that is not open yet; it takes its connection with the first statement. */
internal suspend fun Database.session(access: Access): Session = Session(this, access, currentCoroutineContext()[scopeKey]?.ancestor)

private suspend fun <T> Database.nested(
    surrounding: Level,
    options: TransactionOptions,
    deadline: Deadline?,
    block: suspend CoroutineScope.(Transaction) -> T,
    name: String = surrounding.session.nextSavepoint(),
): T {
    val until = deadline?.orEarlier(surrounding.deadline) ?: surrounding.deadline
    return runLevel(Level(surrounding.session, surrounding, LevelKind.SAVEPOINT, options, until, name), block)
}

private suspend fun <T> Database.join(surrounding: Level, block: suspend CoroutineScope.(Transaction) -> T): T = try {
    withContext(this) { block(surrounding.transaction) }
} catch (error: Throwable) {
    surrounding.spoiledBy = error
    throw error
}

/** Runs [block] with a handle that stands for no transaction, outside of [surrounding] if there is one. */
private suspend fun <T> Database.withoutTransaction(surrounding: Level?, options: TransactionOptions, block: suspend CoroutineScope.(Transaction) -> T): T {
    val handle = Level(session(Access.WRITE), null, LevelKind.CONNECTION, options)
    val value = try {
        if (surrounding == null) withContext(this) { block(handle.transaction) } else independent { block(handle.transaction) }
    } finally {
        handle.isClosed = true
    }
    for (action in handle.committedActions()) action()
    return value
}

/** Opens [level], runs [block] in it with its children, and ends it by the table in `docs/transactions.md`. */
private suspend fun <T> Database.runLevel(level: Level, block: suspend CoroutineScope.(Transaction) -> T): T {
    openLevel(level)
    val session = level.session
    val kept = level.journal ?: currentCoroutineContext()[scopeKey]?.ownJournal
    val outcome = runCatching {
        withContext(this + level.context(kept)) {
            level.job = coroutineContext[Job]
            block(level.transaction)
        }
    }
    level.left()
    val value = try {
        takeLastTurn(level)
        if (level.kind == LevelKind.CONNECTION) outcome.getOrThrow() else finish(level, outcome)
    } finally {
        closeLevel(level)
        if (level.parent == null) session.close()
    }
    for (action in level.committedActions()) action()
    return value
}

/** Makes [level] the one whose statements may run. */
internal suspend fun Database.openLevel(level: Level) {
    val turns = level.session.turns
    val parent = level.parent
    // Once in the life of a database. Left to the first statements, they would wait for it here and lose their order.
    if (parent == null || level.kind == LevelKind.TRANSACTION) level.check(openBridge().dialect)
    if (parent == null) return turns.give(level)
    turns.take(parent)
    if (parent.isClosed) {
        turns.give()
        throw parent.closedError()
    }
    turns.give(level)
}

/** The holder of the turn has ended [level]. */
internal fun closeLevel(level: Level) {
    level.isClosed = true
    level.session.turns.give(level.parent)
}

/**
 * Waits, out of reach of cancellation, for a statement of a coroutine that has outlived the block's scope. If it does not end in
 * time its connection is closed, which ends it.
 */
internal suspend fun Database.takeLastTurn(level: Level) {
    val turns = level.session.turns
    if (turns.tryTake(level, null) || uncancellable { turns.take(level, null, Duration.INFINITE) } != null) return
    level.session.connection?.close()
    uncancellable(timer, Duration.INFINITE) { turns.take(level, null) }
}
