package dev.kormorant.test

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.EnumMap
import java.util.EnumSet
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.thread
import kotlin.concurrent.withLock

/**
 * A TCP proxy on 127.0.0.1 that forwards every connection to one target, and breaks them on command: what a test of lost links and
 * dead peers connects through.
 *
 * ```
 * FaultProxy(server.host, server.port).use { proxy ->
 *     // connect to proxy.host and proxy.port, then:
 *     proxy.resetConnections()
 * }
 * ```
 *
 * Switches apply to all connections at once, from any thread, and take effect before the call returns, except that bytes which were
 * being written at that moment still arrive. What one side does to its connection, closing or resetting it, the other side sees. The
 * threads are daemons; [close] ends them and all connections.
 */
public class FaultProxy(private val targetHost: String, private val targetPort: Int) : AutoCloseable {
    /** Way of the bytes, seen from the target, which is the server. */
    public enum class Direction { TO_SERVER, TO_CLIENT }

    public val host: String get() = "127.0.0.1"

    /** A free one, chosen at construction. */
    public val port: Int get() = listener.localPort

    /** Connections that are open on at least one side. */
    public val connectionCount: Int get() = links.size

    private val listener = ServerSocket(0, BACKLOG, InetAddress.getByName(host))
    private val links = ConcurrentHashMap.newKeySet<Link>()

    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private var isPaused = false
    private var isRefusing = false
    private var isClosed = false
    private val dropped = EnumSet.noneOf(Direction::class.java)
    private val cuts = EnumMap<Direction, Long>(Direction::class.java)
    private val forwarded = EnumMap<Direction, Long>(Direction::class.java)

    init {
        daemon("accept", ::acceptAll)
    }

    /** Bytes handed on in that direction since construction, over all connections. */
    public fun bytesForwarded(direction: Direction): Long = lock.withLock { forwarded[direction] ?: 0 }

    /** Stalls both directions: bytes and ends of connections wait until [resume], nothing is lost. New connections stall as well. */
    public fun pause(): Unit = lock.withLock { isPaused = true }

    /** Reads and forgets the bytes of that direction, and the ends of connections in it, like a network without route; until [resume]. */
    public fun drop(direction: Direction): Unit = lock.withLock { dropped += direction }

    /** Forwards again after [pause] and [drop], and forgets [cutAfter]. What was dropped stays lost. */
    public fun resume(): Unit = lock.withLock {
        isPaused = false
        dropped.clear()
        cuts.clear()
        changed.signalAll()
    }

    /**
     * Ends one connection as [closeConnections] does after the next [bytes] bytes of that direction, counted over all connections: the one
     * that carries the last of them. Other and later connections live on.
     *
     * @throws IllegalArgumentException if [bytes] is less than 1.
     */
    public fun cutAfter(direction: Direction, bytes: Long) {
        require(bytes >= 1) { "A connection is cut after at least 1 byte, not $bytes." }
        lock.withLock { cuts[direction] = bytes }
    }

    /** Sends FIN to both sides of every connection: orderly ends. Bytes that still come are forgotten. */
    public fun closeConnections(): Unit = links.forEach { it.finish() }

    /** Sends RST to both sides of every connection: bytes on their way may be lost. */
    public fun resetConnections(): Unit = links.forEach { it.reset() }

    /** Resets every new connection as soon as it is made, until [accept]. Those that exist live on. */
    public fun refuse(): Unit = lock.withLock { isRefusing = true }

    /** Ends [refuse]. */
    public fun accept(): Unit = lock.withLock { isRefusing = false }

    /** Resets all connections and stops listening; connecting is refused from now on. May be repeated. */
    override fun close() {
        lock.withLock {
            isClosed = true
            changed.signalAll()
        }
        listener.close()
        resetConnections()
    }

    private fun acceptAll() {
        while (true) {
            val client = try {
                listener.accept()
            } catch (_: IOException) {
                return
            }
            val link = Link(client)
            links += link
            // After close() has gone through the links, nobody else would end this one.
            if (lock.withLock { isRefusing || isClosed }) link.reset() else daemon("to-server", link::run)
        }
    }

    /** Waits out a pause, then says how many of [count] bytes go on and whether the connection ends after them. */
    private fun admit(direction: Direction, count: Int): Admission = lock.withLock {
        while (isPaused && !isClosed) changed.await()
        if (isClosed || direction in dropped) return Admission(0, endsLink = false)
        val left = cuts[direction] ?: Long.MAX_VALUE
        val admitted = minOf(left, count.toLong())
        forwarded.merge(direction, admitted, Long::plus)
        if (direction in cuts) cuts[direction] = left - admitted
        val endsLink = admitted == left
        if (endsLink) cuts -= direction
        Admission(admitted.toInt(), endsLink)
    }

    /** Waits out a pause, then says whether the end of a connection in that direction goes on. */
    private fun admitsEnd(direction: Direction): Boolean = lock.withLock {
        while (isPaused && !isClosed) changed.await()
        direction !in dropped
    }

    private class Admission(val bytes: Int, val endsLink: Boolean)

    private inner class Link(private val client: Socket) {
        private val server = Socket()
        private val pumps = AtomicInteger(2)

        @Volatile
        private var isFinished = false

        fun run() {
            try {
                admitsEnd(Direction.TO_SERVER)
                server.connect(InetSocketAddress(targetHost, targetPort))
            } catch (_: IOException) {
                return reset()
            }
            daemon("to-client") { pump(server, client, Direction.TO_CLIENT) }
            pump(client, server, Direction.TO_SERVER)
        }

        private fun pump(from: Socket, to: Socket, direction: Direction) {
            val buffer = ByteArray(BUFFER_SIZE)
            try {
                while (true) {
                    val count = from.getInputStream().read(buffer)
                    if (count < 0) break
                    val admission = admit(direction, count)
                    if (isFinished) continue
                    to.getOutputStream().write(buffer, 0, admission.bytes)
                    if (admission.endsLink) finish()
                }
                if (admitsEnd(direction)) to.shutdownOutput()
            } catch (_: IOException) {
                if (!isFinished && admitsEnd(direction)) reset()
            }
            if (pumps.decrementAndGet() == 0) close()
        }

        fun finish() {
            isFinished = true
            for (socket in listOf(client, server)) {
                try {
                    socket.shutdownOutput()
                } catch (_: IOException) {
                    // Its output has ended before.
                }
            }
        }

        fun reset() {
            for (socket in listOf(client, server)) {
                try {
                    socket.setSoLinger(true, 0)
                } catch (_: IOException) {
                    // It is closed already.
                }
            }
            close()
        }

        private fun close() {
            client.close()
            server.close()
            links -= this
        }
    }

    private fun daemon(role: String, block: () -> Unit) {
        thread(isDaemon = true, name = "fault-proxy-$port-$role", block = block)
    }

    private companion object {
        private const val BACKLOG = 128
        private const val BUFFER_SIZE = 16 * 1024
    }
}
