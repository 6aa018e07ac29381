package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.ErrorMessage
import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import dev.kormorant.ConnectionException
import dev.kormorant.DatabaseException
import dev.kormorant.ErrorDetails
import dev.kormorant.OrmException
import dev.kormorant.driver.CopyIn
import dev.kormorant.driver.CopyOut
import io.netty.buffer.ByteBuf
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine
import java.io.ByteArrayOutputStream
import kotlin.coroutines.resume

/** COPY in the simple protocol; its bytes are the user's, in one direction. Fields are the event loop's. */
internal abstract class CopyCommand(protected val session: Session, val sql: String) : Command() {
    private var waiter: CancellableContinuation<Unit>? = null
    private var waiting: () -> Boolean = { true }
    private var error: ErrorMessage? = null
    private var lost: ConnectionException? = null

    /** Whether the server has said that the bytes may flow. */
    protected var begun = false

    /** Whether it turned out to be another kind of statement. */
    protected var foreign = false

    /** Whether the answer is whole or lost. */
    protected var over = false
        private set
    protected var stopping = false
    protected var tag: String = ""
        private set

    suspend fun start(messages: ByteBuf) {
        awaiting({ begun }) { session.link.submit(this, messages) }
        if (!begun) throw failure() ?: foreignStatement()
    }

    /** Runs [action] on the event loop and suspends until [condition] holds there or the command is over. */
    protected suspend fun awaiting(condition: () -> Boolean, action: () -> Unit = {}): Unit = suspendCancellableCoroutine { continuation ->
        session.link.onEventLoop {
            waiting = condition
            waiter = continuation
            action()
            wake()
        }
    }

    protected fun wake() {
        val caller = waiter ?: return
        if (!waiting() && !over) return
        waiter = null
        caller.resume(Unit)
    }

    protected fun failure(): OrmException? = lost ?: error?.let { databaseError(it, sql) } ?: if (foreign) foreignStatement() else null

    private fun foreignStatement() =
        DatabaseException("The statement is no COPY in this direction.", "copyOut() takes COPY … TO STDOUT, copyIn() COPY … FROM STDIN.", ErrorDetails(sql = sql), null)

    override fun onMessage(type: Char, body: ByteBuf) {
        when (type) {
            'H' -> onCopyOut()
            'G' -> onCopyIn()
            'd' -> onData(body)
            'C' -> tag = StatementCommand.commandTag(body)
            'c' -> Unit
            else -> foreign = true
        }
        wake()
    }

    /** The server is going to send bytes. */
    protected abstract fun onCopyOut()

    /** The server waits for bytes. */
    protected abstract fun onCopyIn()

    protected open fun onData(body: ByteBuf) = Unit

    protected fun refuse() {
        session.link.write(session.link.buffer().copyFail("The program has ended it."))
    }

    override fun onDescription(description: RowDescriptionMessage) {
        foreign = true
    }

    override fun onError(error: ErrorMessage) {
        if (this.error == null) this.error = error
    }

    override fun onReady() {
        over = true
        session.link.read(true)
        session.free()
        done()
        wake()
    }

    override fun onLost(failure: ConnectionException) {
        lost = failure
        onReady()
    }
}

/** Bytes wait for their reader up to a bound, beyond which the server waits. */
internal class CopyOutCommand(session: Session, sql: String) : CopyCommand(session, sql), CopyOut {
    private val ready = ByteArrayOutputStream()

    override suspend fun next(): ByteArray? {
        var piece: ByteArray? = null
        awaiting({ take()?.also { piece = it } != null })
        return piece ?: failure()?.let { throw it }
    }

    private fun take(): ByteArray? {
        if (ready.size() == 0) return null
        session.link.read(true)
        return ready.toByteArray().also { ready.reset() }
    }

    override fun onCopyOut() {
        begun = true
    }

    override fun onCopyIn() {
        foreign = true
        refuse()
    }

    override fun onData(body: ByteBuf) {
        if (stopping) return
        body.readBytes(ready, body.readableBytes())
        if (ready.size() >= ENOUGH) session.link.read(false)
    }

    /** Reads on when the server has been asked only: it would send faster than the request can get there. */
    override fun cancel(): Boolean {
        stopping = true
        ready.reset()
        if (!over) session.link.read(false)
        return !over
    }

    private companion object {
        const val ENOUGH = 256 * 1024
    }
}

/** A server that waits for bytes hears of a cancel in that direction only. */
internal class CopyInCommand(session: Session, sql: String) : CopyCommand(session, sql), CopyIn {
    private var sentAll = false

    override suspend fun write(bytes: ByteArray) {
        var written = false
        awaiting({ written }) {
            if (!over) {
                session.link.write(session.link.buffer().copyData(bytes)) {
                    written = true
                    wake()
                }
            }
        }
        if (over) throw failure() ?: IllegalStateException("The COPY has ended.")
    }

    override suspend fun end(): Long {
        awaiting({ false }) {
            if (!over) session.link.write(session.link.buffer().copyDone())
            sentAll = true
        }
        failure()?.let { throw it }
        return StatementCommand.affected(tag)
    }

    override fun onCopyIn() {
        begun = true
        if (stopping) giveUp()
    }

    override fun onCopyOut() {
        foreign = true
    }

    override fun cancel(): Boolean {
        stopping = true
        if (!begun || sentAll) return !over
        giveUp()
        return false
    }

    private fun giveUp() {
        sentAll = true
        refuse()
    }
}
