package dev.kormorant.jasync.postgresql

import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.StatementCacheStats
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.CopyIn
import dev.kormorant.driver.CopyOut
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.NotificationReceiver
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import dev.kormorant.jasync.LastRequests
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.yield
import java.util.concurrent.atomic.AtomicReference

/**
 * A session. The statement in progress owns it from the claim in [execute] or [stream] until the event loop has processed its last
 * ReadyForQuery; cancelling the coroutine that waits changes nothing about that.
 */
internal class PostgreSqlConnection(
    private val link: Link,
    private val backend: BackendKey,
    override val dialect: Dialect,
    types: TypeCatalog,
    statementCacheSize: Int,
    private val requestCancel: suspend (BackendKey) -> Unit,
    private val lastRequests: LastRequests,
) : Connection {
    private val current = AtomicReference<Any?>()
    private val statements = PreparedStatements(statementCacheSize)
    private val session = Session(link, statements, types) { current.set(null) }

    override val serverId: Long get() = backend.pid.toLong()

    override val statementCache: StatementCacheStats get() = statements.stats

    override val status: ConnectionStatus
        get() = when {
            !link.open -> ConnectionStatus.CLOSED
            current.get() != null -> ConnectionStatus.BUSY
            else -> when (link.transaction) {
                'I' -> ConnectionStatus.IDLE
                'T' -> ConnectionStatus.IN_TRANSACTION
                else -> ConnectionStatus.FAILED
            }
        }

    override suspend fun execute(statement: SqlStatement): RawResult = perform(statement, null)

    /** All up to one Sync, which is one round trip; after an error the server skips what is left of it. */
    override suspend fun execute(statement: SqlStatement, prelude: Prelude): RawResult = perform(statement, prelude)

    private suspend fun perform(statement: SqlStatement, prelude: Prelude?): RawResult = run {
        if (statement.types.isEmpty() && !statement.reusable) {
            ExecuteCommand(session, statement, null, statements.serverSql(statement), prelude = prelude)
        } else {
            ExecuteCommand(session, statement, statements.find(statement), "", prelude = prelude)
        }
    }

    private suspend fun run(make: () -> ExecuteCommand): RawResult {
        val command = claim { make().let { it to it.encode() } }
        suspendCancellableCoroutine { caller ->
            command.first.caller = caller
            link.submit(command.first, command.second)
        }
        return command.first.result()
    }

    override suspend fun stream(statement: SqlStatement, fetchSize: Int): RowStream {
        require(fetchSize > 0) { "The fetch size must be positive." }
        if (status == ConnectionStatus.IN_TRANSACTION) return openPortal(statement, fetchSize)
        return claim { StreamCommand(session, statement, statements.find(statement), fetchSize) to null }.first.open()
    }

    private suspend fun openPortal(statement: SqlStatement, fetchSize: Int): RowStream {
        val portal = Portal(statements.newName(), fetchSize)
        val prepared = statements.find(statement)
        val fetch = suspend { run { ExecuteCommand(session, statement, prepared, "", portal) } }
        return PortalStream(this, portal, fetch(), fetch)
    }

    suspend fun closePortal(portal: Portal): Unit = suspendCancellableCoroutine { caller ->
        val (command, messages) = claim { ClosePortalCommand(session, caller) to link.buffer().closePortal(portal.name).sync() }
        link.submit(command, messages)
    }

    /** Takes the connection for the command that [prepare] makes; nothing is sent and nothing taken if that fails. */
    private inline fun <C : Command, T> claim(prepare: () -> Pair<C, T>): Pair<C, T> {
        if (!link.open) throw ConnectionException("The connection to PostgreSQL at ${link.address} is closed.", null, link.failure)
        if (!current.compareAndSet(null, CLAIMED)) {
            throw ConnectionBusyException(
                "Another statement is in progress on this connection.",
                "Wait for it, or use a second connection; a stream ends when its last row is read or it is closed.",
            )
        }
        try {
            return prepare().also { current.set(it.first) }
        } catch (e: Throwable) {
            current.set(null)
            throw e
        }
    }

    /** Repeats the request: one that arrives before the server has begun the statement is forgotten there. */
    override suspend fun cancel() {
        val command = inProgress() ?: return
        var patience = FIRST_PATIENCE
        do {
            if (isAtWork(command)) {
                requestCancel(backend)
                link.onEventLoop { link.read(true) }
            }
            val answered = link.awaitDone(command, patience)
            patience = minOf(patience * 2, LAST_PATIENCE)
        } while (!answered)
    }

    private suspend fun inProgress(): Command? {
        while (true) {
            val owner = current.get()
            if (owner !== CLAIMED) return owner as Command?
            yield()
        }
    }

    private suspend fun isAtWork(command: Command): Boolean = suspendCancellableCoroutine { continuation ->
        link.onEventLoop { continuation.resumeWith(Result.success(command.cancel())) }
    }

    override suspend fun copyOut(sql: String): CopyOut = copy(CopyOutCommand(session, sql))

    override suspend fun copyIn(sql: String): CopyIn = copy(CopyInCommand(session, sql))

    private suspend fun <C : CopyCommand> copy(command: C): C {
        val messages = claim { command to link.buffer().query(statements.serverSql(SqlStatement(command.sql, reusable = false))) }.second
        command.start(messages)
        return command
    }

    override fun receive(receiver: NotificationReceiver): Unit = link.notify(receiver)

    override fun close() {
        val abandons = link.open && current.get() != null
        link.close()
        if (abandons) lastRequests.send { requestCancel(backend) }
    }

    override fun toString(): String = "PostgreSqlConnection(${link.address}, pid ${backend.pid}, $status)"

    private companion object {
        /** Stands for a command that is being made. */
        val CLAIMED = Any()

        /** Milliseconds between two requests to cancel, the first and the longest. */
        const val FIRST_PATIENCE = 10L
        const val LAST_PATIENCE = 5_000L
    }
}
