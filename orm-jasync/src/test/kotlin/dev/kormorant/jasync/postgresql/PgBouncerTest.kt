package dev.kormorant.jasync.postgresql

import dev.kormorant.DataException
import dev.kormorant.DatabaseException
import dev.kormorant.driver.Access
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable

/**
 * Behind a PgBouncer in transaction mode with fewer servers than clients, which logs in without a password. Its URL is in
 * `KORMORANT_TEST_PGBOUNCER`; it needs `ignore_startup_parameters = extra_float_digits,IntervalStyle`.
 */
@EnabledIfEnvironmentVariable(named = "KORMORANT_TEST_PGBOUNCER", matches = ".+")
class PgBouncerTest {
    private fun driver(cache: Int): PostgreSqlDriver {
        val url = System.getenv("KORMORANT_TEST_PGBOUNCER")
        return PostgreSqlFixture.driver(url = url, user = DatabaseUrl.parse(url).user!!, password = null, cache = cache)
    }

    @Test
    fun `without a statement cache everything works`() = runBlocking<Unit>(Dispatchers.Default) {
        List(8) { client ->
            async {
                val db = driver(0).connect(Access.WRITE)
                repeat(100) { round ->
                    val token = client * 1000 + round
                    assertEquals(token, db.prepared("SELECT ?", SqlType.INTEGER to token).single)
                    assertEquals("$token", db.prepared("SELECT ?::text", SqlType.INTEGER to token).single)
                    val stream = db.stream(SqlStatement("SELECT ? + generate_series(0, 24)", listOf(SqlType.INTEGER), listOf(token)), 10)
                    assertEquals(List(10) { token + it }, stream.next()!!.map { it.single() })
                    stream.close()
                    assertThrows<DataException> { db.prepared("SELECT ? / 0", SqlType.INTEGER to token) }
                    db.run("BEGIN")
                    assertEquals(token, db.prepared("SELECT ?", SqlType.INTEGER to token).single)
                    db.run("COMMIT")
                }
                db.close()
            }
        }.awaitAll()
    }

    @Test
    fun `with a statement cache an answer may be an error but is never another client's`() = runBlocking<Unit>(Dispatchers.Default) {
        List(8) { client ->
            async {
                val db = driver(100).connect(Access.WRITE)
                repeat(100) { round ->
                    val token = client * 1000 + round
                    try {
                        assertEquals("$client $token", db.prepared("SELECT '$client ' || ?::text", SqlType.INTEGER to token).single)
                    } catch (e: DatabaseException) {
                        assertEquals("26000", e.sqlState)
                    }
                }
                db.close()
            }
        }.awaitAll()
    }
}
