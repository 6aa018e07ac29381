package dev.kormorant.jasync.postgresql

import dev.kormorant.ConnectionException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.Driver
import dev.kormorant.driver.DriverFeature
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.DriverProvider
import dev.kormorant.jasync.LastRequests
import dev.kormorant.jasync.Transport
import dev.kormorant.jasync.awaitDone
import io.netty.channel.Channel
import java.util.concurrent.ConcurrentHashMap

/**
 * PostgreSQL, from version 12 on, for URLs `postgresql://user:password@host:5432/database?name=value`.
 *
 * URL parameters: `sslmode` (`disable`, `prefer`, `require`, `verify-ca`, `verify-full`; default `prefer`), `sslrootcert` (PEM file of
 * trusted authorities, default those of the JVM), `application_name` (default `kormorant`), `search_path`, `statement_timeout`,
 * `lock_timeout`, `idle_in_transaction_session_timeout` and `options` (`-c name=value`), as the server understands them.
 *
 * Behind PgBouncer in transaction mode set the statement cache to 0, and there `ignore_startup_parameters` to
 * `extra_float_digits,IntervalStyle`; intervals then have the form that the server is configured for.
 */
public class PostgreSqlDriverProvider : DriverProvider {
    override val schemes: Set<String> get() = setOf("postgresql", "postgres")

    override fun open(url: DatabaseUrl, options: DriverOptions): Driver = PostgreSqlDriver(Settings.of(url, options), options)
}

internal class PostgreSqlDriver(
    private val settings: Settings,
    private val options: DriverOptions,
    private val types: TypeCatalog = TypeCatalog(),
) : Driver {
    private val dialects = ConcurrentHashMap<String, PostgreSqlFacts>()
    private val lastRequests = LastRequests()
    private val address = "${settings.host}:${settings.port}"

    override val features: Set<DriverFeature> = DriverFeature.entries.toSet()

    override suspend fun connect(access: Access): Connection {
        val password = options.password?.invoke()
        return open { channel, negotiation ->
            val encrypted = negotiation.run(channel)
            val link = Link(channel, address)
            negotiation.handOver(channel, link)
            val key = Startup(link, settings.user, password, encrypted).run(settings.startup)
            val dialect = dialects.computeIfAbsent(link.parameters["server_version"].orEmpty(), ::PostgreSqlFacts)
            PostgreSqlConnection(link, key, dialect, types, options.statementCacheSize, ::requestCancel, lastRequests)
        }
    }

    /** Connections are their owner's, and the transport belongs to the process. */
    override suspend fun close(): Unit = lastRequests.awaitAll()

    /** Sends a CancelRequest on a socket of its own and waits for its end: then the signal has been given. */
    private suspend fun requestCancel(key: BackendKey) {
        open { channel, negotiation ->
            negotiation.run(channel)
            val message = channel.alloc().buffer().writeInt(CANCEL_SIZE).writeInt(CANCEL_CODE).writeInt(key.pid).writeInt(key.secret)
            channel.writeAndFlush(message)
            channel.closeFuture().awaitDone()
        }
    }

    private suspend fun <T : Any> open(handshake: suspend (Channel, TlsNegotiation) -> T): T {
        val negotiation = TlsNegotiation(settings.tls, settings.host, settings.port)
        val pipeline = { channel: Channel -> channel.pipeline().addLast(negotiation).let {} }
        return Transport.connect(settings.host, settings.port, options.connectTimeout, pipeline) { handshake(it, negotiation) }
    }

    private companion object {
        const val CANCEL_SIZE = 16
        const val CANCEL_CODE = 80_877_102
    }
}
