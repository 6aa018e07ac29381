package dev.kormorant.internal

import dev.kormorant.ConnectionException
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.awaitCancellation

/** A connection that answers [ANSWERS], is silent or finds its link broken, as the test wants, and counts what it is asked. */
internal class FakeConnection(override val serverId: Long) : Connection {
    enum class Link { ANSWERS, SILENT, BROKEN }

    @Volatile
    override var status: ConnectionStatus = ConnectionStatus.IDLE

    @Volatile
    var link: Link = Link.ANSWERS

    @Volatile
    var asked: Int = 0

    override val dialect: Dialect get() = throw UnsupportedOperationException()

    override suspend fun execute(statement: SqlStatement): RawResult {
        asked++
        when (link) {
            Link.ANSWERS -> return RawResult(emptyList(), emptyList(), 0)
            Link.SILENT -> {
                status = ConnectionStatus.BUSY
                awaitCancellation()
            }
            Link.BROKEN -> {
                status = ConnectionStatus.CLOSED
                throw ConnectionException("The link was lost.", null, null)
            }
        }
    }

    override suspend fun stream(statement: SqlStatement, fetchSize: Int): RowStream = throw UnsupportedOperationException()

    override suspend fun cancel() = Unit

    override fun close() {
        status = ConnectionStatus.CLOSED
    }

    override fun toString(): String = "connection $serverId"
}
