package dev.kormorant.ktor

import dev.kormorant.ConfigurationException
import dev.kormorant.Database
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.ApplicationCallPipeline
import io.ktor.server.application.ApplicationStarted
import io.ktor.server.application.ApplicationStopped
import io.ktor.server.application.BaseApplicationPlugin
import io.ktor.server.application.call
import io.ktor.server.application.install
import io.ktor.server.application.plugin
import io.ktor.server.application.pluginOrNull
import io.ktor.server.http.HttpRequestLifecycle
import io.ktor.server.request.path
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.ktor.util.AttributeKey
import io.ktor.util.pipeline.PipelinePhase
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/**
 * The databases of a Ktor application: `install(Kormorant) { database("postgresql://…") }`.
 *
 * Every call has the default database in its coroutine context, so that handlers use models and queries as they are. The databases
 * are opened with the server and closed with it. What a handler fails with is answered by the status that it means, unless
 * `StatusPages` or the handler itself knows better; a client that has gone cancels its call, and with it the query on the server.
 *
 * Databases can be named in `application.conf` or `application.yaml` as well; see [KormorantConfig].
 */
public class Kormorant private constructor(private val databases: Map<String, Database>, private val config: KormorantConfig) {
    /** The default database. */
    public val database: Database get() = database(DEFAULT)

    /**
     * The database called [name].
     *
     * @throws ConfigurationException if there is none.
     */
    public fun database(name: String): Database = databases[name] ?: throw ConfigurationException(
        "There is no database called '$name'.",
        "The names are ${databases.keys.joinToString()}; add others in install(Kormorant) { database(name, url) }.",
    )

    private fun closeAll() = runBlocking {
        val failures = databases.values.filter { it !in config.foreign }.mapNotNull { runCatching { it.close(config.grace) }.exceptionOrNull() }
        failures.firstOrNull()?.let { first -> throw first.also { failures.drop(1).forEach(it::addSuppressed) } }
    }

    private fun connectAll() {
        if (config.connectOnStart) runBlocking { databases.values.forEach { it.connect() } }
    }

    private fun intercept(application: Application) {
        val outermost = PipelinePhase("KormorantErrors")
        application.insertPhaseBefore(ApplicationCallPipeline.Setup, outermost)
        application.intercept(outermost) { answeringErrors(call, config.retryAfter) { proceed() } }
        HeldResponse.install(application)
        application.intercept(ApplicationCallPipeline.Plugins) {
            withContext(database + config.context) {
                if (config.transactionPerCall && call.request.path() != config.health) inTransaction(call, database, null, false) { proceed() } else proceed()
            }
        }
        config.health?.let { path ->
            application.routing { get(path) { call.answerHealth(databases) } }
        }
        if (config.cancelOnDisconnect && application.pluginOrNull(HttpRequestLifecycle) == null) {
            application.install(HttpRequestLifecycle) { cancelCallOnClose = true }
        }
    }

    /** What `install` takes. */
    public companion object Plugin : BaseApplicationPlugin<Application, KormorantConfig, Kormorant> {
        /** Name of the database that calls have in their context. */
        public const val DEFAULT: String = "default"

        override val key: AttributeKey<Kormorant> = AttributeKey("Kormorant")

        /** @throws ConfigurationException if no database is named, or a setting is not understood. */
        override fun install(pipeline: Application, configure: KormorantConfig.() -> Unit): Kormorant {
            val config = KormorantConfig().apply { read(pipeline.environment.config) }.apply(configure)
            val databases = config.open()
            if (DEFAULT !in databases) {
                throw ConfigurationException("No default database is named.", "Name it in install(Kormorant) { database(url) } or as kormorant.url in the configuration file.")
            }
            return Kormorant(databases, config).also { plugin ->
                plugin.intercept(pipeline)
                pipeline.monitor.subscribe(ApplicationStarted) { plugin.connectAll() }
                pipeline.monitor.subscribe(ApplicationStopped) { plugin.closeAll() }
            }
        }
    }
}

/**
 * The database that [Kormorant] knows as [name].
 *
 * @throws ConfigurationException if there is none.
 */
public fun Application.database(name: String = Kormorant.DEFAULT): Database = plugin(Kormorant).database(name)

/** The database that [Kormorant] knows as [name]; see [Application.database]. */
public fun ApplicationCall.database(name: String = Kormorant.DEFAULT): Database = application.database(name)
