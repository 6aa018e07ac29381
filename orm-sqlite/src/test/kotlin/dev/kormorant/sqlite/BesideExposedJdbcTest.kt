package dev.kormorant.sqlite

import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.jdbc.insert as insertByJdbc
import org.jetbrains.exposed.v1.jdbc.selectAll as selectAllByJdbc
import org.jetbrains.exposed.v1.jdbc.transactions.transaction as transactionByJdbc
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import org.jetbrains.exposed.v1.jdbc.Database as JdbcDatabase

/** One table in a coroutine and in a JDBC transaction of Exposed, in one process. */
class BesideExposedJdbcTest {
    private object Words : Table("word") {
        val text = varchar("text", 40)
    }

    @TempDir
    lateinit var directory: Path

    @Test
    fun `the same tables serve sync code, either one nested in the other (S7)`() {
        val file = directory.resolve("words.db")
        val jdbc = JdbcDatabase.connect("jdbc:sqlite:$file", "org.sqlite.JDBC")
        runBlocking {
            Database.open("sqlite:$file").use { db ->
                withContext(db) {
                    Schema.create(Words)
                    transactionByJdbc(jdbc) { Words.insertByJdbc { it[text] = "theirs" } }
                    transaction {
                        Words.insert { it[text] = "ours" }
                        val seen = transactionByJdbc(jdbc) { Words.selectAllByJdbc().map { it[Words.text] } }
                        assertEquals(listOf("theirs"), seen)
                        Words.insert { it[text] = "ours too" }
                    }
                }
                transactionByJdbc(jdbc) {
                    Words.insertByJdbc { it[text] = "theirs too" }
                    val seen = runBlocking(db) { transaction(readOnly = true) { Words.selectAll().toList().map { it[Words.text] } } }
                    assertEquals(listOf("theirs", "ours", "ours too"), seen)
                    assertEquals(4, Words.selectAllByJdbc().count())
                }
                withContext(db) { assertEquals(4, Words.selectAll().count()) }
            }
        }
    }
}
