package dev.kormorant.jasync.postgresql

import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.test.TestServers
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** A database of its own on the test server, and ways to reach it. */
internal object PostgreSqlFixture {
    val server get() = TestServers.postgresql()

    private val database: String by lazy {
        val name = "jasync_${UUID.randomUUID().toString().replace("-", "")}"
        runBlocking { driver(url = server.url).connect(Access.WRITE).run { run("CREATE DATABASE $name").also { close() } } }
        name
    }

    fun url(parameters: String = ""): String = server.url(database) + parameters

    fun driver(
        parameters: String = "",
        url: String = url(parameters),
        cache: Int = 100,
        user: String = server.user,
        password: String? = server.password,
        timeout: Duration = 30.seconds,
        types: TypeCatalog = TypeCatalog(),
    ): PostgreSqlDriver {
        val options = DriverOptions(timeout, user, { password }, cache, emptyMap())
        return PostgreSqlDriver(Settings.of(DatabaseUrl.parse(url), options), options, types)
    }
}

/** Runs [test] with a fresh connection. */
internal fun connected(parameters: String = "", cache: Int = 100, test: suspend CoroutineScope.(Connection) -> Unit) = runBlocking<Unit> {
    val connection = PostgreSqlFixture.driver(parameters, cache = cache).connect(Access.WRITE)
    try {
        test(connection)
    } finally {
        connection.close()
    }
}

/** A statement that is not prepared; without arguments it goes by the simple protocol. */
internal suspend fun Connection.run(sql: String, vararg arguments: Pair<SqlType, Any?>): RawResult =
    execute(SqlStatement(sql, arguments.map { it.first }, arguments.map { it.second }, reusable = false))

/** A statement that is prepared. */
internal suspend fun Connection.prepared(sql: String, vararg arguments: Pair<SqlType, Any?>): RawResult =
    execute(SqlStatement(sql, arguments.map { it.first }, arguments.map { it.second }))

/** The only value of the only row. */
internal val RawResult.single: Any? get() = rows.single().single()
