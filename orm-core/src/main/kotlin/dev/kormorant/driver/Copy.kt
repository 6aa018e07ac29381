package dev.kormorant.driver

/** A COPY from the server that is under way. The connection is [ConnectionStatus.BUSY] until it has ended; [Connection.cancel] ends it early. */
public interface CopyOut {
    /** The next bytes, at least one, cut anywhere; `null` after the last. Suspends until there are some, and throws as [Connection.execute] does. */
    public suspend fun next(): ByteArray?
}

/** A COPY to the server that is under way. The connection is [ConnectionStatus.BUSY] until [end]; [Connection.cancel] makes the server forget it. */
public interface CopyIn {
    /** Sends [bytes], cut anywhere; suspends while the server takes no more. Throws as [Connection.execute] does when it has refused what came before. */
    public suspend fun write(bytes: ByteArray)

    /** Says that this was all, and suspends until the server has stored it. Returns the number of rows. */
    public suspend fun end(): Long
}
