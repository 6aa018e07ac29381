package dev.kormorant.internal

import dev.kormorant.driver.SqlScanner
import dev.kormorant.driver.SqlSyntax
import dev.kormorant.driver.SqlToken

/** SQL with a `?` for each of [names], in their order. */
internal class NamedSql(val text: String, val names: List<String>) {
    companion object {
        /**
         * Finds the parameters `:name` of [sql]: outside of literals, quoted names and comments, and neither a cast (`::int`) nor the bound of
         * a slice (`[1:n]`).
         *
         * @throws IllegalArgumentException if it has a `?` as well, which could only mean a parameter without a name.
         */
        fun parse(sql: String, syntax: SqlSyntax): NamedSql {
            val scanner = SqlScanner(sql, syntax)
            val text = StringBuilder(sql.length)
            val names = ArrayList<String>()
            var copied = 0
            while (true) {
                val token = scanner.next() ?: break
                if (token != SqlToken.SYMBOL) continue
                val start = scanner.start
                if (scanner.isSymbol('?')) {
                    require(sql.getOrNull(scanner.end) == '?') { "The statement has parameters with names and one without (?). Write the operator ? as ??." }
                    scanner.next()
                } else if (scanner.isSymbol(':') && beginsName(sql, start)) {
                    scanner.next()
                    names += sql.substring(start + 1, scanner.end)
                    text.append(sql, copied, start).append('?')
                    copied = scanner.end
                }
            }
            return NamedSql(text.append(sql, copied, sql.length).toString(), names)
        }

        private fun beginsName(sql: String, colon: Int): Boolean {
            val before = sql.getOrNull(colon - 1)
            val after = sql.getOrNull(colon + 1)
            return before != ':' && before?.isLetterOrDigit() != true && after != null && (after.isLetter() || after == '_')
        }
    }
}

/**
 * The statements of [script], without the semicolons between them. Those inside of literals, quoted names, comments and dollar quotes
 * are text, and those between BEGIN and END of a trigger or routine belong to it. Every `?` is an operator.
 */
internal fun statementsOf(script: String, syntax: SqlSyntax): List<String> = ScriptReader(script, syntax).read()

private class ScriptReader(private val script: String, syntax: SqlSyntax) {
    private val scanner = SqlScanner(script, syntax)
    private val statements = ArrayList<String>()
    private val statement = StringBuilder()
    private var copied = 0
    private var isEmpty = true

    /** Whether the statement creates something that has statements inside. */
    private var first = ""
    private var isRoutine = false
    private var depth = 0
    private var previous = ""

    fun read(): List<String> {
        while (true) {
            val token = scanner.next() ?: break
            when {
                token == SqlToken.COMMENT -> continue
                token == SqlToken.SYMBOL && scanner.isSymbol(';') && depth == 0 -> {
                    end(scanner.start)
                    copied = scanner.end
                    continue
                }
                token == SqlToken.SYMBOL && scanner.isSymbol('?') -> operator()
                token == SqlToken.WORD -> word(scanner.text.uppercase())
            }
            if (isEmpty) copied = scanner.start
            isEmpty = false
        }
        end(script.length)
        return statements
    }

    private fun operator() {
        if (isEmpty) return
        statement.append(script, copied, scanner.end).append('?')
        if (script.getOrNull(scanner.end) == '?') scanner.next()
        copied = scanner.end
    }

    private fun word(word: String) {
        when {
            first.isEmpty() -> first = word
            first == "CREATE" && word in ROUTINES -> isRoutine = true
            isRoutine && word == "BEGIN" -> depth++
            isRoutine && depth > 0 && word == "CASE" && previous != "END" -> depth++
            isRoutine && previous == "END" && word in BLOCKS -> depth++
            isRoutine && depth > 0 && word == "END" -> depth--
        }
        previous = word
    }

    private fun end(at: Int) {
        if (!isEmpty) statements += statement.append(script, copied, at).toString().trim()
        statement.clear()
        isEmpty = true
        first = ""
        isRoutine = false
        depth = 0
        previous = ""
    }

    private companion object {
        val ROUTINES = setOf("TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "PACKAGE")

        /** What is closed by END and its own name, but not opened by one of the words that count. */
        val BLOCKS = setOf("IF", "LOOP", "WHILE", "REPEAT", "FOR")
    }
}
