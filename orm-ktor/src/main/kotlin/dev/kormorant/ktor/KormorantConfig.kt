package dev.kormorant.ktor

import dev.kormorant.ConfigurationException
import dev.kormorant.Database
import dev.kormorant.DatabaseConfig
import io.ktor.server.config.ApplicationConfig
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Settings of [Kormorant], first read from the configuration file of the application, then changed by the block of `install`.
 *
 * ```yaml
 * kormorant:
 *   url: "postgresql://localhost/shop"
 *   user: "shop"
 *   password: "$SHOP_PASSWORD"
 *   pool:
 *     max: 20
 *     acquireTimeout: "2s"
 *   health: "/health"
 *   transactionPerCall: false
 *   databases:
 *     reports:
 *       url: "sqlite:reports.db"
 * ```
 *
 * The default database stands directly below `kormorant`, others by name below `databases`. A database has `url`, `user`, `password`,
 * `connectTimeout`, `statementTimeout`, and `pool` with `max`, `min`, `acquireTimeout`, `maxLifetime` and `idleTimeout`; times are written `500ms`, `2s`,
 * `10m`. A key that is not known is an error.
 */
public class KormorantConfig internal constructor() {
    private val openers = LinkedHashMap<String, () -> Database>()
    private val settings = HashMap<String, DatabaseConfig.() -> Unit>()
    internal val foreign = HashSet<Database>()

    /** Path that answers whether the databases do, `null` for none, the default: 200 or 503, and a JSON object with the pool of each. */
    public var health: String? = null

    /**
     * Whether each call runs in a transaction on the default database. Its response leaves after the commit: a status of 400 and more,
     * or an exception, rolls back. See [transactional] for single routes. Default `false`: a call that only reads needs none.
     */
    public var transactionPerCall: Boolean = false

    /** Whether the server starts only if all databases can be reached. Default `false`: it starts, and [health] says how things are. */
    public var connectOnStart: Boolean = false

    /** Whether a client that closes its connection cancels its call. Default `true`; needs an engine that notices, such as CIO. */
    public var cancelOnDisconnect: Boolean = true

    /** What a client is told to wait by `Retry-After` when there is no connection. 1 s: a pool that is busy now is seldom so for long. */
    public var retryAfter: Duration = 1.seconds

    /** How long the end of the server waits for work in progress. */
    public var grace: Duration = 5.seconds

    /** Further elements for the coroutine context of each call, such as the sandbox of a test. */
    public var context: CoroutineContext = EmptyCoroutineContext

    /** The default database; wins over the one in the configuration file. */
    public fun database(url: String, configure: DatabaseConfig.() -> Unit = {}): Unit = database(Kormorant.DEFAULT, url, configure)

    /** A database that [Database.open] opens and the end of the server closes. */
    public fun database(name: String, url: String, configure: DatabaseConfig.() -> Unit = {}) {
        openers[name] = {
            Database.open(url) {
                configure()
                settings[name]?.invoke(this)
            }
        }
    }

    /** A database that is opened elsewhere, and closed there. */
    public fun database(database: Database, name: String = Kormorant.DEFAULT) {
        foreign += database
        openers[name] = { database }
    }

    /** Further settings for the database called [name], such as its listeners; they win over those in the configuration file. */
    public fun configure(name: String = Kormorant.DEFAULT, block: DatabaseConfig.() -> Unit) {
        settings[name] = block
    }

    internal fun open(): Map<String, Database> = openers.mapValues { it.value() }

    internal fun read(config: ApplicationConfig) {
        val section = Section(config, "kormorant")
        if (!section.exists) return
        section.refuseOthers(DATABASE_KEYS + setOf("health", "transactionPerCall", "connectOnStart", "cancelOnDisconnect", "retryAfter", "grace", "databases"))
        section.text("url")?.let { declare(Kormorant.DEFAULT, it, section) }
        for (name in section.children("databases")) {
            val database = section.section("databases.$name")
            database.refuseOthers(DATABASE_KEYS)
            declare(name, database.text("url") ?: throw ConfigurationException("kormorant.databases.$name has no url."), database)
        }
        section.text("health")?.let { health = it }
        section.flag("transactionPerCall")?.let { transactionPerCall = it }
        section.flag("connectOnStart")?.let { connectOnStart = it }
        section.flag("cancelOnDisconnect")?.let { cancelOnDisconnect = it }
        section.duration("retryAfter")?.let { retryAfter = it }
        section.duration("grace")?.let { grace = it }
    }

    private fun declare(name: String, url: String, section: Section) {
        val pool = section.section("pool")
        pool.refuseOthers(POOL_KEYS)
        database(name, url) {
            section.text("user")?.let { user = it }
            section.text("password")?.let { secret -> password { secret } }
            section.duration("connectTimeout")?.let { connectTimeout = it }
            section.duration("statementTimeout")?.let { statementTimeout = it }
            pool {
                pool.number("max")?.let { max = it }
                pool.number("min")?.let { min = it }
                pool.duration("acquireTimeout")?.let { acquireTimeout = it }
                pool.duration("maxLifetime")?.let { maxLifetime = it }
                pool.duration("idleTimeout")?.let { idleTimeout = it }
            }
        }
    }

    private companion object {
        val POOL_KEYS = setOf("max", "min", "acquireTimeout", "maxLifetime", "idleTimeout")
        val DATABASE_KEYS = setOf("url", "user", "password", "connectTimeout", "statementTimeout", "pool")
    }
}

/** A part of a configuration file. */
private class Section(private val config: ApplicationConfig, private val path: String) {
    private val keys = config.keys().filter { it.startsWith("$path.") }.map { it.removePrefix("$path.") }

    val exists: Boolean get() = keys.isNotEmpty()

    fun section(name: String) = Section(config, "$path.$name")

    fun children(name: String): Set<String> = keys.filter { it.startsWith("$name.") }.mapTo(LinkedHashSet()) { it.removePrefix("$name.").substringBefore('.') }

    fun text(name: String): String? = config.propertyOrNull("$path.$name")?.getString()

    fun flag(name: String): Boolean? = parsed(name, "true or false", String::toBooleanStrictOrNull)

    fun number(name: String): Int? = parsed(name, "a number", String::toIntOrNull)

    fun duration(name: String): Duration? = parsed(name, "a time such as 500ms or 2s", Duration::parseOrNull)

    fun refuseOthers(known: Set<String>) {
        val stranger = keys.firstOrNull { it.substringBefore('.') !in known } ?: return
        throw ConfigurationException("The setting $path.$stranger is not known.", "Known here are ${known.sorted().joinToString()}.")
    }

    private fun <T : Any> parsed(name: String, what: String, parse: (String) -> T?): T? {
        val text = text(name) ?: return null
        return parse(text) ?: throw ConfigurationException("The setting $path.$name must be $what, not '$text'.")
    }
}
