package dev.kormorant.jasync

import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import dev.kormorant.compiled
import dev.kormorant.cte
import dev.kormorant.hole
import dev.kormorant.mapTo
import dev.kormorant.save
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.test.TestServers
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.LikePattern
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.vendors.currentDialect
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

private object Notes : LongIdTable("two_kinds_note") {
    val key = varchar("key", 40).uniqueIndex()
    val done = bool("done").default(false)
}

private class Note : LongModel() {
    var key by Notes.key
    var done by Notes.done

    companion object : LongModelClass<Note>(Notes, ::Note)
}

/** One model on databases of different kinds in one process (M19, Q1). */
class TwoKindsOfDatabaseTest {
    private fun test(block: suspend (postgresql: Database, mariadb: Database, sqlite: Database) -> Unit) = runBlocking {
        val servers = listOf(TestServers.postgresql().url, TestServers.mariadb().url, "sqlite::memory:")
        val databases = servers.map { Database.open(it) }
        try {
            databases.forEach { withContext(it) { Schema.create(Notes) } }
            block(databases[0], databases[1], databases[2])
            databases.forEach { assertEquals(0, it.pool.inUse) }
        } finally {
            databases.forEach { db ->
                withContext(db) { Schema.drop(Notes) }
                db.close()
            }
        }
    }

    @Test
    fun `a mysql URL to a MariaDB server is noticed at the first connection (P16)`() = runBlocking {
        val url = TestServers.mariadb().url.replaceBefore("://", "mysql")
        Database.open(url).use { db ->
            db.connect()
            assertEquals("MariaDB", db.dialectName)
        }
    }

    @Test
    fun `one model, nested, is rendered for the database that runs it`() = test { postgresql, mariadb, sqlite ->
        withContext(postgresql) {
            val first = Note.create { key = "in PostgreSQL" }
            withContext(sqlite) {
                Note.create { key = "in SQLite"; done = true }
                withContext(mariadb) { assertEquals(0, Note.count()) }
                assertEquals(listOf("in SQLite"), Note.all().toList().map { it.key })
            }
            first.done = true
            first.save()
            assertEquals(true, Note.get(first.id).done)
        }
    }

    @Test
    fun `transactions on several databases nest, and each ends for itself`() = test { postgresql, mariadb, sqlite ->
        postgresql.transaction {
            Note.create { key = "a" }
            runCatching {
                mariadb.transaction {
                    Note.create { key = "b" }
                    sqlite.transaction { Note.create { key = "c" } }
                    postgresql.transaction { Note.create { key = "d" } }
                    error("stop")
                }
            }
        }
        assertEquals(listOf(2L, 0L, 1L), listOf(postgresql, mariadb, sqlite).map { withContext(it) { Note.count() } })
    }

    @Test
    fun `Exposed's functions know the dialect of the innermost transaction, on every thread`() = test { postgresql, mariadb, sqlite ->
        postgresql.transaction {
            assertEquals("PostgreSQL", currentDialect.name)
            mariadb.transaction {
                assertEquals("MariaDB", currentDialect.name)
                withContext(Dispatchers.IO) {
                    Note.create { key = "b" }
                    assertEquals("MariaDB", currentDialect.name)
                    postgresql.transaction { assertEquals("PostgreSQL", currentDialect.name) }
                    withContext(sqlite) { assertEquals(0, Note.count()) }
                    assertEquals("MariaDB", currentDialect.name)
                }
            }
            Note.create { key = "a" }
            assertEquals("PostgreSQL", currentDialect.name)
        }
        assertTrue(runCatching { currentDialect }.isFailure)
    }

    @Test
    fun `one query object runs on each of them`() = test { postgresql, mariadb, sqlite ->
        val query = Note.find { Notes.key like "x%" }.orderBy(Notes.key)
        for (db in listOf(postgresql, mariadb, sqlite)) {
            withContext(db) {
                Note.createAll(listOf("x2", "y", "x1").map { Note.new { key = it } })
                assertEquals(listOf("x1", "x2"), query.toList().map { it.key })
                assertEquals(2, query.count())
            }
        }
    }

    @Test
    fun `one query, compiled or not, runs on all of them at the same time (Q1)`() = test { postgresql, mariadb, sqlite ->
        val databases = listOf(postgresql, mariadb, sqlite)
        for ((number, db) in databases.withIndex()) {
            withContext(db) { for (note in 1..3) Note.create { key = "$number-$note"; done = note == 2 } }
        }
        val done = cte("done_notes", Notes.select(Notes.key).where { Notes.done eq true })
        val query = done.selectAll().where { done[Notes.key] like LikePattern.ofLiteral("") + "%" }.mapTo<NoteKey>()
        val byKey = compiled(hole(Notes.key)) { key -> Notes.select(Notes.key).where { Notes.key eq key }.mapTo<NoteKey>() }
        val found = databases.indices.flatMap { number ->
            List(20) {
                CoroutineScope(Dispatchers.Default + databases[number]).async {
                    assertEquals(NoteKey("$number-2"), query.single())
                    byKey("$number-3").single().key
                }
            }
        }.awaitAll()
        assertEquals(databases.indices.flatMap { number -> List(20) { "$number-3" } }, found)
    }

    private data class NoteKey(val key: String)
}
