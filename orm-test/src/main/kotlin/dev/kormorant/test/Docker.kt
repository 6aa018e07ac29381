package dev.kormorant.test

import java.net.InetSocketAddress
import java.net.SocketAddress
import java.net.StandardProtocolFamily
import java.net.URI
import java.net.UnixDomainSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.SocketChannel
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import kotlin.concurrent.thread
import org.slf4j.LoggerFactory

/**
 * The recipe's server in a container, or `null` without Docker or Testcontainers. The daemon is asked before Testcontainers is
 * touched, whose own search takes many seconds where there is none. A container that fails to start is logged, and `null` too:
 * binaries on the class path may still do.
 */
internal fun startInDocker(recipe: ServerRecipe): Endpoint? {
    val daemon = Docker.address(System.getenv()) ?: return null
    if (!Docker.answers(daemon, Duration.ofSeconds(2)) || !Docker.hasTestcontainers()) return null
    return try {
        ServerContainer.start(recipe)
    } catch (e: Exception) {
        LoggerFactory.getLogger(TestServers::class.java).warn("No {} in Docker, looking for another one.", recipe.kind.label, e)
        null
    }
}

internal object Docker {
    /** What `DOCKER_HOST` names, else the first of the usual sockets that exists. */
    fun address(environment: Map<String, String>): SocketAddress? {
        val host = environment["DOCKER_HOST"]
        if (!host.isNullOrEmpty()) {
            val uri = URI(host)
            return when {
                uri.scheme == "unix" -> UnixDomainSocketAddress.of(uri.path)
                uri.host != null && uri.port > 0 -> InetSocketAddress(uri.host, uri.port)
                else -> null
            }
        }
        return listOfNotNull(
            Path.of("/var/run/docker.sock"),
            environment["XDG_RUNTIME_DIR"]?.let { Path.of(it, "docker.sock") },
            Path.of(System.getProperty("user.home"), ".docker/run/docker.sock"),
        ).firstOrNull { Files.exists(it) }?.let { UnixDomainSocketAddress.of(it) }
    }

    fun answers(daemon: SocketAddress, timeout: Duration): Boolean = try {
        val channel = if (daemon is UnixDomainSocketAddress) SocketChannel.open(StandardProtocolFamily.UNIX) else SocketChannel.open()
        channel.use {
            CompletableFuture.supplyAsync({ ping(it, daemon) }) { thread(isDaemon = true, name = "kormorant-docker-ping", block = it::run) }
                .get(timeout.toMillis(), TimeUnit.MILLISECONDS)
        }
    } catch (_: ExecutionException) {
        false
    } catch (_: TimeoutException) {
        false
    }

    private fun ping(channel: SocketChannel, daemon: SocketAddress): Boolean {
        channel.connect(daemon)
        channel.write(ByteBuffer.wrap("GET /_ping HTTP/1.0\r\n\r\n".toByteArray()))
        val status = ByteBuffer.allocate("HTTP/1.1 200".length)
        while (status.hasRemaining() && channel.read(status) >= 0) continue
        return String(status.array()).endsWith(" 200")
    }

    fun hasTestcontainers(): Boolean = try {
        Class.forName("org.testcontainers.containers.GenericContainer", false, javaClass.classLoader)
        true
    } catch (_: ClassNotFoundException) {
        false
    }
}
