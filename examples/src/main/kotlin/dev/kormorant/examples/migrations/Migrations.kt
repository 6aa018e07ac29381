package dev.kormorant.examples.migrations

import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.SchemaDifference
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.flywaydb.core.Flyway
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.writeText

/** Versioned migrations: scripts made from the difference, run by Flyway over JDBC before the program opens its database. */
// region migration-script
suspend fun writeScript(db: Database, scripts: Path, version: Int, title: String, vararg tables: Table): SchemaDifference = withContext(db) {
    val difference = Schema.difference(*tables)
    if (!difference.isEmpty) scripts.resolve("V${version}__$title.sql").writeText(difference.script())
    difference
}
// endregion

// region migrate
/** How many scripts Flyway has run, those it has not run on this database before. */
suspend fun migrate(jdbcUrl: String, user: String?, password: String?, scripts: Path): Int = withContext(Dispatchers.IO) {
    val flyway = Flyway.configure().dataSource(jdbcUrl, user, password).locations("filesystem:$scripts").load()
    flyway.migrate().migrationsExecuted
}
// endregion

// region migration-check
suspend fun requireUpToDate(db: Database, vararg tables: Table) = withContext(db) {
    val difference = Schema.difference(*tables)
    check(difference.isEmpty) { "The database is not what the program expects:\n$difference" }
}
// endregion

/** The table of a program in the versions it has had. */
class Books(version: Int) : LongIdTable("book") {
    init {
        varchar("title", if (version < 2) 60 else 200)
        if (version >= 2) {
            val isbn = varchar("isbn", 13).nullable()
            index("book_by_isbn", false, isbn)
        }
    }
}

/** Develops the program from its first version to its second on a database of its own. */
suspend fun develop(db: Database, jdbcUrl: String, user: String?, password: String?, scripts: Path) {
    writeScript(db, scripts, 1, "create_books", Books(1))
    println("${migrate(jdbcUrl, user, password, scripts)} script run")
    db.exec("INSERT INTO book (title) VALUES ('Solaris')")
    val difference = writeScript(db, scripts, 2, "add_isbn", Books(2))
    println("${migrate(jdbcUrl, user, password, scripts)} script run, ${difference.excess.size} in excess")
    requireUpToDate(db, Books(2))
    println(db.exec("SELECT title FROM book").scalar())
    println("${migrate(jdbcUrl, user, password, scripts)} scripts run")
}

suspend fun main() {
    val directory = withContext(Dispatchers.IO) { Files.createTempDirectory("migrations") }
    val file = directory.resolve("books.db")
    Database.open("sqlite:$file").use { develop(it, "jdbc:sqlite:$file", null, null, directory) }
}
