package dev.kormorant.jasync

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import io.netty.channel.Channel
import io.netty.handler.ssl.SslContext
import io.netty.handler.ssl.SslContextBuilder
import io.netty.handler.ssl.SslProvider
import io.netty.handler.ssl.util.InsecureTrustManagerFactory
import java.io.File
import java.io.IOException
import java.nio.channels.ClosedChannelException
import java.security.GeneralSecurityException
import javax.net.ssl.SSLException

/** How much a connection asks of encryption; the words are those of the URL parameter `sslmode`. */
internal enum class SslMode(val word: String) {
    /** Never encrypted. */
    DISABLE("disable"),

    /** Encrypted if the server can; any certificate will do. */
    PREFER("prefer"),

    /** Encrypted; any certificate will do. */
    REQUIRE("require"),

    /** Encrypted, with a certificate that a trusted authority has signed. */
    VERIFY_CA("verify-ca"),

    /** Like [VERIFY_CA], and the certificate names the host of the URL. */
    VERIFY_FULL("verify-full"),
    ;

    val verifies: Boolean get() = this >= VERIFY_CA
}

/** The encryption a database URL asks for; made once per driver, so that a wrong setting shows before anything is connected. */
internal class Tls private constructor(val mode: SslMode, private val context: SslContext?) {
    /**
     * Encrypts [channel], where both sides have agreed to, and suspends until that is done. [host] is the one of the URL.
     *
     * @throws ConnectionException if the two sides cannot agree or the certificate is not trusted.
     */
    suspend fun start(channel: Channel, host: String, port: Int) {
        val handler = checkNotNull(context).newHandler(channel.alloc(), host, port)
        channel.pipeline().addFirst(handler)
        try {
            // On a link that ended before the handler was added, the handshake would be waited for in vain.
            val result = channel.eventLoop().newPromise<Any?>()
            handler.handshakeFuture().addListener { if (it.isSuccess) result.trySuccess(null) else result.tryFailure(it.cause()) }
            channel.closeFuture().addListener { result.tryFailure(ClosedChannelException()) }
            result.awaitDone()
        } catch (e: IOException) {
            throw ConnectionException(
                "The TLS handshake with $host:$port failed.",
                if (mode.verifies && e is SSLException) {
                    "sslmode=${mode.word} needs a server certificate signed by an authority in sslrootcert" +
                        (if (mode == SslMode.VERIFY_FULL) " that names the host." else ".")
                } else {
                    null
                },
                e,
                isTransient = e !is SSLException,
            )
        }
    }

    companion object {
        /**
         * @param mode the parameter `sslmode`; [SslMode.PREFER] when `null`
         * @param rootCertificate the parameter `sslrootcert`, a PEM file of trusted authorities; those of the JVM when `null`
         * @throws ConfigurationException if the mode is unknown or the file cannot be used.
         */
        fun of(mode: String?, rootCertificate: String?): Tls {
            val chosen = if (mode == null) SslMode.PREFER else SslMode.entries.find { it.word == mode.lowercase() }
                ?: throw ConfigurationException(
                    "The value of sslmode in the database URL is not known.",
                    "Use one of ${SslMode.entries.joinToString { it.word }}.",
                )
            if (rootCertificate != null && !chosen.verifies) {
                throw ConfigurationException(
                    "sslrootcert has no effect with sslmode=${chosen.word}.",
                    "Use sslmode=verify-full, or verify-ca if the certificate does not name the host.",
                )
            }
            return Tls(chosen, if (chosen == SslMode.DISABLE) null else context(chosen, rootCertificate))
        }

        private fun context(mode: SslMode, rootCertificate: String?): SslContext {
            val builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK)
                .endpointIdentificationAlgorithm(if (mode == SslMode.VERIFY_FULL) "HTTPS" else null)
            try {
                when {
                    !mode.verifies -> builder.trustManager(InsecureTrustManagerFactory.INSTANCE)
                    rootCertificate != null -> builder.trustManager(File(rootCertificate))
                }
                return builder.build()
            } catch (e: IllegalArgumentException) {
                throw unusable(e)
            } catch (e: IOException) {
                throw unusable(e)
            } catch (e: GeneralSecurityException) {
                throw unusable(e)
            }
        }

        private fun unusable(cause: Exception) =
            ConfigurationException("The file of sslrootcert is not a readable list of PEM certificates.", "Check its path and content.", cause)
    }
}
