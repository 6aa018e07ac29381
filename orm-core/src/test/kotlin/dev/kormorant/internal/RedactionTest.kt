package dev.kormorant.internal

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource

class RedactionTest {
    @ParameterizedTest
    @CsvSource(
        quoteCharacter = '~',
        delimiter = '|',
        value = [
            "SELECT 'a', 'it''s', '' FROM t1 | SELECT ?, ?, ? FROM t1",
            "SELECT * FROM t WHERE a = 42 AND b < 1.5e3 AND c2 > 7 | SELECT * FROM t WHERE a = ? AND b < ? AND c2 > ?",
            "SELECT \"a'b\", \"1\" FROM \"t 2\" LIMIT 10 | SELECT \"a'b\", \"1\" FROM \"t 2\" LIMIT ?",
            "SELECT E'a\\'b', 'c\\' , 'd' | SELECT E?, ? , ?",
            "SELECT \$\$a 'b'\$\$, \$x\$c\$\$\$x\$, \$1 | SELECT ?, ?, \$1",
            "SELECT a$1, t.c3 FROM t | SELECT a$1, t.c3 FROM t",
            "SELECT 'never ends | SELECT ?",
            "SELECT ? | SELECT ?",
        ],
    )
    fun `literals become question marks, names stay`(sql: String, expected: String) = assertEquals(expected, redact(sql, "PostgreSQL"))

    @ParameterizedTest
    @CsvSource(
        quoteCharacter = '~',
        delimiter = '|',
        value = ["SELECT 'a\\'b', \"c\\\"d\", `e'f` | SELECT ?, ?, `e'f`"],
    )
    fun `in MySQL a backslash escapes, and double quotes stand around text`(sql: String, expected: String) = assertEquals(expected, redact(sql, "MySQL"))
}
