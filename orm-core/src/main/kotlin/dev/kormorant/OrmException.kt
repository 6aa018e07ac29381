package dev.kormorant

/**
 * Root of everything this library throws on purpose; all of it unchecked.
 *
 * The message is the [problem], then the [hint] on a line of its own. What the driver threw is the cause.
 */
public sealed class OrmException(
    /** What went wrong, in one sentence. */
    public val problem: String,
    /** What to do about it, or `null` if nothing useful can be said. */
    public val hint: String?,
    cause: Throwable?,
) : RuntimeException(if (hint == null) problem else "$problem\nHint: $hint", cause) {
    /** Whether the same work may succeed if it is simply tried again. */
    public open val isTransient: Boolean get() = false

    /** Whether the connection is gone; what ran on it may or may not have happened. */
    public open val connectionLost: Boolean get() = false
}

// ---- Configuration and use

/** A URL or an option that cannot be understood. */
public class ConfigurationException(problem: String, hint: String? = null, cause: Throwable? = null) : OrmException(problem, hint, cause)

/** No module on the class path knows the scheme of the URL. */
public class DriverMissingException(problem: String, hint: String) : OrmException(problem, hint, null)

/** A call that needs a database found none in the coroutine context and none in its model class. */
public class NoDatabaseException(problem: String = "No database is in reach of this call.") : OrmException(
    problem,
    "Wrap the call in withContext(db) { … } or db.transaction { … }, or override `database` in the model class.",
    null,
)

/** A blocking call where blocking is not allowed. */
public class BlockingNotAllowedException(problem: String, hint: String) : OrmException(problem, hint, null)

/** The database has no such thing; found before anything is sent. */
public class UnsupportedByDialectException(problem: String, hint: String? = null, cause: Throwable? = null) : OrmException(problem, hint, cause)

// ---- What the database answered

/** The database refused a statement. The connection stays usable unless [connectionLost]. */
public open class DatabaseException(problem: String, hint: String?, public val details: ErrorDetails, cause: Throwable?) :
    OrmException(problem, hint, cause) {
    /** Five characters of SQLSTATE, where the database has them. */
    public val sqlState: String? get() = details.sqlState

    /** The vendor's own number; 0 where there is none. */
    public val vendorCode: Int get() = details.vendorCode

    /** The statement with its `?` placeholders, never with values. */
    public val sql: String? get() = details.sql
}

/** Facts of a database error as far as the server tells them. */
public class ErrorDetails(
    public val sqlState: String? = null,
    public val vendorCode: Int = 0,
    /** Name of the violated constraint. */
    public val constraint: String? = null,
    public val table: String? = null,
    public val column: String? = null,
    public val sql: String? = null,
)

/** Which rule a [ConstraintViolationException] is about. */
public enum class ConstraintKind { UNIQUE, FOREIGN_KEY, NOT_NULL, CHECK, EXCLUSION }

/** A row breaks a constraint. */
public class ConstraintViolationException(
    public val kind: ConstraintKind,
    problem: String,
    details: ErrorDetails,
    cause: Throwable?,
    hint: String? = null,
) : DatabaseException(problem, hint, details, cause) {
    /** Name of the constraint, where the server tells it. */
    public val constraint: String? get() = details.constraint

    /** Table of the constraint, where the server tells it. */
    public val table: String? get() = details.table
}

/** Concurrent transactions could not be put in a serial order; the transaction may be tried again. */
public class SerializationException(problem: String, details: ErrorDetails, cause: Throwable?) :
    DatabaseException(problem, "Run the whole transaction again.", details, cause) {
    override val isTransient: Boolean get() = true
}

/** The database chose this transaction to break a deadlock, or a lock could not be had in time; it may be tried again. */
public class DeadlockException(problem: String, details: ErrorDetails, cause: Throwable?) :
    DatabaseException(problem, "Run the whole transaction again; take locks in the same order everywhere.", details, cause) {
    override val isTransient: Boolean get() = true
}

/** The statement was stopped: by its timeout, or by somebody's request to cancel it. */
public class QueryTimeoutException(problem: String, hint: String?, details: ErrorDetails, cause: Throwable?) :
    DatabaseException(problem, hint, details, cause) {
    override val isTransient: Boolean get() = true
}

/** A value the column cannot hold: too long, out of range, not of its form. */
public class DataException(problem: String, details: ErrorDetails, cause: Throwable?) :
    DatabaseException(problem, "Check the value against the type of its column.", details, cause)

/** The statement is not understood: wrong syntax, or a table, column or function that is not there. */
public class SyntaxException(problem: String, hint: String?, details: ErrorDetails, cause: Throwable?) :
    DatabaseException(problem, hint, details, cause)

// ---- Connections and the pool

/** There is no server, it refused the log-in, or the link was lost. */
public class ConnectionException(problem: String, hint: String?, cause: Throwable?, override val isTransient: Boolean = true) :
    OrmException(problem, hint, cause) {
    override val connectionLost: Boolean get() = true
}

/** Another statement or stream is using the connection. */
public class ConnectionBusyException(problem: String, hint: String) : OrmException(problem, hint, null)

/** No connection became free within the acquire timeout. Not a `CancellationException`: the caller's coroutine goes on. */
public class PoolTimeoutException(problem: String, hint: String, public val stats: PoolStats, cause: Throwable?) :
    OrmException(problem, hint, cause) {
    override val isTransient: Boolean get() = true
}

/** The database was closed. */
public class PoolClosedException(problem: String, hint: String) : OrmException(problem, hint, null)

// ---- Transactions

/** A transaction that cannot be committed any more was asked to: its work is rolled back. The cause is the error that spoiled it. */
public class TransactionAbortedException(problem: String, hint: String, cause: Throwable?) : OrmException(problem, hint, cause)

/** A transaction is used after its end. */
public class TransactionClosedException(problem: String, hint: String) : OrmException(problem, hint, null)

/** The link was lost while COMMIT was on its way: the work is committed or it is not. [Database.resolve] may find out. */
public class CommitOutcomeUnknownException(
    problem: String,
    hint: String,
    cause: Throwable?,
    /** Under which the server knows the outcome; `null` unless the transaction was opened with [TransactionOptions.resolvable]. */
    public val transactionId: Long? = null,
) : OrmException(problem, hint, cause) {
    override val connectionLost: Boolean get() = true
}

// ---- Rows and models

/** A row that was asked for is not there. */
public class RecordNotFoundException(problem: String, public val sql: String?, hint: String? = "Use the variant ending in OrNull if the row may be missing.") :
    OrmException(problem, hint, null)

/** More rows than the one that was asked for. */
public class TooManyRowsException(problem: String, public val sql: String?) :
    OrmException(problem, "Use first() if any of the rows will do, or make the condition stricter.", null)

/** The row was changed or deleted by somebody else since this model was loaded. */
public class StaleModelException(problem: String) : OrmException(problem, "Load the model again and repeat the change.", null)

/** The checks of a model found something wrong with it; nothing was written. */
public class ValidationException internal constructor(
    /** The model, as it is. */
    public val model: Model<*>,
    /** All that was found, in the order of the checks. */
    public val violations: List<Violation>,
) : OrmException("$model is not valid: ${violations.joinToString("; ")}", "Mend what is listed and save again.", null)

/** A relation was loaded by a query for each model, where one for all would do. */
public class RepeatedLoadException internal constructor(problem: String, hint: String) : OrmException(problem, hint, null)

/** A relation is read that was not loaded; a property never does I/O. */
public class RelationNotLoadedException(problem: String, hint: String) : OrmException(problem, hint, null)

/** A column is read that the query did not select. */
public class ColumnNotLoadedException(problem: String, hint: String) : OrmException(problem, hint, null)

/** A value from the database does not fit the column it is read through. */
public class DecodeException(problem: String, hint: String?, cause: Throwable?) : OrmException(problem, hint, cause)

/** Rows cannot be made objects of the class that was asked for. */
public class MappingException(problem: String, hint: String?, cause: Throwable? = null) : OrmException(problem, hint, cause)
