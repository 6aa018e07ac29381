package dev.kormorant.test

import java.net.URLEncoder
import java.nio.file.Path
import org.opentest4j.TestAbortedException

/** A database product that tests can ask [TestServers] for. */
public enum class ServerKind(
    /** As its makers write it. */
    public val label: String,
    internal val scheme: String,
    internal val defaultPort: Int,
) {
    POSTGRESQL("PostgreSQL", "postgresql", 5432),
    MYSQL("MySQL", "mysql", 3306),
    MARIADB("MariaDB", "mariadb", 3306),
    ;

    /** The environment variable with the URL of a server that is already there: `KORMORANT_TEST_POSTGRESQL` and so on. */
    public val environmentVariable: String get() = "KORMORANT_TEST_$name"
}

/**
 * A database server for tests, or the [reason] why there is none here.
 *
 * Every property but [kind], [isAvailable] and [reason] needs a server: without one it throws [TestAbortedException], which
 * JUnit reports as a skipped test with the reason. So a test needs no condition of its own.
 *
 * The account is an administrator's: it may create databases, schemas and users. All tests of the JVM share the server; create one
 * database (in MySQL and MariaDB: schema) per test class with `CREATE DATABASE` on [url], and work on [url] of its name.
 */
public class TestServer internal constructor(
    public val kind: ServerKind,
    private val endpoint: Endpoint?,
    /** Why there is no server; `null` if there is one. */
    public val reason: String?,
) {
    public val isAvailable: Boolean get() = endpoint != null

    public val host: String get() = required().host

    public val port: Int get() = required().port

    public val user: String get() = required().user

    /** Drawn anew for each server started here, so a log can be searched for it. */
    public val password: String get() = required().password

    /** The database of [url]. It exists; `CREATE DATABASE` can be run there. */
    public val database: String get() = required().database

    /** `scheme://user:password@host:port/database`, percent-encoded, for [database]. */
    public val url: String get() = required().url(database, user)

    /**
     * File with the certificate the server shows, in PEM; it is issued by itself to `localhost` and 127.0.0.1. The server speaks both with
     * and without TLS. `null` if the server was not started here or runs in a container: nothing is known about its TLS then.
     */
    public val certificate: Path? get() = required().certificate

    /**
     * MySQL only: name of a second administrator with the same password, who logs in with `caching_sha2_password` while [user] does with
     * `mysql_native_password`. `null` for other kinds and for a server given by URL.
     */
    public val cachingSha2User: String? get() = required().cachingSha2User

    /** Like [url], for another database. Nothing is created. */
    public fun url(database: String): String = required().url(database, user)

    /** Like [url], for another database and another account with the same password. Nothing is created. */
    public fun url(database: String, user: String): String = required().url(database, user)

    /**
     * This server, if it [isAvailable].
     *
     * @throws TestAbortedException with the [reason] if not: the test is skipped.
     */
    public fun assumeAvailable(): TestServer = also { required() }

    private fun required(): Endpoint = endpoint ?: throw TestAbortedException("No ${kind.label} server: $reason")

    /** The URL without account, or why there is no server. */
    override fun toString(): String = endpoint?.toString() ?: "no ${kind.label} server: $reason"
}

internal class Endpoint(
    val scheme: String,
    val host: String,
    val port: Int,
    val user: String,
    val password: String,
    val database: String,
    /** Of the URL, still encoded, with its question mark; empty if there is none. */
    val query: String = "",
    val certificate: Path? = null,
    val cachingSha2User: String? = null,
) {
    fun url(database: String, user: String): String =
        "$scheme://${encode(user)}:${encode(password)}@${address()}/${encode(database)}$query"

    override fun toString(): String = "$scheme://${address()}/$database"

    private fun address() = "${if (':' in host) "[$host]" else host}:$port"

    private fun encode(text: String) = URLEncoder.encode(text, Charsets.UTF_8).replace("+", "%20")
}
