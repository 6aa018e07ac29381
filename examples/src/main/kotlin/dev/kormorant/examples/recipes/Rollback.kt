package dev.kormorant.examples.recipes

import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import dev.kormorant.save
import dev.kormorant.transaction
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

object Notes : LongIdTable("note") {
    val text = text("text")
}

class Note : LongModel() {
    var text by Notes.text

    companion object : LongModelClass<Note>(Notes, ::Note)
}

/** A transaction that fails leaves the database as it was; the model in memory keeps what it was given. */
// region rollback
suspend fun rollback(db: Database) = withContext(db) {
    Schema.create(Notes)
    val note = Note.create { text = "FOO" }
    try {
        transaction {
            note.text = "BAR"
            note.save()
            error("Something went wrong.")
        }
    } catch (_: IllegalStateException) {
        println(Note.get(note.id).text)                 // FOO, not BAR
    }
}
// endregion

suspend fun main() = Database.open("sqlite::memory:").use { rollback(it) }
