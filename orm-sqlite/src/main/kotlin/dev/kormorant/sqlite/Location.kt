package dev.kormorant.sqlite

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.driver.DatabaseUrl
import java.nio.file.Files
import java.nio.file.InvalidPathException
import java.nio.file.Path

/** Where a database is. */
internal sealed class Location {
    /** The URL for sqlite-jdbc. */
    abstract val jdbcUrl: String

    /** @throws ConnectionException if it cannot be there. */
    abstract fun check()

    object Memory : Location() {
        override val jdbcUrl: String get() = "jdbc:sqlite::memory:"
        override fun check() = Unit
        override fun toString(): String = ":memory:"
    }

    class File(private val path: Path) : Location() {
        /** As a URI: in a plain path sqlite-jdbc takes what follows a question mark for settings. */
        override val jdbcUrl: String get() = "jdbc:sqlite:${path.toUri().toASCIIString().removeSuffix("/")}"

        override fun check() {
            val directory = path.parent
            if (directory != null && !Files.isDirectory(directory)) {
                throw ConnectionException(
                    "There is no directory $directory for the database.",
                    "Create the directory first; a missing file in it is made.",
                    null,
                    isTransient = false,
                )
            }
        }

        override fun toString(): String = path.toString()
    }

    companion object {
        /** @throws ConfigurationException if [url] names no file. */
        fun of(url: DatabaseUrl): Location {
            if (url.host != null) throw ConfigurationException("A SQLite URL has no host.", "Write it as sqlite:path, without slashes before the path.")
            val path = url.database.removePrefix("file:")
            val mode = url.parameters["mode"]
            if (mode != null && mode != "memory") throw ConfigurationException("The mode of a SQLite URL can only be memory.", "Leave it out for a file.")
            return if (mode != null || path.isEmpty() || path == ":memory:") Memory else file(path)
        }

        fun file(path: String): File = try {
            File(Path.of(path).toAbsolutePath().normalize())
        } catch (e: InvalidPathException) {
            throw ConfigurationException("The path of the database is not a path on this system.", null, e)
        }
    }
}
