package dev.kormorant.internal

import java.math.BigDecimal

// A server does not keep an expression as it was written: it adds casts and parentheses and has its own words for the same thing.

/** One spelling of the default [sql] of a column of type [type]: two defaults are the same if their spellings are. */
internal fun canonicalDefault(sql: String?, type: String): String? {
    val tokens = sql?.let(::tokens)?.let(::withoutParentheses) ?: return null
    val only = tokens.singleOrNull() ?: return negativeNumber(tokens)?.let { canonicalLiteral(it, type) } ?: canonicalExpression(tokens)
    return when {
        only.kind == TokenKind.STRING -> canonicalLiteral(only.value, type)
        only.kind == TokenKind.NUMBER -> canonicalLiteral(only.text, type)
        only.text.equals("null", ignoreCase = true) -> null
        only.text.lowercase() in BOOLEANS -> canonicalLiteral(only.text.lowercase(), type)
        else -> canonicalExpression(tokens)
    }
}

private fun negativeNumber(tokens: List<Token>) =
    if (tokens.size == 2 && tokens[0].text == "-" && tokens[1].kind == TokenKind.NUMBER) "-${tokens[1].text}" else null

private fun canonicalLiteral(text: String, type: String): String {
    val base = type.substringBefore('(').substringBefore(' ')
    return when {
        base == "boolean" -> if (text.lowercase() in TRUTHS) "true" else "false"
        base in NUMBERS -> text.toBigDecimalOrNull()?.canonical() ?: "'$text"
        // The order of the keys and the spaces between them are not kept by every database.
        base.startsWith("json") -> "json ${text.filterNot { it.isWhitespace() }.toList().sorted().joinToString("")}"
        base in BINARIES -> "bytes"
        base in TIMES -> "'${text.replace('T', ' ').removeSuffix("Z").removeSuffix("+00").replace(FRACTION) { it.value.trimEnd('0').removeSuffix(".") }}"
        else -> "'$text"
    }
}

private fun canonicalExpression(tokens: List<Token>): String {
    val words = tokens.filterNot { it.text == "(" || it.text == ")" }.map { if (it.kind == TokenKind.STRING) "'${it.value}'" else it.text.lowercase().trim('`', '"') }
    val first = words.firstOrNull() ?: return ""
    val rest = words.drop(1)
    // With or without the number of digits of a second.
    return if (first in NOW && rest.all { it.toIntOrNull() != null }) "now" else if (first in TODAY && rest.isEmpty()) "today" else words.joinToString(" ")
}

/**
 * What can be compared of a condition or of an indexed expression: the columns in it, its literals, and how it compares them.
 * Functions and the order of things are left out, as a server may write them in another way.
 */
internal fun signatureOf(sql: String?, columns: Set<String>): String? {
    val tokens = sql?.let(::tokens) ?: return null
    val words = tokens.mapNotNullTo(HashSet()) { token -> token.text.lowercase().takeIf { token.kind == TokenKind.WORD } }
    val used = columnsOf(tokens, columns)
    val literals = tokens.mapIndexedNotNull { index, token ->
        when (token.kind) {
            TokenKind.STRING -> token.value.toBigDecimalOrNull()?.canonical() ?: "'${token.value}"
            TokenKind.NUMBER -> if (isNegated(tokens, index)) token.text.toBigDecimal().negate().canonical() else token.text.toBigDecimal().canonical()
            else -> null
        }
    }
    return "$used ${literals.sorted()} ${if ("not" in words) "" else comparisons(tokens, words)}"
}

/** Those of [columns], in lower case, that are in the condition [sql]. */
internal fun columnsIn(sql: String, columns: Set<String>): Set<String> = columnsOf(tokens(sql), columns)

private fun columnsOf(tokens: List<Token>, columns: Set<String>): Set<String> =
    tokens.filter { it.kind == TokenKind.WORD || it.kind == TokenKind.NAME }.map { it.value.lowercase() }.filterTo(sortedSetOf()) { it in columns }

private fun comparisons(tokens: List<Token>, words: Set<String>): Set<String> {
    val found = tokens.mapNotNullTo(sortedSetOf()) { token -> (if (token.text == "!=") "<>" else token.text).takeIf { it in COMPARISONS } }
    if ("in" in words) found += "="
    if ("between" in words) found += listOf(">=", "<=")
    return found
}

/** Whether the number at [index] has a sign of its own and is not taken from something. */
private fun isNegated(tokens: List<Token>, index: Int): Boolean {
    val before = tokens.take(index).dropLastWhile { it.text == "(" }
    if (before.lastOrNull()?.text != "-") return false
    val left = before.getOrNull(before.size - 2) ?: return true
    return left.kind == TokenKind.SYMBOL && left.text != ")" || left.text.lowercase() in BEFORE_SIGN
}

private fun BigDecimal.canonical() = if (signum() == 0) "0" else stripTrailingZeros().toPlainString()

private enum class TokenKind { STRING, NAME, NUMBER, WORD, SYMBOL }

private class Token(val kind: TokenKind, val text: String, val value: String)

/** The tokens of [sql] without casts of the form `::type` and without the character set of a literal. */
private fun tokens(sql: String): List<Token> = TOKEN.findAll(sql).mapNotNull { match ->
    val text = match.value
    when {
        text.startsWith("::") -> null
        text.last() == '\'' && text.length > 1 -> Token(TokenKind.STRING, text, text.substringAfter('\'').dropLast(1).replace("''", "'"))
        text[0] == '"' || text[0] == '`' -> Token(TokenKind.NAME, text, text.substring(1, text.length - 1))
        text[0].isDigit() -> Token(TokenKind.NUMBER, text, text)
        text[0].isLetter() || text[0] == '_' -> Token(TokenKind.WORD, text, text)
        else -> Token(TokenKind.SYMBOL, text, text)
    }
}.toList()

private fun withoutParentheses(tokens: List<Token>): List<Token> {
    var inner = tokens
    while (inner.size > 2 && inner.first().text == "(" && closes(inner) == inner.lastIndex) inner = inner.subList(1, inner.lastIndex)
    return inner
}

/** Where the parenthesis that opens the list is closed. */
private fun closes(tokens: List<Token>): Int {
    var depth = 0
    return tokens.indexOfFirst { token ->
        if (token.text == "(") depth++
        if (token.text == ")") depth--
        depth == 0
    }
}

private val TOKEN = Regex(
    """::\s*(?:"[^"]+"|[a-zA-Z_][\w.]*)(?:\s+(?:varying|precision))?(?:\s*\(\d+(?:,\s*\d+)?\))?(?:\s+with(?:out)? time zone)?(?:\[\d*])*""" +
        """|(?:\b[bBxXeEnN]|\b_\w+\s*)?'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[\p{L}_][\w$]*|<=|>=|<>|!=|\S""",
)
private val FRACTION = Regex("""\.\d+""")
private val BOOLEANS = setOf("true", "false")
private val TRUTHS = setOf("true", "t", "1")
private val NUMBERS = setOf(
    "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "real", "single", "float", "double",
)
private val BINARIES = setOf("bytea", "blob", "tinyblob", "mediumblob", "longblob", "binary", "varbinary")
private val TIMES = setOf("timestamp", "datetime", "time", "timestamptz")
private val NOW = setOf("now", "current_timestamp", "localtimestamp", "transaction_timestamp")
private val TODAY = setOf("current_date", "curdate")
private val COMPARISONS = setOf("<", ">", "<=", ">=", "<>", "=")
private val BEFORE_SIGN = setOf("and", "or", "between", "in", "when", "then", "else", "return", "is")
