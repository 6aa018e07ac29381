package dev.kormorant.examples.recipes

import dev.kormorant.ConstraintViolationException
import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import dev.kormorant.transaction
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

object Guests : LongIdTable("guest") {
    val name = varchar("name", 40).uniqueIndex()
}

class Guest : LongModel() {
    var name by Guests.name

    companion object : LongModelClass<Guest>(Guests, ::Guest)
}

/** A nested block is a savepoint: what fails in it is undone alone, and the transaction goes on. */
// region savepoint
suspend fun invite(db: Database, names: List<String>) = withContext(db) {
    Schema.create(Guests)
    transaction {
        for (name in names) {
            try {
                transaction { Guest.create { this.name = name } }
            } catch (error: ConstraintViolationException) {
                println("$name is invited already (${error.kind})")
            }
        }
    }
    println("${Guest.count()} guests")
}
// endregion

suspend fun main() = Database.open("sqlite::memory:").use { invite(it, listOf("Ada", "Grace", "Ada")) }
