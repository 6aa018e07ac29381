package dev.kormorant.jasync

import dev.kormorant.driver.SqlScanner
import dev.kormorant.driver.SqlSyntax
import dev.kormorant.driver.SqlToken

/** SQL as the server wants it, and how many parameters it has. */
internal class ServerSql(val text: String, val parameterCount: Int) {
    companion object {
        /**
         * Finds the parameters of [sql]: each `?` outside of literals, quoted names, comments and dollar quotes.
         * PostgreSQL gets them as `$1`, `$2`, …, MySQL as they are. `??` is the operator `?`.
         */
        fun parse(sql: String, syntax: SqlSyntax): ServerSql {
            if (sql.indexOf('?') < 0) return ServerSql(sql, 0)
            val scanner = SqlScanner(sql, syntax)
            val text = StringBuilder(sql.length + 16)
            var copied = 0
            var parameters = 0
            while (true) {
                val token = scanner.next() ?: break
                if (token != SqlToken.SYMBOL || !scanner.isSymbol('?')) continue
                text.append(sql, copied, scanner.start)
                if (sql.getOrNull(scanner.end) == '?') {
                    scanner.next()
                    text.append('?')
                } else {
                    parameters++
                    if (syntax == SqlSyntax.POSTGRESQL) text.append('$').append(parameters) else text.append('?')
                }
                copied = scanner.end
            }
            return ServerSql(text.append(sql, copied, sql.length).toString(), parameters)
        }
    }
}
