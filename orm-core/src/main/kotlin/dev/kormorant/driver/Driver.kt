package dev.kormorant.driver

import kotlin.time.Duration

/**
 * What a backend module offers: it turns a URL whose scheme it knows into a [Driver].
 *
 * Found through [java.util.ServiceLoader]; an implementation is named in
 * `META-INF/services/dev.kormorant.driver.DriverProvider` and has a constructor without parameters.
 */
public interface DriverProvider {
    /** URL schemes in lower case, without the colon: `postgresql`, `sqlite`. */
    public val schemes: Set<String>

    /**
     * A driver for [url]. Does no I/O: a server that is down shows at the first [Driver.connect].
     *
     * @throws dev.kormorant.ConfigurationException if the URL or an option is not understood.
     */
    public fun open(url: DatabaseUrl, options: DriverOptions): Driver
}

/** What every driver is told, whatever its scheme. Options of one backend only are in [extras], keyed by their class. */
public class DriverOptions(
    /** Bound of one [Driver.connect], handshake and session set-up included. */
    public val connectTimeout: Duration,
    /** User name; `null` when neither the URL nor the configuration names one. */
    public val user: String?,
    /** Asked at every connect, so a rotated password is picked up; never kept, never printed. */
    public val password: (() -> String?)?,
    /** Prepared statements kept per connection, least recently used ones closed first. 0 prepares nothing that outlives its use. */
    public val statementCacheSize: Int,
    /** Settings of one backend, keyed by their class: what `sqlite { }` in the configuration block has set. */
    public val extras: Map<Class<*>, Any>,
) {
    override fun toString(): String = "DriverOptions(user=$user, connectTimeout=$connectTimeout)"
}

/** One database as a backend sees it: it makes connections and knows nothing of pools or transactions. */
public interface Driver {
    /** Connections open at once for [Access.WRITE]. SQLite has one writer; servers leave it to the pool's own bound. */
    public val maxWriters: Int get() = Int.MAX_VALUE

    /** Connections open at once for [Access.READ]; 0 when readers and writers share one pool. */
    public val maxReaders: Int get() = 0

    /** What its connections can do beyond statements. */
    public val features: Set<DriverFeature> get() = emptySet()

    /**
     * A new connection, idle and ready, its session set up. Cancelling the caller abandons the attempt and closes what was opened.
     *
     * @throws dev.kormorant.ConnectionException if there is no server, it refuses, or `connectTimeout` passes.
     */
    public suspend fun connect(access: Access): Connection

    /**
     * Closes what the driver holds besides its connections; returns when every link and thread is gone. May be repeated, and
     * [connect] may be called again afterwards.
     */
    public suspend fun close()
}

/** What not every database can do, known without asking a server. */
public enum class DriverFeature {
    /** Sessions can listen to channels: [Connection.receive]. */
    NOTIFICATIONS,

    /** Rows travel in bulk: [Connection.copyOut] and [Connection.copyIn]. */
    COPY,
}

/** What a connection is wanted for. Only a driver with separate readers ([Driver.maxReaders] > 0) sees [READ]. */
public enum class Access { READ, WRITE }
