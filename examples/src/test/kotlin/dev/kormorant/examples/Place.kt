package dev.kormorant.examples

import dev.kormorant.Database
import dev.kormorant.test.ServerKind
import dev.kormorant.test.TestServers
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.nio.file.Files
import java.nio.file.Path

/** A kind of database that every example runs on. */
enum class Place(private val kind: ServerKind?) {
    SQLITE(null),
    POSTGRESQL(ServerKind.POSTGRESQL),
    MYSQL(ServerKind.MYSQL),
    MARIADB(ServerKind.MARIADB),
    ;

    /** Runs [block] with the URL of an empty database, which is gone afterwards; without a server the test is skipped, with the reason. */
    suspend fun <T> withEmptyDatabase(block: suspend (url: String) -> T): T {
        if (kind == null) {
            val directory = Files.createTempDirectory("kormorant-examples")
            try {
                return block("sqlite:${directory.resolve("example.db")}")
            } finally {
                directory.deleteAll()
            }
        }
        val server = TestServers.of(kind).assumeAvailable()
        return Database.open(server.url).use { administrator ->
            administrator.exec("DROP DATABASE IF EXISTS $NAME")
            administrator.exec("CREATE DATABASE $NAME")
            try {
                block(server.url(NAME))
            } finally {
                administrator.exec("DROP DATABASE $NAME")
            }
        }
    }

    private fun Path.deleteAll() = Files.walk(this).use { files -> files.sorted(Comparator.reverseOrder()).forEach(Files::delete) }

    private companion object {
        const val NAME = "kormorant_examples"
    }
}

/** What [block] prints. */
inline fun printed(block: () -> Unit): String {
    val out = System.out
    val captured = ByteArrayOutputStream()
    System.setOut(PrintStream(captured, true, Charsets.UTF_8))
    try {
        block()
    } finally {
        System.setOut(out)
    }
    return captured.toString(Charsets.UTF_8).replace("\r\n", "\n")
}
