package dev.kormorant.examples.pages

import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import dev.kormorant.ktor.Kormorant
import dev.kormorant.ktor.database
import dev.kormorant.ktor.transactional
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.install
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.request.receiveText
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing
import io.ktor.server.util.getOrFail
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq

// region ktor
object Pages : LongIdTable("page_block") {
    val key = varchar("key", 40).uniqueIndex()
    val text = text("text")
}

class Page : LongModel() {
    var key by Pages.key
    var text by Pages.text

    companion object : LongModelClass<Page>(Pages, ::Page)
}

/** Pages by key: POST creates one, GET reads it, POST to `/create` makes sure that it is there. */
suspend fun Application.pageService(url: String) {
    install(Kormorant) {
        database(url)
        health = "/health"
    }
    withContext(database()) { Schema.create(Pages) }
    routing {
        get("/pages/{key}") {
            val page = Page.get { Pages.key eq call.key }                      // 404 if there is none
            call.respondText(page.text)
        }
        post("/pages/{key}") {
            val words = call.receiveText()
            Page.create { key = call.key; text = words }                       // 409 if there is one
            call.respondText("created", status = HttpStatusCode.Created)
        }
        transactional {
            post("/pages/{key}/create") {
                val (page, created) = Page.getOrCreate({ key = call.key }) { text = "empty" }
                call.respondText(if (created) "created" else page.text)
            }
        }
    }
}
// endregion

private val ApplicationCall.key: String get() = parameters.getOrFail("key")

suspend fun main(args: Array<String>) {
    val url = args.firstOrNull() ?: "sqlite:pages.db"
    embeddedServer(CIO, port = 8080) { pageService(url) }.startSuspend(wait = true)
}
