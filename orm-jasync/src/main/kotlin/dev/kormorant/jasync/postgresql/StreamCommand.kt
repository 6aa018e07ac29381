package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.ErrorMessage
import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import dev.kormorant.ConnectionException
import dev.kormorant.ErrorDetails
import dev.kormorant.QueryTimeoutException
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import io.netty.buffer.ByteBuf
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.coroutines.resume

/**
 * A statement whose rows are fetched in portions from its portal. Flush, not Sync, stands between two portions: a Sync outside a
 * transaction would end the portal. So at most one portion is in memory, and ending early costs neither the rest of the rows nor the
 * transaction.
 */
internal class StreamCommand(session: Session, statement: SqlStatement, prepared: Prepared, private val fetchSize: Int) :
    StatementCommand(session, statement, prepared), RowStream {
    private enum class Phase { DESCRIBING, FETCHING, SUSPENDED, ENDING, DONE }

    private enum class Stop { CLOSED, CANCELLED }

    private var phase = Phase.DESCRIBING
    private var completed = false
    private var stop: Stop? = null
    private var reader: CancellableContinuation<Unit>? = null

    override val columns: List<RawColumn> get() = layout.columns

    // ---- The reader's side

    /** Starts the statement; suspends until the first portion or the failure is there. */
    suspend fun open(): RowStream {
        val messages = encode()
        awaitPortion { session.link.submit(this, messages) }
        if (phase == Phase.DONE) failure()?.let { throw it }
        return this
    }

    override suspend fun next(): List<Array<Any?>>? {
        if (rows.isEmpty()) awaitPortion { if (phase == Phase.SUSPENDED) fetch() }
        if (rows.isNotEmpty()) return rows.also { rows = ArrayList() }
        failure()?.let { throw it }
        if (!completed) throw stopped()
        return null
    }

    override suspend fun close() {
        session.link.onEventLoop { end(Stop.CLOSED) }
        session.link.awaitDone(this)
        rows = ArrayList()
    }

    private suspend fun awaitPortion(ask: () -> Unit) = suspendCancellableCoroutine { continuation ->
        session.link.onEventLoop {
            reader = continuation
            if (phase == Phase.DONE) resume() else ask()
        }
    }

    private fun stopped(): RuntimeException = when (stop) {
        Stop.CANCELLED -> QueryTimeoutException("The stream was cancelled.", null, ErrorDetails("57014", sql = statement.sql), null)
        else -> IllegalStateException("The stream is closed.")
    }

    // ---- The event loop's side

    /** Ends a stream that waits for its reader. */
    override fun cancel(): Boolean {
        end(Stop.CANCELLED)
        return phase != Phase.DONE && phase != Phase.ENDING
    }

    private fun end(reason: Stop) {
        if (stop == null) stop = reason
        if (phase == Phase.SUSPENDED) sync { closePortal() }
    }

    override fun ByteBuf.start(prepared: Prepared?) {
        checkNotNull(prepared)
        if (prepared.layout == null) {
            phase = Phase.DESCRIBING
            describeStatement(prepared.name)
        } else {
            phase = Phase.FETCHING
            bind(prepared.name, statement, layout.formats)
            execute(fetchSize)
        }
        flush()
    }

    override fun describe(description: RowDescriptionMessage?) {
        super.describe(description)
        if (missingTypes().isEmpty()) bindAndFetch() else session.link.write(startLookup().write(session.link.buffer()).flush())
    }

    override fun onClosed() {
        lookup?.let {
            finishLookup(it)
            bindAndFetch()
        }
    }

    private fun bindAndFetch() {
        val prepared = checkNotNull(prepared)
        layout = checkNotNull(prepared.layout)
        phase = Phase.FETCHING
        session.link.write(session.link.buffer().bind(prepared.name, statement, layout.formats).execute(fetchSize).flush())
    }

    private fun fetch() {
        phase = Phase.FETCHING
        session.link.write(session.link.buffer().execute(fetchSize).flush())
    }

    override val wantsRows: Boolean get() = stop == null

    override fun onSuspended() {
        phase = Phase.SUSPENDED
        if (stop != null || failed) sync { closePortal() } else resume()
    }

    override fun onComplete(tag: String) {
        if (lookup != null) return
        completed = true
        sync {}
        if (rows.isNotEmpty()) resume()
    }

    override fun onCopyIn(refusal: ByteBuf): Unit = session.link.write(refusal)

    override fun onError(error: ErrorMessage) {
        super.onError(error)
        sync {}
    }

    private inline fun sync(before: ByteBuf.() -> Unit) {
        if (phase == Phase.ENDING) return
        phase = Phase.ENDING
        session.link.write(session.link.buffer().apply(before).sync())
    }

    override fun onReady() {
        if (!retried()) {
            phase = Phase.DONE
            finish()
        }
    }

    override fun onLost(failure: ConnectionException) {
        phase = Phase.DONE
        super.onLost(failure)
    }

    override fun resume() {
        reader?.resume(Unit)
        reader = null
    }
}
