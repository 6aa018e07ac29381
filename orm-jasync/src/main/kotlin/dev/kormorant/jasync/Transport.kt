package dev.kormorant.jasync

import dev.kormorant.ConnectionException
import io.netty.bootstrap.Bootstrap
import io.netty.channel.Channel
import io.netty.channel.ChannelInitializer
import io.netty.channel.ChannelOption
import io.netty.channel.EventLoopGroup
import io.netty.channel.epoll.Epoll
import io.netty.channel.epoll.EpollEventLoopGroup
import io.netty.channel.epoll.EpollSocketChannel
import io.netty.channel.nio.NioEventLoopGroup
import io.netty.channel.socket.SocketChannel
import io.netty.channel.socket.nio.NioSocketChannel
import io.netty.util.concurrent.DefaultThreadFactory
import io.netty.util.concurrent.Future
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.suspendCancellableCoroutine
import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.UnknownHostException
import java.util.concurrent.Executor
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration

/**
 * The sockets of the process. One group of daemon event-loop threads, one per processor, serves all connections of all databases and
 * is never shut down: idle threads cost nothing and keep no process alive.
 *
 * Time is measured on the event loops, never by `withTimeout`: a caller may run on a dispatcher with virtual time.
 */
internal object Transport {
    private val epoll: Boolean = try {
        Epoll.isAvailable()
    } catch (_: LinkageError) {
        false
    }

    private val group: EventLoopGroup by lazy {
        val threads = Runtime.getRuntime().availableProcessors()
        val factory = DefaultThreadFactory("kormorant-io", true)
        if (epoll) EpollEventLoopGroup(threads, factory) else NioEventLoopGroup(threads, factory)
    }

    private val channelClass: Class<out SocketChannel>
        get() = if (epoll) EpollSocketChannel::class.java else NioSocketChannel::class.java

    /** Where work goes that would hold up an event loop: name look-ups and password hashing. */
    val blocking: Executor = Dispatchers.IO.asExecutor()

    /**
     * Opens a socket, lets [pipeline] add its handlers and runs [handshake] on it, in the caller's context. The socket belongs to this
     * call until it returns: cancellation, failure and [timeout], which covers name look-up, connecting and handshake, close it.
     *
     * @throws ConnectionException if the host is unknown, the socket cannot be opened or the time is over.
     */
    suspend fun <T : Any> connect(
        host: String,
        port: Int,
        timeout: Duration,
        pipeline: (SocketChannel) -> Unit,
        handshake: suspend (Channel) -> T,
    ): T {
        var channel: Channel? = null
        try {
            return withDeadline(timeout) {
                handshake(open(host, port, pipeline).also { channel = it })
            } ?: throw ConnectionException(
                "$host:$port did not complete the connection within $timeout.",
                "Check that the server is up and reachable, or raise the connect timeout.",
                null,
            )
        } catch (e: Throwable) {
            channel?.close()
            throw e
        }
    }

    private suspend fun open(host: String, port: Int, pipeline: (SocketChannel) -> Unit): Channel {
        val initializer = object : ChannelInitializer<SocketChannel>() {
            override fun initChannel(channel: SocketChannel) = pipeline(channel)
        }
        var failure: IOException? = null
        for (address in addresses(host)) {
            val future = Bootstrap().group(group).channel(channelClass)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0)
                .handler(initializer)
                .connect(InetSocketAddress(address, port))
            try {
                future.awaitDone { future.channel().close() }
                return future.channel()
            } catch (e: IOException) {
                failure = e
            }
        }
        throw ConnectionException(
            "$host:$port does not accept connections.",
            "Check that the server runs and that host and port in the URL are right.",
            failure,
        )
    }

    private suspend fun addresses(host: String): List<InetAddress> = try {
        suspendCancellableCoroutine { continuation ->
            blocking.execute {
                val found = runCatching { InetAddress.getAllByName(host).asList() }
                found.fold(continuation::resume, continuation::resumeWithException)
            }
        }
    } catch (e: UnknownHostException) {
        throw ConnectionException("The host $host is not known.", "Check the host in the URL.", e)
    }

    /** The result of [block], or `null` if it had to be cancelled after [timeout] of real time. */
    private suspend fun <T : Any> withDeadline(timeout: Duration, block: suspend CoroutineScope.() -> T): T? = coroutineScope {
        val work = async(block = block)
        val timer = group.next().schedule({ work.cancel() }, timeout.inWholeMilliseconds, TimeUnit.MILLISECONDS)
        try {
            work.await()
        } catch (e: CancellationException) {
            ensureActive()
            null
        } finally {
            timer.cancel(false)
        }
    }
}

/**
 * Suspends until the future is done and throws its failure as it is. Cancelling ends the wait, runs [onCancel] and leaves the future alone.
 * Not named `await`: that is a member of the future, which blocks the thread and ignores the failure.
 */
internal suspend fun Future<*>.awaitDone(onCancel: () -> Unit = {}) {
    suspendCancellableCoroutine { continuation ->
        continuation.invokeOnCancellation { onCancel() }
        addListener { if (isSuccess) continuation.resume(Unit) else continuation.resumeWithException(cause()) }
    }
}
