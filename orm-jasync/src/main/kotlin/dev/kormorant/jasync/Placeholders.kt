package dev.kormorant.jasync

/** Whose rules of quoting and of comments hold. */
internal enum class SqlSyntax { POSTGRESQL, MYSQL }

/** SQL as the server wants it, and how many parameters it has. */
internal class ServerSql(val text: String, val parameterCount: Int) {
    companion object {
        /**
         * Finds the parameters of [sql]: each `?` outside of literals, quoted names, comments and dollar quotes.
         * PostgreSQL gets them as `$1`, `$2`, …, MySQL as they are. `??` is the operator `?`.
         */
        fun parse(sql: String, syntax: SqlSyntax): ServerSql =
            if (sql.indexOf('?') < 0) ServerSql(sql, 0) else PlaceholderScanner(sql, syntax).scan()
    }
}

/** One pass over one text; every `skip…` moves [position] behind what it names. */
private class PlaceholderScanner(private val sql: String, private val syntax: SqlSyntax) {
    private val postgres = syntax == SqlSyntax.POSTGRESQL
    private val out = StringBuilder(sql.length + 16)
    private var copied = 0
    private var position = 0
    private var parameters = 0

    fun scan(): ServerSql {
        while (position < sql.length) {
            when (val c = sql[position]) {
                '?' -> parameterOrOperator()
                '\'' -> skipQuoted(c, backslash = !postgres || isEscapeLiteral())
                '"' -> skipQuoted(c, backslash = !postgres)
                '`' -> if (postgres) position++ else skipQuoted(c, backslash = false)
                '-' -> if (startsLineComment()) skipLine() else position++
                '#' -> if (postgres) position++ else skipLine()
                '/' -> if (next() == '*') skipBlockComment() else position++
                '$' -> if (postgres) skipDollarQuote() else position++
                else -> position++
            }
        }
        out.append(sql, copied, sql.length)
        return ServerSql(out.toString(), parameters)
    }

    private fun parameterOrOperator() {
        out.append(sql, copied, position)
        if (next() == '?') {
            out.append('?')
            position += 2
        } else {
            parameters++
            if (postgres) out.append('$').append(parameters) else out.append('?')
            position++
        }
        copied = position
    }

    /** A doubled quote stays inside, so that the rule for backslashes holds to the real end. */
    private fun skipQuoted(quote: Char, backslash: Boolean) {
        position++
        while (position < sql.length) {
            when {
                backslash && sql[position] == '\\' -> position += 2
                sql[position] != quote -> position++
                next() == quote -> position += 2
                else -> break
            }
        }
        position++
    }

    /** Whether the quote at [position] belongs to `E'…'`, and the `E` is not the end of a longer word. */
    private fun isEscapeLiteral(): Boolean =
        position > 0 && sql[position - 1].let { it == 'E' || it == 'e' } && (position == 1 || !isWordPart(sql[position - 2]))

    /** MySQL takes `--` for a comment only in front of white space. */
    private fun startsLineComment(): Boolean = next() == '-' && (postgres || position + 2 == sql.length || sql[position + 2] <= ' ')

    private fun skipLine() {
        while (position < sql.length && sql[position] != '\n') position++
    }

    /** PostgreSQL nests block comments; those that open with an additional `!` or `M!` are code to MySQL and MariaDB. */
    private fun skipBlockComment() {
        if (!postgres && (sql.startsWith("!", position + 2) || sql.startsWith("M!", position + 2))) {
            position += 2
            return
        }
        var depth = 0
        while (position < sql.length) {
            if (sql.startsWith("*/", position)) {
                position += 2
                if (--depth == 0) return
            } else if (sql.startsWith("/*", position) && (postgres || depth == 0)) {
                position += 2
                depth++
            } else {
                position++
            }
        }
    }

    private fun skipDollarQuote() {
        var end = position + 1
        while (end < sql.length && isWordPart(sql[end]) && sql[end] != '$') end++
        val opens = end < sql.length && sql[end] == '$' && !sql[position + 1].isDigit() && (position == 0 || !isWordPart(sql[position - 1]))
        if (!opens) {
            position++
            return
        }
        val tag = sql.substring(position, end + 1)
        val close = sql.indexOf(tag, end + 1)
        position = if (close < 0) sql.length else close + tag.length
    }

    private fun next(): Char? = sql.getOrNull(position + 1)

    private fun isWordPart(c: Char): Boolean = c.isLetterOrDigit() || c == '_' || c == '$' || c.code >= 0x80
}
