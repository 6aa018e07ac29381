package dev.kormorant.test

import dev.kormorant.Database
import dev.kormorant.driver.withDriver
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration

/**
 * A sandbox with a [Database] object of its own, for tests whose coroutines do not come from one scope: what one of its threads
 * commits, the others see, until [close] undoes it.
 */
internal class SandboxHolder private constructor(private val url: String, private val release: CompletableDeferred<Unit>, private val held: Deferred<Unit>) {
    val recorder = StatementRecorder()
    val database: Database = Database.open(url) { listener(recorder) }

    /** Undoes everything; throws if something was left open. */
    fun close() = runBlocking {
        try {
            ending({ database.close(Duration.ZERO) }) { assertReturned(database.pool, recorder) }
        } finally {
            SandboxDriver.retire(url)
            release.complete(Unit)
            held.await()
        }
    }

    companion object {
        fun open(database: Database): SandboxHolder = runBlocking {
            val release = CompletableDeferred<Unit>()
            val ready = CompletableDeferred<String>()
            val held = CoroutineScope(Dispatchers.Default).async {
                var driver: SandboxDriver? = null
                try {
                    database.withDriver({ real -> SandboxDriver(real).also { it.begin() }.also { driver = it } }) {
                        ending({ driver?.end() }) {
                            ready.complete(SandboxDriver.publish(checkNotNull(driver)))
                            release.await()
                        }
                    }
                } catch (error: Throwable) {
                    if (!ready.completeExceptionally(error)) throw error
                }
            }
            SandboxHolder(ready.await(), release, held)
        }
    }
}
