package dev.kormorant.test

import dev.kormorant.test.FaultProxy.Direction
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.SocketException
import java.net.SocketTimeoutException
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

@Timeout(60)
class FaultProxyTest {
    private val echo = EchoServer()
    private val proxy = FaultProxy("127.0.0.1", echo.port)
    private val clients = mutableListOf<Socket>()

    @AfterEach
    fun closeAll() {
        clients.forEach { it.close() }
        proxy.close()
        echo.close()
    }

    private fun connect() = Socket(proxy.host, proxy.port).also { clients += it }

    private fun Socket.send(text: String) = getOutputStream().write(text.toByteArray())

    private fun Socket.receive(length: Int) = getInputStream().readNBytes(length).decodeToString()

    private fun Socket.assertEchoes(text: String) {
        send(text)
        assertEquals(text, receive(text.length))
    }

    private fun Socket.assertReset() {
        assertThrows(SocketException::class.java) {
            while (true) {
                send("x")
                if (getInputStream().read() < 0) error("an orderly end instead of a reset")
            }
        }
    }

    private fun Socket.assertSilent() {
        soTimeout = 100
        assertThrows(SocketTimeoutException::class.java) { getInputStream().read() }
        soTimeout = 0
    }

    @Test
    fun `bytes are forwarded both ways and counted`() {
        connect().assertEchoes("hello")
        assertEquals(5, proxy.bytesForwarded(Direction.TO_SERVER))
        assertEquals(5, proxy.bytesForwarded(Direction.TO_CLIENT))
    }

    @Test
    fun `much data arrives whole`() {
        val client = connect()
        val data = ByteArray(3_000_000) { it.toByte() }
        val writer = thread { client.getOutputStream().write(data) }
        assertArrayEquals(data, client.getInputStream().readNBytes(data.size))
        writer.join()
    }

    @Test
    fun `the client's orderly end reaches the server and comes back`() {
        val client = connect()
        client.send("bye")
        client.shutdownOutput()
        assertEquals("bye", client.getInputStream().readAllBytes().decodeToString())
    }

    @Test
    fun `a pause holds bytes back and resume delivers them`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.pause()
        client.send("held")
        client.assertSilent()
        proxy.resume()
        assertEquals("held", client.receive(4))
    }

    @Test
    fun `a connection made in a pause works after it`() {
        proxy.pause()
        val client = connect()
        client.send("late")
        client.assertSilent()
        proxy.resume()
        assertEquals("late", client.receive(4))
    }

    @Test
    fun `dropped bytes are lost for good`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.drop(Direction.TO_CLIENT)
        client.send("lost")
        client.assertSilent()
        proxy.resume()
        client.assertEchoes("after")
    }

    @Test
    fun `while a direction is dropped the end of a connection is not seen`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.drop(Direction.TO_SERVER)
        client.close()
        awaitUntil { proxy.connectionCount == 1 && echo.openConnections == 1 }
    }

    @Test
    fun `closed connections end orderly on both sides`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.closeConnections()
        assertEquals(-1, client.getInputStream().read())
        client.close()
        awaitUntil { proxy.connectionCount == 0 && echo.openConnections == 0 }
        assertEquals(listOf<IOException>(), echo.failures)
    }

    @Test
    fun `reset connections fail on both sides`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.resetConnections()
        client.assertReset()
        awaitUntil { proxy.connectionCount == 0 && echo.openConnections == 0 }
        assertEquals(1, echo.failures.size)
    }

    @Test
    fun `a cut ends the connection after exactly that many bytes`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.cutAfter(Direction.TO_CLIENT, 3)
        client.send("answer")
        assertEquals("ans", client.getInputStream().readAllBytes().decodeToString())
    }

    @Test
    fun `only one connection is cut`() {
        val other = connect()
        other.assertEchoes("before")
        val client = connect()
        proxy.cutAfter(Direction.TO_SERVER, 3)
        client.send("request")
        client.getInputStream().readAllBytes()
        assertEquals("before".length + "req".length.toLong(), proxy.bytesForwarded(Direction.TO_SERVER))
        other.assertEchoes("after")
        connect().assertEchoes("after")
    }

    @Test
    fun `a cut after nothing is refused`() {
        assertThrows(IllegalArgumentException::class.java) { proxy.cutAfter(Direction.TO_SERVER, 0) }
    }

    @Test
    fun `a reset comes after exactly that many bytes`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.resetAfter(Direction.TO_SERVER, 3)
        client.send("request")
        client.assertReset()
        assertEquals("before".length + "req".length.toLong(), proxy.bytesForwarded(Direction.TO_SERVER))
        connect().assertEchoes("after")
    }

    @Test
    fun `a pause begins after exactly that many bytes and loses none`() {
        val client = connect()
        proxy.pauseAfter(Direction.TO_CLIENT, 3)
        client.send("answer")
        assertEquals("ans", client.receive(3))
        client.assertSilent()
        proxy.resume()
        assertEquals("wer", client.receive(3))
    }

    @Test
    fun `split bytes arrive whole and in order`() {
        val client = connect()
        proxy.splitInto(1)
        client.assertEchoes("0123456789".repeat(500))
        proxy.cutAfter(Direction.TO_CLIENT, 3)
        client.send("answer")
        assertEquals("ans", client.getInputStream().readAllBytes().decodeToString())
        assertThrows(IllegalArgumentException::class.java) { proxy.splitInto(0) }
    }

    @Test
    fun `while connections are refused the existing ones go on`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.refuse()
        connect().assertReset()
        client.assertEchoes("still")
        proxy.accept()
        connect().assertEchoes("again")
    }

    @Test
    fun `a target that is down resets the client`() {
        val down = EchoServer().also { it.close() }
        FaultProxy("127.0.0.1", down.port).use { Socket(it.host, it.port).use { client -> client.assertReset() } }
    }

    @Test
    fun `a closed proxy has no connection and accepts none`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.close()
        client.assertReset()
        assertEquals(0, proxy.connectionCount)
        assertNobodyEchoes()
        proxy.close()
    }

    /** Somebody else may have taken the port meanwhile, but nobody who echoes. */
    private fun assertNobodyEchoes() =
        assertTrue(runCatching { connect().use { it.assertEchoes("after") } }.isFailure, "the closed proxy still forwards")

    @Test
    fun `closing a paused proxy forwards nothing more`() {
        val client = connect()
        client.assertEchoes("before")
        proxy.pause()
        client.send("held")
        proxy.close()
        awaitUntil { echo.openConnections == 0 }
        assertEquals("before".length.toLong(), echo.bytesReceived)
    }
}

/** Sends back what it gets, each connection on a thread of its own. */
private class EchoServer : AutoCloseable {
    private val listener = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val sockets = ConcurrentHashMap.newKeySet<Socket>()
    val failures = CopyOnWriteArrayList<IOException>()
    val port: Int = listener.localPort
    val openConnections: Int get() = sockets.size

    @Volatile
    var bytesReceived = 0L
        private set

    init {
        thread(isDaemon = true) {
            try {
                while (true) {
                    val socket = listener.accept()
                    sockets += socket
                    thread(isDaemon = true) { echo(socket) }
                }
            } catch (_: IOException) {
                // The server is closed.
            }
        }
    }

    private fun echo(socket: Socket) {
        try {
            val buffer = ByteArray(8192)
            while (true) {
                val count = socket.getInputStream().read(buffer)
                if (count < 0) break
                synchronized(this) { bytesReceived += count }
                socket.getOutputStream().write(buffer, 0, count)
            }
        } catch (e: IOException) {
            failures += e
        }
        socket.close()
        sockets -= socket
    }

    override fun close() {
        listener.close()
        sockets.forEach { it.close() }
    }
}
