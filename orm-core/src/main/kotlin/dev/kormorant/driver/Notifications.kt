package dev.kormorant.driver

import dev.kormorant.ConnectionException

/** Who is told what a server sends to a session that listens. Called on a thread of the driver: it must neither block nor throw. */
public interface NotificationReceiver {
    /** Somebody has sent [payload], which may be empty, on [channel]; [sender] is the [Connection.serverId] of the session that did. */
    public fun onNotification(channel: String, payload: String, sender: Long)

    /** The link is gone; nothing will come any more. Called once, also when the connection is closed on purpose. */
    public fun onLost(cause: ConnectionException)
}
