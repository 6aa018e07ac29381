package dev.kormorant.sqlite

import dev.kormorant.ErrorDetails
import dev.kormorant.SyntaxException
import dev.kormorant.driver.SqlScanner
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlSyntax
import dev.kormorant.driver.SqlToken

/** What kind of statement a text is, as far as the driver has to treat kinds differently. */
internal enum class Verb(val changesRows: Boolean = false, val endsSavepoint: Boolean = false) {
    INSERT(changesRows = true),
    UPSERT(changesRows = true),
    CHANGE(changesRows = true),
    BEGIN,
    COMMIT,
    ROLLBACK,
    ROLLBACK_TO(endsSavepoint = true),
    SAVEPOINT,
    RELEASE(endsSavepoint = true),
    ATTACH,
    OTHER,
}

/** What one look at a statement tells without SQLite. */
internal class SqlText(
    val verb: Verb,
    /** Whether it selects `*`, so that its columns change when those of a table do. */
    val selectsAll: Boolean,
) {
    internal companion object {
        /**
         * @throws SyntaxException if the text has no statement or more than one: SQLite would run the first and ignore the rest.
         * @throws IllegalArgumentException if it has a NUL character, where SQLite would take the text to end.
         */
        fun of(statement: SqlStatement): SqlText = VerbFinder(statement).find()
    }
}

/** Reads the words of a statement that stand outside of literals, quoted names, comments and parentheses. */
private class VerbFinder(private val statement: SqlStatement) {
    private val sql = statement.sql
    private val scanner = SqlScanner(sql, SqlSyntax.SQLITE)
    private var depth = 0
    private var first = ""
    private var verb: Verb? = null
    private var selectsAll = false
    private var trigger = false
    private var previous = ""

    fun find(): SqlText {
        require('\u0000' !in sql) { "The statement has a NUL character; bind such text as a parameter." }
        var terminated = false
        while (true) {
            val token = next() ?: break
            if (token == ";") {
                terminated = first.isNotEmpty() && !trigger
            } else {
                if (terminated) throw malformed("The text has more than one statement.", "Use script, or execute them one by one.")
                if (depth == 0) see(token)
            }
            previous = token
        }
        if (first.isEmpty()) throw malformed("The text has no statement.", null)
        return SqlText(verb ?: Verb.OTHER, selectsAll)
    }

    private fun see(token: String) {
        when {
            first.isEmpty() -> {
                first = token
                verb = VERBS[token]
            }
            // The statement proper follows the parenthesis of the last common table expression.
            first == "WITH" && verb == null && previous == ")" ->
                verb = if (token == "SELECT") Verb.OTHER else VERBS[token]?.takeIf { it.changesRows }
            token == "TO" && verb == Verb.ROLLBACK -> verb = Verb.ROLLBACK_TO
            token == "DO" && verb == Verb.INSERT -> verb = Verb.UPSERT
            token == "TRIGGER" && first == "CREATE" -> trigger = true
            token == "*" && previous in BEFORE_STAR -> selectsAll = true
        }
    }

    /** The next word in upper case, or character; a quoted name or literal is one token without its text. */
    private fun next(): String? {
        while (true) {
            when (scanner.next() ?: return null) {
                SqlToken.COMMENT -> continue
                SqlToken.WORD -> return scanner.text.uppercase()
                SqlToken.QUOTED -> return "'"
                SqlToken.SYMBOL -> return scanner.text.also { if (it == "(") depth++ else if (it == ")") depth-- }
            }
        }
    }

    private fun malformed(problem: String, hint: String?) = SyntaxException(problem, hint, ErrorDetails(sql = statement.sql), null)

    private companion object {
        val VERBS = mapOf(
            "INSERT" to Verb.INSERT,
            "REPLACE" to Verb.INSERT,
            "UPDATE" to Verb.CHANGE,
            "DELETE" to Verb.CHANGE,
            "BEGIN" to Verb.BEGIN,
            "COMMIT" to Verb.COMMIT,
            "END" to Verb.COMMIT,
            "ROLLBACK" to Verb.ROLLBACK,
            "SAVEPOINT" to Verb.SAVEPOINT,
            "RELEASE" to Verb.RELEASE,
            "ATTACH" to Verb.ATTACH,
        )
        val BEFORE_STAR = setOf("SELECT", "DISTINCT", "ALL", "RETURNING", ",", ".")
    }
}
