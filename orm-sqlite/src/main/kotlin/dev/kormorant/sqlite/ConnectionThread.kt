package dev.kormorant.sqlite

import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.Job
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit

/** The one thread that touches an open database. It runs its tasks in order and never keeps a JVM alive. */
internal class ConnectionThread(name: String) {
    private val ended: CompletableJob = Job()
    private val executor = object : ThreadPoolExecutor(
        1,
        1,
        0,
        TimeUnit.SECONDS,
        LinkedBlockingQueue(),
        { task -> Thread(task, name).apply { isDaemon = true } },
    ) {
        override fun terminated() {
            ended.complete()
        }
    }

    /** Runs [task], which must not throw, after all that were given before; false if the thread is to end. */
    fun execute(task: Runnable): Boolean = try {
        executor.execute(task)
        true
    } catch (_: RejectedExecutionException) {
        false
    }

    /** Lets the thread end after [last]; nothing can be given to it any more. */
    fun end(last: Runnable) {
        executor.execute(last)
        executor.shutdown()
    }

    /** Suspends until the last task is done. */
    suspend fun join(): Unit = ended.join()
}
