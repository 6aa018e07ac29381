package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.ErrorMessage
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

/*
 * Errors of the server in terms of OrmException. The detail field is left out: it repeats values of rows.
 */

internal val ErrorMessage.sqlState: String get() = fields['C'].orEmpty()

/** Whether no ReadyForQuery will follow: the session is over, or what it says cannot be trusted any more. */
internal val ErrorMessage.endsSession: Boolean
    get() = (fields['V'] ?: fields['S']).let { it == "FATAL" || it == "PANIC" } || sqlState.startsWith("08") || sqlState in shutdowns

/** A prepared statement that the server dropped or whose result has other columns now. */
internal val ErrorMessage.wantsNewPrepare: Boolean
    get() = sqlState == "26000" || sqlState == "0A000" && fields['R'] == "RevalidateCachedQuery"

private val shutdowns = setOf("57P01", "57P02", "57P03", "57P04", "57P05")

internal fun databaseError(error: ErrorMessage, sql: String): OrmException {
    val state = error.sqlState
    val problem = error.sentence()
    val details = ErrorDetails(state, 0, error.fields['n'], error.fields['t'], error.fields['c'], sql)
    constraintKinds[state]?.let { return ConstraintViolationException(it, problem, details, null) }
    return when {
        state == "40001" -> SerializationException(problem, details, null)
        state == "40P01" || state == "55P03" -> DeadlockException(problem, details, null)
        state == "57014" -> QueryTimeoutException(problem, null, details, null)
        state.startsWith("22") -> DataException(problem, details, null)
        state.startsWith("42") -> SyntaxException(problem, syntaxHint(error), details, null)
        state == "25P02" -> DatabaseException(problem, "Roll back to a savepoint or end the transaction.", details, null)
        state == "25006" -> DatabaseException(problem, "Run the change in a transaction that is not read-only.", details, null)
        else -> DatabaseException(problem, error.fields['H'], details, null)
    }
}

/** An error that ends the session, at log-in or later. */
internal fun connectionError(error: ErrorMessage, address: String): ConnectionException {
    val state = error.sqlState
    val problem = "PostgreSQL at $address: ${error.sentence()}"
    return when {
        state == "28P01" || state == "28000" && "password" in problem ->
            ConnectionException(problem, "Check user and password.", null, isTransient = false)
        state.startsWith("28") -> ConnectionException(problem, "Check the user and the server's pg_hba.conf.", null, isTransient = false)
        state == "3D000" -> ConnectionException(problem, "Create the database, or correct its name in the URL.", null, isTransient = false)
        state == "53300" -> ConnectionException(problem, "Lower the size of the pool or raise max_connections of the server.", null)
        "startup parameter" in problem ->
            ConnectionException(problem, "Name it in ignore_startup_parameters of the connection pooler.", null, isTransient = false)
        else -> ConnectionException(problem, error.fields['H'], null)
    }
}

private val constraintKinds = mapOf(
    "23505" to ConstraintKind.UNIQUE,
    "23503" to ConstraintKind.FOREIGN_KEY,
    "23001" to ConstraintKind.FOREIGN_KEY,
    "23502" to ConstraintKind.NOT_NULL,
    "23514" to ConstraintKind.CHECK,
    "23P01" to ConstraintKind.EXCLUSION,
)

private fun syntaxHint(error: ErrorMessage): String = when (error.sqlState) {
    "42P01" -> "Create the table, or check its name and the search_path."
    "42703" -> "Check the name of the column, or bring the table up to date."
    "42P18" -> "Give the parameter a type, with a cast in the SQL."
    "42501" -> "Grant the user the right to do this."
    else -> error.fields['H'] ?: "Check the SQL that is part of this error."
}

/** The primary message as a sentence. Those of class 22 quote the offending value, which is cut out. */
private fun ErrorMessage.sentence(): String {
    val text = message.orEmpty().let { if (sqlState.startsWith("22")) it.replace(quotedValue, "") else it }.trim()
    return text.replaceFirstChar(Char::uppercaseChar) + if (text.endsWith('.')) "" else "."
}

private val quotedValue = Regex(":? ?[\"«„“][\\s\\S]*[\"»“”]")
