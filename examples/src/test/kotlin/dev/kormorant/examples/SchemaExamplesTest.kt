package dev.kormorant.examples

import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.examples.migrations.Books
import dev.kormorant.examples.migrations.develop
import dev.kormorant.examples.migrations.requireUpToDate
import dev.kormorant.examples.recipes.JavaSchemaChanges
import dev.kormorant.examples.recipes.createAndDrop
import dev.kormorant.examples.recipes.evolve
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource
import java.net.URI
import java.nio.file.Path
import kotlin.io.path.name
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText

class SchemaExamplesTest {
    @TempDir
    lateinit var scripts: Path

    @ParameterizedTest
    @EnumSource
    fun `scripts made of the difference take a database from version to version by Flyway`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            val (jdbcUrl, user, password) = jdbc(url)
            Database.open(url).use { db ->
                val output = printed { develop(db, jdbcUrl, user, password, scripts) }
                assertEquals("1 script run\n1 script run, 0 in excess\nSolaris\n0 scripts run\n", output.lines().filter { it.isNotEmpty() && "flyway" !in it }.joinToString("\n", postfix = "\n"))
                assertEquals(listOf("V1__create_books.sql", "V2__add_isbn.sql"), scripts.listDirectoryEntries().map { it.name }.sorted())
                assertTrue("CREATE INDEX book_by_isbn" in scripts.resolve("V2__add_isbn.sql").readText())
                assertTrue(withContext(db) { Schema.listTables() }.contains("flyway_schema_history"))
                assertThrows(IllegalStateException::class.java) { runBlocking { requireUpToDate(db, Books(1)) } }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `a table of an earlier version becomes what it is now`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            val output = printed { Database.open(url).use { evolve(it) } }
            assertTrue("add column visit.seconds" in output && "only in the database: " in output && "visit.referer" in output, output)
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `tables are created and dropped in any order`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url -> Database.open(url).use { createAndDrop(it) } }
    }

    @ParameterizedTest
    @EnumSource
    fun `the Java program finds the missing index`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            assertEquals("create index visit.visit_page\nno difference\n", printed { JavaSchemaChanges.main(arrayOf(url)) })
        }
    }

    /** The same place as JDBC writes it, with its user and password. */
    private fun jdbc(url: String): Triple<String, String?, String?> {
        if (url.startsWith("sqlite:")) return Triple("jdbc:$url", null, null)
        val uri = URI(url)
        val (user, password) = (uri.userInfo ?: "").split(':', limit = 2) + listOf("", "")
        return Triple("jdbc:${uri.scheme}://${uri.host}:${uri.port}${uri.path}", user, password)
    }
}
