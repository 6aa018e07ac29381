package dev.kormorant.internal

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Test

/** Pairs as code and servers write them. */
class CanonicalSqlTest {
    @Test
    fun `a default is the same however it is written`() {
        assertSameDefault("character varying(40)", "'it''s'", "'it''s'::character varying")
        assertSameDefault("varchar(40)", "'x'", "_utf8mb4'x'")
        assertSameDefault("bigint", "-5", "'-5'::integer", "(-5)", "'-5'::bigint")
        assertSameDefault("numeric(10,3)", "12.5", "12.500", "'12.500'")
        assertSameDefault("boolean", "TRUE", "'1'", "1", "true")
        assertSameDefault("boolean", "FALSE", "b'0'", "'0'")
        assertSameDefault("timestamp without time zone", "'2024-02-29 12:30:00.000'", "'2024-02-29 12:30:00'::timestamp without time zone", "'2024-02-29T12:30:00Z'")
        assertSameDefault("datetime(6)", "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(6)", "current_timestamp()", "now()", "(CURRENT_TIMESTAMP)")
        assertSameDefault("date", "CURRENT_DATE", "curdate()", "(CURRENT_DATE)")
        assertSameDefault("jsonb", "'{\"b\":[1,2],\"a\":1}'::jsonb", "'{\"a\": 1, \"b\": [1, 2]}'::jsonb")
        assertSameDefault("text", "CONCAT('a', 'b')", "concat('a'::text, 'b'::text)")
        assertSameDefault("varchar(9)", null, "NULL", "NULL::character varying")
    }

    @Test
    fun `another default is another`() {
        assertOtherDefault("varchar(9)", "'NULL'", "NULL")
        assertOtherDefault("varchar(9)", "'x'", "'X'")
        assertOtherDefault("varchar(40)", "'CURRENT_TIMESTAMP'", "CURRENT_TIMESTAMP")
        assertOtherDefault("varchar(40)", "'a::text'", "'a'")
        assertOtherDefault("int", "5", "-5")
        assertOtherDefault("timestamp", "'2024-02-29 12:30:00'", "'2024-02-29 12:30:01'")
        assertOtherDefault("text", "lower('A')", "upper('A')")
        assertOtherDefault("int", null, "0")
    }

    @Test
    fun `a condition is the same in the words of every server`() {
        assertSameCondition("amount > 0", "(amount > 0)", "(`amount` > 0)", "(\"amount\" > (0)::numeric)")
        assertSameCondition("amount BETWEEN -1 AND 5", "((amount >= '-1'::integer) AND (amount <= 5))", "(`amount` between -(1) and 5)")
        assertSameCondition(
            "state IN ('open', 'done')",
            "((state)::text = ANY ((ARRAY['open'::character varying, 'done'::character varying])::text[]))",
            "(`state` in (_utf8mb4'open',_utf8mb4'done'))",
        )
        assertSameCondition("state <> 'x::y'", "((state)::text <> 'x::y'::text)", "state != 'x::y'")
        assertSameCondition("CHAR_LENGTH(state) > 2", "(char_length((state)::text) > 2)")
    }

    @Test
    fun `another column, literal or comparison is another condition`() {
        for (other in listOf("price > 0", "amount > 1", "amount >= 0", "amount > 0 OR price > 0", "amount > '0x'", "amount > -0.5")) {
            assertNotEquals(signatureOf("amount > 0", COLUMNS), signatureOf(other, COLUMNS), other)
        }
        assertNotEquals(signatureOf("amount > -5", COLUMNS), signatureOf("amount > 5", COLUMNS))
        assertEquals(setOf("amount", "state"), columnsIn("\"state\" = 'price' OR items.amount > 1", COLUMNS))
    }

    private fun assertSameDefault(type: String, first: String?, vararg others: String) =
        others.forEach { assertEquals(canonicalDefault(first, type), canonicalDefault(it, type), it) }

    private fun assertOtherDefault(type: String, first: String?, other: String) = assertNotEquals(canonicalDefault(first, type), canonicalDefault(other, type))

    private fun assertSameCondition(first: String, vararg others: String) =
        others.forEach { assertEquals(signatureOf(first, COLUMNS), signatureOf(it, COLUMNS), it) }

    private companion object {
        val COLUMNS = setOf("amount", "price", "state")
    }
}
