package dev.kormorant.sqlite

import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.Driver
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** A test that must come to an end; the bound is far from what any of them needs. */
internal fun test(block: suspend CoroutineScope.() -> Unit): Unit = runBlocking(Dispatchers.Default) { withTimeout(2.minutes, block) }

internal fun open(
    url: String,
    settings: SqliteSettings = SqliteSettings(),
    statementCacheSize: Int = 256,
    connectTimeout: Duration = 30.seconds,
): Driver = SqliteDriverProvider().open(
    DatabaseUrl.parse(url),
    DriverOptions(connectTimeout, null, null, statementCacheSize, mapOf(SqliteSettings::class.java to settings)),
)

internal suspend fun <T> Driver.use(block: suspend (Driver) -> T): T = try {
    block(this)
} finally {
    close()
}

/** One connection to a new database in memory. */
internal suspend fun <T> inMemory(settings: SqliteSettings = SqliteSettings(), cacheSize: Int = 256, block: suspend (Connection) -> T): T =
    open("sqlite::memory:", settings, cacheSize).use { block(it.connect(Access.WRITE)) }

/** A statement whose parameter types follow from the classes of the values. */
internal fun statement(sql: String, vararg values: Any?, reusable: Boolean = true) = SqlStatement(sql, values.map(::typeOf), values.toList(), reusable)

private fun typeOf(value: Any?): SqlType = when (value) {
    is Long, is Int -> SqlType.BIGINT
    is Double -> SqlType.DOUBLE
    is ByteArray -> SqlType.BINARY
    else -> SqlType.TEXT
}

internal suspend fun Connection.run(sql: String, vararg values: Any?): RawResult = execute(statement(sql, *values))

/** The only value of the only row. */
internal suspend fun Connection.value(sql: String, vararg values: Any?): Any? = run(sql, *values).rows.single().single()

internal suspend fun Connection.count(table: String): Long = value("SELECT count(*) FROM $table") as Long

internal suspend fun RowStream.all(): List<List<Any?>> = buildList {
    while (true) addAll((next() ?: break).map { it.toList() })
}

/** Settings with the SQL function `started()`, and what is completed when a statement calls it. */
internal class Started {
    @Volatile
    var signal = CompletableDeferred<Unit>()
    val settings = SqliteSettings().apply {
        function("started", 0) {
            signal.complete(Unit)
            1L
        }
    }
}

/** Never ends by itself. */
internal const val ENDLESS = "WITH RECURSIVE r(x) AS (SELECT started() UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r"
