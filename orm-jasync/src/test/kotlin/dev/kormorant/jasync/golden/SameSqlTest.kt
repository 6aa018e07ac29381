package dev.kormorant.jasync.golden

import dev.kormorant.Database
import dev.kormorant.DatabaseListener
import dev.kormorant.Schema
import dev.kormorant.StatementEvent
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.test.TestServer
import dev.kormorant.test.TestServers
import dev.kormorant.transaction
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.SqlLogger
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.statements.StatementContext
import org.jetbrains.exposed.v1.jdbc.transactions.TransactionManager
import org.jetbrains.exposed.v1.jdbc.transactions.transaction
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.readText
import dev.kormorant.jasync.golden.exposed.changes as changesOnExposed
import dev.kormorant.jasync.golden.kormorant.changes as changesOnKormorant
import dev.kormorant.jasync.golden.exposed.queries as queriesOnExposed
import dev.kormorant.jasync.golden.kormorant.queries as queriesOnKormorant
import org.jetbrains.exposed.v1.jdbc.Database as JdbcDatabase

/** The text of a query written for Exposed, with other imports, makes the SQL that Exposed makes over JDBC. */
class SameSqlTest {
    @ParameterizedTest
    @ValueSource(strings = ["Queries.kt", "Changes.kt"])
    fun `the texts are the same but for their imports`(file: String) {
        val directory = generateSequence(Path.of("").toAbsolutePath()) { it.parent }.map { it.resolve(SOURCES) }.first { it.exists() }
        val ours = directory.resolve("kormorant/$file").readText()
        val expected = ours.replace(Regex("import dev\\.kormorant\\.(?!jasync)"), "import org.jetbrains.exposed.v1.jdbc.").replace("golden.kormorant", "golden.exposed")
        assertEquals(expected, directory.resolve("exposed/$file").readText())
    }

    @Test
    fun `SQLite`(@TempDir directory: Path) = compare("sqlite:$directory/test.db", JdbcDatabase.connect("jdbc:sqlite:$directory/test.db"), REFUSED_BY_SQLITE)

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
    private fun compare(url: String, jdbc: JdbcDatabase, refused: Set<String>) = runBlocking {
        val sent = ArrayList<String>()
        val listener = object : DatabaseListener {
            override fun onStatement(event: StatementEvent) {
                sent += event.sql
            }
        }
        try {
            Database.open(url) { listener(listener) }.use { db ->
                withContext(db) {
                    Schema.drop(*TABLES)
                    Schema.create(*TABLES)
                    try {
                        compareQueries(jdbc, refused)
                        compareChanges(db, jdbc, sent)
                    } finally {
                        Schema.drop(*TABLES)
                    }
                }
            }
        } finally {
            TransactionManager.closeAndUnregister(jdbc)
        }
    }

    private suspend fun compareQueries(jdbc: JdbcDatabase, refused: Set<String>) {
        val expected = transaction(jdbc) { queriesOnExposed().mapValues { (_, query) -> runCatching { query().prepareSQL(this) } } }
        val actual = queriesOnKormorant().mapValues { (_, query) -> runCatching { query().sql() } }
        assertTrue(expected.size >= 400, "only ${expected.size} queries")
        val both = expected.keys.filter { expected.getValue(it).isSuccess && actual.getValue(it).isSuccess }
        assertEquals(both.associateWith { expected.getValue(it).getOrThrow() }, both.associateWith { actual.getValue(it).getOrThrow() })
        assertTrue(both.size >= 370, "only ${both.size} compared")
        for (name in actual.keys - both) assertTrue(actual.getValue(name).exceptionOrNull() is UnsupportedByDialectException, "$name: ${actual[name]}; Exposed: ${expected[name]}")
        assertEquals(refused, (expected.keys - both).filter { expected.getValue(it).isSuccess }.toSet())
    }

    /** Both run each change and roll it back. JDBC asks for generated keys by its own ways, this library by RETURNING. */
    private suspend fun compareChanges(db: Database, jdbc: JdbcDatabase, sent: MutableList<String>) {
        val expected = changesOnExposed().mapValues { (_, change) -> onExposed(jdbc, change) }
        val actual = changesOnKormorant().mapValues { (name, change) ->
            sent.clear()
            val failure = runCatching { db.transaction { it.setRollbackOnly(); change() } }.exceptionOrNull()
            val statements = sent.filter { TRANSACTION.none(it::startsWith) }.map { if ("Returning" in name) it else it.substringBefore(" RETURNING ") }
            if (failure is UnsupportedByDialectException) null else statements.firstOrNull() ?: throw AssertionError(name, failure)
        }
        val both = actual.keys.filter { actual[it] != null && expected[it] != null }
        assertEquals(both.associateWith { expected[it] }, both.associateWith { actual[it] })
        assertTrue(both.size >= 28, "only ${both.size} of ${actual.size} changes compared: ${actual.keys - both}")
    }

    /** The first statement of [change], `null` if there is none. */
    private fun onExposed(jdbc: JdbcDatabase, change: suspend () -> Unit): String? {
        var first: String? = null
        runCatching {
            transaction(jdbc) {
                addLogger(
                    object : SqlLogger {
                        override fun log(context: StatementContext, transaction: Transaction) {
                            if (first == null) first = context.sql(transaction)
                        }
                    },
                )
                try {
                    runBlocking { change() }
                } finally {
                    rollback()
                }
            }
        }
        return first
    }

    private companion object {
        val TABLES = arrayOf(Artists, Albums, Tracks, Charts, Names)
        val TRANSACTION = listOf("BEGIN", "START", "SET", "COMMIT", "ROLLBACK")
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
