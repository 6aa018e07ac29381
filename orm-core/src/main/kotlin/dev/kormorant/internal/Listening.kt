package dev.kormorant.internal

import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.Notification
import dev.kormorant.OrmException
import dev.kormorant.driver.Connection
import dev.kormorant.driver.NotificationReceiver
import dev.kormorant.driver.SqlStatement
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.launch
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * One collection of notifications: the coroutine that collects owns the connection, opens the next one when it is lost, and closes the
 * last one however it ends.
 */
internal class Listening(private val database: Database, private val channels: List<String>) {
    private val timer = database.timer

    suspend fun run(collector: FlowCollector<Notification>) {
        var lost: OrmException? = null
        while (true) {
            val inbox = Inbox()
            val connection = if (lost == null) connect(inbox) else reconnect(inbox)
            try {
                collector.emit(lost?.let { Notification.Gap(it) } ?: Notification.Begin)
                lost = forward(connection, inbox, collector)
            } finally {
                database.closeApart(connection)
            }
        }
    }

    private suspend fun connect(inbox: Inbox): Connection {
        val connection = database.connectApart()
        try {
            connection.receive(inbox)
            bounded(timer, database.config.connectTimeout) {
                for (channel in channels) connection.execute(SqlStatement("LISTEN \"${channel.replace("\"", "\"\"")}\"", reusable = false))
            } ?: throw ConnectionException("The server did not answer LISTEN within ${database.config.connectTimeout}.", null, null)
        } catch (error: Throwable) {
            database.closeApart(connection)
            throw error
        }
        return connection
    }

    private suspend fun reconnect(inbox: Inbox): Connection {
        var pause = FIRST_PAUSE
        while (true) {
            try {
                return connect(inbox)
            } catch (error: OrmException) {
                if (!error.isTransient) throw error
            }
            timer.pause(pause * Random.nextDouble(0.5, 1.0))
            pause = minOf(pause * 2, LAST_PAUSE)
        }
    }

    /** Hands over what comes until the link is lost; returns why it was. */
    private suspend fun forward(connection: Connection, inbox: Inbox, collector: FlowCollector<Notification>): OrmException = coroutineScope {
        val keepalive = launch { keepAlive(connection) }
        while (true) collector.emit(inbox.next() ?: break)
        keepalive.cancel()
        checkNotNull(inbox.lost)
    }

    /** A link that went dead without a word is noticed by asking only. */
    private suspend fun keepAlive(connection: Connection) {
        while (true) {
            timer.pause(database.config.pool.keepalive ?: DEFAULT_KEEPALIVE)
            val alive = try {
                bounded(timer, PATIENCE) { connection.execute(QUESTION) } != null
            } catch (_: OrmException) {
                false
            }
            if (!alive) return connection.close()
        }
    }

    /** What has come and was not collected yet. The driver's thread puts in, the collector takes out. */
    private class Inbox : NotificationReceiver {
        private val messages = Channel<Notification>(CAPACITY)

        /** Whether messages were dropped after those in the channel; all are, until the collector has got so far. */
        @Volatile
        private var overflowed = false

        @Volatile
        var lost: OrmException? = null
            private set

        override fun onNotification(channel: String, payload: String, sender: Long) {
            if (!overflowed) overflowed = messages.trySend(Notification.Message(channel, payload, sender)).isFailure
        }

        override fun onLost(cause: ConnectionException) {
            lost = cause
            messages.close()
        }

        /** Suspends until something has come; `null` when the link is lost and all was taken out. */
        suspend fun next(): Notification? {
            messages.tryReceive().getOrNull()?.let { return it }
            if (overflowed) {
                overflowed = false
                return Notification.Gap(null)
            }
            return messages.receiveCatching().getOrNull()
        }
    }

    private companion object {
        const val CAPACITY = 8_192
        val QUESTION = SqlStatement("SELECT 1", reusable = false)
        val PATIENCE = 5.seconds
        val DEFAULT_KEEPALIVE: Duration = 30.seconds
        val FIRST_PAUSE = 100.milliseconds
        val LAST_PAUSE = 5.seconds
    }
}
