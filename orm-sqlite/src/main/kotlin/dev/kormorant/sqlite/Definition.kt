package dev.kormorant.sqlite

import dev.kormorant.driver.SqlScanner
import dev.kormorant.driver.SqlSyntax
import dev.kormorant.driver.SqlToken

/**
 * A CREATE TABLE or CREATE INDEX statement, taken apart at the commas of its list. SQLite keeps the text and tells of checks, of names
 * of constraints and of indexed expressions in no other way.
 */
internal class Definition private constructor(
    /** What stands before the list. */
    val head: String,
    val pieces: List<Piece>,
    /** What stands after the list. */
    val tail: String,
) {
    /** One element of the list: a column, a constraint, or what is indexed. */
    internal class Piece(val text: String, val tokens: List<DefinitionToken>) {
        /** Name of the column, without quotes; `null` if it is a constraint of the table. */
        val column: String? = tokens.first().takeIf { it.word !in CONSTRAINTS }?.name

        val isGenerated: Boolean get() = tokens.zipWithNext().any { (first, second) -> first.word == "AS" && second.isGroup }
    }

    val isNumbered: Boolean get() = pieces.any { piece -> piece.tokens.any { it.word == "AUTOINCREMENT" } }

    /** The checks by name, if they have one, and condition. */
    val checks: List<Pair<String?, String>>
        get() = pieces.flatMap { piece ->
            piece.tokens.withIndex().filter { (index, token) -> token.word == "CHECK" && piece.tokens.getOrNull(index + 1)?.isGroup == true }
                .map { (index) -> nameBefore(piece, index) to piece.tokens[index + 1].inner }
        }

    /** Names of the foreign keys that have one, by their columns in lower case. */
    val foreignKeyNames: Map<List<String>, String>
        get() = pieces.mapNotNull { piece ->
            val table = piece.tokens.indexOfFirst { it.word == "FOREIGN" }
            val column = piece.tokens.indexOfFirst { it.word == "REFERENCES" }
            when {
                piece.column == null && table >= 0 ->
                    nameBefore(piece, table)?.let { name -> of(piece.tokens[table + 2].text)?.pieces?.map { "${it.column}".lowercase() }?.let { it to name } }
                piece.column != null && column > 0 -> nameBefore(piece, column)?.let { listOf(piece.column.lowercase()) to it }
                else -> null
            }
        }.toMap()

    private fun nameBefore(piece: Piece, index: Int): String? = piece.tokens.getOrNull(index - 2)?.takeIf { it.word == "CONSTRAINT" }?.let { piece.tokens[index - 1].name }

    /** Condition of a partial index. */
    val predicate: String? get() = tokens(tail).firstOrNull { it.word == "WHERE" }?.let { tail.substring(it.end).trim() }

    internal companion object {
        private val CONSTRAINTS = setOf("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")

        /** `null` if there is no list in [sql]. */
        fun of(sql: String): Definition? {
            val list = tokens(sql).firstOrNull { it.isGroup } ?: return null
            val elements = sql.substring(list.start + 1, list.end - 1)
            val pieces = ArrayList<Piece>()
            var piece = ArrayList<DefinitionToken>()
            fun end() {
                if (piece.isNotEmpty()) pieces += Piece(elements.substring(piece.first().start, piece.last().end), piece)
                piece = ArrayList()
            }
            for (token in tokens(elements)) if (token.text == ",") end() else piece += token
            end()
            return Definition(sql.substring(0, list.start), pieces, sql.substring(list.end))
        }
    }
}

/** A word, a quoted name or literal, a group in parentheses, or another character. */
internal class DefinitionToken(val text: String, val start: Int, val end: Int) {
    val isGroup: Boolean get() = text.startsWith("(")

    /** In upper case if it is unquoted. */
    val word: String? get() = if (text.first().isLetter()) text.uppercase() else null

    /** Without quotes. */
    val name: String
        get() = when (text.first()) {
            '"', '`', '\'' -> text.substring(1, text.length - 1).replace("${text.first()}${text.first()}", "${text.first()}")
            '[' -> text.substring(1, text.length - 1)
            else -> text
        }

    /** What is in the parentheses. */
    val inner: String get() = text.substring(1, text.length - 1).trim()
}

/** The tokens of [sql] that stand outside of parentheses; what is in them is one token. */
internal fun tokens(sql: String): List<DefinitionToken> {
    val scanner = SqlScanner(sql, SqlSyntax.SQLITE)
    val found = ArrayList<DefinitionToken>()
    var opened = 0
    var depth = 0
    while (true) {
        val kind = scanner.next() ?: return found
        when {
            scanner.isSymbol('(') -> if (depth++ == 0) opened = scanner.start
            scanner.isSymbol(')') -> if (--depth == 0) found += DefinitionToken(sql.substring(opened, scanner.end), opened, scanner.end)
            depth == 0 && kind != SqlToken.COMMENT -> found += DefinitionToken(scanner.text, scanner.start, scanner.end)
        }
    }
}
