package dev.kormorant.test.conformance

import dev.kormorant.Database
import dev.kormorant.DatabaseConfig
import dev.kormorant.DatabaseListener
import dev.kormorant.Schema
import dev.kormorant.StatementEvent
import dev.kormorant.deleteAll
import dev.kormorant.update
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Table
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.Timeout
import java.util.concurrent.CopyOnWriteArrayList

/**
 * A suite of rules that hold on every backend. It has a database of its own with the given [tables], empty before each test; after
 * each test no connection is lent and the database answers.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
public abstract class Suite(protected val backend: Backend, private vararg val tables: Table) {
    private lateinit var place: Place

    /** The database of the suite. */
    protected lateinit var db: Database

    /** Statements that [db] and those of [open] have run since the start of the test, in order. */
    protected val sent: MutableList<String> = CopyOnWriteArrayList()

    protected val can: Capabilities get() = backend.capabilities

    protected val url: String get() = place.url

    @BeforeAll
    public fun createDatabase() {
        backend.server
        place = runBlocking { backend.create() }
        db = open()
        runBlocking(db) { Schema.create(*tables) }
    }

    @AfterAll
    public fun dropDatabase() {
        if (!::place.isInitialized) return
        runBlocking {
            if (::db.isInitialized) db.close()
            place.drop()
        }
    }

    @BeforeEach
    public fun emptyTables() {
        runBlocking(db) {
            for (table in tables.reversed()) {
                for (column in table.columns) if (column.referee?.table == table) table.update { it[column.nullable()] = null }
                table.deleteAll()
            }
        }
        sent.clear()
    }

    @AfterEach
    public fun `no connection is lent and the database answers`() {
        runBlocking {
            assertEquals(0, db.pool.inUse, "connections in use")
            assertEquals(1, (db.exec("SELECT 1").scalar() as Number).toInt())
            assertEquals(0, db.pool.waiting, "callers waiting")
        }
    }

    @Suppress("UNCHECKED_CAST")
    private fun Column<*>.nullable() = this as Column<Any?>

    /** A further [Database] on the data of the suite, with [parameters] added to its URL; whoever opens it closes it. */
    protected fun open(parameters: String = "", configure: DatabaseConfig.() -> Unit = {}): Database {
        assumeTrue(!::db.isInitialized || can.shared, "${backend.product}: two Database objects do not see the same data")
        val separator = if (parameters.isEmpty()) "" else if ('?' in url) "&" else "?"
        return Database.open(url + separator + parameters) {
            listener(
                object : DatabaseListener {
                    override fun onStatement(event: StatementEvent) {
                        sent += event.sql
                    }
                },
            )
            configure()
        }
    }

    /** Runs a test with [db] in the context. */
    protected fun test(block: suspend CoroutineScope.() -> Unit): Unit = runBlocking(db, block)

    /** Skips the test unless the backend [has] what it is about. */
    protected fun needs(has: Boolean, what: String): Unit = assumeTrue(has, "${backend.product} has no $what")

    /** The statements that [block] sends. */
    protected suspend fun statementsOf(block: suspend () -> Unit): List<String> {
        val before = sent.size
        block()
        return sent.drop(before)
    }

    /** That [block] sends [expected] statements. */
    protected suspend fun assertQueries(expected: Int, block: suspend () -> Unit) {
        val statements = statementsOf(block)
        assertEquals(expected, statements.size, statements.joinToString("\n"))
    }

    /** Runs [block] as somebody else would: with [db], but outside every transaction of the caller. */
    protected suspend fun <T> outside(block: suspend () -> T): T = CoroutineScope(db).async { block() }.await()
}
