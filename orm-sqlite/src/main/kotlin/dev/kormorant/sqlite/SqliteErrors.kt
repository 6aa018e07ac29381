package dev.kormorant.sqlite

import dev.kormorant.ConnectionException
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.DatabaseException
import dev.kormorant.DeadlockException
import dev.kormorant.ErrorDetails
import dev.kormorant.OrmException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.SerializationException
import dev.kormorant.SyntaxException
import dev.kormorant.driver.SqlStatement
import org.sqlite.SQLiteErrorCode
import org.sqlite.SQLiteException
import java.sql.SQLException

/** Where in the life of a statement an error came up. */
internal enum class Phase { PREPARE, RUN }

/** The error of [statement] as one of the tree; SQLite's own text is part of it only where it cannot hold a value. */
internal fun translated(error: SQLException, statement: SqlStatement, verb: Verb, phase: Phase, cancelled: Boolean): OrmException {
    val code = error.code
    val primary = code.code and PRIMARY
    val text = error.text
    val secret = phase == Phase.RUN && primary != SQLiteErrorCode.SQLITE_CONSTRAINT.code && mayShowValue(text, statement)
    val shown = if (secret) code.message else text
    val cause = if (secret) withoutText(error, code) else error
    val details = ErrorDetails(vendorCode = code.code, sql = statement.sql)
    return when {
        primary == INTERRUPT || cancelled && primary == BUSY -> interrupted(statement, cause)
        code == SQLiteErrorCode.SQLITE_BUSY_SNAPSHOT ->
            SerializationException("Another connection has written since this transaction began to read.", details, cause)
        primary == BUSY || primary == LOCKED ->
            DeadlockException("The database is locked by another connection, which did not release it in time ($shown).", details, cause)
        primary == CONSTRAINT -> constraintViolation(code, text, statement, error)
        primary == TOO_BIG || primary == MISMATCH || primary == RANGE -> DataException("SQLite refuses a value: $shown.", details, cause)
        primary in UNUSABLE && verb != Verb.ATTACH -> unusable(code, shown, cause)
        primary == READ_ONLY -> DatabaseException(
            "The database cannot be written here: $shown.",
            "Write in a transaction that is not read-only, and check the permissions of the file and its directory.",
            details,
            cause,
        )
        primary == FULL -> DatabaseException("The disk is full: $shown.", "Free space on the disk that holds the database.", details, cause)
        primary == ERROR -> failed(shown, phase, details, cause)
        else -> DatabaseException("SQLite refuses the statement: $shown.", null, details, cause)
    }
}

/** A connection that could not be opened or set up. */
internal fun connectFailure(error: SQLException, location: Location): ConnectionException = when (error.code.code and PRIMARY) {
    BUSY, LOCKED -> ConnectionException(
        "The database $location is locked by another process.",
        "Find out who keeps it locked, or set a longer busy timeout.",
        error,
    )
    SQLiteErrorCode.SQLITE_NOTADB.code -> ConnectionException("$location is not an SQLite database.", "Check the path.", error, isTransient = false)
    SQLiteErrorCode.SQLITE_CANTOPEN.code ->
        ConnectionException("The database $location cannot be opened.", "Check that it is a file that may be read and written.", error, isTransient = false)
    else -> ConnectionException("The database $location cannot be opened: ${error.text}.", null, error, isTransient = false)
}

internal fun interrupted(statement: SqlStatement, cause: Throwable?): QueryTimeoutException = QueryTimeoutException(
    "The statement was stopped on request.",
    null,
    ErrorDetails(vendorCode = INTERRUPT, sql = statement.sql),
    cause,
)

private fun failed(text: String, phase: Phase, details: ErrorDetails, cause: Throwable): DatabaseException = when {
    text.startsWith("no such table") || text.startsWith("no such column") || "has no column named" in text ->
        SyntaxException("SQLite does not know a name: $text.", "Check that the schema is up to date with the tables of the program.", details, cause)
    text.startsWith("too many SQL variables") ->
        SyntaxException("The statement has more parameters than SQLite takes.", "Split it into several statements.", details, cause)
    phase == Phase.PREPARE || "syntax error" in text ->
        SyntaxException("SQLite does not understand the statement: $text.", "Check the SQL that is part of this error.", details, cause)
    text == "integer overflow" || text.startsWith("malformed JSON") -> DataException("SQLite refuses a value: $text.", details, cause)
    else -> DatabaseException("SQLite refuses the statement: $text.", null, details, cause)
}

private fun unusable(code: SQLiteErrorCode, text: String, cause: Throwable) = ConnectionException(
    "The database file can no longer be used: $text.",
    "Check the file and its disk.",
    cause,
    isTransient = code.code and PRIMARY == IO_ERROR,
)

private fun constraintViolation(code: SQLiteErrorCode, text: String, statement: SqlStatement, cause: Throwable): DatabaseException {
    val subject = text.substringAfter("constraint failed", "").removePrefix(": ")
    fun details(constraint: String? = null, table: String? = null, column: String? = null) =
        ErrorDetails(vendorCode = code.code, constraint = constraint, table = table, column = column, sql = statement.sql)
    fun ofColumns(): ErrorDetails {
        val columns = subject.split(", ")
        return details(table = columns.first().substringBeforeLast('.', "").ifEmpty { null }, column = columns.joinToString { it.substringAfterLast('.') })
    }
    return when (code) {
        SQLiteErrorCode.SQLITE_CONSTRAINT_UNIQUE, SQLiteErrorCode.SQLITE_CONSTRAINT_PRIMARYKEY, SQLiteErrorCode.SQLITE_CONSTRAINT_ROWID ->
            ConstraintViolationException(
                ConstraintKind.UNIQUE,
                "There is already a row with the same $subject.",
                if (subject.startsWith("index ")) details(constraint = subject.removePrefix("index ").trim('\'')) else ofColumns(),
                cause,
            )
        SQLiteErrorCode.SQLITE_CONSTRAINT_NOTNULL ->
            ConstraintViolationException(ConstraintKind.NOT_NULL, "$subject must not be null.", ofColumns(), cause)
        SQLiteErrorCode.SQLITE_CONSTRAINT_CHECK ->
            ConstraintViolationException(ConstraintKind.CHECK, "The row breaks the check $subject.", details(constraint = subject), cause)
        SQLiteErrorCode.SQLITE_CONSTRAINT_FOREIGNKEY -> foreignKeyViolation(details(), cause)
        // What ON DELETE RESTRICT refuses has the code of a trigger.
        SQLiteErrorCode.SQLITE_CONSTRAINT_TRIGGER if text == FOREIGN_KEY_TEXT -> foreignKeyViolation(details(), cause)
        SQLiteErrorCode.SQLITE_CONSTRAINT_DATATYPE -> DataException("SQLite refuses a value: $text.", details(), cause)
        else -> DatabaseException("SQLite refuses the statement: $text.", null, details(), cause)
    }
}

private fun foreignKeyViolation(details: ErrorDetails, cause: Throwable) = ConstraintViolationException(
    ConstraintKind.FOREIGN_KEY,
    "A row refers to a row that is not there, or would no longer be.",
    details,
    cause,
    "SQLite does not tell which foreign key; PRAGMA foreign_key_check lists what is broken.",
)

/** Messages of functions (JSON paths, full-text queries) repeat words of their arguments. */
private fun mayShowValue(text: String, statement: SqlStatement): Boolean {
    val values = statement.values.filterIsInstance<String>()
    return values.isNotEmpty() && WORD.findAll(text).any { word -> values.any { word.value in it } }
}

private fun withoutText(error: SQLException, code: SQLiteErrorCode): SQLException =
    SQLiteException(code.toString(), code).apply {
        stackTrace = error.stackTrace
        error.suppressed.forEach(::addSuppressed)
    }

private val SQLException.code: SQLiteErrorCode get() = (this as? SQLiteException)?.resultCode ?: SQLiteErrorCode.UNKNOWN_ERROR

/** SQLite's own words: sqlite-jdbc puts its name of the code before and parentheses around them. */
private val SQLException.text: String
    get() = message.orEmpty().removePrefix("$code ").let { if (it.startsWith('(') && it.endsWith(')')) it.substring(1, it.length - 1) else it }

private val WORD = Regex("""[\p{L}\p{N}_]+""")

private const val PRIMARY = 0xFF
private const val FOREIGN_KEY_TEXT = "FOREIGN KEY constraint failed"
private val ERROR = SQLiteErrorCode.SQLITE_ERROR.code
private val BUSY = SQLiteErrorCode.SQLITE_BUSY.code
private val LOCKED = SQLiteErrorCode.SQLITE_LOCKED.code
private val READ_ONLY = SQLiteErrorCode.SQLITE_READONLY.code
private val INTERRUPT = SQLiteErrorCode.SQLITE_INTERRUPT.code
private val IO_ERROR = SQLiteErrorCode.SQLITE_IOERR.code
private val FULL = SQLiteErrorCode.SQLITE_FULL.code
private val TOO_BIG = SQLiteErrorCode.SQLITE_TOOBIG.code
private val CONSTRAINT = SQLiteErrorCode.SQLITE_CONSTRAINT.code
private val MISMATCH = SQLiteErrorCode.SQLITE_MISMATCH.code
private val RANGE = SQLiteErrorCode.SQLITE_RANGE.code
private val UNUSABLE = setOf(
    IO_ERROR,
    SQLiteErrorCode.SQLITE_CORRUPT.code,
    SQLiteErrorCode.SQLITE_CANTOPEN.code,
    SQLiteErrorCode.SQLITE_NOTADB.code,
    SQLiteErrorCode.SQLITE_PROTOCOL.code,
)
