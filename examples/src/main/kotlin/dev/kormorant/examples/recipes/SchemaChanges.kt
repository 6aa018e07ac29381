package dev.kormorant.examples.recipes

import dev.kormorant.Database
import dev.kormorant.Schema
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

object Visits : LongIdTable("visit") {
    val page = varchar("page", 200).index()
    val seconds = integer("seconds").default(0)
}

/** Takes a table that was made by an earlier version of the program to what it is now. */
suspend fun evolve(db: Database) {
    db.exec("CREATE TABLE visit (id BIGINT PRIMARY KEY, page VARCHAR(200) NOT NULL, referer VARCHAR(50) NULL)")
    // region schema-difference
    withContext(db) {
        val difference = Schema.difference(Visits)
        difference.changes.forEach(::println)                               // add column visit.seconds, …
        difference.excess.forEach { println("only in the database: $it") }  // drop column visit.referer
        Schema.apply(difference)                                            // with dropExcess = true that column would go
        check(Schema.difference(Visits).isEmpty)
    }
    // endregion
}

// region schema-create
suspend fun createAndDrop(db: Database) = withContext(db) {
    Schema.create(Tweets, Users)                        // in the order of their references, whatever that of the arguments
    Schema.create(Tweets, Users)                        // what is there is left alone
    Schema.truncate(Users, cascade = true)              // and the tables that refer to it
    Schema.drop(Users, Tweets)
}
// endregion

suspend fun main() = Database.open("sqlite::memory:").use { evolve(it) }
