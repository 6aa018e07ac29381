package dev.kormorant.ktor

import dev.kormorant.Database
import dev.kormorant.OrmException
import dev.kormorant.PoolStats
import io.ktor.http.ContentType
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.response.respondText
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.seconds

/** Whoever asks for health gives up after a few seconds, and takes that for an answer, too. */
private val PATIENCE = 2.seconds

/** Answers 200 if all [databases] answer a question in time, else 503; never with the text of an error. */
internal suspend fun ApplicationCall.answerHealth(databases: Map<String, Database>) {
    val answers = coroutineScope { databases.map { (name, database) -> async { Triple(name, isUp(database), database.pool) } }.awaitAll() }
    val healthy = answers.all { (_, up, _) -> up }
    val parts = answers.joinToString(",") { (name, up, pool) -> """${quoted(name)}:{"status":"${word(up)}","pool":${json(pool)}}""" }
    respondText(
        """{"status":"${word(healthy)}","databases":{$parts}}""",
        ContentType.Application.Json,
        if (healthy) HttpStatusCode.OK else HttpStatusCode.ServiceUnavailable,
    )
}

private suspend fun isUp(database: Database): Boolean = try {
    withTimeoutOrNull(PATIENCE) { database.exec("SELECT 1") } != null
} catch (_: OrmException) {
    false
}

private fun word(up: Boolean) = if (up) "UP" else "DOWN"

private fun json(pool: PoolStats) =
    """{"max":${pool.max},"inUse":${pool.inUse},"idle":${pool.idle},"connecting":${pool.connecting},"waiting":${pool.waiting}}"""

private fun quoted(text: String) = '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"'
