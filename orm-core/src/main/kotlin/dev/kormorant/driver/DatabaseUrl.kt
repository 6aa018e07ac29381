package dev.kormorant.driver

import dev.kormorant.ConfigurationException
import java.net.URLDecoder

/**
 * A parsed database URL: `scheme://user:password@host:port/database?name=value&…`, or `scheme:path?…` for a database that is a file.
 *
 * User, password, database and parameters are percent-decoded. A leading `jdbc:` or `r2dbc:` is dropped.
 */
public class DatabaseUrl private constructor(
    /** In lower case, without colon. */
    public val scheme: String,
    public val host: String?,
    public val port: Int?,
    public val user: String?,
    internal val password: String?,
    /** Database name, or the path of a file; empty when the URL has none. */
    public val database: String,
    public val parameters: Map<String, String>,
) {
    /** The URL without user, password and parameter values. */
    override fun toString(): String = when (host) {
        null -> "$scheme:$database"
        else -> "$scheme://${if (':' in host) "[$host]" else host}${port?.let { ":$it" }.orEmpty()}/$database"
    }

    public companion object {
        /**
         * @throws ConfigurationException if the text is not such a URL. The message never repeats the text, which may hold a password.
         */
        public fun parse(url: String): DatabaseUrl {
            val text = url.trim().removePrefix("jdbc:").removePrefix("r2dbc:")
            val scheme = text.substringBefore(':', "").lowercase()
            if (scheme.isEmpty() || !scheme.all { it.isLetterOrDigit() || it in "+-." }) {
                throw ConfigurationException("The database URL has no scheme.", "Write it as scheme://host:port/database, or sqlite:path.")
            }
            val rest = text.substring(scheme.length + 1)
            val query = rest.substringAfter('?', "")
            val parameters = parseParameters(query)
            val body = rest.substringBefore('?')
            return if (body.startsWith("//")) parseServer(scheme, body.drop(2), parameters) else parseFile(scheme, body, parameters)
        }

        private fun parseFile(scheme: String, path: String, parameters: Map<String, String>) =
            DatabaseUrl(scheme, null, null, null, null, decode(path), parameters)

        private fun parseServer(scheme: String, body: String, parameters: Map<String, String>): DatabaseUrl {
            val authority = body.substringBefore('/')
            val userInfo = if ('@' in authority) authority.substringBeforeLast('@') else null
            val address = authority.substringAfterLast('@')
            val portText = if (address.endsWith(']')) "" else address.substringAfterLast(':', "")
            val host = address.removeSuffix(":$portText").removePrefix("[").removeSuffix("]")
            if (host.isEmpty()) throw ConfigurationException("The $scheme URL names no host.", "Write it as $scheme://host:port/database.")
            val port = if (portText.isEmpty()) null else portText.toIntOrNull()?.takeIf { it in 1..65535 }
                ?: throw ConfigurationException("The port in the $scheme URL is not a number from 1 to 65535.", "Percent-encode special characters of the password.")
            return DatabaseUrl(
                scheme,
                host,
                port,
                userInfo?.substringBefore(':')?.let(::decode),
                userInfo?.takeIf { ':' in it }?.substringAfter(':')?.let(::decode),
                decode(body.substringAfter('/', "")),
                parameters,
            )
        }

        private fun parseParameters(query: String): Map<String, String> =
            query.split('&').filter { it.isNotEmpty() }.associate { decode(it.substringBefore('=')) to decode(it.substringAfter('=', "")) }

        private fun decode(text: String): String = try {
            URLDecoder.decode(text.replace("+", "%2B"), Charsets.UTF_8)
        } catch (_: IllegalArgumentException) {
            throw ConfigurationException("A percent sign in the database URL is not followed by two hexadecimal digits.", "Write % as %25.")
        }
    }
}
