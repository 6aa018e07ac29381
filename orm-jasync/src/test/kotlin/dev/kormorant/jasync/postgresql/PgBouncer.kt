package dev.kormorant.jasync.postgresql

import dev.kormorant.test.TestServer
import org.junit.jupiter.api.Assumptions.assumeTrue
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.isExecutable
import kotlin.io.path.writeText

/** A PgBouncer in transaction mode with two servers, which ends with this JVM: its shell stops it when standard input ends. */
internal class PgBouncer private constructor(private val directory: Path, private val process: Process, val url: String) : AutoCloseable {
    override fun close() {
        process.outputStream.close()
        if (!process.waitFor(30, TimeUnit.SECONDS)) process.destroyForcibly()
        directory.toFile().deleteRecursively()
    }

    companion object {
        private const val SUPERVISOR = $$"""
            "$@" &
            bouncer=$!
            while read -r line; do :; done
            kill -s TERM "$bouncer"
            wait "$bouncer"
        """

        /** Started in front of [server]; the test is skipped where PgBouncer is not installed. */
        fun start(server: TestServer, database: String): PgBouncer {
            val folders = System.getenv("PATH").orEmpty().split(':') + "/usr/sbin"
            val binary = folders.map { Path.of(it, "pgbouncer") }.firstOrNull { it.isExecutable() }
            if (binary == null) println("skipped: PgBouncer: pgbouncer is not installed")
            assumeTrue(binary != null, "pgbouncer is not installed")
            val port = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
            val directory = Files.createTempDirectory("kormorant-pgbouncer-")
            val users = directory.resolve("users.txt").apply { writeText("\"${server.user}\" \"${server.password}\"\n") }
            val config = directory.resolve("pgbouncer.ini").apply {
                writeText(
                    """
                    [databases]
                    $database = host=${server.host} port=${server.port} dbname=$database
                    [pgbouncer]
                    listen_addr = 127.0.0.1
                    listen_port = $port
                    unix_socket_dir =
                    auth_type = scram-sha-256
                    auth_file = $users
                    pool_mode = transaction
                    default_pool_size = 2
                    max_client_conn = 100
                    ignore_startup_parameters = extra_float_digits,IntervalStyle
                    """.trimIndent(),
                )
            }
            // It refuses to run as root, and reads its files again under the other name.
            val isRoot = System.getProperty("user.name") == "root"
            if (isRoot) {
                val owner = directory.fileSystem.userPrincipalLookupService.lookupPrincipalByName("nobody")
                for (path in listOf(users, config, directory)) Files.setOwner(path, owner)
            }
            val command = listOf("$binary", "-q") + (if (isRoot) listOf("-u", "nobody") else emptyList()) + "$config"
            val process = ProcessBuilder(listOf("/bin/sh", "-c", SUPERVISOR, "pgbouncer") + command)
                .redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile()).start()
            val url = "postgresql://${server.url.substringAfter("://").substringBefore('@')}@127.0.0.1:$port/$database"
            return PgBouncer(directory, process, url).apply { awaitReady(port) }
        }
    }

    private fun awaitReady(port: Int) {
        val deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (System.nanoTime() < deadline) {
            try {
                return Socket(InetAddress.getLoopbackAddress(), port).close()
            } catch (_: IOException) {
                process.waitFor(20, TimeUnit.MILLISECONDS)
            }
        }
        val log = directory.resolve("log").toFile().readText()
        close()
        error("PgBouncer did not start: $log")
    }
}
