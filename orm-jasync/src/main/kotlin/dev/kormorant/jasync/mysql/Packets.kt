package dev.kormorant.jasync.mysql

import io.netty.buffer.ByteBuf
import io.netty.buffer.ByteBufAllocator
import io.netty.buffer.ByteBufUtil
import io.netty.buffer.CompositeByteBuf
import io.netty.buffer.Unpooled
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.handler.codec.ByteToMessageDecoder.MERGE_CUMULATOR
import java.nio.ByteOrder

/** Bytes a packet of the wire can hold; a payload that fills it goes on in the next packet. */
internal const val MAX_PACKET = 0xFF_FF_FF

private const val HEADER = 4

/** Who gets the packets of a connection, always on its event loop. */
internal interface PacketReceiver {
    /** A payload, from the reader index of [buf] to [end]. The receiver need not read all of it and must not keep [buf]. */
    fun packet(buf: ByteBuf, end: Int)

    /** The link is gone; nothing comes after this. */
    fun closed(cause: Throwable?)
}

/**
 * Cuts the stream of bytes into packets and joins the pieces of those of 16 MiB and more.
 *
 * It is no `ByteToMessageDecoder`: that one goes on reading although `autoRead` is off.
 */
internal class PacketDecoder(@Volatile var receiver: PacketReceiver) : ChannelInboundHandlerAdapter() {
    private var received: ByteBuf? = null
    private var pieces: CompositeByteBuf? = null
    private var failure: Throwable? = null

    /** Sequence number that an answer to the last packet has. */
    var nextSequence: Int = 0
        private set

    /** Whether bytes have arrived that belong to no whole packet yet. */
    val hasRest: Boolean get() = received != null

    override fun channelRead(context: ChannelHandlerContext, message: Any) {
        val buf = received?.let { MERGE_CUMULATOR.cumulate(context.alloc(), it, message as ByteBuf) } ?: message as ByteBuf
        received = buf
        while (buf.readableBytes() >= HEADER) {
            val start = buf.readerIndex() + HEADER
            val end = start + buf.getUnsignedMediumLE(start - HEADER)
            if (buf.writerIndex() < end) break
            nextSequence = buf.getByte(start - 1) + 1 and 0xFF
            buf.readerIndex(start)
            deliver(buf, end)
            buf.readerIndex(end)
        }
        if (!buf.isReadable) {
            received = null
            buf.release()
        }
    }

    private fun deliver(buf: ByteBuf, end: Int) {
        val length = end - buf.readerIndex()
        if (pieces == null && length < MAX_PACKET) return receiver.packet(buf, end)
        val joined = pieces ?: Unpooled.compositeBuffer(Int.MAX_VALUE).also { pieces = it }
        joined.addComponent(true, buf.retainedSlice(buf.readerIndex(), length))
        if (length < MAX_PACKET) {
            pieces = null
            try {
                receiver.packet(joined, joined.writerIndex())
            } finally {
                joined.release()
            }
        }
    }

    override fun channelReadComplete(context: ChannelHandlerContext) {
        // Pieces of a large packet share the memory of the buffer: it must not be moved then.
        received?.takeIf { it.refCnt() == 1 }?.discardSomeReadBytes()
    }

    override fun exceptionCaught(context: ChannelHandlerContext, cause: Throwable) {
        failure = cause
        context.close()
    }

    override fun channelInactive(context: ChannelHandlerContext) {
        receiver.closed(failure)
    }

    override fun handlerRemoved(context: ChannelHandlerContext) {
        received?.release()
        received = null
        pieces?.release()
        pieces = null
    }
}

/** A packet, or as many as the payload that [write] makes needs. */
internal inline fun ByteBufAllocator.packet(sequence: Int = 0, sizeHint: Int = 256, write: (ByteBuf) -> Unit): ByteBuf {
    val buf = buffer(sizeHint)
    try {
        buf.writeInt(0)
        write(buf)
    } catch (e: Throwable) {
        buf.release()
        throw e
    }
    return framed(buf, sequence)
}

/** Length of the payload of a packet that [packet] has begun in this buffer. */
internal val ByteBuf.payloadLength: Int get() = writerIndex() - HEADER

private fun ByteBufAllocator.framed(buf: ByteBuf, sequence: Int): ByteBuf {
    if (buf.payloadLength < MAX_PACKET) return buf.setMediumLE(0, buf.payloadLength).setByte(HEADER - 1, sequence)
    val packets = compositeBuffer(Int.MAX_VALUE)
    buf.readerIndex(HEADER)
    var number = sequence
    do {
        val length = minOf(buf.readableBytes(), MAX_PACKET)
        packets.addComponent(true, buffer(HEADER).writeMediumLE(length).writeByte(number++))
        packets.addComponent(true, buf.readRetainedSlice(length))
    } while (length == MAX_PACKET)
    buf.release()
    return packets
}

/** A length-encoded integer; -1 is the mark of NULL in a row of text. */
internal fun ByteBuf.readLength(): Long = when (val first = readUnsignedByte().toInt()) {
    0xFB -> -1
    0xFC -> readUnsignedShortLE().toLong()
    0xFD -> readUnsignedMediumLE().toLong()
    0xFE -> readLongLE()
    else -> first.toLong()
}

internal fun ByteBuf.writeLength(length: Int) {
    when {
        length < 0xFB -> writeByte(length)
        length <= 0xFFFF -> writeByte(0xFC).writeShortLE(length)
        length <= 0xFF_FF_FF -> writeByte(0xFD).writeMediumLE(length)
        else -> writeByte(0xFE).writeLongLE(length.toLong())
    }
}

internal fun ByteBuf.readText(length: Int): String {
    val text = toString(readerIndex(), length, Charsets.UTF_8)
    skipBytes(length)
    return text
}

internal fun ByteBuf.readSizedText(): String = readText(readLength().toInt())

internal fun ByteBuf.skipSized() {
    skipBytes(readLength().toInt())
}

internal fun ByteBuf.writeSizedText(text: String) {
    writeLength(ByteBufUtil.utf8Bytes(text))
    ByteBufUtil.writeUtf8(this, text)
}

internal fun ByteBuf.writeTerminated(text: String) {
    ByteBufUtil.writeUtf8(this, text)
    writeByte(0)
}

/** A copy in the byte order that the message decoders of jasync expect. */
internal fun ByteBuf.copyLittleEndian(end: Int): ByteBuf {
    val copy = Unpooled.copiedBuffer(slice(readerIndex(), end - readerIndex()))
    @Suppress("DEPRECATION")
    return copy.order(ByteOrder.LITTLE_ENDIAN)
}
