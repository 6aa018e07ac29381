package dev.kormorant.examples.library

import dev.kormorant.Schema
import dev.kormorant.delete
import dev.kormorant.deleteWhere
import dev.kormorant.ktor.Kormorant
import dev.kormorant.ktor.KormorantConfig
import dev.kormorant.ktor.database
import dev.kormorant.ktor.transactional
import dev.kormorant.save
import dev.kormorant.selectAll
import io.ktor.http.ContentType
import io.ktor.http.HttpStatusCode
import io.ktor.serialization.kotlinx.json.json
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.install
import io.ktor.server.http.content.staticResources
import io.ktor.server.plugins.contentnegotiation.ContentNegotiation
import io.ktor.server.request.receive
import io.ktor.server.response.respond
import io.ktor.server.response.respondTextWriter
import io.ktor.server.routing.Route
import io.ktor.server.routing.delete
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.put
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import io.ktor.server.util.getOrFail
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.Json
import org.jetbrains.exposed.v1.core.eq

private val NDJSON = ContentType("application", "x-ndjson")
private const val LARGEST_PAGE = 100

/** A library over HTTP: authors with their books, as JSON and as a page to edit them. */
suspend fun Application.libraryService(configure: KormorantConfig.() -> Unit) {
    install(Kormorant) {
        health = "/health"
        configure()
    }
    install(ContentNegotiation) { json() }
    withContext(database()) { Schema.create(Authors, Books) }
    routing {
        staticResources("/", "dev/kormorant/examples/library")
        route("/authors") {
            reading()
            transactional { writing() }
        }
        transactional { books() }
    }
}

private fun Route.reading() {
    // region eager
    get {
        val page = call.number("page", default = 1, largest = Int.MAX_VALUE)
        val size = call.number("size", default = 20, largest = LARGEST_PAGE)
        val authors = Author.all().orderBy(Authors.name).limit(size).offset((page - 1L) * size).with(Author::books)
        call.respond(AuthorList(page, size, Author.count(), authors.toList().map { it.view() }))      // three queries, whatever the size
    }
    // endregion
    // region ndjson
    get("/export") {
        call.respondTextWriter(NDJSON) {
            Authors.selectAll().orderBy(Authors.id).also { it.fetchSize(500) }.collect { row ->
                write(Json.encodeToString(AuthorInput(row[Authors.name])))
                write("\n")
            }
        }
    }
    // endregion
    get("/{id}") { call.respond(call.author().view()) }
}

private fun Route.writing() {
    post {
        val input = call.receive<AuthorInput>()
        val author = Author.create { name = input.name }
        call.respond(HttpStatusCode.Created, AuthorView(author.id.value, author.name, emptyList()))
    }
    put("/{id}") {
        val input = call.receive<AuthorInput>()
        val author = call.author()
        author.name = input.name
        author.save()
        call.respond(author.view())
    }
    delete("/{id}") {
        val author = call.author()
        Books.deleteWhere { Books.author eq author.id }
        author.delete()
        call.respond(HttpStatusCode.NoContent)
    }
    post("/{id}/books") {
        val input = call.receive<BookInput>()
        val writer = call.author()
        val book = Book.create {
            title = input.title
            published = input.published
            author.value = writer
        }
        call.respond(HttpStatusCode.Created, book.view())
    }
}

private fun Route.books() = route("/books/{id}") {
    put {
        val input = call.receive<BookInput>()
        val book = Book.get(call.id)
        book.title = input.title
        book.published = input.published
        book.save()
        call.respond(book.view())
    }
    delete {
        Book.get(call.id).delete()
        call.respond(HttpStatusCode.NoContent)
    }
}

private val ApplicationCall.id: Long get() = parameters.getOrFail<Long>("id")

/** The author that the path names, with the books. */
private suspend fun ApplicationCall.author(): Author = Author.find { Authors.id eq id }.with(Author::books).single()

private fun ApplicationCall.number(name: String, default: Int, largest: Int): Int =
    (request.queryParameters[name]?.toIntOrNull() ?: default).coerceIn(1, largest)
