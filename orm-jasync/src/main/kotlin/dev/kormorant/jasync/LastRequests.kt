package dev.kormorant.jasync

import dev.kormorant.OrmException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.job
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch

/**
 * Requests to stop statements whose connections were closed under them: the server would run them to their end. Each uses a socket of its
 * own, bounded by the connect timeout, and is waited for by the driver's `close` only.
 */
internal class LastRequests {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    /** Sends [request] on its way. It is an attempt: a server that cannot be reached will find out by itself. */
    fun send(request: suspend () -> Unit) {
        scope.launch {
            try {
                request()
            } catch (_: OrmException) {
                // Nobody waits for it.
            }
        }
    }

    suspend fun awaitAll(): Unit = scope.coroutineContext.job.children.toList().joinAll()
}
