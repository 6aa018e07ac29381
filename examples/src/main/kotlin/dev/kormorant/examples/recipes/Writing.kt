package dev.kormorant.examples.recipes

import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.addLogger
import dev.kormorant.batchInsert
import dev.kormorant.batchUpsert
import dev.kormorant.get
import dev.kormorant.json.extract
import dev.kormorant.json.hasKey
import dev.kormorant.json.jsonSet
import dev.kormorant.script
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.sql
import dev.kormorant.transaction
import dev.kormorant.update
import dev.kormorant.upsert
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.SqlLogger
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.plus
import org.jetbrains.exposed.v1.core.statements.StatementContext

// region writing-table
object Words : LongIdTable("word") {
    val name = varchar("name", 40).uniqueIndex()
    val hits = integer("hits").default(1)
    val facts = varchar("facts", 200).default("{}")
}
// endregion

data class WordCount(val name: String, val hits: Int)

/** Counts words: a row is inserted the first time and changed from then on. */
suspend fun count(db: Database, words: List<String>) = withContext(db) {
    val keys = if (db.dialectName in setOf("MySQL", "MariaDB")) emptyArray() else arrayOf(Words.name)
    // region writing-upsert
    val rows = Words.batchUpsert(words, *keys, onUpdate = { it[Words.hits] = Words.hits + insertValue(Words.hits) }) { word ->
        this[Words.name] = word
        this[Words.hits] = 1
    }
    // endregion
    val last = Words.upsert(*keys) { it[name] = "and"; it[hits] = 0 }
    println("${rows.size} words, ${rows.map { it[Words.id] }.distinct().size} rows, ${last[Words.hits]} times 'and'")
}

suspend fun query(db: Database) = withContext(db) {
    // region writing-sql
    val frequent = db.sql("SELECT name, hits FROM word WHERE hits > :least ORDER BY hits DESC, name", mapOf("least" to 1))
    val counts: List<WordCount> = frequent.mapTo<WordCount>().toList()
    val first: String = frequent.first().get<String>("name")
    val some = frequent.fetchSize(100).map { it.get<Int>("hits") }.take(2).toList()
    val deleted: Long = db.exec("DELETE FROM word WHERE hits < ?", 1).affected
    // endregion
    println("$counts $first $some $deleted")
}

suspend fun describe(db: Database) = withContext(db) {
    // region writing-script
    db.script(
        """
        INSERT INTO word (name, hits) VALUES ('cat; dog', 3);   -- a semicolon in a text separates nothing
        UPDATE word SET hits = hits + 1 WHERE name = 'cat; dog';
        """,
    )
    // endregion
    // region writing-json
    Words.update { it[facts] = facts.jsonSet("kind", value = "noun").jsonSet("seen", value = listOf(2024, 2025)) }
    val kind = Words.facts.extract<String>("kind")
    val first = Words.select(Words.name, kind).where { Words.facts.hasKey("seen") }.orderBy(Words.name).first()
    // endregion
    println("${first[Words.name]} is a ${first[kind]}")
}

suspend fun log(db: Database, logger: SqlLogger) = withContext(db) {
    // region writing-log
    transaction {
        addLogger(logger)                                   // StdOutSqlLogger, or any other of Exposed's
        Words.selectAll().limit(1).toList()
    }
    // endregion
}

private object Announcer : SqlLogger {
    override fun log(context: StatementContext, transaction: Transaction) = println("a statement")
}

suspend fun writing(db: Database) {
    withContext(db) {
        Schema.create(Words)
        Words.batchInsert(listOf("the")) { this[Words.name] = it }
    }
    count(db, listOf("the", "cat", "and", "the", "dog"))
    query(db)
    describe(db)
    log(db, Announcer)
}

suspend fun main() = Database.open("sqlite::memory:").use { writing(it) }
