package dev.kormorant.jasync.mysql

import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.DatabaseException
import dev.kormorant.ErrorDetails
import dev.kormorant.OrmException
import dev.kormorant.StatementCacheStats
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import dev.kormorant.jasync.LastRequests
import dev.kormorant.jasync.StatementCache
import io.netty.buffer.ByteBuf
import io.netty.channel.Channel
import io.netty.channel.ChannelFutureListener
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.suspendCancellableCoroutine
import org.jetbrains.exposed.v1.core.Version
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.resume

private const val IN_TRANSACTION = 1
private const val AUTOCOMMIT = 2
private const val QUIT = 0x01
private const val CLOSE_STATEMENT = 0x19
private const val KILL_AGAIN_MILLIS = 1_000L

/**
 * A connection that has logged in. All its state but what is marked volatile belongs to its event loop. From the moment a statement is
 * accepted to the moment its answer has been read whole, [busy] keeps others out, whatever becomes of the coroutine that sent it.
 */
internal class MySqlConnection(
    private val channel: Channel,
    private val decoder: PacketDecoder,
    greeting: Greeting,
    statementCacheSize: Int,
    private val kill: suspend (connectionId: Long) -> Unit,
    private val lastRequests: LastRequests,
) : Connection, PacketReceiver {
    private val loop = channel.eventLoop()
    private val busy = AtomicBoolean()

    @Volatile private var closing = false

    @Volatile private var lost: ConnectionException? = null

    /** Status flags of the last answer that had some. */
    @Volatile var serverStatus: Int = AUTOCOMMIT

    @Volatile override var serverId: Long = greeting.connectionId
        private set

    override lateinit var dialect: Dialect
        private set

    val deprecateEof: Boolean = greeting.capabilities and DEPRECATE_EOF != 0
    val statements = StatementCache<String, Prepared>(statementCacheSize)
    private var maxPacket = Long.MAX_VALUE
    private var active: Exchange? = null
    private var stop: Stop? = null

    init {
        decoder.receiver = this
    }

    override val statementCache: StatementCacheStats get() = statements.stats

    override val status: ConnectionStatus
        get() = when {
            closing || lost != null || !channel.isActive -> ConnectionStatus.CLOSED
            busy.get() -> ConnectionStatus.BUSY
            // Without autocommit a failed statement can leave a transaction open and not say so.
            serverStatus and (IN_TRANSACTION or AUTOCOMMIT) != AUTOCOMMIT -> ConnectionStatus.IN_TRANSACTION
            else -> ConnectionStatus.IDLE
        }

    /** Puts the session into a known state and asks for the facts, both in one round trip. */
    suspend fun setUp() {
        val (_, facts) = try {
            claim()
            batch(listOf(SESSION, FACTS))
        } catch (e: DatabaseException) {
            throw ConnectionException("The server refused the settings of the session: ${e.problem}", null, e, isTransient = false)
        }
        val (version, idStep, id, maxPacket) = facts.rows.single()
        val number = Version.from((version as String).takeWhile { it.isDigit() || it == '.' })
        val step = idStep.toString().toLong()
        dialect = if ("MariaDB" in version) MariaDbServer(number, step) else MySqlServer(number, step)
        serverId = id.toString().toLong()
        this.maxPacket = maxPacket.toString().toLong()
    }

    override suspend fun execute(statement: SqlStatement): RawResult {
        claim()
        return onLoop { begin(BufferedExecution(this, statement, it)) }
    }

    /**
     * The server runs each command whatever became of the one before, so a [prelude] that guards the statement is a round trip of its
     * own: behind a failed BEGIN the statement would commit by itself.
     */
    override suspend fun execute(statement: SqlStatement, prelude: Prelude): RawResult {
        claim()
        if (prelude.guards) {
            batch(prelude.statements, prelude)
            return execute(statement)
        }
        return batch(prelude.statements + statement.sql, prelude).last()
    }

    override suspend fun stream(statement: SqlStatement, fetchSize: Int): RowStream {
        require(fetchSize > 0) { "The fetch size is $fetchSize; it must be positive." }
        claim()
        return onLoop { begin(StreamedExecution(this, statement, fetchSize, it)) }
    }

    private suspend fun batch(statements: List<String>, prelude: Prelude? = null): List<RawResult> = onLoop { begin(Batch(this, statements, prelude, it)) }

    private fun claim() {
        if (closing) throw closedByUser()
        lost?.let { throw it }
        if (!busy.compareAndSet(false, true)) {
            throw ConnectionBusyException(
                "Another statement is in progress on this connection.",
                "Wait for its end, or close its stream, or use another connection.",
            )
        }
    }

    /** Runs [block] on the event loop and suspends until it, or somebody after it, resumes the continuation. */
    suspend fun <T> onLoop(block: (CancellableContinuation<T>) -> Unit): T =
        suspendCancellableCoroutine { continuation -> loop.execute { block(continuation) } }

    // ---- On the event loop

    /** Whether somebody wants the statement in progress stopped. */
    val isStopping: Boolean get() = stop != null

    private fun begin(exchange: Exchange) {
        active = exchange
        if (!channel.isActive || lost != null) return closed(cause = null)
        try {
            exchange.begin()
        } catch (e: Throwable) {
            // Nobody knows what has been sent.
            closed(e)
            channel.close()
        }
    }

    override fun packet(buf: ByteBuf, end: Int) {
        val exchange = active
        if (exchange != null) return exchange.packet(buf, end)
        // Unasked, a server says only why it is going to close.
        lost = ServerError.unasked(buf, end)
        channel.close()
    }

    override fun closed(cause: Throwable?) {
        val reason = lost ?: connectionLost(cause).also { lost = it }
        active?.finish(reason)
    }

    private fun connectionLost(cause: Throwable?) = when {
        closing -> closedByUser()
        else -> ConnectionException("The connection to the database was lost.", "What ran on it may or may not have happened.", cause)
    }

    /** The answer to [exchange] has been read; it is released at once unless a cancel is on its way to the server. */
    fun finished(exchange: Exchange) {
        active = null
        resumeReading()
        (exchange.failure as? ConnectionException)?.let {
            lost = lost ?: it
            channel.close()
        }
        val stop = stop
        when {
            stop == null -> release(exchange)
            stop.exchange == null -> stop.answered(exchange)
            else -> exchange.released() // what a cancel sent itself
        }
    }

    private fun release(exchange: Exchange) {
        busy.set(false)
        exchange.released()
    }

    /** Writes one request; nothing has been written if this throws. */
    fun send(sizeHint: Int, write: (ByteBuf) -> Unit) {
        val packet = channel.alloc().packet(sizeHint = sizeHint) { buf ->
            write(buf)
            if (buf.payloadLength > maxPacket) throw tooLarge(buf.payloadLength)
        }
        channel.writeAndFlush(packet).addListener(ChannelFutureListener.CLOSE_ON_FAILURE)
    }

    private fun tooLarge(length: Int) = DatabaseException(
        "The statement takes $length bytes, the server accepts $maxPacket.",
        "Raise max_allowed_packet in the server, or send less at once.",
        ErrorDetails(vendorCode = 1153),
        null,
    )

    /** The answer to a server that asks for a local file. */
    fun sendNoFile() {
        channel.writeAndFlush(channel.alloc().packet(decoder.nextSequence) {}).addListener(ChannelFutureListener.CLOSE_ON_FAILURE)
    }

    /** Has no answer. */
    fun closeStatement(statement: Prepared) {
        val id = statement.id ?: return
        if (channel.isActive) send(16) { it.writeByte(CLOSE_STATEMENT).writeIntLE(id) }
    }

    fun pauseReading() {
        channel.config().isAutoRead = false
    }

    fun resumeReading() {
        if (!channel.config().isAutoRead) channel.config().isAutoRead = true
    }

    // ---- Cancel and close

    /**
     * A cancel in progress. The statement's answer is kept back until the kill has reached the server and a statement of our own has
     * taken up what may be left of it.
     */
    private class Stop {
        /** The statement, once it has been answered. */
        var exchange: Exchange? = null
            private set

        private var round: CompletableDeferred<Boolean> = CompletableDeferred()

        val done = CompletableDeferred<Unit>()

        fun answered(exchange: Exchange) {
            this.exchange = exchange
            round.complete(true)
        }

        /** Completes with `true` once the statement has been answered, or with what the caller completes it with before. */
        fun nextRound(): CompletableDeferred<Boolean> =
            if (exchange == null) CompletableDeferred<Boolean>().also { round = it } else CompletableDeferred(true)
    }

    override suspend fun cancel() {
        if (!busy.get()) return
        val own = Stop()
        try {
            val current = onLoop<Stop?> { it.resume(stopWith(own)) } ?: return
            if (current === own) stop(own)
            current.done.await()
        } catch (e: CancellationException) {
            // A kill may be on its way: nobody must use the connection any more.
            close()
            throw e
        }
    }

    private fun stopWith(own: Stop): Stop? {
        if (!busy.get() || lost != null) return null
        (active as? StreamedExecution)?.drop()
        return stop ?: own.also { stop = it }
    }

    private suspend fun stop(stop: Stop) {
        try {
            do {
                // Again if need be: a kill that comes before its statement has no effect.
                kill(checkNotNull(serverId))
            } while (!answered(stop))
            takeUpLateKill()
        } catch (e: OrmException) {
            if (lost == null) {
                close()
                throw e
            }
        } finally {
            loop.execute { stopped(stop) }
        }
    }

    /** A kill that came after the end of its statement hits this one instead of the user's next. */
    private suspend fun takeUpLateKill() {
        try {
            batch(listOf("DO 0"))
        } catch (_: DatabaseException) {
            // hit
        }
    }

    /** Waits a while for the answer to the statement. */
    private suspend fun answered(stop: Stop): Boolean {
        val round = onLoop { it.resume(stop.nextRound()) }
        val timer = loop.schedule({ round.complete(false) }, KILL_AGAIN_MILLIS, TimeUnit.MILLISECONDS)
        try {
            return round.await()
        } finally {
            timer.cancel(false)
        }
    }

    private fun stopped(stop: Stop) {
        this.stop = null
        stop.exchange?.let(::release)
        stop.done.complete(Unit)
    }

    override fun close() {
        if (closing) return
        closing = true
        if (busy.get() && lost == null) lastRequests.send { kill(serverId) }
        loop.execute {
            if (busy.get() || !channel.isActive) {
                channel.close()
            } else {
                channel.writeAndFlush(channel.alloc().packet { it.writeByte(QUIT) }).addListener(ChannelFutureListener.CLOSE)
            }
        }
    }

    private fun closedByUser() = ConnectionException("The connection is closed.", null, null, isTransient = false)

    private companion object {
        const val SESSION = "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, sql_mode = " +
            "IF(FIND_IN_SET('STRICT_TRANS_TABLES', @@sql_mode) OR FIND_IN_SET('STRICT_ALL_TABLES', @@sql_mode), @@sql_mode, " +
            "CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'STRICT_TRANS_TABLES'))"
        const val FACTS = "SELECT @@version, @@auto_increment_increment, CONNECTION_ID(), @@max_allowed_packet"
    }
}
