package dev.kormorant.sqlite

import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.StatementCacheStats
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

/**
 * A statement is bound, stepped and decoded in one hop to [thread]; the coroutine waits for the answer and is resumed once.
 * While it waits, the thread owns [session]; between hops nobody touches it.
 */
internal class SqliteConnection(
    override val serverId: Long,
    override val dialect: Dialect,
    private val thread: ConnectionThread,
    private val session: Session,
    /** Called once with the lock held; gives the session its last task. */
    private val onClose: () -> Unit,
) : Connection {
    private val lock = Any()
    private var closed = false
    private var current: Execution? = null
    private var answer: CompletableDeferred<*>? = null

    override val statementCache: StatementCacheStats get() = session.statementCache

    override val status: ConnectionStatus
        get() = synchronized(lock) {
            when {
                closed -> ConnectionStatus.CLOSED
                current != null -> ConnectionStatus.BUSY
                else -> session.status
            }
        }

    override suspend fun execute(statement: SqlStatement): RawResult = execute(statement, NOTHING)

    /** All in one hop. */
    override suspend fun execute(statement: SqlStatement, prelude: Prelude): RawResult {
        val execution = claim(statement)
        return hop(execution) {
            try {
                for (sql in prelude.statements) prelude.onAnswer(session.execute(SqlStatement(sql, reusable = false), execution).rows.lastOrNull()?.firstOrNull())
                session.execute(statement, execution)
            } finally {
                release(execution)
            }
        }
    }

    override suspend fun stream(statement: SqlStatement, fetchSize: Int): RowStream {
        require(fetchSize > 0) { "The fetch size must be positive." }
        val execution = claim(statement)
        return hop(execution) {
            releasedOnFailure(execution) {
                val cursor = session.open(statement, execution)
                Rows(statement, execution, cursor, fetchSize, cursor.fetch(fetchSize))
            }
        }
    }

    override suspend fun cancel() {
        val execution = synchronized(lock) { current } ?: return
        execution.isCancelled = true
        end(execution)
    }

    override fun close() {
        val running: Execution?
        val waiting: CompletableDeferred<*>?
        synchronized(lock) {
            if (closed) return
            closed = true
            running = current
            waiting = answer
            onClose()
        }
        // In this order, so that the end of the statement is told as that of the connection.
        waiting?.completeExceptionally(closedException())
        running?.isCancelled = true
    }

    /** Makes the connection the caller's for one statement, before anything is sent. */
    private suspend fun claim(statement: SqlStatement): Execution {
        require(statement.types.size == statement.values.size) {
            "The statement has ${statement.types.size} parameter types but ${statement.values.size} values."
        }
        currentCoroutineContext().ensureActive()
        val execution = Execution()
        synchronized(lock) {
            if (closed) throw closedException()
            if (current != null) {
                throw ConnectionBusyException(
                    "The connection is running another statement.",
                    "Wait for its end, or close its rows, before the next one.",
                )
            }
            current = execution
        }
        return execution
    }

    private fun release(execution: Execution) {
        synchronized(lock) {
            if (current === execution) {
                current = null
                answer = null
            }
        }
    }

    private inline fun <T> releasedOnFailure(execution: Execution, block: () -> T): T {
        var failed = true
        try {
            return block().also { failed = false }
        } finally {
            if (failed) release(execution)
        }
    }

    /** Runs [block] on the thread. If the caller is cancelled meanwhile, the block goes on and its answer is dropped. */
    private suspend fun <T> hop(execution: Execution, block: () -> T): T {
        val deferred = CompletableDeferred<T>()
        synchronized(lock) {
            if (closed) throw closedException()
            check(current === execution) { "The statement has ended." }
            answer = deferred
            thread.execute {
                runCatching(block).fold(deferred::complete) {
                    if (it is ConnectionException) close()
                    deferred.completeExceptionally(it)
                }
            }
        }
        return deferred.await()
    }

    /** Ends the statement of [execution] after what the thread is doing for it, and suspends until that is so. */
    private suspend fun end(execution: Execution) {
        val ended = Job()
        synchronized(lock) {
            if (closed || current !== execution) return
            thread.execute {
                runCatching { if (execution === synchronized(lock) { current }) session.end() }
                release(execution)
                ended.complete()
            }
        }
        ended.join()
    }

    private fun closedException() = ConnectionException("The connection is closed.", null, null)

    private companion object {
        val NOTHING = Prelude(emptyList())
    }

    private inner class Rows(
        private val statement: SqlStatement,
        private val execution: Execution,
        private val cursor: Session.Cursor,
        private val fetchSize: Int,
        private var first: List<Array<Any?>>?,
    ) : RowStream {
        private var ended = false

        override val columns: List<RawColumn> = cursor.columns

        override suspend fun next(): List<Array<Any?>>? {
            if (ended) return null
            if (execution.isCancelled) {
                ended = true
                throw if (status == ConnectionStatus.CLOSED) closedException() else interrupted(statement, null)
            }
            val rows = first?.also { first = null } ?: fetch()
            if (rows.isNotEmpty()) return rows
            ended = true
            release(execution)
            return null
        }

        private suspend fun fetch(): List<Array<Any?>> {
            if (!cursor.isOpen) return emptyList()
            currentCoroutineContext().ensureActive()
            return hop(execution) { releasedOnFailure(execution) { cursor.fetch(fetchSize) } }
        }

        override suspend fun close() {
            if (ended) return
            ended = true
            // A portion that is still on its way would be made for nobody.
            if (!cursor.changesRows) execution.isCancelled = true
            end(execution)
        }
    }
}
