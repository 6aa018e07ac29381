package dev.kormorant.sqlite

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Driver
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.DriverProvider
import kotlinx.coroutines.suspendCancellableCoroutine
import org.jetbrains.exposed.v1.core.Version
import org.sqlite.JDBC
import java.sql.SQLException
import java.util.Properties
import java.util.concurrent.atomic.AtomicLong
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * Opens `sqlite:path` and, in memory, `sqlite::memory:`, `sqlite:` or `sqlite:name?mode=memory`.
 *
 * Parameters of the URL, which win over [SqliteSettings]: `busy_timeout` in milliseconds, `readers`.
 * A file that is missing is made; its directory must be there.
 *
 * A database in memory is one database as long as it is open, with one connection for everything: reads queue behind
 * writes, but there is no lock to wait for. It is not shared with others of the same name.
 *
 * Numbers of type `DECIMAL` are kept to 15 digits, or exactly if they are whole numbers of 64 bits; dates with a
 * time zone are kept in UTC to the millisecond.
 */
public class SqliteDriverProvider : DriverProvider {
    override val schemes: Set<String> get() = setOf("sqlite")

    override fun open(url: DatabaseUrl, options: DriverOptions): Driver {
        val settings = options.extras[SqliteSettings::class.java] as SqliteSettings? ?: SqliteSettings()
        url.parameters.keys.firstOrNull { it !in PARAMETERS }?.let {
            throw ConfigurationException(
                "A SQLite URL has no parameter $it.",
                "There are ${PARAMETERS.joinToString()}; other settings are made in sqlite { } of the configuration.",
            )
        }
        return SqliteDriver(
            Location.of(url),
            settings,
            readers = number(url, READERS) ?: settings.readers,
            busyTimeout = number(url, BUSY_TIMEOUT)?.milliseconds ?: settings.busyTimeout,
            options,
        )
    }

    private fun number(url: DatabaseUrl, name: String): Int? = url.parameters[name]?.let { value ->
        value.toIntOrNull()?.takeIf { it >= 0 } ?: throw ConfigurationException("The parameter $name of the SQLite URL is not a whole number.")
    }

    private companion object {
        const val BUSY_TIMEOUT = "busy_timeout"
        const val READERS = "readers"
        val PARAMETERS = listOf(BUSY_TIMEOUT, READERS, "mode")
    }
}

internal class SqliteDriver(
    private val location: Location,
    private val settings: SqliteSettings,
    private val readers: Int,
    private val busyTimeout: Duration,
    private val options: DriverOptions,
) : Driver {
    private val lock = Any()
    private val links = HashSet<Link>()

    @Volatile
    private var dialect: Dialect? = null

    override val maxWriters: Int get() = 1
    override val maxReaders: Int get() = if (location is Location.Memory || !settings.isWal) 0 else readers

    override suspend fun connect(access: Access): Connection {
        val execution = Execution()
        val link = synchronized(lock) {
            val kept = if (location is Location.Memory) links.firstOrNull() else null
            (kept ?: Link().also { links += it }).also { it.lend(execution) }
        }
        return suspendCancellableCoroutine { continuation ->
            continuation.invokeOnCancellation { execution.isCancelled = true }
            val accepted = link.thread.execute {
                runCatching { link.connect(access, execution) }.fold(
                    { continuation.resume(it) { _, connection, _ -> connection.close() } },
                    {
                        link.end()
                        continuation.resumeWithException(it)
                    },
                )
            }
            if (!accepted) continuation.resumeWithException(closedException())
        }
    }

    /** Closes the connections that are still open; the files are whole and may be deleted when it returns. */
    override suspend fun close() {
        val open = synchronized(lock) { links.toList() }
        open.forEach { it.end() }
        open.forEach { it.thread.join() }
    }

    /** A thread with its open database. That of a file ends with its connection; the one in memory lives as long as the driver. */
    private inner class Link {
        val thread = ConnectionThread("kormorant-sqlite-${NUMBERS.incrementAndGet()}")
        private var lent = false
        private var ending = false
        private var session: Session? = null
        private var connection: SqliteConnection? = null
        private var opening: Execution? = null

        fun lend(opening: Execution) {
            if (lent) {
                throw ConnectionException("The one connection of the database in memory is in use.", "Release it before connecting again.", null)
            }
            lent = true
            this.opening = opening
        }

        fun connect(access: Access, execution: Execution): SqliteConnection {
            val open = session ?: open(access, execution).also { session = it }
            val dialect = dialect ?: SqliteDialect(Version.from(open.version), open.parameterLimit).also { dialect = it }
            val made = SqliteConnection(NUMBERS.incrementAndGet(), dialect, thread, open, ::released)
            synchronized(lock) {
                if (ending) throw closedException()
                connection = made
            }
            return made
        }

        private fun open(access: Access, execution: Execution): Session {
            location.check()
            settings.attached.values.forEach(Location::check)
            return try {
                val native = JDBC.createConnection(location.jdbcUrl, Properties())
                var ready = false
                try {
                    Session(native, options.statementCacheSize, busyTimeout)
                        .also { it.setUp(location, settings, access == Access.READ, options.connectTimeout, execution) }
                        .also { ready = true }
                } finally {
                    if (!ready) native.close()
                }
            } catch (e: SQLException) {
                throw connectFailure(e, location)
            }
        }

        /** The connection is closed: a file with it, while the one in memory waits for the next. */
        private fun released() {
            if (location is Location.Memory) {
                synchronized(lock) {
                    connection = null
                    lent = false
                    if (!ending) thread.execute { runCatching { session?.clear() } }
                }
            } else {
                end()
            }
        }

        fun end() {
            val open = synchronized(lock) {
                if (ending) return
                ending = true
                opening?.isCancelled = true
                connection
            }
            open?.close()
            thread.end {
                runCatching { session?.close() }
                synchronized(lock) { links -= this }
            }
        }
    }

    private fun closedException() = ConnectionException("The database $location is closed.", null, null, isTransient = false)

    private companion object {
        val NUMBERS = AtomicLong()
    }
}
