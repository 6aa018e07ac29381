package dev.kormorant.jasync

import dev.kormorant.driver.SqlSyntax
import dev.kormorant.driver.SqlSyntax.MYSQL
import dev.kormorant.driver.SqlSyntax.POSTGRESQL
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Test

/** Trap 8: a question mark is a parameter only where the server takes it for one. */
class PlaceholdersTest {
    private fun check(syntax: SqlSyntax, sql: String, text: String, count: Int) {
        val parsed = ServerSql.parse(sql, syntax)
        assertEquals(text, parsed.text)
        assertEquals(count, parsed.parameterCount, sql)
    }

    private fun postgres(sql: String, text: String, count: Int) = check(POSTGRESQL, sql, text, count)

    private fun mysql(sql: String, count: Int, text: String = sql) = check(MYSQL, sql, text, count)

    @Test
    fun `a text without question marks stays the same object`() {
        val sql = "SELECT 'a', \$tag"
        assertSame(sql, ServerSql.parse(sql, POSTGRESQL).text)
    }

    @Test
    fun `parameters are numbered for PostgreSQL and kept for MySQL`() {
        postgres("?", "\$1", 1)
        postgres("INSERT INTO t VALUES (?, ?,?)", "INSERT INTO t VALUES (\$1, \$2,\$3)", 3)
        mysql("INSERT INTO t VALUES (?, ?,?)", 3)
    }

    @Test
    fun `a doubled question mark is the operator`() {
        postgres("j ?? 'a' AND j ??| ? AND j @?? ?", "j ? 'a' AND j ?| \$1 AND j @? \$2", 2)
        postgres("j ???", "j ?\$1", 1)
        postgres("j ????", "j ??", 0)
        mysql("a ?? b = ?", 1, "a ? b = ?")
    }

    @Test
    fun `literals are skipped`() {
        postgres("'?' || ? || '''?'", "'?' || \$1 || '''?'", 1)
        postgres("'\\' || ? || '?'", "'\\' || \$1 || '?'", 1)
        mysql("'?' , ?, '''?', '?''?'", 1)
        mysql("\"?\" , ?, \"\"\"?\"", 1)
        mysql("'\\'?' , ?, '\\\\', ?", 2)
        mysql("\"\\\"?\" , ?", 1)
        mysql("'a''\\'?', ?", 1)
    }

    @Test
    fun `escape literals end behind their backslashes`() {
        postgres("E'\\'?' || ?", "E'\\'?' || \$1", 1)
        postgres("e'\\\\' || ?", "e'\\\\' || \$1", 1)
        postgres("E'a''\\'?' || ?", "E'a''\\'?' || \$1", 1)
        postgres("(E'\\'?') = ?", "(E'\\'?') = \$1", 1)
        postgres("namee'\\' || ?", "namee'\\' || \$1", 1)
    }

    @Test
    fun `quoted names are skipped`() {
        postgres("\"a?\" = ? AND \"x\"\"?\" = ?", "\"a?\" = \$1 AND \"x\"\"?\" = \$2", 2)
        postgres("\"a\\\" = ?", "\"a\\\" = \$1", 1)
        mysql("`a?` = ? AND `x``?` = ? AND `\\` = ?", 3)
    }

    @Test
    fun `line comments are skipped`() {
        postgres("SELECT ? -- really?\n, ?", "SELECT \$1 -- really?\n, \$2", 2)
        postgres("SELECT 1--?\n, ?", "SELECT 1--?\n, \$1", 1)
        postgres("SELECT ? --?", "SELECT \$1 --?", 1)
        postgres("SELECT 1 # ?", "SELECT 1 # \$1", 1)
        mysql("SELECT ? -- really?\n, ?", 2)
        mysql("SELECT ? # really?\n, ?", 2)
        mysql("SELECT 1--?", 1)
        mysql("SELECT ? --", 1)
    }

    @Test
    fun `block comments are skipped, nested ones in PostgreSQL only`() {
        postgres("/* ? /* ? */ ? */ ?", "/* ? /* ? */ ? */ \$1", 1)
        postgres("1 / ? * 2 /**/ + ?", "1 / \$1 * 2 /**/ + \$2", 2)
        mysql("/* ? /* ? */ ? ", 1)
        mysql("/*?*/ ? /*/ ? */ ?", 2)
        mysql("SELECT /*+ MAX_EXECUTION_TIME(1) ? */ ?", 1)
    }

    @Test
    fun `comments that MySQL executes are code`() {
        mysql("SELECT /*!50000 ? + */ ?", 2)
        mysql("SELECT /*M! ? + */ '?' /* ? */", 1)
    }

    @Test
    fun `dollar quotes are skipped in PostgreSQL`() {
        postgres("\$\$?\$\$ || ?", "\$\$?\$\$ || \$1", 1)
        postgres("\$a1\$ ? \$\$ ? \$a1\$ || ?", "\$a1\$ ? \$\$ ? \$a1\$ || \$1", 1)
        postgres("a\$\$b = ? AND c\$\$d = ?", "a\$\$b = \$1 AND c\$\$d = \$2", 2)
        postgres("\$1 = ?", "\$1 = \$1", 1)
        mysql("\$\$?\$\$", 1)
    }

    @Test
    fun `what is not closed goes to the end`() {
        postgres("? '?", "\$1 '?", 1)
        postgres("? \"?", "\$1 \"?", 1)
        postgres("? /* ?", "\$1 /* ?", 1)
        postgres("? \$x\$ ?", "\$1 \$x\$ ?", 1)
        mysql("? '?\\", 1)
        mysql("? `?", 1)
    }
}
