package dev.kormorant.jasync.mysql

import dev.kormorant.ConfigurationException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.Driver
import dev.kormorant.driver.DriverOptions
import dev.kormorant.driver.DriverProvider
import dev.kormorant.driver.SqlStatement
import dev.kormorant.jasync.LastRequests
import dev.kormorant.jasync.Tls
import dev.kormorant.jasync.Transport
import kotlin.time.Duration

/**
 * MySQL and MariaDB: `mysql://user:password@host:3306/database` and `mariadb://…`. Either scheme finds out at the first connection which
 * of the two the server is.
 *
 * URL parameters: `sslmode` = `disable`, `prefer` (the default), `require`, `verify-ca` or `verify-full`; `sslrootcert` = a PEM file of
 * trusted authorities, by default those of the JVM; `application_name` = a name shown in the server's list of connections;
 * `useAffectedRows` = `true` makes the count of an UPDATE that of the rows it changed, where `false`, the default and what other
 * databases do, is that of the rows it matched. Models need the default: they tell by it whether their row is still there.
 */
public class MySqlDriverProvider : DriverProvider {
    override val schemes: Set<String> get() = setOf("mysql", "mariadb")

    override fun open(url: DatabaseUrl, options: DriverOptions): Driver {
        val scheme = url.scheme
        val form = "Write it as $scheme://host:3306/database."
        val host = url.host ?: throw ConfigurationException("The $scheme URL names no host.", form)
        if (url.database.isEmpty()) throw ConfigurationException("The $scheme URL names no database.", form)
        val unknown = url.parameters.keys - PARAMETERS
        if (unknown.isNotEmpty()) {
            throw ConfigurationException(
                "The $scheme URL has a parameter that is not known: ${unknown.first()}.",
                "Known are ${PARAMETERS.joinToString()}.",
            )
        }
        val user = options.user
            ?: throw ConfigurationException(
                "The $scheme URL names no user.",
                "Write it as $scheme://user:password@host/database, or set the user.",
            )
        val address = MySqlAddress(
            host,
            url.port ?: DEFAULT_PORT,
            url.database,
            user,
            { options.password?.invoke() },
            url.parameters["application_name"],
            Tls.of(url.parameters["sslmode"], url.parameters["sslrootcert"]),
            flag(url, "useAffectedRows"),
        )
        return MySqlDriver(address, options.connectTimeout, options.statementCacheSize)
    }

    private fun flag(url: DatabaseUrl, name: String): Boolean = url.parameters[name]?.let { value ->
        value.toBooleanStrictOrNull() ?: throw ConfigurationException("The parameter $name of the ${url.scheme} URL is neither true nor false.")
    } ?: false

    private companion object {
        const val DEFAULT_PORT = 3306
        val PARAMETERS = setOf("sslmode", "sslrootcert", "application_name", "useAffectedRows")
    }
}

/** Where to connect, and as whom. */
internal class MySqlAddress(
    val host: String,
    val port: Int,
    val database: String,
    val user: String,
    val password: () -> String?,
    val applicationName: String?,
    val tls: Tls,
    /** Whether an update counts the rows it changed, not those it matched. */
    val countsChanged: Boolean = false,
) {
    override fun toString(): String = "$host:$port"
}

internal class MySqlDriver(
    private val address: MySqlAddress,
    private val connectTimeout: Duration,
    private val statementCacheSize: Int,
) : Driver {
    private val lastRequests = LastRequests()

    override suspend fun connect(access: Access): Connection = open { it.also { connection -> connection.setUp() } }

    /** Connections are their owner's, and the transport belongs to the process. */
    override suspend fun close(): Unit = lastRequests.awaitAll()

    private suspend fun <T : Any> open(use: suspend (MySqlConnection) -> T): T {
        val packets = LoginPackets()
        val decoder = PacketDecoder(packets)
        return Transport.connect(address.host, address.port, connectTimeout, { it.pipeline().addLast(decoder) }) { channel ->
            val greeting = Login(address, channel, decoder, packets).run()
            val connection = MySqlConnection(channel, decoder, greeting, statementCacheSize, ::kill, lastRequests)
            use(connection)
        }
    }

    /** Has the server stop the statement of another connection, over a connection of its own; `connectTimeout` bounds it. */
    private suspend fun kill(connectionId: Long) {
        open { control ->
            try {
                control.execute(SqlStatement("KILL QUERY $connectionId", reusable = false))
            } finally {
                control.close()
            }
        }
    }
}
