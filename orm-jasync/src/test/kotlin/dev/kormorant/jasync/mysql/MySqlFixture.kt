package dev.kormorant.jasync.mysql

import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.test.ServerKind
import dev.kormorant.test.TestServer
import dev.kormorant.test.TestServers
import kotlinx.coroutines.runBlocking
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** A database of its own on one of the test servers, and ways to reach it. */
internal class MySqlFixture private constructor(val kind: ServerKind) {
    val server: TestServer get() = TestServers.of(kind).assumeAvailable()

    val database: String by lazy {
        val name = "jasync_${UUID.randomUUID().toString().replace("-", "")}"
        connected(url = server.url) { it.run("CREATE DATABASE $name") }
        name
    }

    fun url(parameters: String = ""): String = server.url(database) + parameters

    fun driver(
        parameters: String = "",
        url: String = url(parameters),
        cache: Int = 100,
        user: String = server.user,
        password: String? = server.password,
        timeout: Duration = 60.seconds,
    ): MySqlDriver =
        MySqlDriverProvider().open(DatabaseUrl.parse(url), DriverOptions(timeout, user, { password }, cache, emptyMap())) as MySqlDriver

    /** Runs [test] with a fresh connection. */
    fun connected(
        parameters: String = "?sslmode=disable",
        url: String = url(parameters),
        cache: Int = 100,
        user: String = server.user,
        password: String? = server.password,
        test: suspend (MySqlConnection) -> Unit,
    ) = runBlocking<Unit> {
        val connection = driver(url = url, cache = cache, user = user, password = password).connect(Access.WRITE) as MySqlConnection
        try {
            test(connection)
        } finally {
            connection.close()
        }
    }

    companion object {
        private val fixtures = ServerKind.entries.associateWith(::MySqlFixture)

        fun of(kind: ServerKind): MySqlFixture = fixtures.getValue(kind)
    }
}

/** A statement that is not kept prepared; without arguments it goes as text. */
internal suspend fun Connection.run(sql: String, vararg arguments: Pair<SqlType, Any?>): RawResult =
    execute(SqlStatement(sql, arguments.map { it.first }, arguments.map { it.second }, reusable = false))

/** A statement that is prepared and kept. */
internal suspend fun Connection.prepared(sql: String, vararg arguments: Pair<SqlType, Any?>): RawResult =
    execute(SqlStatement(sql, arguments.map { it.first }, arguments.map { it.second }))

/** The only value of the only row. */
internal val RawResult.single: Any? get() = rows.single().single()

/** Rows as the text protocol brings them, which the driver avoids where it can. */
internal suspend fun Connection.text(sql: String): RawResult = run("/* text */ $sql")
