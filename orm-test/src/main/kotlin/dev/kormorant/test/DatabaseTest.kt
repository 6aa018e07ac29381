package dev.kormorant.test

import dev.kormorant.Database
import dev.kormorant.PoolStats
import dev.kormorant.StatementEvent
import dev.kormorant.driver.withDriver
import dev.kormorant.withListener
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.test.TestResult
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Runs a test on [database] and undoes all it has done: [block] runs in a sandbox as of [rolledBack], on `runTest`.
 *
 * Delays and timeouts in the block take real time, unlike elsewhere on `runTest`: virtual time passes while a statement is on its
 * way, so that every `withTimeout` around one would fire. With [virtualTime] it is used all the same.
 *
 * @param timeout how long the test may take, in real time.
 * @throws AssertionError if the test leaves a connection or a transaction open.
 */
public fun databaseTest(
    database: Database,
    timeout: Duration = 60.seconds,
    virtualTime: Boolean = false,
    block: suspend DatabaseTestScope.() -> Unit,
): TestResult = runTest(timeout = timeout) { withContext(timeOf(virtualTime)) { rolledBack(database, block) } }

/** A [databaseTest] on the database of [fixture] whose [block] gets what the fixture has made. */
public fun <F> databaseTest(
    fixture: Fixture<F>,
    timeout: Duration = 60.seconds,
    virtualTime: Boolean = false,
    block: suspend DatabaseTestScope.(F) -> Unit,
): TestResult = runTest(timeout = timeout) {
    withContext(timeOf(virtualTime)) {
        val made = fixture.get()
        rolledBack(fixture.database) { block(made) }
    }
}

private fun timeOf(virtualTime: Boolean) = if (virtualTime) EmptyCoroutineContext else Dispatchers.Default.limitedParallelism(1)

/**
 * Runs [block] in a sandbox: with one connection of [database] in a transaction that is rolled back at the end, whatever the outcome.
 *
 * Everything in the block, and the coroutines it starts, sees that connection as the whole pool of the database. The code under test
 * may use transactions of its own, of any propagation and isolation: they are savepoints there, and their rollback and
 * `afterCommit` are as ever. A statement outside of them that fails leaves the rest of the test as it was. Coroutines may run side
 * by side; of two transactions the later waits for the end of the earlier, unless it was started inside it.
 *
 * What runs elsewhere, such as the calls of a server under test, joins by [DatabaseTestScope.sandbox].
 *
 * Isolation levels and read-only transactions are not told apart, deferred constraints are not checked, and a statement that commits
 * by itself, such as CREATE TABLE in MySQL, ends the sandbox and fails the test. On SQLite sandboxes queue for the one writer; on a server any number run at
 * once, and wait for each other only where they write the same unique keys.
 *
 * @return what [block] returned.
 * @throws AssertionError if the block leaves a connection or a transaction open.
 * @throws IllegalStateException inside a transaction of [database].
 */
public suspend fun <T> rolledBack(database: Database, block: suspend DatabaseTestScope.() -> T): T {
    val recorder = StatementRecorder()
    var driver: SandboxDriver? = null
    return database.withDriver({ real -> SandboxDriver(real).also { it.begin() }.also { driver = it } }) { pool ->
        ending({ driver?.end() }) {
            val result = withListener(recorder) { coroutineScope { DatabaseTestScope(database, recorder, this).block() } }
            assertReturned(pool(), recorder)
            result
        }
    }
}

/** Runs [end] after [block], whatever its outcome; what [end] throws is added to what the block has thrown. */
internal suspend fun <T> ending(end: suspend () -> Unit, block: suspend () -> T): T {
    val outcome = runCatching { block() }
    val trouble = runCatching { end() }.exceptionOrNull()
    if (trouble != null) outcome.exceptionOrNull()?.addSuppressed(trouble) ?: throw trouble
    return outcome.getOrThrow()
}

/** What a test in a sandbox has at hand; a scope whose coroutines the test waits for. */
public class DatabaseTestScope internal constructor(
    /** The database of the test; within the test all of it is the sandbox. */
    public val database: Database,
    private val recorder: StatementRecorder,
    scope: CoroutineScope,
) : CoroutineScope by scope {
    /** The statements of the test so far, those of its children included. */
    public val statements: List<StatementEvent> get() = recorder.statements

    /**
     * The sandbox for code that is no child of the test: the calls of a server in the same process, work on a scope of the
     * application. `withContext(sandbox) { … }` joins it there. Of no use after the test.
     */
    public val sandbox: CoroutineContext get() = coroutineContext.minusKey(Job).minusKey(ContinuationInterceptor)
}

/**
 * Fails unless all connections of this database are given back.
 *
 * @throws AssertionError with the figures of the pool.
 */
public fun Database.assertAllReturned(): Unit = assertReturned(pool, null)

internal fun assertReturned(pool: PoolStats, recorder: StatementRecorder?) {
    if (pool.inUse == 0) return
    val open = recorder?.openTransactions ?: 0
    throw AssertionError(
        buildString {
            append("The test has left ${pool.inUse} ${if (pool.inUse == 1) "connection" else "connections"} in use")
            if (open > 0) append(", with $open open ${if (open == 1) "transaction" else "transactions"}")
            append(" ($pool).")
            recorder?.statements?.lastOrNull()?.let { append(" The last statement was ${it.sql}.") }
            append(" Close what begin() has given, and wait for the coroutines that the test starts.")
        },
    )
}
