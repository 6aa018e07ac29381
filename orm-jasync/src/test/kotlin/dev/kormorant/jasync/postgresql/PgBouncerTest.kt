package dev.kormorant.jasync.postgresql

import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.Database
import dev.kormorant.DatabaseException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.driver.Access
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.transaction
import dev.kormorant.withStatementTimeout
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import kotlin.time.Duration.Companion.milliseconds

/** Behind a PgBouncer in transaction mode with fewer servers than clients. */
class PgBouncerTest {
    private fun driver(cache: Int): PostgreSqlDriver = PostgreSqlFixture.driver(url = bouncer.url, cache = cache)

    @Test
    fun `many databases share two servers when nothing is kept prepared`() = runBlocking<Unit>(Dispatchers.Default) {
        val direct = driver(0).connect(Access.WRITE)
        direct.run("CREATE TABLE bounced (client INTEGER, round INTEGER, UNIQUE (client, round))")
        direct.close()
        Database.open(bouncer.url) { statementCacheSize = 0; pool { max = 20 } }.use { db ->
            List(20) { client ->
                launch(db) {
                    repeat(30) { round ->
                        db.transaction {
                            db.exec("INSERT INTO bounced VALUES (?, ?)", client, round)
                            runCatching { db.transaction { db.exec("INSERT INTO bounced VALUES (?, ?)", client, round) } }
                                .let { assertTrue(it.exceptionOrNull() is ConstraintViolationException, "$it") }
                            assertEquals(round + 1L, db.exec("SELECT count(*) FROM bounced WHERE client = ?", client).scalar())
                        }
                        assertEquals(client, db.exec("SELECT ?", client).scalar())
                    }
                    assertThrows<QueryTimeoutException> { withStatementTimeout(20.milliseconds) { db.exec("SELECT pg_sleep(60)") } }
                }
            }.joinAll()
            assertEquals(600L, db.exec("SELECT count(*) FROM bounced").scalar())
        }
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

    companion object {
        private lateinit var bouncer: PgBouncer

        @BeforeAll
        @JvmStatic
        fun start() {
            bouncer = PgBouncer.start(PostgreSqlFixture.server, PostgreSqlFixture.database)
        }

        @AfterAll
        @JvmStatic
        fun stop() {
            if (::bouncer.isInitialized) bouncer.close()
        }
    }
}
