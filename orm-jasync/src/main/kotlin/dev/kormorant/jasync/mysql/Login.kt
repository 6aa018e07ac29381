package dev.kormorant.jasync.mysql

import com.github.jasync.sql.db.mysql.decoder.AuthenticationSwitchRequestDecoder
import com.github.jasync.sql.db.mysql.decoder.HandshakeV10Decoder
import com.github.jasync.sql.db.mysql.encoder.auth.AuthenticationMethod
import com.github.jasync.sql.db.mysql.encoder.auth.AuthenticationScrambler
import com.github.jasync.sql.db.mysql.message.server.AuthenticationSwitchRequest
import com.github.jasync.sql.db.mysql.message.server.HandshakeMessage
import com.github.jasync.sql.db.mysql.util.CapabilityFlag
import dev.kormorant.ConnectionException
import dev.kormorant.jasync.SslMode
import dev.kormorant.jasync.awaitDone
import io.netty.buffer.ByteBuf
import io.netty.channel.Channel
import kotlinx.coroutines.channels.ClosedReceiveChannelException
import kotlinx.coroutines.suspendCancellableCoroutine
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.spec.X509EncodedKeySpec
import java.util.Base64
import javax.crypto.Cipher
import kotlin.coroutines.resume
import kotlin.experimental.xor
import kotlinx.coroutines.channels.Channel as Queue

private const val LONG_PASSWORD = 1
private const val LONG_FLAG = 4
private const val PREPARED_MULTI_RESULTS = 0x40000
private const val CONNECT_ATTRIBUTES = 0x100000
private const val SIZED_AUTHENTICATION = 0x200000

/** Rows end with an OK packet instead of an EOF packet. */
internal const val DEPRECATE_EOF = 0x1000000

private const val UTF8MB4_GENERAL = 45
private const val ERROR = 0xFF
private const val SWITCH = 0xFE
private const val MORE_DATA = 1
private const val FAST_SUCCESS = 3
private const val FULL_AUTHENTICATION = 4
private const val REQUEST_PUBLIC_KEY = 2
private const val PROTOCOL_VERSION = 10

/** What the server said of itself and what both sides agreed to. */
internal class Greeting(val connectionId: Long, val capabilities: Int)

/** Packets of the log-in, read one by one. */
internal class LoginPackets : PacketReceiver {
    private val packets = Queue<ByteBuf>(Queue.UNLIMITED)

    override fun packet(buf: ByteBuf, end: Int) {
        packets.trySend(buf.copyLittleEndian(end))
    }

    override fun closed(cause: Throwable?) {
        packets.close(cause)
    }

    suspend fun next(): ByteBuf = packets.receive()

    val isEmpty: Boolean get() = packets.tryReceive().isFailure
}

/**
 * One log-in. A password leaves only scrambled with the server's challenge, or whole over TLS, or encrypted with the server's RSA key;
 * methods that would have it otherwise are refused.
 */
internal class Login(
    private val address: MySqlAddress,
    private val channel: Channel,
    private val decoder: PacketDecoder,
    private val packets: LoginPackets,
) {
    private var encrypted = false
    private var sequence = 0

    suspend fun run(): Greeting = try {
        val greeting = greeting()
        val capabilities = capabilities(greeting)
        if (capabilities and CapabilityFlag.CLIENT_SSL.value != 0) startTls(capabilities)
        authenticate(greeting, capabilities)
        Greeting(greeting.connectionId, capabilities)
    } catch (e: ClosedReceiveChannelException) {
        throw lost(e)
    } catch (e: IOException) {
        throw lost(e)
    } catch (e: IndexOutOfBoundsException) {
        throw notMySql(e)
    }

    private fun lost(cause: Exception) =
        ConnectionException("$address closed the connection during the log-in.", "Look into the log of the server.", cause)

    private fun notMySql(cause: Exception?) =
        ConnectionException("$address does not speak the protocol of MySQL.", "Check host and port in the URL.", cause, isTransient = false)

    private suspend fun greeting(): HandshakeMessage {
        val packet = receive()
        when (packet.readUnsignedByte().toInt()) {
            PROTOCOL_VERSION -> return HandshakeV10Decoder().decode(packet) as HandshakeMessage
            ERROR -> throw refused(packet)
            else -> throw notMySql(null)
        }
    }

    private fun capabilities(greeting: HandshakeMessage): Int {
        val needed = CapabilityFlag.CLIENT_PROTOCOL_41.value or CapabilityFlag.CLIENT_SECURE_CONNECTION.value or
            CapabilityFlag.CLIENT_PLUGIN_AUTH.value or CapabilityFlag.CLIENT_CONNECT_WITH_DB.value
        if (greeting.serverCapabilities and needed != needed) {
            throw ConnectionException(
                "The server at $address is too old.",
                "MySQL 5.7 or MariaDB 10.2 is the least.",
                null,
                isTransient = false,
            )
        }
        val wanted = LONG_PASSWORD or LONG_FLAG or CapabilityFlag.CLIENT_TRANSACTIONS.value or
            CapabilityFlag.CLIENT_MULTI_RESULTS.value or PREPARED_MULTI_RESULTS or SIZED_AUTHENTICATION or CONNECT_ATTRIBUTES or
            DEPRECATE_EOF
        val rowCount = if (address.countsChanged) 0 else CapabilityFlag.CLIENT_FOUND_ROWS.value
        return needed or (wanted and greeting.serverCapabilities) or rowCount or tls(greeting)
    }

    private fun tls(greeting: HandshakeMessage): Int {
        val mode = address.tls.mode
        if (mode == SslMode.DISABLE) return 0
        if (greeting.supportsSSL()) return CapabilityFlag.CLIENT_SSL.value
        if (mode == SslMode.PREFER) return 0
        throw ConnectionException(
            "The server at $address has no TLS, and the URL says sslmode=${mode.word}.",
            "Switch on TLS in the server; where the network is trusted, use sslmode=disable.",
            null,
            isTransient = false,
        )
    }

    private suspend fun startTls(capabilities: Int) {
        send { writeHead(it, capabilities) }
        address.tls.start(channel, address.host, address.port)
        // What came in between was not encrypted and may be anybody's.
        val clean = suspendCancellableCoroutine { channel.eventLoop().execute { it.resume(packets.isEmpty && !decoder.hasRest) } }
        if (!clean) throw notMySql(null)
        encrypted = true
    }

    private fun writeHead(buf: ByteBuf, capabilities: Int) {
        buf.writeIntLE(capabilities).writeIntLE(MAX_PACKET).writeByte(UTF8MB4_GENERAL).writeZero(23)
    }

    private suspend fun authenticate(greeting: HandshakeMessage, capabilities: Int) {
        val password = address.password()?.takeIf { it.isNotEmpty() }
        var method = greeting.authenticationMethod.takeIf { it in METHODS } ?: AuthenticationMethod.Native
        var challenge = greeting.seed
        send { buf ->
            writeHead(buf, capabilities)
            buf.writeTerminated(address.user)
            val proof = proof(method, challenge, password)
            buf.writeByte(proof.size).writeBytes(proof) // below 251 the same with and without SIZED_AUTHENTICATION
            buf.writeTerminated(address.database)
            buf.writeTerminated(method)
            if (capabilities and CONNECT_ATTRIBUTES != 0) writeAttributes(buf)
        }
        while (true) {
            val packet = receive()
            when (packet.readUnsignedByte().toInt()) {
                0 -> return
                ERROR -> throw refused(packet)
                SWITCH -> {
                    if (!packet.isReadable) throw unsupported(AuthenticationMethod.Old)
                    val request = AuthenticationSwitchRequestDecoder(Charsets.UTF_8).decode(packet) as AuthenticationSwitchRequest
                    method = request.method
                    challenge = request.seed
                    if (method !in METHODS) throw unsupported(method)
                    send { it.writeBytes(proof(method, challenge, password)) }
                }
                MORE_DATA -> {
                    if (method != AuthenticationMethod.CachingSha2 || !packet.isReadable) throw notMySql(null)
                    when (packet.readByte().toInt()) {
                        FAST_SUCCESS -> Unit
                        FULL_AUTHENTICATION -> sendPassword(password.orEmpty(), challenge)
                        else -> throw notMySql(null)
                    }
                }
                else -> throw notMySql(null)
            }
        }
    }

    private fun writeAttributes(buf: ByteBuf) {
        val attributes = channel.alloc().buffer(64)
        try {
            attributes.writeSizedText("_client_name")
            attributes.writeSizedText("kormorant")
            address.applicationName?.let {
                attributes.writeSizedText("program_name")
                attributes.writeSizedText(it)
            }
            buf.writeLength(attributes.readableBytes())
            buf.writeBytes(attributes)
        } finally {
            attributes.release()
        }
    }

    private fun proof(method: String, challenge: ByteArray, password: String?): ByteArray = when {
        password == null -> ByteArray(0)
        // A challenge that ends with a zero has lost it to the decoder.
        method == ED25519 -> Ed25519.sign(password.toByteArray(), challenge.copyOf(ED25519_CHALLENGE))
        method == AuthenticationMethod.CachingSha2 ->
            AuthenticationScrambler.scramble411("SHA-256", password, Charsets.UTF_8, challenge, seedFirst = false)
        else -> AuthenticationScrambler.scramble411("SHA-1", password, Charsets.UTF_8, challenge, seedFirst = true)
    }

    /** The server has no digest of the password in memory and wants the password itself. */
    private suspend fun sendPassword(password: String, challenge: ByteArray) {
        val plain = password.toByteArray() + 0
        if (encrypted) return send { it.writeBytes(plain) }
        send { it.writeByte(REQUEST_PUBLIC_KEY) }
        val packet = receive()
        if (packet.readUnsignedByte().toInt() != MORE_DATA) throw notMySql(null)
        for (i in plain.indices) plain[i] = plain[i] xor challenge[i % challenge.size]
        val secret = try {
            encrypt(plain, packet.toString(Charsets.US_ASCII))
        } catch (e: GeneralSecurityException) {
            throw unusableKey(e)
        } catch (e: IllegalArgumentException) {
            throw unusableKey(e)
        }
        send { it.writeBytes(secret) }
    }

    private fun encrypt(plain: ByteArray, pem: String): ByteArray {
        val key = Base64.getMimeDecoder().decode(pem.lines().filterNot { it.startsWith("-----") }.joinToString(""))
        val cipher = Cipher.getInstance("RSA/ECB/OAEPWithSHA-1AndMGF1Padding")
        cipher.init(Cipher.ENCRYPT_MODE, KeyFactory.getInstance("RSA").generatePublic(X509EncodedKeySpec(key)))
        return cipher.doFinal(plain)
    }

    private fun unusableKey(cause: Exception) =
        ConnectionException("$address sent no usable RSA key.", "Switch on TLS in the server.", cause, isTransient = false)

    private fun unsupported(method: String) = ConnectionException(
        "$address asks for the authentication method $method, which is not supported or would reveal the password.",
        "Create the account with one of ${METHODS.joinToString()}.",
        null,
        isTransient = false,
    )

    private fun refused(packet: ByteBuf): ConnectionException = connectionRefused(address, ServerError.read(packet, packet.writerIndex()))

    private suspend fun receive(): ByteBuf = packets.next().also { sequence = decoder.nextSequence }

    private suspend fun send(write: (ByteBuf) -> Unit) {
        channel.writeAndFlush(channel.alloc().packet(sequence++, write = write)).awaitDone()
    }

    private companion object {
        const val ED25519 = "client_ed25519"
        const val ED25519_CHALLENGE = 32
        val METHODS = setOf(AuthenticationMethod.CachingSha2, AuthenticationMethod.Native, ED25519)
    }
}
