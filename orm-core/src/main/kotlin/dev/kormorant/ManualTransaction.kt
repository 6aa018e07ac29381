package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.internal.Deadline
import dev.kormorant.internal.Level
import dev.kormorant.internal.LevelKind
import dev.kormorant.internal.tell
import dev.kormorant.internal.undo
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.slf4j.LoggerFactory
import java.lang.ref.Cleaner
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.CoroutineContext

/**
 * A transaction that is opened and ended by hand, for work that does not fit into one block. It must be closed:
 *
 * ```
 * db.begin().use { tx ->
 *     Page.create { key = "title" }
 *     tx.commit()
 * }
 * ```
 *
 * Only what runs in its [context] belongs to it: the block of [use], `tx { … }`, `launch(tx.context)`. It has a connection of its own, taken with
 * the first statement. [commit] and [rollback] end and begin it again; [close] undoes what is not committed.
 *
 * It is watched. If the job that made it ends, or nobody can reach it any more, it is rolled back, its connection is given back, and
 * listeners hear of a [TransactionEvent.Kind.LEAK] with its place of creation, which is logged as a warning too.
 */
public class ManualTransaction private constructor(level: Level, private val watch: Watch) : Transaction(level) {
    /** In which statements find the transaction. */
    public val context: CoroutineContext = database + level.context(null)

    /** Runs [block] in the transaction, which stays open. */
    public suspend operator fun <T> invoke(block: suspend CoroutineScope.() -> T): T = withContext(context, block)

    /** Runs [block] in the transaction and closes it, whatever the outcome. */
    public suspend fun <T> use(block: suspend CoroutineScope.(ManualTransaction) -> T): T {
        val outcome = runCatching { invoke { block(this@ManualTransaction) } }
        try {
            close()
        } catch (error: Throwable) {
            val failure = outcome.exceptionOrNull() ?: throw error
            failure.addSuppressed(error)
        }
        return outcome.getOrThrow()
    }

    /**
     * Rolls back what is not committed and gives the connection back, out of reach of cancellation, within [DatabaseConfig.cancelTimeout].
     * May be repeated.
     */
    public suspend fun close() {
        if (watch.stop()) end(level)
    }

    override fun toString(): String = "Manual${super.toString()}"

    /** Whether somebody still has to close the transaction, and what becomes of it if nobody does. Knows the level, not the handle. */
    private class Watch(private val level: Level) : Runnable {
        private val open = AtomicBoolean(true)

        @Volatile
        var ofOwner: DisposableHandle? = null

        /** Whether the caller is the one to close it. */
        fun stop(): Boolean = open.getAndSet(false).also { if (it) ofOwner?.dispose() }

        override fun run() {
            if (!stop()) return
            val database = level.session.database
            CoroutineScope(Dispatchers.Default + database).launch {
                LOG.warn("The transaction opened {} was never closed and is rolled back.", level.origin)
                try {
                    level.tell(TransactionEvent.Kind.LEAK)
                } finally {
                    end(level)
                }
            }
        }
    }

    internal companion object {
        private val LOG = LoggerFactory.getLogger(ManualTransaction::class.java)

        /** Sees that a handle cannot be reached any more; its thread starts with the first handle. */
        private val CLEANER: Cleaner by lazy { Cleaner.create() }

        suspend fun open(database: Database, options: TransactionOptions, owner: Job?): ManualTransaction {
            require(options.retry == null) { "A transaction without a block cannot be run again." }
            val access = if (options.readOnly && database.separatesReaders) Access.READ else Access.WRITE
            val level = Level(database.session(access), null, LevelKind.TRANSACTION, options, Deadline.after(database.timer, options.timeout))
            database.openLevel(level)
            val watch = Watch(level)
            return ManualTransaction(level, watch).also { handle ->
                CLEANER.register(handle, watch)
                watch.ofOwner = owner?.invokeOnCompletion { watch.run() }
            }
        }

        private suspend fun end(level: Level) {
            val database = level.session.database
            try {
                database.takeLastTurn(level)
                undo(level)
            } finally {
                closeLevel(level)
                level.session.close()
            }
        }
    }
}

/**
 * Opens a transaction that is ended by hand, beside any that the caller is in; nothing is sent yet. It must be closed, best by
 * [ManualTransaction.use]. When the job of the calling coroutine ends before that, it is rolled back.
 *
 * @throws IllegalArgumentException if [options] ask for retries.
 */
public suspend fun Database.begin(options: TransactionOptions = TransactionOptions()): ManualTransaction =
    begin(options, currentCoroutineContext()[Job])

/** The other [begin], watched by another job than the caller's; `null` leaves it to the garbage collector to see that it is forgotten. */
public suspend fun Database.begin(options: TransactionOptions, owner: Job?): ManualTransaction = ManualTransaction.open(this, options, owner)
