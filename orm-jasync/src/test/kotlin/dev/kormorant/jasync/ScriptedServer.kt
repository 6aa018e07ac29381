package dev.kormorant.jasync

import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** A peer that answers every connection by [script], for what no real server does on request. */
internal class ScriptedServer(private val script: (DataInputStream, DataOutputStream) -> Unit) : AutoCloseable {
    private val listener = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val sockets = CopyOnWriteArrayList<Socket>()

    val port: Int get() = listener.localPort

    init {
        thread(isDaemon = true, name = "scripted-server") {
            try {
                while (true) {
                    val socket = listener.accept().also { sockets += it }
                    thread(isDaemon = true) { serve(socket) }
                }
            } catch (_: IOException) {
                // The listener was closed.
            }
        }
    }

    private fun serve(socket: Socket) {
        try {
            socket.use { script(DataInputStream(it.getInputStream()), DataOutputStream(it.getOutputStream())) }
        } catch (_: IOException) {
            // The client has gone.
        }
    }

    override fun close() {
        listener.close()
        sockets.forEach { it.close() }
    }
}
