package dev.kormorant.test.conformance

import dev.kormorant.Database
import dev.kormorant.driver.QueryClause
import dev.kormorant.test.TestServer
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import java.util.concurrent.atomic.AtomicInteger

/** What the suites have to know of a kind of database: how to get an empty one, and what it can do. */
public abstract class Backend(
    /** As its makers write it; what [Database.dialectName] must say. */
    public val product: String,
    public val capabilities: Capabilities,
    public val dialogue: Dialogue,
) {
    /** An empty database for one test class. */
    public abstract suspend fun create(): Place

    /** A URL at which nothing answers a connect. */
    public abstract val unreachableUrl: String

    /** The server behind it; `null` where there is none. */
    public open val server: TestServer? get() = null

    override fun toString(): String = product
}

/** An empty database: its URL and how to get rid of it when everything on it is closed. */
public class Place(public val url: String, public val drop: suspend () -> Unit = {})

/** Facts that decide which tests a backend has to pass, each as its documentation tells them, not as its driver does. */
public class Capabilities(
    /** Several [Database] objects on one URL see the same data. */
    public val shared: Boolean = true,
    /** A read need not wait for a transaction that is open elsewhere. */
    public val concurrentReads: Boolean = true,
    /** Two transactions may write at the same time. */
    public val concurrentWriters: Boolean = true,
    /** DDL is undone by a rollback. */
    public val transactionalDdl: Boolean = true,
    /** An error leaves the transaction unusable until a rollback. */
    public val errorAbortsTransaction: Boolean = false,
    /** An INSERT returns what the database made, so that one statement is enough. */
    public val insertReturning: Boolean = true,
    /** An UPDATE returns the rows it has changed. */
    public val updateReturning: Boolean = true,
    /** A DELETE returns the rows it has deleted. */
    public val deleteReturning: Boolean = true,
    /** An upsert names the columns of the conflict, and may leave rows as they are. */
    public val upsertKeys: Boolean = true,
    /** There is a REPLACE. */
    public val replace: Boolean = true,
    /** There is a MERGE. */
    public val merge: Boolean = false,
    /** UPDATE and DELETE take a join. */
    public val joinChanges: Boolean = true,
    /** UPDATE and DELETE take a LIMIT. */
    public val updateLimit: Boolean = false,
    /** A DELETE can leave out what a constraint protects. */
    public val deleteIgnore: Boolean = false,
    /** Ids can come from a sequence. */
    public val sequences: Boolean = true,
    /** A foreign key can be checked at COMMIT. */
    public val deferredConstraints: Boolean = true,
    /** A transaction can be made to see what others commit meanwhile, or not to. */
    public val isolationLevels: Boolean = true,
    /** Check constraints are kept and enforced. */
    public val checks: Boolean = true,
    /** A column holds decimals of 38 digits exactly. */
    public val exactDecimals: Boolean = true,
    /** A column holds unsigned integers of 64 bits exactly. */
    public val unsigned64: Boolean = true,
    /** A point in time with a zone keeps microseconds, not only milliseconds. */
    public val zonedMicroseconds: Boolean = true,
    /** A column can hold a point in time with a zone. */
    public val zonedTimestamps: Boolean = true,
    /** A column for points in time holds those before 1971 and after 2037. */
    public val wideInstants: Boolean = true,
    /** A time of day keeps microseconds, not only seconds. */
    public val timeMicroseconds: Boolean = true,
    /** There is a JSON type that keeps documents decomposed. */
    public val jsonb: Boolean = false,
    /** In a transaction other statements can run while a stream is being collected. */
    public val statementsDuringStreams: Boolean = false,
    /** Sessions can listen to channels. */
    public val notifications: Boolean = false,
    /** Rows travel in bulk by COPY. */
    public val copy: Boolean = false,
    /** Columns can be arrays. */
    public val arrays: Boolean = false,
    /** Type of a column that holds 16 MB of bytes. */
    public val longBinary: String = "BLOB",
    /** Clauses of queries that it does not have. */
    public val missingClauses: Set<QueryClause> = emptySet(),
    /** Clauses that lock rows, without names of tables; [ForUpdateOption.ForUpdate] itself is obeyed or without need everywhere. */
    public val locks: Set<String> = emptySet(),
    /** A query that is sorted or limited can be a part of a set operation. */
    public val boundedOperands: Boolean = true,
    /** The server gives each transaction an id, under which it knows later how it ended; and has deferrable transactions. */
    public val transactionIds: Boolean = false,
)

/** Questions in the words of one product. */
public class Dialogue(
    /** A statement that would run for half a minute or longer if nobody stopped it. */
    public val slowStatement: String,
    /** The server's own id of the session that asks; `null` where there is none. */
    public val sessionId: String? = null,
    /** How many [slowStatement]s the server runs in the current database; `null` where there is nobody to ask. */
    public val slowStatementsRunning: String? = null,
    /** Ends the session with the given id. */
    public val killSession: ((Long) -> String)? = null,
    /** How many sessions of the current database have a transaction open and no statement in progress; `null` where there is nobody to ask. */
    public val sessionsInTransaction: String? = null,
    /** How many sessions the current database has; `null` where there is nobody to ask. */
    public val sessions: String? = null,
    /** Ids of the sessions of the current database that listen to a channel; `null` where none can. */
    public val listeners: String? = null,
    /** What to ask when nothing goes on: sessions, transactions, who waits for whom. */
    public val diagnosis: List<String> = emptyList(),
    /** The session's bounds for a statement and for the wait for a lock; `null` where there are none. */
    public val timeouts: String? = null,
    /** How many sessions of the current database sleep in a [slowStatement]; `null` where there is nobody to ask. */
    public val sleeping: String? = null,
)

/**
 * A database of its own on a [server], made and dropped through the library itself. Without a server its tests are skipped with
 * the server's reason.
 */
public abstract class ServerBackend(
    product: String,
    private val find: () -> TestServer,
    capabilities: Capabilities,
    dialogue: Dialogue,
    /** What is added to DROP DATABASE so that it does not wait for sessions that are still ending. */
    private val dropOption: String = "",
) : Backend(product, capabilities, dialogue) {
    override val server: TestServer get() = find().assumeAvailable()

    /** Port 1 is reserved and nobody listens there. */
    override val unreachableUrl: String get() = "${server.url.substringBefore("://")}://kormorant:secret-of-nobody@127.0.0.1:1/test"

    override suspend fun create(): Place {
        val name = "conformance_${NUMBERS.incrementAndGet()}_${ProcessHandle.current().pid()}"
        administer("CREATE DATABASE $name")
        return Place(server.url(name)) { administer("DROP DATABASE $name$dropOption") }
    }

    private suspend fun administer(sql: String) = Database.open(server.url).use { it.exec(sql) }

    private companion object {
        val NUMBERS = AtomicInteger()
    }
}
