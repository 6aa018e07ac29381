package dev.kormorant.jasync.mysql

import java.io.ByteArrayOutputStream
import java.io.DataInputStream
import java.io.EOFException
import java.io.OutputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.SocketException
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** A server that follows a script, for what real ones do rarely or never. Each connection runs [script] on a thread of its own. */
internal class FakeServer(private val script: Peer.() -> Unit) : AutoCloseable {
    private val socket = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val peers = CopyOnWriteArrayList<Socket>()
    private val failures = CopyOnWriteArrayList<Throwable>()

    val port: Int get() = socket.localPort

    /** All bytes clients have sent, to search for secrets. */
    val received = ByteArrayOutputStream()

    init {
        thread(isDaemon = true) {
            try {
                while (true) socket.accept().also { peers += it }.let { thread(isDaemon = true) { serve(it) } }
            } catch (_: SocketException) {
                // closed
            }
        }
    }

    private fun serve(peer: Socket) {
        try {
            peer.use { Peer(it, received).script() }
        } catch (_: EOFException) {
            // the client is gone
        } catch (_: SocketException) {
            // the client is gone
        } catch (e: Throwable) {
            failures += e
        }
    }

    fun url(parameters: String = "") = "mysql://127.0.0.1:$port/db$parameters"

    override fun close() {
        socket.close()
        peers.forEach { it.close() }
        failures.firstOrNull()?.let { throw AssertionError("The script of the fake server failed.", it) }
    }

    /** One connection, seen from the server. */
    class Peer(private val socket: Socket, private val received: ByteArrayOutputStream) {
        private val input = DataInputStream(socket.getInputStream())
        private val output: OutputStream = socket.getOutputStream()
        private var sequence = 0

        fun send(vararg payload: Any) {
            val bytes = bytesOf(*payload)
            output.write(byteArrayOf(bytes.size.toByte(), (bytes.size shr 8).toByte(), (bytes.size shr 16).toByte(), sequence++.toByte()) + bytes)
            output.flush()
        }

        fun receive(): ByteArray {
            val header = input.readNBytes(4).also { if (it.size < 4) throw EOFException() }
            sequence = header[3] + 1
            val length = (header[0].toInt() and 0xFF) or (header[1].toInt() and 0xFF shl 8) or (header[2].toInt() and 0xFF shl 16)
            return input.readNBytes(length).also { synchronized(received) { received.writeBytes(it) } }
        }

        fun greet(method: String = "mysql_native_password", challenge: ByteArray = CHALLENGE, tls: Boolean = false, deprecateEof: Boolean = true) {
            val capabilities = 0x00FFF7FF.inv().inv() and if (tls) -1 else 0x800.inv()
            val offered = (if (tls) capabilities or 0x800 else capabilities) or if (deprecateEof) DEPRECATE_EOF else 0
            send(
                10, "8.0.36\u0000", byteArrayOf(7, 0, 0, 0), challenge.copyOf(8), 0,
                byteArrayOf(offered.toByte(), (offered shr 8).toByte()), 45, byteArrayOf(2, 0),
                byteArrayOf((offered shr 16).toByte(), (offered shr 24).toByte()), 21, ByteArray(10), challenge.copyOfRange(8, 20), 0, "$method\u0000",
            )
        }

        fun ok(status: Int = 2) = send(0, 0, 0, status, 0, 0, 0)

        fun error(code: Int, state: String, text: String) = send(0xFF, byteArrayOf(code.toByte(), (code shr 8).toByte()), "#$state", text)

        /** A result with one row of texts; [names] and [values] are of one size. */
        fun row(names: List<String>, values: List<String>, deprecateEof: Boolean = true) {
            send(names.size)
            for (name in names) send(3, "def", 0, 0, 0, sized(name), 0, 12, 45, 0, byteArrayOf(0, 1, 0, 0), 253, 0, 0, 0, 0, 0)
            if (!deprecateEof) send(0xFE, 0, 0, 2, 0)
            send(*values.map { sized(it) }.toTypedArray())
            if (deprecateEof) send(0xFE, 0, 0, 2, 0, 0, 0) else send(0xFE, 0, 0, 2, 0)
        }

        /** Answers the two statements that set up a session, which come at once. */
        fun session(deprecateEof: Boolean = true) {
            receive()
            receive()
            sequence = 1
            ok()
            sequence = 1
            row(listOf("v", "s", "i", "p"), listOf("8.0.36", "1", "7", "67108864"), deprecateEof)
        }

        private fun sized(text: String) = byteArrayOf(text.length.toByte()) + text.toByteArray()

        private fun bytesOf(vararg parts: Any) = parts.fold(ByteArray(0)) { bytes, part ->
            bytes + when (part) {
                is Int -> byteArrayOf(part.toByte())
                is String -> part.toByteArray()
                else -> part as ByteArray
            }
        }
    }

    companion object {
        val CHALLENGE = ByteArray(20) { (it + 1).toByte() }
    }
}
