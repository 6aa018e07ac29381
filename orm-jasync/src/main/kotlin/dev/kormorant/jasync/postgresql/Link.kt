package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.ErrorMessage
import com.github.jasync.sql.db.postgresql.messages.backend.ParameterStatusMessage
import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import com.github.jasync.sql.db.postgresql.parsers.MessageParsersRegistry
import dev.kormorant.ConnectionException
import dev.kormorant.driver.NotificationReceiver
import io.netty.buffer.ByteBuf
import io.netty.channel.Channel
import io.netty.channel.ChannelFutureListener
import io.netty.channel.ChannelHandlerContext
import io.netty.handler.codec.ByteToMessageDecoder
import io.netty.handler.codec.DecoderException
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resume

/**
 * Something sent that ends with its ReadyForQuery. All functions are called on the event loop of its [Link].
 */
internal abstract class Command {
    private var done = false
    private var waiting: MutableList<() -> Unit>? = null

    /** A message of the answer; [body] is valid during the call only. */
    abstract fun onMessage(type: Char, body: ByteBuf)

    abstract fun onDescription(description: RowDescriptionMessage)

    abstract fun onError(error: ErrorMessage)

    /** ReadyForQuery was processed: the answer is whole. */
    abstract fun onReady()

    /** Gets ready to be stopped. Returns whether the server is at work and has to be asked. */
    open fun cancel(): Boolean = true

    /** The link is gone and with it the rest of the answer. */
    abstract fun onLost(failure: ConnectionException)

    /** Runs [action] once the answer is whole or lost. */
    fun whenDone(action: () -> Unit) {
        if (done) action() else (waiting ?: ArrayList<() -> Unit>().also { waiting = it }).add(action)
    }

    protected fun done() {
        done = true
        waiting?.forEach { it() }
        waiting = null
    }
}

/**
 * One socket to the server and the commands under way on it, first in, first out. It cuts the bytes into messages and counts
 * ReadyForQuery: a command is answered by its own and by nothing before it.
 *
 * The queue and the parameters live on the event loop; [transaction] and [open] may be read anywhere.
 */
internal class Link(private val channel: Channel, val address: String) : ByteToMessageDecoder() {
    private val commands = ArrayDeque<Command>()
    private val failOnError = ChannelFutureListener { if (!it.isSuccess) fail(lost(it.cause())) }

    /** Transaction status of the last ReadyForQuery: `I` idle, `T` in a transaction, `E` in a failed one. */
    @Volatile
    var transaction: Char = 'I'
        private set

    @Volatile
    var open: Boolean = true
        private set

    /** Why it is not [open], if it was not closed on purpose. */
    @Volatile
    var failure: ConnectionException? = null
        private set

    private var established = false
    private var receiver: NotificationReceiver? = null

    /** What the server told in ParameterStatus. */
    val parameters: MutableMap<String, String> = HashMap()

    fun buffer(): ByteBuf = channel.alloc().buffer()

    /** Sends [messages] and lets [command] have the answer; from any thread. */
    fun submit(command: Command, messages: ByteBuf) {
        onEventLoop {
            if (open) {
                commands.addLast(command)
                channel.writeAndFlush(messages).addListener(failOnError)
            } else {
                messages.release()
                command.onLost(lost(null))
            }
        }
    }

    /** Sends more for the command under way; on the event loop. */
    fun write(messages: ByteBuf) {
        channel.writeAndFlush(messages).addListener(failOnError)
    }

    /** Like the other; [onWritten] is told when the socket has taken them, or never will. */
    fun write(messages: ByteBuf, onWritten: () -> Unit) {
        channel.writeAndFlush(messages).addListener(failOnError).addListener { onWritten() }
    }

    /** Lets the server wait, or go on; on the event loop. */
    fun read(on: Boolean) {
        if (channel.config().isAutoRead != on) channel.config().isAutoRead = on
    }

    /** Tells [receiver] of notifications, and of the end of the link. */
    fun notify(receiver: NotificationReceiver) {
        onEventLoop {
            this.receiver = receiver
            if (!open) receiver.onLost(failure ?: lost(null))
        }
    }

    /** Suspends until [command] is answered or lost. */
    suspend fun awaitDone(command: Command): Unit = suspendCancellableCoroutine { continuation ->
        onEventLoop { command.whenDone { continuation.resume(Unit) } }
    }

    /** Like the other, but for [millis] of real time at most. Returns whether [command] is answered or lost. */
    suspend fun awaitDone(command: Command, millis: Long): Boolean = suspendCancellableCoroutine { continuation ->
        onEventLoop {
            val timer = channel.eventLoop().schedule({ continuation.resume(false) }, millis, TimeUnit.MILLISECONDS)
            command.whenDone { if (timer.cancel(false)) continuation.resume(true) }
        }
    }

    /** Closes without waiting, with a word to the server if it listens; from any thread. */
    fun close() {
        open = false
        onEventLoop {
            if (commands.isEmpty() && channel.isActive) {
                channel.writeAndFlush(buffer().terminate()).addListener(ChannelFutureListener.CLOSE)
            } else {
                val problem = "The connection to PostgreSQL at $address was closed while a statement was in progress."
                fail(ConnectionException(problem, null, null))
            }
        }
    }

    fun onEventLoop(action: () -> Unit) {
        val loop = channel.eventLoop()
        if (loop.inEventLoop()) action() else loop.execute(action)
    }

    // ---- Netty

    override fun decode(ctx: ChannelHandlerContext, input: ByteBuf, out: MutableList<Any>) {
        while (input.readableBytes() >= HEADER) {
            val start = input.readerIndex()
            val size = input.getInt(start + 1)
            if (size < Int.SIZE_BYTES || size > MAX_MESSAGE) throw DecoderException("A message of $size bytes is not part of the protocol.")
            if (input.readableBytes() <= size) return
            input.skipBytes(HEADER)
            val end = start + 1 + size
            onMessage(input.getByte(start).toInt().toChar(), input.slice(start + HEADER, size - Int.SIZE_BYTES))
            input.readerIndex(end)
        }
    }

    /** Without the superclass's own read, which it makes although the server is to wait, because nothing is handed on to another handler. */
    override fun channelReadComplete(ctx: ChannelHandlerContext) {
        discardSomeReadBytes()
        ctx.fireChannelReadComplete()
    }

    override fun handlerAdded(ctx: ChannelHandlerContext) {
        if (!channel.isActive) fail(lost(null))
    }

    override fun channelInactive(ctx: ChannelHandlerContext) {
        super.channelInactive(ctx)
        fail(lost(null))
    }

    @Deprecated("Deprecated by Netty for outbound handlers only")
    override fun exceptionCaught(ctx: ChannelHandlerContext, cause: Throwable) {
        fail(generateSequence(cause) { it.cause }.firstNotNullOfOrNull { it as? ConnectionException } ?: lost(cause))
    }

    private fun onMessage(type: Char, body: ByteBuf) {
        if (!open) return
        when (type) {
            'Z' -> {
                transaction = body.getByte(body.readerIndex()).toInt().toChar()
                established = true
                commands.removeFirst().onReady()
            }
            'S' -> onParameter(parsers.parse(type.code, body) as ParameterStatusMessage)
            'A' -> receiver?.let { onNotification(it, body) }
            'N' -> Unit
            'E' -> {
                val error = parsers.parse(type.code, body) as ErrorMessage
                if (error.endsSession) fail(connectionError(error, address)) else commands.firstOrNull()?.onError(error)
            }
            'T' -> commands.first().onDescription(parsers.parse(type.code, body) as RowDescriptionMessage)
            else -> commands.first().onMessage(type, body)
        }
    }

    private fun onNotification(receiver: NotificationReceiver, body: ByteBuf) {
        val sender = body.readInt()
        receiver.onNotification(body.readText(), body.readText(), sender.toLong())
    }

    private fun ByteBuf.readText(): String = readCharSequence(bytesBefore(0), Charsets.UTF_8).toString().also { skipBytes(1) }

    private fun onParameter(parameter: ParameterStatusMessage) {
        parameters[parameter.key] = parameter.value
        val changed = when (parameter.key) {
            "client_encoding" -> parameter.value != "UTF8"
            "DateStyle" -> !parameter.value.startsWith("ISO")
            else -> false
        }
        if (changed) {
            fail(
                ConnectionException(
                    "The session's ${parameter.key} was changed, so that its values cannot be read any more.",
                    "Do not set ${parameter.key}; convert in the query or in the program.",
                    null,
                    isTransient = false,
                ),
            )
        }
    }

    /** Ends the link and every command on it; on the event loop. */
    fun fail(failure: ConnectionException) {
        if (open) this.failure = failure
        open = false
        channel.close()
        while (commands.isNotEmpty()) commands.removeFirst().onLost(failure)
        receiver?.onLost(failure)
        receiver = null
    }

    private fun lost(cause: Throwable?) = if (established) {
        val hint = "Whether a statement in progress took effect is not known."
        ConnectionException("The connection to PostgreSQL at $address was lost.", hint, cause)
    } else {
        ConnectionException("$address ended the connection during the log-in.", "Check that it is PostgreSQL that listens there.", cause)
    }

    companion object {
        /** Stateless parsers of the messages that are read whole. */
        val parsers: MessageParsersRegistry = MessageParsersRegistry(Charsets.UTF_8)

        private const val HEADER = 5
        private const val MAX_MESSAGE = 1 shl 30
    }
}
