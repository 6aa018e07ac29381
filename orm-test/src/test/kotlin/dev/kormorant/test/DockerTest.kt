package dev.kormorant.test

import java.net.InetSocketAddress
import java.net.StandardProtocolFamily
import java.net.UnixDomainSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.ServerSocketChannel
import java.nio.file.Path
import java.time.Duration
import kotlin.concurrent.thread
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

class DockerTest {
    @TempDir
    lateinit var directory: Path

    private val socket get() = UnixDomainSocketAddress.of(directory.resolve("docker.sock"))

    private fun <T> serving(answer: String?, block: () -> T): T =
        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(socket).use { listener ->
            thread(isDaemon = true) {
                val channel = listener.accept()
                channel.read(ByteBuffer.allocate(1))
                if (answer != null) channel.write(ByteBuffer.wrap(answer.toByteArray()))
            }
            block()
        }

    @Test
    fun `a daemon that answers its ping is there`() {
        assertTrue(serving("HTTP/1.1 200 OK\r\n\r\nOK") { Docker.answers(socket, Duration.ofSeconds(60)) })
    }

    @Test
    fun `a daemon that answers with an error is not`() {
        assertFalse(serving("HTTP/1.1 500 Internal Server Error\r\n\r\n") { Docker.answers(socket, Duration.ofSeconds(60)) })
    }

    @Test
    fun `a daemon that does not answer in time is not`() {
        assertFalse(serving(null) { Docker.answers(socket, Duration.ofMillis(50)) })
    }

    @Test
    fun `no socket, no daemon`() {
        assertFalse(Docker.answers(socket, Duration.ofSeconds(60)))
    }

    @Test
    fun `DOCKER_HOST names the daemon`() {
        assertEquals(UnixDomainSocketAddress.of("/x/docker.sock"), Docker.address(mapOf("DOCKER_HOST" to "unix:///x/docker.sock")))
        assertEquals(InetSocketAddress("127.0.0.1", 2375), Docker.address(mapOf("DOCKER_HOST" to "tcp://127.0.0.1:2375")))
        assertEquals(null, Docker.address(mapOf("DOCKER_HOST" to "npipe:////./pipe/docker_engine")))
    }
}
