package dev.kormorant.jasync

import io.netty.channel.epoll.Epoll
import io.netty.channel.epoll.EpollSocketChannel
import io.netty.channel.socket.nio.NioSocketChannel
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.net.InetAddress
import java.net.ServerSocket
import kotlin.time.Duration.Companion.seconds

class TransportTest {
    @Test
    fun `the native transport is used where there is one, else the portable one`() {
        ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { server ->
            val used = runBlocking {
                Transport.connect(server.inetAddress.hostAddress, server.localPort, 30.seconds, {}) { channel -> channel.javaClass.also { channel.close() } }
            }
            assertEquals(if (Epoll.isAvailable()) EpollSocketChannel::class.java else NioSocketChannel::class.java, used)
        }
    }
}
