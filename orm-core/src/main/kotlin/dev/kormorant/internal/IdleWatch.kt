package dev.kormorant.internal

import dev.kormorant.TransactionEvent
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn
import kotlin.coroutines.jvm.internal.CoroutineStackFrame
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/**
 * Reports a transaction that runs no statement for longer than [threshold]: once for each pause.
 *
 * A statement costs two writes of fields; there is one alarm for each transaction, which looks at them.
 */
internal class IdleWatch(private val session: Session, private val threshold: Duration) {
    private val database get() = session.database

    @Volatile
    private var running = false

    @Volatile
    private var idleSince = 0L

    @Volatile
    private var level: Level? = null

    /** The coroutine that ran the last statement, which tells at any time where it has got to. */
    @Volatile
    private var frame: CoroutineStackFrame? = null

    private var reported = 0L
    private var alarm: AutoCloseable? = null
    private var closed = false

    /** A statement begins. */
    suspend fun begin() = suspendCoroutineUninterceptedOrReturn<Unit> {
        running = true
        frame = it as? CoroutineStackFrame
    }

    /** A statement of [level] has ended. */
    fun end(level: Level) {
        this.level = level
        idleSince = database.timer.nanos
        running = false
    }

    /** The transaction has begun. */
    fun start() = schedule(threshold)

    @Synchronized
    fun close() {
        closed = true
        alarm?.close()
    }

    @Synchronized
    private fun schedule(delay: Duration) {
        alarm?.close()
        if (!closed) alarm = database.timer.schedule(delay, ::check)
    }

    private fun check() {
        val since = idleSince
        val root = level?.root
        val idle = if (running || root == null || !root.begun) Duration.ZERO else (database.timer.nanos - since).nanoseconds
        if (root != null && idle >= threshold && since != reported) {
            reported = since
            CoroutineScope(Dispatchers.Default).launch { report(root, idle) }
        }
        schedule(if (idle < threshold) threshold - idle else threshold)
    }

    private suspend fun report(root: Level, idle: Duration) {
        val place = suspendedAt()
        if (database.config.idleFails) {
            root.spoiledBy = IllegalStateException(
                "The transaction opened ${root.origin} held its connection for $idle without running a statement${place?.let { ", suspended $it" }.orEmpty()}.",
            )
        }
        database.audience.tell { TransactionEvent(database, TransactionEvent.Kind.IDLE, root.origin, root.attempt, idle = idle, suspendedAt = place) }
    }

    /** The outermost function of the user between the block and the last statement: the only one that has certainly not returned. */
    private fun suspendedAt(): String? = generateSequence(frame) { it.callerFrame }
        .mapNotNull { it.getStackTraceElement() }
        .dropWhile { Site.isOurs(it.className) }
        .takeWhile { !it.className.startsWith("dev.kormorant.TransactionsKt") }
        .lastOrNull { !Site.isOurs(it.className) && it.lineNumber >= 0 }
        ?.let { "at ${it.fileName}:${it.lineNumber}" }
}
