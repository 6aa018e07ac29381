package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.exceptions.UnsupportedAuthenticationMethodException
import com.github.jasync.sql.db.postgresql.encoders.PasswordEncoder
import com.github.jasync.sql.db.postgresql.encoders.SSLMessageEncoder
import com.github.jasync.sql.db.postgresql.encoders.StartupMessageEncoder
import com.github.jasync.sql.db.postgresql.messages.backend.AuthenticationCleartextPasswordMessage
import com.github.jasync.sql.db.postgresql.messages.backend.AuthenticationMD5PasswordMessage
import com.github.jasync.sql.db.postgresql.messages.backend.AuthenticationMessage
import com.github.jasync.sql.db.postgresql.messages.backend.AuthenticationOkMessage
import com.github.jasync.sql.db.postgresql.messages.backend.AuthenticationSASLContinueMessage
import com.github.jasync.sql.db.postgresql.messages.backend.AuthenticationSASLFinalMessage
import com.github.jasync.sql.db.postgresql.messages.backend.AuthenticationSASLMessage
import com.github.jasync.sql.db.postgresql.messages.backend.ErrorMessage
import com.github.jasync.sql.db.postgresql.messages.backend.ProcessData
import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import com.github.jasync.sql.db.postgresql.messages.frontend.ClientMessage
import com.github.jasync.sql.db.postgresql.messages.frontend.PasswordMessage
import com.github.jasync.sql.db.postgresql.messages.frontend.SASLInitialResponse
import com.github.jasync.sql.db.postgresql.messages.frontend.SASLResponse
import com.github.jasync.sql.db.postgresql.messages.frontend.StartupMessage
import com.github.jasync.sql.db.postgresql.parsers.AuthenticationStartupParser
import com.ongres.saslprep.SaslPrep
import com.ongres.scram.client.ScramClient
import com.ongres.scram.client.ScramSession
import com.ongres.scram.common.exception.ScramException
import com.ongres.scram.common.stringprep.StringPreparation
import dev.kormorant.ConnectionException
import dev.kormorant.jasync.SslMode
import dev.kormorant.jasync.Tls
import dev.kormorant.jasync.Transport
import io.netty.buffer.ByteBuf
import io.netty.channel.Channel
import io.netty.channel.ChannelHandler
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.SimpleChannelInboundHandler
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/** What a CancelRequest needs to name a session. */
internal class BackendKey(val pid: Int, val secret: Int)

/**
 * The first handler of a fresh socket: it asks for TLS and reads the one byte that answers. More than that byte would be read as if it
 * were encrypted: it is an attack. It stays until another handler takes its place, so that no loss goes unnoticed and none is logged.
 */
internal class TlsNegotiation(
    private val tls: Tls,
    private val host: String,
    private val port: Int,
) : SimpleChannelInboundHandler<ByteBuf>() {
    private val answer = CompletableDeferred<Boolean>()

    /** Encrypts [channel] as the URL asks. Returns whether it is encrypted now. */
    suspend fun run(channel: Channel): Boolean {
        if (tls.mode == SslMode.DISABLE) return false
        channel.writeAndFlush(SSLMessageEncoder.encode())
        val agreed = answer.await()
        if (agreed) {
            tls.start(channel, host, port)
        } else if (tls.mode != SslMode.PREFER) {
            throw ConnectionException(
                "PostgreSQL at $host:$port does not offer TLS, which sslmode=${tls.mode.word} asks for.",
                "Switch TLS on in the server.",
                null,
                isTransient = false,
            )
        }
        return agreed
    }

    /** Lets [successor] take the place of this handler. */
    fun handOver(channel: Channel, successor: ChannelHandler) {
        try {
            channel.pipeline().replace(this, null, successor)
        } catch (_: NoSuchElementException) {
            throw lost(null)
        }
    }

    override fun channelRead0(ctx: ChannelHandlerContext, bytes: ByteBuf) {
        val code = bytes.readByte().toInt().toChar()
        if ((code == 'S' || code == 'N') && !bytes.isReadable) answer.complete(code == 'S') else fail(null)
    }

    override fun channelInactive(ctx: ChannelHandlerContext) {
        fail(null)
        super.channelInactive(ctx)
    }

    @Deprecated("Deprecated by Netty for outbound handlers only")
    override fun exceptionCaught(ctx: ChannelHandlerContext, cause: Throwable): Unit = fail(cause)

    private fun fail(cause: Throwable?) {
        answer.completeExceptionally(lost(cause))
    }

    private fun lost(cause: Throwable?) = ConnectionException(
        "$host:$port did not answer the request for a session as PostgreSQL does.",
        "Check host and port, or use sslmode=disable.",
        cause,
    )
}

/** Logs in and receives what the server tells about the session, until its first ReadyForQuery. */
internal class Startup(
    private val link: Link,
    private val user: String,
    private val password: String?,
    private val encrypted: Boolean,
) : Command() {
    private lateinit var caller: CancellableContinuation<BackendKey>
    private var scram: ScramSession? = null
    private var scramFinal: ScramSession.ClientFinalProcessor? = null
    private var serverProven = true
    private var key = BackendKey(0, 0)

    suspend fun run(parameters: List<Pair<String, String>>): BackendKey = suspendCancellableCoroutine {
        caller = it
        link.submit(this, StartupMessageEncoder(Charsets.UTF_8).encode(StartupMessage(parameters)))
    }

    override fun onMessage(type: Char, body: ByteBuf) {
        when (type) {
            'R' -> onAuthentication(authentication(body))
            'K' -> (Link.parsers.parse(type.code, body) as ProcessData).let { key = BackendKey(it.processId, it.secretKey) }
            'v' -> Unit
            else -> error("The message $type is not part of a log-in.")
        }
    }

    private fun authentication(body: ByteBuf): AuthenticationMessage = try {
        AuthenticationStartupParser.parseMessage(body) as AuthenticationMessage
    } catch (e: UnsupportedAuthenticationMethodException) {
        throw refused("The server asks for a way to log in that is not supported.", e)
    }

    private fun onAuthentication(message: AuthenticationMessage) {
        when (message) {
            is AuthenticationOkMessage -> if (!serverProven) throw refused("The server did not prove that it knows the password.")
            is AuthenticationCleartextPasswordMessage -> {
                if (!encrypted) throw refused("The server asks for the password in clear text on a connection without TLS.")
                send(PasswordMessage(user, password(), null))
            }
            is AuthenticationMD5PasswordMessage -> send(PasswordMessage(user, password(), message.salt))
            is AuthenticationSASLMessage -> startScram(message)
            is AuthenticationSASLContinueMessage -> continueScram(message.saslData)
            is AuthenticationSASLFinalMessage -> finishScram(message.saslData)
        }
    }

    private fun startScram(message: AuthenticationSASLMessage) {
        if (SCRAM !in message.supportedSASLMechanisms) throw refused("The server offers no log-in by $SCRAM.")
        serverProven = false
        val client = ScramClient.channelBinding(ScramClient.ChannelBinding.NO).stringPreparation(saslPrep)
            .selectMechanismBasedOnServerAdvertised(SCRAM).setup()
        val session = client.scramSession("*").also { scram = it }
        send(SASLInitialResponse(SCRAM, session.clientFirstMessage()))
    }

    /** Hashing the password takes milliseconds, which the other connections of the event loop need not wait for. */
    private fun continueScram(data: String) {
        val session = scram ?: throw refused("The server answered a log-in that was not begun.")
        val password = password()
        Transport.blocking.execute {
            val answer = runCatching { session.receiveServerFirstMessage(data).clientFinalProcessor(password) }
            link.onEventLoop {
                answer.onSuccess {
                    scramFinal = it
                    send(SASLResponse(it.clientFinalMessage()))
                }.onFailure { link.fail(refused("The log-in by $SCRAM failed.", it)) }
            }
        }
    }

    private fun finishScram(data: String) {
        val final = scramFinal ?: throw refused("The server ended a log-in that was not begun.")
        try {
            final.receiveServerFinalMessage(data)
        } catch (e: ScramException) {
            throw refused("The server did not prove that it knows the password.", e)
        }
        serverProven = true
    }

    private fun password(): String = password ?: throw refused("The server asks for a password and none is given.")

    private fun send(message: ClientMessage) = link.write(PasswordEncoder(Charsets.UTF_8).encode(message))

    private fun refused(problem: String, cause: Throwable? = null) =
        ConnectionException("$problem (PostgreSQL at ${link.address})", "Check user, password and sslmode.", cause, isTransient = false)

    override fun onDescription(description: RowDescriptionMessage): Unit = error("A row description is not part of a log-in.")

    override fun onError(error: ErrorMessage): Unit = link.fail(connectionError(error, link.address))

    override fun onReady() {
        done()
        caller.resume(key)
    }

    override fun onLost(failure: ConnectionException) {
        done()
        caller.resumeWithException(failure)
    }

    private companion object {
        const val SCRAM = "SCRAM-SHA-256"

        /** As the server does it: a password that cannot be prepared is used as it is. */
        val saslPrep = StringPreparation { text ->
            try {
                SaslPrep.saslPrep(text, true)
            } catch (_: IllegalArgumentException) {
                text
            }
        }
    }
}
