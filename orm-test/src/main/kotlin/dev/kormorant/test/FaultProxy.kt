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
 * A TCP proxy on a loopback address that forwards every connection to one target, and breaks them on command: what a test of lost links and
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
public class FaultProxy @JvmOverloads constructor(
    private val targetHost: String,
    private val targetPort: Int,
    /** Where it listens; on Linux all of 127.0.0.0/8 is the machine itself. */
    public val host: String = "127.0.0.1",
) : AutoCloseable {
    /** Way of the bytes, seen from the target, which is the server. */
    public enum class Direction { TO_SERVER, TO_CLIENT }

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
    private val breaks = EnumMap<Direction, Break>(Direction::class.java)
    private var pieceSize = Int.MAX_VALUE
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

    /**
     * Hands bytes on in pieces of at most [bytes], each in a packet of its own as far as the receiver is fast enough to see it; until [resume].
     *
     * @throws IllegalArgumentException if [bytes] is less than 1.
     */
    public fun splitInto(bytes: Int) {
        require(bytes >= 1) { "A piece has at least 1 byte, not $bytes." }
        lock.withLock { pieceSize = bytes }
    }

    /**
     * Forwards again after [pause] and [drop], in pieces of any size, and forgets [cutAfter], [resetAfter] and [pauseAfter]. What was
     * dropped stays lost.
     */
    public fun resume(): Unit = lock.withLock {
        isPaused = false
        pieceSize = Int.MAX_VALUE
        dropped.clear()
        breaks.clear()
        changed.signalAll()
    }

    /**
     * Ends one connection as [closeConnections] does after the next [bytes] bytes of that direction, counted over all connections: the one
     * that carries the last of them. Other and later connections live on. Takes the place of an earlier [resetAfter] and [pauseAfter].
     *
     * @throws IllegalArgumentException if [bytes] is less than 1.
     */
    public fun cutAfter(direction: Direction, bytes: Long): Unit = breakAfter(direction, bytes, Fault.CUT)

    /** Like [cutAfter], but ends the connection as [resetConnections] does. */
    public fun resetAfter(direction: Direction, bytes: Long): Unit = breakAfter(direction, bytes, Fault.RESET)

    /** Like [cutAfter], but what happens is [pause], for all connections. */
    public fun pauseAfter(direction: Direction, bytes: Long): Unit = breakAfter(direction, bytes, Fault.PAUSE)

    private fun breakAfter(direction: Direction, bytes: Long, fault: Fault) {
        require(bytes >= 1) { "A connection breaks after at least 1 byte, not $bytes." }
        lock.withLock { breaks[direction] = Break(bytes, fault) }
    }

    /** Sends FIN to both sides of every connection: orderly ends. Bytes that still come are forgotten. */
    public fun closeConnections(): Unit = links.forEach { it.finish() }

    /** Sends RST to both sides of every connection: bytes on their way may be lost. */
    public fun resetConnections(): Unit = links.forEach { it.reset() }

    /** Resets every new connection as soon as it is made, until [accept]. Those that exist live on. */
    public fun refuse(): Unit = lock.withLock { isRefusing = true }

    /** Ends [refuse]. */
    public fun accept(): Unit = lock.withLock { isRefusing = false }

    /** Listens no more, so that connecting is refused by the machine, for good. Connections that exist live on. */
    public fun stopListening(): Unit = listener.close()

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

    /** Waits out a pause, then says what becomes of the next [count] bytes or of the first of them. */
    private fun admit(direction: Direction, count: Int): Admission = lock.withLock {
        while (isPaused && !isClosed) changed.await()
        if (isClosed || direction in dropped) return Admission(count, isForwarded = false, fault = null)
        val next = breaks[direction]
        val admitted = minOf(next?.left ?: Long.MAX_VALUE, pieceSize.toLong(), count.toLong())
        forwarded.merge(direction, admitted, Long::plus)
        var fault: Fault? = null
        if (next != null) {
            next.left -= admitted
            if (next.left == 0L) fault = next.fault
        }
        if (fault != null) breaks -= direction
        if (fault == Fault.PAUSE) isPaused = true
        Admission(admitted.toInt(), isForwarded = true, fault)
    }

    /** Waits out a pause, then says whether the end of a connection in that direction goes on. */
    private fun admitsEnd(direction: Direction): Boolean = lock.withLock {
        while (isPaused && !isClosed) changed.await()
        direction !in dropped
    }

    private enum class Fault { CUT, RESET, PAUSE }

    private class Break(var left: Long, val fault: Fault)

    private class Admission(val bytes: Int, val isForwarded: Boolean, val fault: Fault?)

    private inner class Link(private val client: Socket) {
        private val server = Socket()
        private val pumps = AtomicInteger(2)

        @Volatile
        private var isFinished = false

        fun run() {
            try {
                admitsEnd(Direction.TO_SERVER)
                client.tcpNoDelay = true
                server.tcpNoDelay = true
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
                    var start = 0
                    while (start < count && !isFinished) {
                        val admission = admit(direction, count - start)
                        if (admission.isForwarded && !isFinished) to.getOutputStream().write(buffer, start, admission.bytes)
                        start += admission.bytes
                        if (admission.fault == Fault.CUT) finish()
                        if (admission.fault == Fault.RESET) reset()
                    }
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
            isFinished = true
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
