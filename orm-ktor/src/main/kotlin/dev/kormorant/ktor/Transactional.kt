package dev.kormorant.ktor

import dev.kormorant.Database
import dev.kormorant.Isolation
import dev.kormorant.transaction
import io.ktor.http.HttpStatusCode
import io.ktor.http.content.OutgoingContent
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.ApplicationCallPipeline
import io.ktor.server.application.Hook
import io.ktor.server.application.PipelineCall
import io.ktor.server.application.call
import io.ktor.server.application.createRouteScopedPlugin
import io.ktor.server.application.install
import io.ktor.server.response.ApplicationSendPipeline
import io.ktor.server.routing.Route
import io.ktor.server.routing.RouteSelector
import io.ktor.server.routing.RouteSelectorEvaluation
import io.ktor.server.routing.RoutingResolveContext
import io.ktor.util.AttributeKey
import io.ktor.util.pipeline.PipelinePhase
import kotlinx.coroutines.withContext

/**
 * Routes whose calls each run in a transaction: committed when the handler has answered, rolled back when it fails or answers with a
 * status of 400 or more. The response leaves after the commit, so a client never reads of success that did not last; if the commit
 * fails, its error is answered instead. A response that is written while it is sent (`respondTextWriter` and its kin) is
 * written after the commit, outside of the transaction.
 *
 * @param database name of the database; it is the one in the context of these calls.
 * @param isolation `null` is the default of the database.
 * @param readOnly lets the database refuse writes.
 */
public fun Route.transactional(
    database: String = Kormorant.DEFAULT,
    isolation: Isolation? = null,
    readOnly: Boolean = false,
    build: Route.() -> Unit,
): Route = around("transactional", build) { call, proceed ->
    inTransaction(call, call.database(database), isolation, readOnly, proceed)
}

/** Routes whose calls have the database called [name] in their context instead of the default one. */
public fun Route.onDatabase(name: String, build: Route.() -> Unit): Route = around("onDatabase", build) { call, proceed ->
    withContext(call.database(name)) { proceed() }
}

private fun Route.around(what: String, build: Route.() -> Unit, handler: suspend (ApplicationCall, suspend () -> Unit) -> Unit): Route {
    val selector = object : RouteSelector() {
        override suspend fun evaluate(context: RoutingResolveContext, segmentIndex: Int) = RouteSelectorEvaluation.Transparent

        override fun toString() = "($what)"
    }
    return createChild(selector).apply {
        install(createRouteScopedPlugin("Kormorant.$what") { on(Around) { call, proceed -> handler(call, proceed) } })
        build()
    }
}

private object Around : Hook<suspend (ApplicationCall, suspend () -> Unit) -> Unit> {
    override fun install(pipeline: ApplicationCallPipeline, handler: suspend (ApplicationCall, suspend () -> Unit) -> Unit) {
        pipeline.intercept(ApplicationCallPipeline.Plugins) { handler(call) { proceed() } }
    }
}

/** Runs [proceed] in a transaction and sends its response afterwards. Within another such block it is a part of that. */
internal suspend fun inTransaction(call: ApplicationCall, database: Database, isolation: Isolation?, readOnly: Boolean, proceed: suspend () -> Unit) {
    if (call.attributes.contains(HeldResponse.KEY)) {
        database.transaction(isolation, readOnly) { proceed() }
        return
    }
    val held = HeldResponse()
    call.attributes.put(HeldResponse.KEY, held)
    try {
        database.transaction(isolation, readOnly) { tx ->
            proceed()
            if (held.isRefusal) tx.setRollbackOnly()
        }
    } finally {
        call.attributes.remove(HeldResponse.KEY)
    }
    withContext(database) { held.send() }
}

/** A response that waits for the end of a transaction. */
internal class HeldResponse {
    private var call: PipelineCall? = null
    private var content: OutgoingContent? = null

    val isRefusal: Boolean
        get() = (content?.status ?: call?.response?.status() ?: HttpStatusCode.OK).value >= 400

    suspend fun send() {
        val target = call ?: return
        target.response.pipeline.execute(target, content ?: return)
    }

    companion object {
        val KEY = AttributeKey<HeldResponse>("KormorantHeldResponse")

        /** Behind the phases that make bytes of what a handler answers, before those that send them. */
        fun install(application: Application) {
            val phase = PipelinePhase("KormorantHold")
            application.sendPipeline.insertPhaseAfter(ApplicationSendPipeline.Render, phase)
            application.sendPipeline.intercept(phase) { message ->
                val held = call.attributes.getOrNull(KEY) ?: return@intercept
                // The answer to a call that nobody has answered comes last, and is none if somebody has.
                if (held.content == null) {
                    held.call = call
                    held.content = message as OutgoingContent
                }
                finish()
            }
        }
    }
}
