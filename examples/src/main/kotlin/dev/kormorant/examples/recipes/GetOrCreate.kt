package dev.kormorant.examples.recipes

import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

object Settings : LongIdTable("setting") {
    val key = varchar("name", 40).uniqueIndex()
    val value = varchar("value", 40)
}

class Setting : LongModel() {
    var key by Settings.key
    var value by Settings.value

    companion object : LongModelClass<Setting>(Settings, ::Setting)
}

/** Ten coroutines want the same row; one of them creates it and all get it. */
suspend fun theme(db: Database) = withContext(db) {
    Schema.create(Settings)
    val answers = List(10) {
        async { Setting.getOrCreate({ key = "theme" }) { value = "dark" } }
    }.awaitAll()
    println("${answers.count { (_, created) -> created }} created, ${answers.map { (setting, _) -> setting.id }.distinct().size} row")
}

suspend fun main() = Database.open("sqlite::memory:").use { theme(it) }
