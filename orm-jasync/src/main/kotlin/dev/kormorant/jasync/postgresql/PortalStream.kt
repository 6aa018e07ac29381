package dev.kormorant.jasync.postgresql

import com.github.jasync.sql.db.postgresql.messages.backend.ErrorMessage
import com.github.jasync.sql.db.postgresql.messages.backend.RowDescriptionMessage
import dev.kormorant.ConnectionException
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import io.netty.buffer.ByteBuf
import kotlinx.coroutines.CancellableContinuation
import kotlin.coroutines.resume

/** A portal of the server that lives as long as its transaction. */
internal class Portal(val name: String, val fetchSize: Int) {
    /** How its rows look; `null` until it has been bound. */
    var layout: RowLayout? = null

    /** Whether its last row has been fetched. */
    var isExhausted: Boolean = false
}

/**
 * The rows of a statement in a transaction, from a portal with a name. Each portion is a statement of its own that ends with Sync, so
 * others may run in between.
 */
internal class PortalStream(
    private val connection: PostgreSqlConnection,
    private val portal: Portal,
    first: RawResult,
    private val fetch: suspend () -> RawResult,
) : RowStream {
    private var ready = first.rows
    private var closed = false

    override val columns: List<RawColumn> = first.columns

    override val leavesConnectionFree: Boolean get() = true

    override suspend fun next(): List<Array<Any?>>? {
        if (ready.isEmpty() && !portal.isExhausted) ready = fetch().rows
        return ready.ifEmpty { null }.also { ready = emptyList() }
    }

    override suspend fun close() {
        if (closed) return
        closed = true
        if (connection.status == ConnectionStatus.BUSY) connection.cancel()
        // With the transaction, failed or not, the portal is gone.
        if (connection.status == ConnectionStatus.IN_TRANSACTION) connection.closePortal(portal)
    }
}

/** Closes a portal; the server says yes in any case. */
internal class ClosePortalCommand(private val session: Session, private val caller: CancellableContinuation<Unit>) : Command() {
    override fun onMessage(type: Char, body: ByteBuf) = Unit

    override fun onDescription(description: RowDescriptionMessage) = Unit

    override fun onError(error: ErrorMessage) = Unit

    override fun onReady() {
        session.free()
        done()
        caller.resume(Unit)
    }

    override fun onLost(failure: ConnectionException): Unit = onReady()
}
