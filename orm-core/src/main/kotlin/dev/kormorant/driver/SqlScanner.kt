package dev.kormorant.driver

/** Whose rules of quoting and of comments hold. MySQL's hold for MariaDB. */
public enum class SqlSyntax { POSTGRESQL, MYSQL, SQLITE }

/** What a piece of SQL text is. */
public enum class SqlToken {
    /** A name, keyword or number. */
    WORD,

    /** A literal, a quoted name or a dollar quote, whole. */
    QUOTED,

    /** A comment, whole. To MySQL `/*! … */` is none. */
    COMMENT,

    /** One character of all else: an operator, a parenthesis, `?`. */
    SYMBOL,
}

/** Reads [sql] token by token, in one pass; white space is skipped. What is not closed ends with the text. */
public class SqlScanner(private val sql: String, private val syntax: SqlSyntax) {
    private val postgres = syntax == SqlSyntax.POSTGRESQL
    private val mysql = syntax == SqlSyntax.MYSQL

    /** Where the last token begins. */
    public var start: Int = 0
        private set

    /** Where the last token ends: the position behind it. */
    public var end: Int = 0
        private set

    /** The text of the last token. */
    public val text: String get() = sql.substring(start, end)

    /** Reads the next token, or `null` at the end of the text. */
    public fun next(): SqlToken? {
        while (end < sql.length && (sql[end].isWhitespace() || sql[end] == '\uFEFF')) end++
        start = end
        if (end == sql.length) return null
        val c = sql[end]
        return when {
            isWordPart(c) && c != '$' -> word()
            c == '\'' -> quoted(c, backslash = mysql || (postgres && isEscapeLiteral()))
            c == '"' -> quoted(c, backslash = mysql)
            c == '`' && !postgres -> quoted(c, backslash = false)
            c == '[' && syntax == SqlSyntax.SQLITE -> until("]", SqlToken.QUOTED)
            c == '-' && startsLineComment() -> until("\n", SqlToken.COMMENT)
            c == '#' && mysql -> until("\n", SqlToken.COMMENT)
            c == '/' && startsBlockComment() -> blockComment()
            c == '$' -> dollar()
            else -> symbol()
        }
    }

    /** Whether the last token is the one character [c]. */
    public fun isSymbol(c: Char): Boolean = end == start + 1 && sql[start] == c

    private fun symbol(): SqlToken {
        end++
        return SqlToken.SYMBOL
    }

    private fun word(): SqlToken {
        while (end < sql.length && isWordPart(sql[end])) end++
        return SqlToken.WORD
    }

    private fun until(close: String, token: SqlToken): SqlToken {
        val at = sql.indexOf(close, start + 1)
        end = if (at < 0) sql.length else at + close.length
        return token
    }

    /** A doubled quote stays inside, so that the rule for backslashes holds to the real end. */
    private fun quoted(quote: Char, backslash: Boolean): SqlToken {
        end++
        while (end < sql.length) {
            when {
                backslash && sql[end] == '\\' -> end += 2
                sql[end] != quote -> end++
                sql.getOrNull(end + 1) == quote -> end += 2
                else -> break
            }
        }
        end = minOf(end + 1, sql.length)
        return SqlToken.QUOTED
    }

    /** Whether the quote here belongs to `E'…'`, and the `E` is not the end of a longer word. */
    private fun isEscapeLiteral(): Boolean =
        end > 0 && sql[end - 1].let { it == 'E' || it == 'e' } && (end == 1 || !isWordPart(sql[end - 2]))

    /** MySQL takes `--` for a comment only in front of white space. */
    private fun startsLineComment(): Boolean =
        sql.getOrNull(end + 1) == '-' && (!mysql || end + 2 == sql.length || sql[end + 2] <= ' ')

    /** Comments that open with an additional `!` or `M!` are code to MySQL and MariaDB. */
    private fun startsBlockComment(): Boolean =
        sql.getOrNull(end + 1) == '*' && !(mysql && (sql.startsWith("!", end + 2) || sql.startsWith("M!", end + 2)))

    /** PostgreSQL nests them. */
    private fun blockComment(): SqlToken {
        var depth = 0
        while (end < sql.length) {
            if (depth > 0 && sql.startsWith("*/", end)) {
                end += 2
                if (--depth == 0) break
            } else if (sql.startsWith("/*", end) && (postgres || depth == 0)) {
                end += 2
                depth++
            } else {
                end++
            }
        }
        return SqlToken.COMMENT
    }

    private fun dollar(): SqlToken {
        var close = end + 1
        while (close < sql.length && isWordPart(sql[close]) && sql[close] != '$') close++
        val opens = postgres && close < sql.length && sql[close] == '$' && !sql[end + 1].isDigit()
        if (!opens) return if (mysql || postgres) symbol() else word()
        val tag = sql.substring(end, close + 1)
        val at = sql.indexOf(tag, close + 1)
        end = if (at < 0) sql.length else at + tag.length
        return SqlToken.QUOTED
    }

    private fun isWordPart(c: Char): Boolean = c.isLetterOrDigit() || c == '_' || c == '$' || c.code >= 0x80
}
