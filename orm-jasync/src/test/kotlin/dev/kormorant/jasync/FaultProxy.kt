package dev.kormorant.jasync

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** A loopback proxy in front of a server that fails the way networks do. */
internal class FaultProxy(
    private val host: String,
    private val port: Int,
    address: InetAddress = InetAddress.getLoopbackAddress(),
) : AutoCloseable {
    private class Pair(val client: Socket, val server: Socket)

    private val listener = ServerSocket(0, 50, address)
    private val pairs = CopyOnWriteArrayList<Pair>()
    private val accepted = AtomicInteger()

    val localPort: Int get() = listener.localPort

    /** Connections accepted so far. */
    val connections: Int get() = accepted.get()

    /** While set, bytes in both directions are swallowed: a black hole. */
    @Volatile
    var stalled: Boolean = false

    private val acceptor = thread(isDaemon = true, name = "fault-proxy") {
        try {
            while (true) {
                val client = listener.accept()
                if (listener.isClosed) return@thread client.close()
                accepted.incrementAndGet()
                val pair = Pair(client, Socket(host, port)).also { pairs += it }
                pump(pair.client, pair.server)
                pump(pair.server, pair.client)
            }
        } catch (_: IOException) {
            // The listener was closed.
        }
    }

    private fun pump(from: Socket, to: Socket) = thread(isDaemon = true, name = "fault-proxy-pump") {
        val bytes = ByteArray(65_536)
        try {
            while (true) {
                val count = from.getInputStream().read(bytes)
                if (count < 0) break
                if (!stalled) to.getOutputStream().write(bytes, 0, count)
            }
            to.shutdownOutput()
        } catch (_: IOException) {
            from.close()
            to.close()
        }
    }

    /** Ends every connection towards its client in order, as a restarted load balancer does. */
    fun finish() {
        for (pair in pairs) {
            pairs -= pair
            pair.client.close()
            pair.server.close()
        }
    }

    /** Resets every connection towards its client. */
    fun reset() {
        for (pair in pairs) pair.client.setSoLinger(true, 0)
        finish()
    }

    /** Accepts no further connections; those there are go on. */
    fun refuse() {
        listener.close()
        acceptor.join()
    }

    override fun close() {
        listener.close()
        finish()
    }
}
