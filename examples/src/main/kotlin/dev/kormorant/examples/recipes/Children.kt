package dev.kormorant.examples.recipes

import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import dev.kormorant.transaction
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

object Readings : LongIdTable("reading") {
    val sensor = integer("sensor")
}

class Reading : LongModel() {
    var sensor by Readings.sensor

    companion object : LongModelClass<Reading>(Readings, ::Reading)
}

/** Coroutines started inside a transaction belong to it, on whatever thread they run. */
// region children
suspend fun collect(db: Database) = withContext(db) {
    Schema.create(Readings)
    transaction { tx ->
        repeat(8) { number ->
            launch(Dispatchers.Default) { Reading.create { sensor = number } }
        }
        tx.afterCommit { println("${Reading.count()} readings") }      // 8, once all children have ended
    }
}
// endregion

suspend fun main() = Database.open("sqlite::memory:").use { collect(it) }
