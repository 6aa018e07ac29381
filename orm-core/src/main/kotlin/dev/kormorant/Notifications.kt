package dev.kormorant

import dev.kormorant.driver.DriverFeature
import dev.kormorant.internal.Listening
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** What a collector of [Database.listen] is told. */
public sealed interface Notification {
    /** The first thing a collector hears: from here on everything that is sent arrives. What was there before is read now. */
    public object Begin : Notification {
        override fun toString(): String = "Begin"
    }

    /** Somebody has sent a message on one of the channels. */
    public class Message internal constructor(
        public val channel: String,
        /** Empty if there was none. */
        public val payload: String,
        /** The server's own id of the session that sent it. */
        public val sender: Long,
    ) : Notification {
        /** Without the payload, which may be secret. */
        override fun toString(): String = "Message on $channel from $sender"
    }

    /**
     * From here on notifications arrive again; some may be missing before. A collector that keeps a picture of the data reads
     * it anew now: changes after this moment are announced.
     */
    public class Gap internal constructor(
        /** Why the link was lost; `null` if it was not, and the collector was more than 8 192 messages behind. */
        public val cause: OrmException?,
    ) : Notification {
        override fun toString(): String = if (cause == null) "Gap: the collector was too slow" else "Gap: ${cause.problem}"
    }
}

/**
 * What is sent on [channels], in the order the server tells it, from [Notification.Begin] on and without end. PostgreSQL only.
 *
 * Each collection has a connection of its own outside the pool, from its start to its end; cancelling it closes the connection. The first
 * connect must succeed. A link that is lost later, which is noticed after [PoolConfig.keepalive] (30 s if there is none) at the latest, is
 * opened again with growing pauses up to 5 s; then comes a [Notification.Gap]. It ends with [PoolClosedException] when the database is closed.
 *
 * @param channels names as they are, without quotes; other than in unquoted SQL, upper case letters stay as they are.
 * @throws UnsupportedByDialectException at once, before anything is sent, on other databases, and where
 * [DatabaseConfig.statementCacheSize] is 0: a pooler between program and server gives no session that could listen.
 * @throws ConnectionException if the first connect fails, or a later one is refused for good.
 */
public fun Database.listen(vararg channels: String): Flow<Notification> {
    require(channels.isNotEmpty()) { "listen() needs the name of a channel." }
    channels.forEach(::checkChannel)
    require(DriverFeature.NOTIFICATIONS, "notifications")
    if (config.statementCacheSize == 0) {
        throw UnsupportedByDialectException(
            "A connection through a pooler, for which statementCacheSize = 0 stands, cannot listen.",
            "Open a second Database with the address of the server itself for listen().",
        )
    }
    val names = channels.toList()
    return flow { Listening(this@listen, names).run(this) }
}

/**
 * Sends [payload] to all that listen to [channel]; in a transaction when that is committed, and not at all when it is rolled back.
 * PostgreSQL only, which takes payloads of less than 8 000 bytes.
 *
 * @throws UnsupportedByDialectException before anything is sent on other databases.
 */
public suspend fun Database.notify(channel: String, payload: String = "") {
    checkChannel(channel)
    require(DriverFeature.NOTIFICATIONS, "notifications")
    exec("SELECT pg_notify(?, ?)", channel, payload)
}

private fun checkChannel(name: String) {
    require(name.isNotEmpty() && '\u0000' !in name && name.encodeToByteArray().size <= MAX_NAME) {
        "The name of a channel has 1 to $MAX_NAME bytes and no character NUL."
    }
}

/** PostgreSQL cuts longer names for LISTEN, and refuses them for pg_notify. */
private const val MAX_NAME = 63
