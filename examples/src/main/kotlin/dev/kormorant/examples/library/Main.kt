package dev.kormorant.examples.library

import dev.kormorant.logStatements
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import kotlin.time.Duration.Companion.milliseconds

/** Serves the library at `http://localhost:8080` until it is stopped; the URL of another database can be given. */
suspend fun main(args: Array<String>) {
    val url = args.firstOrNull() ?: "sqlite:library.db"
    embeddedServer(CIO, port = 8080) {
        libraryService { database(url) { logStatements(slow = 200.milliseconds) } }
    }.startSuspend(wait = true)
}
