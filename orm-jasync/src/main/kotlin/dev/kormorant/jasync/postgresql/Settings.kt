package dev.kormorant.jasync.postgresql

import dev.kormorant.ConfigurationException
import dev.kormorant.driver.DatabaseUrl
import dev.kormorant.driver.DriverOptions
import dev.kormorant.jasync.Tls

/** A PostgreSQL URL that has been understood. */
internal class Settings private constructor(
    val host: String,
    val port: Int,
    val tls: Tls,
    val user: String,
    /** Parameters of the StartupMessage: whatever a session is set up with costs no round trip of its own. */
    val startup: List<Pair<String, String>>,
) {
    companion object {
        private const val DEFAULT_PORT = 5432

        /** URL parameters that are settings of the server's session. */
        private val sessionParameters =
            listOf("application_name", "search_path", "options", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")

        private val known = sessionParameters + listOf("sslmode", "sslrootcert")

        /** @throws ConfigurationException if something is missing or not known. */
        fun of(url: DatabaseUrl, options: DriverOptions): Settings {
            val form = "${url.scheme}://user@host:5432/database"
            val host = url.host ?: throw ConfigurationException("The ${url.scheme} URL names no host.", "Write it as $form.")
            if (url.database.isEmpty()) throw ConfigurationException("The ${url.scheme} URL names no database.", "Write it as $form.")
            val user = options.user
                ?: throw ConfigurationException("No user is given for PostgreSQL.", "Write the URL as $form, or configure a user.")
            val unknown = url.parameters.keys - known.toSet()
            if (unknown.isNotEmpty()) {
                throw ConfigurationException(
                    "PostgreSQL URLs have no parameter ${unknown.sorted().joinToString()}.",
                    "Known are ${known.sorted().joinToString()}; a setting of the server can be given as options=-c name=value.",
                )
            }
            val startup = listOf(
                "user" to user,
                "database" to url.database,
                "application_name" to "kormorant",
                "client_encoding" to "UTF8",
                "DateStyle" to "ISO",
                "IntervalStyle" to "iso_8601",
                "TimeZone" to "UTC",
                "extra_float_digits" to "2",
            ).toMap() + sessionParameters.mapNotNull { name -> url.parameters[name]?.let { name to it } }
            if (startup.any { '\u0000' in it.value }) throw ConfigurationException("The database URL contains the character NUL.")
            val tls = Tls.of(url.parameters["sslmode"], url.parameters["sslrootcert"])
            return Settings(host, url.port ?: DEFAULT_PORT, tls, user, startup.toList())
        }
    }
}
