package dev.kormorant.examples.library

import dev.kormorant.Database
import dev.kormorant.examples.Place
import dev.kormorant.examples.Service
import dev.kormorant.examples.serving
import dev.kormorant.ktor.database
import dev.kormorant.test.StatementRecorder
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

class LibraryServiceTest {
    private val statements = StatementRecorder()

    /** A library with a database of its own. */
    private fun library(place: Place, block: suspend Service.(Database) -> Unit) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            lateinit var database: Database
            serving({
                libraryService { database(url) { listener(statements) } }
                database = database()
            }) {
                block(database)
                assertEquals(0, database.pool.inUse)
            }
        }
    }

    private fun Service.addAuthor(name: String): AuthorView = Json.decodeFromString(send("POST", "/authors", """{"name":"$name"}""").body())

    private fun Service.author(id: Long): AuthorView = Json.decodeFromString(get("/authors/$id").body())

    private fun Service.page(path: String): AuthorList = Json.decodeFromString(get(path).body())

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `authors and their books are created, read, changed and deleted`(place: Place) = library(place) {
        val lem = addAuthor("Lem")
        val added = send("POST", "/authors/${lem.id}/books", """{"title":"Solaris","published":1960}""")
        assertEquals(201, added.statusCode())
        val solaris = Json.decodeFromString<BookView>(added.body())
        assertEquals(200, send("PUT", "/books/${solaris.id}", """{"title":"Solaris","published":1961}""").statusCode())
        assertEquals(200, send("PUT", "/authors/${lem.id}", """{"name":"Stanisław Lem"}""").statusCode())
        assertEquals(AuthorView(lem.id, "Stanisław Lem", listOf(BookView(solaris.id, "Solaris", 1961))), author(lem.id))
        assertEquals(204, send("DELETE", "/books/${solaris.id}").statusCode())
        assertEquals(emptyList<BookView>(), author(lem.id).books)
        send("POST", "/authors/${lem.id}/books", """{"title":"Fiasco","published":1986}""")
        assertEquals(204, send("DELETE", "/authors/${lem.id}").statusCode())
        assertEquals(404, get("/authors/${lem.id}").statusCode())
    }

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `mistakes are answered by their status and change nothing`(place: Place) = library(place) {
        val lem = addAuthor("Lem")
        addAuthor("Dick")
        assertEquals(409, send("POST", "/authors", """{"name":"Lem"}""").statusCode())
        assertEquals(409, send("PUT", "/authors/${lem.id}", """{"name":"Dick"}""").statusCode())
        assertEquals(400, send("POST", "/authors", """{"name":"${"x".repeat(81)}"}""").statusCode())
        assertEquals(400, send("POST", "/authors", "{").statusCode())
        assertEquals(400, get("/authors/many").statusCode())
        assertEquals(404, send("POST", "/authors/99/books", """{"title":"?","published":1}""").statusCode())
        assertEquals(404, send("DELETE", "/books/99").statusCode())
        assertEquals(listOf("Dick", "Lem"), page("/authors").items.map { it.name })
    }

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `a list comes in pages, with its books, in three queries`(place: Place) = library(place) {
        for (n in 10..30) {
            val author = addAuthor("Author $n")
            for (book in 1..2) send("POST", "/authors/${author.id}/books", """{"title":"Book $book of $n","published":$n}""")
        }
        statements.clear()
        val second = page("/authors?page=2&size=10")
        assertEquals((20..29).map { "Author $it" }, second.items.map { it.name })
        assertTrue(second.items.all { it.books.size == 2 })
        assertEquals(21L, second.total)
        statements.assertQueries(atMost = 3, atLeast = 3)
        assertEquals(1, page("/authors?page=3&size=10").items.size)
        assertEquals(emptyList<AuthorView>(), page("/authors?page=9&size=10").items)
    }

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `an export is a line for each author`(place: Place) = library(place) {
        for (n in 1..50) addAuthor("Author $n")
        val answer = get("/authors/export")
        assertTrue(answer.headers().firstValue("Content-Type").orElse("").startsWith("application/x-ndjson"))
        assertEquals((1..50).map { """{"name":"Author $it"}""" }, answer.body().trim().lines())
    }

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `a call that writes is one transaction, one that reads is none`(place: Place) = library(place) {
        val lem = addAuthor("Lem")
        statements.clear()
        send("DELETE", "/authors/${lem.id}")
        val operations = statements.statements.map { it.operation }
        assertEquals(listOf("BEGIN", "COMMIT"), listOf(operations.first(), operations.last()))
        statements.clear()
        get("/authors")
        assertTrue(statements.statements.none { it.isTransactionControl })
    }
}
