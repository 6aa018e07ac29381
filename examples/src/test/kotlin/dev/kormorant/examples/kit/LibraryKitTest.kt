package dev.kormorant.examples.kit

import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.examples.library.Author
import dev.kormorant.examples.library.Authors
import dev.kormorant.examples.library.Book
import dev.kormorant.examples.library.Books
import dev.kormorant.examples.library.libraryService
import dev.kormorant.examples.serving
import dev.kormorant.save
import dev.kormorant.selectAll
import dev.kormorant.test.Fixture
import dev.kormorant.test.ScriptedDriver
import dev.kormorant.test.TestServers
import dev.kormorant.test.assertPlan
import dev.kormorant.test.databaseTest
import dev.kormorant.test.expectNoRepeats
import dev.kormorant.test.expectQueries
import dev.kormorant.transaction
import kotlinx.coroutines.runBlocking
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

// region kit
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LibraryKitTest {
    private val db = Database.open(TestServers.postgresql().url)           // skipped where there is no server

    private val library = Fixture(db) {
        Schema.create(Authors, Books)
        val lem = Author.create { name = "Lem" }
        for ((words, year) in listOf("Solaris" to 1961, "Fiasco" to 1986)) Book.create { title = words; published = year; author.value = lem }
        lem.id
    }

    @Test
    fun `an author can be renamed`() = databaseTest(library) { lem ->
        transaction { Author.get(lem).apply { name = "Stanisław Lem" }.save() }
        assertEquals("Stanisław Lem", Author.get(lem).name)                 // undone when the test ends
    }

    @Test
    fun `a list with its books is two queries`() = databaseTest(library) {
        expectQueries(atMost = 2) { Author.all().with(Author::books).toList() }
        expectNoRepeats { Author.all().with(Author::books).toList() }       // fails where each row runs a query of its own
    }

    @Test
    fun `books are found by an index`() = databaseTest(library) { lem ->
        assertPlan(Author.find { Authors.name eq "Lem" }) { indexBacked(); usesIndex("library_author_name_unique") }
    }
    // endregion

    // region kit-ktor
    @Test
    fun `the service works on the rows of the test`() = databaseTest(library) {
        serving({ libraryService { database(db); context = sandbox } }) {
            assertEquals(201, send("POST", "/authors", """{"name":"Dick"}""").statusCode())
        }
        assertEquals(2, Author.count())
    }
    // endregion

    // region kit-scripted
    @Test
    fun `a lost link is an error, and no connection is lost with it`() = runBlocking {
        val script = ScriptedDriver()
        script.on("SELECT 1") { ScriptedDriver.rows(listOf("one"), listOf(1)) }
        script.loseLink("SELECT 2")
        script.open().use { db ->
            assertEquals(1, db.exec("SELECT 1").scalar())
            assertInstanceOf(ConnectionException::class.java, runCatching { db.exec("SELECT 2") }.exceptionOrNull())
            script.assertAllReturned(db)
        }
        assertEquals(listOf("SELECT 1", "SELECT 2"), script.sent)
    }
    // endregion

    @AfterAll
    fun `nothing remains`() = runBlocking(db) {
        assertEquals(listOf("Lem"), Authors.selectAll().toList().map { it[Authors.name] })
        Schema.drop(Authors, Books)
        db.close()
    }
}
