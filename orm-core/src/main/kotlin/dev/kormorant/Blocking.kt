package dev.kormorant

import dev.kormorant.internal.BlockingThreads
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import org.slf4j.LoggerFactory

/** Whether a thread may wait for the database. */
public enum class BlockingPolicy {
    /** It is a [BlockingNotAllowedException]; only [allowBlocking] opens it for a block. The default. */
    FORBID,

    /** It may, and an ERROR is logged with the place. */
    LOG_ERROR,

    /** It may, and a WARN is logged with the place. */
    LOG_WARN,

    /** It may. */
    ALLOW,
}

/**
 * Runs [block], with this database in its context, from code that cannot suspend; the calling thread waits for it. Value, exception and what
 * is bound to the thread, such as the MDC, pass through. It uses the pool as everybody does and belongs to no transaction.
 *
 * On a virtual thread it waits without holding a thread, whatever the policy. On others [Database.blockingPolicy] decides; on an
 * event loop or a thread of `Dispatchers.Default` it is refused even under [BlockingPolicy.ALLOW], as others would stall with it.
 * An interrupt cancels [block] and is an `InterruptedException`.
 *
 * @throws BlockingNotAllowedException where the thread must not wait; nothing has run then.
 */
public fun <T> Database.blocking(block: suspend CoroutineScope.() -> T): T {
    requireBlockingAllowed()
    return runBlocking(this, block)
}

/**
 * Runs [block], in which this thread may wait for this database; what was before holds again afterwards, also after an exception. It
 * may be nested. Threads that must never wait still may not.
 */
public fun <T> Database.allowBlocking(block: () -> T): T = allowBlocking().use { block() }

/** Lets this thread wait for this database until the result is closed, on the same thread: for `try` with resources. */
public fun Database.allowBlocking(): BlockingAllowance = BlockingAllowance(this)

/** An open [allowBlocking]; closing it again does nothing. */
public class BlockingAllowance internal constructor(private val database: Database) : AutoCloseable {
    private var open = true

    init {
        change(1)
    }

    override fun close() {
        if (open) change(-1)
        open = false
    }

    private fun change(by: Int) {
        val depth = (database.allowances.get() ?: 0) + by
        if (depth == 0) database.allowances.remove() else database.allowances.set(depth)
    }
}

/**
 * Returns if the current thread may wait for this database, as [blocking] does.
 *
 * @throws BlockingNotAllowedException if it must not.
 */
public fun Database.requireBlockingAllowed() {
    val thread = Thread.currentThread()
    if (BlockingThreads.isVirtual(thread)) return
    if (BlockingThreads.mustNotWait(thread)) {
        throw BlockingNotAllowedException(
            "A blocking call was made on the thread ${thread.name}, which many share.",
            "Suspend instead, or make the call on a thread that may wait: withContext(Dispatchers.IO) { … }, or a virtual thread.",
        )
    }
    if (allowances.get() != null) return
    when (blockingPolicy) {
        BlockingPolicy.FORBID -> throw BlockingNotAllowedException(
            "A blocking call was made on the thread ${thread.name}, and the policy of the database is FORBID.",
            "Suspend instead, wrap the call in db.allowBlocking { … }, or set the BlockingPolicy: blocking = BlockingPolicy.ALLOW where the database is opened.",
        )
        BlockingPolicy.LOG_ERROR -> LOG.error(NOTICE, thread.name, Exception("The blocking call."))
        BlockingPolicy.LOG_WARN -> LOG.warn(NOTICE, thread.name, Exception("The blocking call."))
        BlockingPolicy.ALLOW -> Unit
    }
}

private const val NOTICE = "The thread {} waits for the database."
private val LOG = LoggerFactory.getLogger(BlockingPolicy::class.java)
