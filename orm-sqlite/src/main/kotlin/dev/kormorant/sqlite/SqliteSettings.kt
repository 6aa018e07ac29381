package dev.kormorant.sqlite

import dev.kormorant.ConfigurationException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Settings of a SQLite database. They hold for every connection; set them before the database is opened.
 *
 * Each connection is opened with `foreign_keys=ON`, and a file with `journal_mode=WAL` and `synchronous=NORMAL`: readers never
 * wait for the writer, and a power cut can lose the last transactions but never damages the file.
 */
public class SqliteSettings {
    /**
     * Connections that only read, besides the one that writes; 4 because more rarely pay. 0 reads on the writer's connection.
     * A database in memory has one connection whatever is set here, and so has a file whose `journal_mode` is not WAL.
     *
     * @throws ConfigurationException if it is negative.
     */
    public var readers: Int = 4
        set(value) {
            if (value < 0) throw ConfigurationException("The number of readers must not be negative.")
            field = value
        }

    /**
     * How long a statement waits for a lock of another process before it fails with `DeadlockException`; 5 seconds, as the
     * writers of this process queue for their connection and hold the lock for milliseconds. Zero does not wait.
     *
     * @throws ConfigurationException if it is negative.
     */
    public var busyTimeout: Duration = 5.seconds
        set(value) {
            if (value.isNegative()) throw ConfigurationException("The busy timeout must not be negative.")
            field = value
        }

    internal val pragmas = LinkedHashMap<String, String>()
    internal val attached = LinkedHashMap<String, Location.File>()
    internal val functions = ArrayList<SqliteFunction>()
    internal val collations = LinkedHashMap<String, Comparator<String>>()

    /** Whether readers see the last commit while a transaction writes. */
    internal val isWal: Boolean get() = pragmas["journal_mode"]?.equals("wal", ignoreCase = true) ?: true

    /**
     * Sets `PRAGMA name = value` on every connection, after the library's own. SQLite ignores a name it does not know.
     *
     * @param value a string, number or boolean.
     * @throws ConfigurationException if the name is not a name, or is `busy_timeout` or `query_only`, which are the library's.
     */
    public fun pragma(name: String, value: Any) {
        val key = name.lowercase()
        checkName("pragma", key)
        if (key == "busy_timeout") throw ConfigurationException("The busy timeout is not set by a pragma here.", "Set busyTimeout.")
        if (key == "query_only") throw ConfigurationException("Which connections only read is not set by a pragma here.", "Set readers.")
        pragmas[key] = when (value) {
            is Boolean, is Number -> value.toString()
            is String -> value
            else -> throw ConfigurationException("The value of the pragma $key is neither a string nor a number nor a boolean.")
        }
    }

    /**
     * Makes the tables of the database file [path] known as `name.table`. A transaction over several files is atomic in each
     * of them, but after a power cut one file may have it and another not.
     *
     * @throws ConfigurationException if [path] is no file, or [name] is not a name or is used already.
     */
    public fun attach(path: String, name: String) {
        checkName("attached database", name)
        if (path.isEmpty() || path == ":memory:") {
            throw ConfigurationException("A database in memory cannot be attached.", "It would be another one on each connection; use a file.")
        }
        if (name.lowercase() in RESERVED || attached.keys.any { it.equals(name, ignoreCase = true) }) {
            throw ConfigurationException("The name $name of an attached database is in use.")
        }
        attached[name] = Location.file(path)
    }

    /**
     * Adds the SQL function [name] with [argCount] arguments, -1 for any number.
     *
     * [body] gets and returns `Long`, `Double`, `String`, `ByteArray` or `null`; it may also return other numbers and booleans. It is called by the
     * threads of all connections, at the same time, and must not use the database. What it throws fails the statement with `DatabaseException`.
     *
     * @param deterministic whether equal arguments always give an equal result; only then can an index use it.
     * @throws ConfigurationException if the name is not a name, or there are more than 127 arguments.
     */
    @JvmOverloads
    public fun function(name: String, argCount: Int = -1, deterministic: Boolean = false, body: (List<Any?>) -> Any?) {
        functions += SqliteFunction.Scalar(checkName("function", name), checkCount(argCount), deterministic, body)
    }

    /**
     * Adds the SQL aggregate function [name] with [argCount] arguments, -1 for any number: for each group it begins with
     * [initial], passes what it has and the arguments of each row to [step], and ends with [result].
     *
     * The rules for values, threads and errors are those of [function].
     *
     * @throws ConfigurationException if the name is not a name, or there are more than 127 arguments.
     */
    public fun <A> aggregate(name: String, argCount: Int, initial: () -> A, step: (A, List<Any?>) -> A, result: (A) -> Any?) {
        functions += SqliteFunction.Aggregate(checkName("aggregate", name), checkCount(argCount), initial, step, result)
    }

    /**
     * Adds the order of text [name], for `COLLATE name`. [order] is called by the threads of all connections, at the same time.
     * A column that uses it sorts, and is unique, by it; changing it needs `REINDEX`.
     *
     * @throws ConfigurationException if the name is not a name.
     */
    public fun collation(name: String, order: Comparator<String>) {
        collations[checkName("collation", name)] = order
    }

    private fun checkName(what: String, name: String): String {
        if (!NAME.matches(name)) throw ConfigurationException("The name of a $what has letters, digits and _ only and begins with no digit.")
        return name
    }

    private fun checkCount(count: Int): Int {
        if (count !in -1..MAX_ARGUMENTS) throw ConfigurationException("A function of SQLite has 0 to $MAX_ARGUMENTS arguments, or -1 for any number.")
        return count
    }

    private companion object {
        const val MAX_ARGUMENTS = 127
        val NAME = Regex("[A-Za-z_][A-Za-z0-9_]*")
        val RESERVED = setOf("main", "temp")
    }
}
