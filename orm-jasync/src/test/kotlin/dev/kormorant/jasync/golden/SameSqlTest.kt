package dev.kormorant.jasync.golden

import dev.kormorant.Database
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.test.TestServer
import dev.kormorant.test.TestServers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.jdbc.transactions.TransactionManager
import org.jetbrains.exposed.v1.jdbc.transactions.transaction
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.readText
import dev.kormorant.jasync.golden.exposed.queries as queriesOnExposed
import dev.kormorant.jasync.golden.kormorant.queries as queriesOnKormorant
import org.jetbrains.exposed.v1.jdbc.Database as JdbcDatabase

/** The text of a query written for Exposed, with other imports, makes the SQL that Exposed makes over JDBC. */
class SameSqlTest {
    @Test
    fun `the queries are the same but for their imports`() {
        val directory = generateSequence(Path.of("").toAbsolutePath()) { it.parent }.map { it.resolve(SOURCES) }.first { it.exists() }
        val ours = directory.resolve("kormorant/Queries.kt").readText()
        val expected = ours.replace(Regex("import dev\\.kormorant\\.(?!jasync)"), "import org.jetbrains.exposed.v1.jdbc.").replace("golden.kormorant", "golden.exposed")
        assertEquals(expected, directory.resolve("exposed/Queries.kt").readText())
    }

    @Test
    fun `SQLite`() = compare("sqlite::memory:", JdbcDatabase.connect("jdbc:sqlite::memory:"), REFUSED_BY_SQLITE)

    @Test
    fun `PostgreSQL`() = compare(TestServers.postgresql(), "postgresql", REFUSED_BY_POSTGRESQL)

    @Test
    fun `MySQL`() = compare(TestServers.mysql(), "mysql", REFUSED_BY_MYSQL)

    @Test
    fun `MariaDB`() = compare(TestServers.mariadb(), "mariadb", REFUSED_BY_MARIADB)

    private fun compare(server: TestServer, scheme: String, refused: Set<String>) {
        val url = "jdbc:$scheme://${server.host}:${server.port}/${server.database}"
        val parameters = if (scheme == "mysql") "?allowPublicKeyRetrieval=true&useSSL=false" else ""
        compare(server.url, JdbcDatabase.connect(url + parameters, user = server.user, password = server.password), refused)
    }

    /** [refused] are the queries that this library refuses and Exposed sends, for the database to refuse them. */
    private fun compare(url: String, jdbc: JdbcDatabase, refused: Set<String>) {
        val expected = try {
            transaction(jdbc) { queriesOnExposed().mapValues { (_, query) -> runCatching { query().prepareSQL(this) } } }
        } finally {
            TransactionManager.closeAndUnregister(jdbc)
        }
        val actual = runBlocking {
            Database.open(url).use { db -> withContext(db) { queriesOnKormorant().mapValues { (_, query) -> runCatching { query().sql() } } } }
        }
        assertTrue(expected.size >= 400, "only ${expected.size} queries")
        val both = expected.keys.filter { expected.getValue(it).isSuccess && actual.getValue(it).isSuccess }
        assertEquals(both.associateWith { expected.getValue(it).getOrThrow() }, both.associateWith { actual.getValue(it).getOrThrow() })
        assertTrue(both.size >= 370, "only ${both.size} compared")
        for (name in actual.keys - both) assertTrue(actual.getValue(name).exceptionOrNull() is UnsupportedByDialectException, "$name: ${actual[name]}; Exposed: ${expected[name]}")
        assertEquals(refused, (expected.keys - both).filter { expected.getValue(it).isSuccess }.toSet())
    }

    private companion object {
        const val SOURCES = "orm-jasync/src/test/kotlin/dev/kormorant/jasync/golden"
        val DISTINCT_ON = setOf("distinct on", "distinct on two", "distinct on, sorted")
        val FULL_JOIN = setOf("full join by key", "join FULL", "join FULL of an alias", "join FULL of a query")
        val POSTGRESQL_LOCKS = setOf("for update of PostgreSQL", "for share of PostgreSQL", "for key share of PostgreSQL")
        val SHARE_MODE = setOf("lock in share mode", "lock in share mode of MariaDB")

        /** ANY and ALL of queries, then of arrays and tables. */
        val ANY_OF_QUERY = conditions(76..77)
        val ANY_OF_OTHERS = conditions(78..80)
        val REFUSED_BY_SQLITE = DISTINCT_ON + "lateral join" + POSTGRESQL_LOCKS + SHARE_MODE + "for update of MySQL" + ANY_OF_QUERY + ANY_OF_OTHERS
        val REFUSED_BY_POSTGRESQL = SHARE_MODE
        val REFUSED_BY_MYSQL = DISTINCT_ON + FULL_JOIN + "for key share of PostgreSQL" + ANY_OF_OTHERS
        val REFUSED_BY_MARIADB = DISTINCT_ON + FULL_JOIN + "lateral join" + POSTGRESQL_LOCKS + ANY_OF_OTHERS

        fun conditions(numbers: IntRange): Set<String> = numbers.flatMap { listOf("condition $it", "condition $it, negated") }.toSet()
    }
}
