package dev.kormorant.ktor

import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import io.ktor.server.application.Application
import io.ktor.server.cio.CIO
import io.ktor.server.engine.EmbeddedServer
import io.ktor.server.engine.embeddedServer
import kotlinx.coroutines.runBlocking
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.deleteRecursively
import kotlin.io.path.ExperimentalPathApi

internal object Notes : LongIdTable("note") {
    val text = varchar("text", 40).uniqueIndex()
}

internal class Note : LongModel() {
    var text by Notes.text

    companion object : LongModelClass<Note>(Notes, ::Note)
}

/** A server on a free port of the loopback, and a client for it. */
internal class RunningServer(private val server: EmbeddedServer<*, *>) {
    private val client: HttpClient = HttpClient.newHttpClient()
    val port = runBlocking { server.engine.resolvedConnectors().single().port }

    private fun request(path: String, method: String): HttpRequest =
        HttpRequest.newBuilder(URI("http://127.0.0.1:$port$path")).method(method, HttpRequest.BodyPublishers.noBody()).build()

    fun send(path: String, method: String = "GET"): HttpResponse<String> = client.send(request(path, method), HttpResponse.BodyHandlers.ofString())

    fun post(path: String): HttpResponse<String> = send(path, "POST")
}

/** Runs [block] with a server of [module], which is stopped afterwards. */
internal fun <T> serving(module: Application.() -> Unit, block: RunningServer.() -> T): T {
    val server = embeddedServer(CIO, port = 0, host = "127.0.0.1", module = module).start(wait = false)
    try {
        return RunningServer(server).block()
    } finally {
        server.stop(100, 5_000)
    }
}

/** Runs [block] with the URL of a new SQLite file, which is gone afterwards. */
@OptIn(ExperimentalPathApi::class)
internal fun <T> withSqlite(block: (url: String) -> T): T {
    val directory: Path = Files.createTempDirectory("kormorant-ktor-")
    try {
        return block("sqlite:${directory.resolve("test.db")}")
    } finally {
        directory.deleteRecursively()
    }
}
