package dev.kormorant

import dev.kormorant.internal.redact
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/**
 * Hears what a database does. Every method does nothing unless overridden.
 *
 * Called on the coroutine that ran the work, synchronously, on a thread that has its MDC and trace context: be quick and do not
 * throw. Nothing is measured while nobody listens.
 */
public interface DatabaseListener {
    /** A statement has been answered, with rows or with an error, or was given up. */
    public fun onStatement(event: StatementEvent) {}

    /** Rows or models have been made of the answer to a query whose [onStatement] came before, on the same coroutine. Not told of streams. */
    public fun onDecode(event: DecodeEvent) {}

    /** A connection was opened, lent, refused or given back. */
    public fun onConnection(event: ConnectionEvent) {}

    /** A relation was loaded for one model after another; told where [DatabaseConfig.repeatedLoads] or [withoutRepeatedLoads] asks for it. */
    public fun onRepeatedLoad(event: RepeatedLoadEvent) {}

    /** Something has happened to an outermost transaction. What nobody's coroutine does, such as a leak, is told in the background. */
    public fun onTransaction(event: TransactionEvent) {}
}

/** One statement and its answer. */
public class StatementEvent internal constructor(
    /** Where it ran. */
    public val database: Database,
    /** The statement with its `?` placeholders, never with values. Raw SQL may have literals in it: see [redactedSql]. */
    public val sql: String,
    /**
     * How long the caller waited for a connection; zero if it held one. In a transaction it is the first statement that waits, which
     * may be the BEGIN.
     */
    public val acquireTime: Duration,
    /** From sending the statement to its whole answer; for a stream without the time its collector took. */
    public val executeTime: Duration,
    /** Rows returned, or rows affected. */
    public val rows: Long,
    /** What the statement failed with, a `CancellationException` if its caller was cancelled. */
    public val error: Throwable?,
) {
    /** [sql] with `?` in place of each literal. */
    public val redactedSql: String get() = redact(sql, database.dialectName)

    /** First word of the statement in upper case: `SELECT`, `BEGIN`. */
    public val operation: String get() = sql.trimStart().takeWhile { it.isLetter() }.uppercase()

    /** Whether it begins, sets up, ends or divides a transaction rather than reads or changes data. */
    public val isTransactionControl: Boolean get() = operation in TRANSACTION_CONTROL

    override fun toString(): String = "$sql [$executeTime, $rows rows${error?.let { ", failed" }.orEmpty()}]"

    private companion object {
        val TRANSACTION_CONTROL = setOf("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET")
    }
}

/** What the client did with the answer to a query. */
public class DecodeEvent internal constructor(
    public val database: Database,
    /** Rows made. */
    public val rows: Int,
    /** How long that took. */
    public val time: Duration,
) {
    override fun toString(): String = "$rows rows decoded [$time]"
}

/** What happened to a connection of the pool of a [database]. */
public sealed class ConnectionEvent(public val database: Database) {
    /** One was opened, which took [time]. Told in the background, not on a caller's coroutine. */
    public class Opened internal constructor(database: Database, public val time: Duration) : ConnectionEvent(database)

    /** None could be opened, because of [error]. Told in the background. */
    public class OpenFailed internal constructor(database: Database, public val error: Throwable) : ConnectionEvent(database)

    /** A caller has got one after [waited]. */
    public class Acquired internal constructor(database: Database, public val waited: Duration) : ConnectionEvent(database)

    /** A caller has got none after [waited]: [error] is a [PoolTimeoutException], a [ConnectionException] or its cancellation. */
    public class Refused internal constructor(database: Database, public val waited: Duration, public val error: Throwable) : ConnectionEvent(database)

    /** A caller has given one back after [held]. */
    public class Released internal constructor(database: Database, public val held: Duration) : ConnectionEvent(database)
}

/**
 * Runs [block] with [listener] hearing of what it does, children included, on any database, after the listeners of the database
 * itself.
 *
 * @return what [block] returned.
 */
public suspend fun <T> withListener(listener: DatabaseListener, block: suspend CoroutineScope.() -> T): T =
    withContext(ContextListeners(currentCoroutineContext()[ContextListeners]?.listeners.orEmpty() + listener), block)

internal class ContextListeners(val listeners: List<DatabaseListener>) : AbstractCoroutineContextElement(ContextListeners) {
    companion object Key : CoroutineContext.Key<ContextListeners>
}
