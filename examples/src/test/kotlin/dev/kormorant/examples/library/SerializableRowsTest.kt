package dev.kormorant.examples.library

import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.examples.Place
import dev.kormorant.mapTo
import dev.kormorant.mapped
import dev.kormorant.selectAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

/** The serialization plugin adds a constructor and a companion to a class, which must not be taken for the program's. */
class SerializableRowsTest {
    @Serializable
    data class BookRow(val id: Long? = null, val author: Long, @SerialName("called") val title: String, val published: Int, val shelf: String = "none")

    private fun inLibrary(place: Place, block: suspend (lem: Author) -> Unit) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            Database.open(url).use { db ->
                withContext(db) {
                    Schema.create(Authors, Books)
                    block(Author.create { name = "Lem" })
                }
            }
        }
    }

    private suspend fun write(author: Author) = Book.create {
        this.author.value = author
        title = "Solaris"
        published = 1961
    }

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `rows of a query become serializable objects`(place: Place) = inLibrary(place) { lem ->
        val solaris = write(lem)
        val row = Books.selectAll().mapTo<BookRow>().single()
        assertEquals(BookRow(solaris.id.value, lem.id.value, "Solaris", 1961), row)
        assertEquals("""{"id":${solaris.id},"author":${lem.id},"called":"Solaris","published":1961}""", Json.encodeToString(row))
    }

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `models and their loaded relations become serializable objects`(place: Place) = inLibrary(place) { lem ->
        val solaris = write(lem)
        val view = AuthorView(lem.id.value, "Lem", listOf(BookView(solaris.id.value, "Solaris", 1961)))
        assertEquals(view, Author.all().with(Author::books).mapTo<AuthorView>().single())
        assertEquals(view.books.single(), solaris.mapTo<BookView>())
        assertEquals(view, Json.decodeFromString<AuthorView>(Json.encodeToString(view)))
    }

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `a table of serializable rows is written and read`(place: Place) = inLibrary(place) { lem ->
        val books = Books.mapped<StoredBook>()
        val fiasco = books.insert(Json.decodeFromString<StoredBook>("""{"author":${lem.id},"title":"Fiasco","published":1986}"""))
        assertEquals(listOf(fiasco), books.select().toList())
    }

    @Serializable
    data class StoredBook(val id: Long? = null, val author: Long, val title: String, val published: Int)
}
