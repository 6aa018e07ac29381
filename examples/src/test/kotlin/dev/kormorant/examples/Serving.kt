package dev.kormorant.examples

import io.ktor.server.application.Application
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse

/** A service that runs in this process, on a free port of the loopback. */
class Service(val port: Int) {
    private val client = HttpClient.newHttpClient()

    val url: String get() = "http://127.0.0.1:$port"

    fun send(method: String, path: String, json: String? = null): HttpResponse<String> {
        val body = json?.let(HttpRequest.BodyPublishers::ofString) ?: HttpRequest.BodyPublishers.noBody()
        val request = HttpRequest.newBuilder(URI(url + path)).method(method, body)
        if (json != null) request.header("Content-Type", "application/json")
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString())
    }

    fun get(path: String): HttpResponse<String> = send("GET", path)
}

/** Runs [block] with a server of [module], which is stopped afterwards. */
suspend fun <T> serving(module: suspend Application.() -> Unit, block: suspend Service.() -> T): T {
    val server = embeddedServer(CIO, port = 0, host = "127.0.0.1", module = module).startSuspend(wait = false)
    try {
        return Service(server.engine.resolvedConnectors().single().port).block()
    } finally {
        server.stopSuspend(100, 5_000)
    }
}
