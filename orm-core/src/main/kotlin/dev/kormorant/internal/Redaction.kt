package dev.kormorant.internal

/**
 * [sql] with `?` in place of each literal: quoted text and numbers. Names keep their quotes, except in MySQL and MariaDB, where double
 * quotes may stand around text as well.
 */
internal fun redact(sql: String, dialect: String?): String {
    val backslash = dialect == "MySQL" || dialect == "MariaDB"
    val result = StringBuilder(sql.length)
    var index = 0
    while (index < sql.length) {
        val char = sql[index]
        val end = when {
            char == '\'' -> endOfQuoted(sql, index, backslash || sql.getOrNull(index - 1)?.uppercaseChar() == 'E')
            char == '"' && backslash -> endOfQuoted(sql, index, backslash = true)
            char == '"' || char == '`' -> endOfQuoted(sql, index, backslash = false).also { result.append(sql, index, it) }
            char == '$' -> endOfDollarQuoted(sql, index)
            char.isDigit() && !isNamePart(sql.getOrNull(index - 1)) -> endOfNumber(sql, index)
            else -> index
        }
        when {
            end == index -> result.append(sql[index++])
            else -> {
                if (char != '`' && (char != '"' || backslash)) result.append('?')
                index = end
            }
        }
    }
    return result.toString()
}

private fun isNamePart(char: Char?) = char != null && (char.isLetterOrDigit() || char == '_' || char == '$')

private fun endOfNumber(sql: String, start: Int): Int {
    var end = start
    while (end < sql.length && (sql[end].isLetterOrDigit() || sql[end] == '.')) end++
    return end
}

/** Behind the closing quote; a doubled quote is part of the text. Without one, all the rest is text. */
private fun endOfQuoted(sql: String, start: Int, backslash: Boolean): Int {
    val quote = sql[start]
    var index = start + 1
    while (index < sql.length) {
        when {
            backslash && sql[index] == '\\' -> index += 2
            sql[index] != quote -> index++
            sql.getOrNull(index + 1) == quote -> index += 2
            else -> return index + 1
        }
    }
    return sql.length
}

/** Behind the second `$tag$`; [start] if there is no such quote here. */
private fun endOfDollarQuoted(sql: String, start: Int): Int {
    val close = sql.indexOf('$', start + 1)
    if (close < 0 || isNamePart(sql.getOrNull(start - 1))) return start
    val tag = sql.substring(start, close + 1)
    if (tag.drop(1).dropLast(1).any { !it.isLetterOrDigit() && it != '_' } || tag.getOrNull(1)?.isDigit() == true) return start
    val end = sql.indexOf(tag, close + 1)
    return if (end < 0) sql.length else end + tag.length
}
