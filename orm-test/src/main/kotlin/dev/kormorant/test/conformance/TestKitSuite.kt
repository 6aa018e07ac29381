package dev.kormorant.test.conformance

import dev.kormorant.ConstraintViolationException
import dev.kormorant.Isolation
import dev.kormorant.Propagation
import dev.kormorant.connection
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.test.DatabaseTestScope
import dev.kormorant.test.Fixture
import dev.kormorant.test.assertAllReturned
import dev.kormorant.test.assertPlan
import dev.kormorant.test.databaseTest
import dev.kormorant.test.explain
import dev.kormorant.test.expectNoRepeats
import dev.kormorant.test.expectQueries
import dev.kormorant.test.recordStatements
import dev.kormorant.test.rolledBack
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What the test kit promises to tests: that nothing of them remains, and that it fails when it should. */
public abstract class TestKitSuite(backend: Backend) : Suite(backend, Pages, Users, Tweets, Tags, TweetTags) {
    private suspend fun add(value: String) = Pages.insert { it[key] = value }

    private suspend fun keys(): List<String> = Pages.selectAll().orderBy(Pages.key).toList().map { it[Pages.key] }

    private fun assertNothingRemains() = test { assertEquals(emptyList<String>(), keys()) }

    // ---- The sandbox

    @Test
    public fun `nothing of a test remains, whether it passes or fails`() {
        databaseTest(db) {
            add("passes")
            assertEquals(listOf("passes"), keys())
        }
        val thrown = assertThrows(IllegalStateException::class.java) {
            databaseTest(db) {
                transaction { add("fails") }
                error("mine")
            }
        }
        assertEquals("mine", thrown.message)
        assertNothingRemains()
    }

    @Test
    public fun `code under test commits, rolls back and nests as ever`(): Unit = databaseTest(db) {
        transaction { add("committed") }
        assertFails<IllegalStateException> {
            database.transaction {
                add("undone")
                error("on purpose")
            }
        }
        transaction {
            add("outer")
            assertFails<IllegalStateException> {
                transaction {
                    add("inner")
                    error("on purpose")
                }
            }
            transaction { add("nested") }
        }
        transaction { tx ->
            add("only for now")
            tx.setRollbackOnly()
        }
        assertEquals(listOf("committed", "nested", "outer"), keys())
    }

    @Test
    public fun `a transaction of its own is kept when the one around it fails later`(): Unit = databaseTest(db) {
        transaction {
            add("first")
            transaction(propagation = Propagation.REQUIRES_NEW) { add("own") }
            assertEquals(listOf("first", "own"), keys())
        }
        assertEquals(listOf("first", "own"), keys())
    }

    @Test
    public fun `isolation, propagation and work after the commit are the code's own affair`(): Unit = databaseTest(db) {
        val order = ArrayList<String>()
        val level = if (can.isolationLevels) Isolation.SERIALIZABLE else null
        transaction(level, propagation = Propagation.NEVER) { tx ->
            tx.afterCommit { order += "after" }
            add("a")
            order += "inside"
        }
        assertEquals(listOf("inside", "after"), order)
        assertFails<IllegalStateException> { transaction(propagation = Propagation.MANDATORY) { } }
    }

    @Test
    public fun `an error outside a transaction leaves the rest of the test as it was`(): Unit = databaseTest(db) {
        add("a")
        assertFails<ConstraintViolationException> { add("a") }
        add("b")
        assertFails<ConstraintViolationException> { transaction { add("b") } }
        database.connection { assertFails<ConstraintViolationException> { add("b") } }
        assertEquals(listOf("a", "b"), keys())
    }

    @Test
    public fun `children write side by side, in transactions of their own`(): Unit = databaseTest(db) {
        List(8) { n -> launch { transaction { add("left $n"); delay(1.milliseconds); add("right $n") } } }.joinAll()
        List(8) { n -> async { add("alone $n") } }.awaitAll()
        assertEquals(24, keys().size)
    }

    @Test
    public fun `tests run in parallel on one database and see nothing of each other`() {
        test {
            withContext(Dispatchers.Default) {
                List(32) { n ->
                    async {
                        rolledBack(db) {
                            transaction { add("page of test $n") }
                            assertFails<ConstraintViolationException> { add("page of test $n") }
                            assertEquals(listOf("page of test $n"), keys())
                        }
                    }
                }.awaitAll()
            }
        }
        assertNothingRemains()
        assertEquals(0, db.pool.inUse)
    }

    @Test
    public fun `a timeout takes real time, and a cancelled statement leaves the test usable`(): Unit = databaseTest(db) {
        add("before")
        withTimeout(60.seconds) { add("in time") }
        val slow = backend.dialogue.slowStatement
        assertEquals(null, withTimeoutOrNull(200.milliseconds) { database.exec(slow) })
        add("after")
        assertEquals(null, withTimeoutOrNull(200.milliseconds) { transaction { add("lost"); database.exec(slow) } })
        assertEquals(listOf("after", "before", "in time"), keys())
    }

    @Test
    public fun `rows can be streamed`(): Unit = databaseTest(db) {
        for (n in 1..5) add("$n")
        assertEquals(5, Pages.selectAll().also { it.fetchSize(2) }.toList(ArrayList()).size)
        transaction { assertEquals(5, Pages.selectAll().also { it.fetchSize(2) }.toList(ArrayList()).size) }
        transaction {
            if (backend.product == "PostgreSQL") Pages.selectAll().also { it.fetchSize(2) }.collect { assertEquals(5, keys().size) }
        }
        add("6")
        assertEquals(6, keys().size)
    }

    @Test
    public fun `work on another scope joins the test by its sandbox`(): Unit = databaseTest(db) {
        add("of the test")
        val server = CoroutineScope(Dispatchers.Default + Job())
        server.launch(sandbox) { transaction { add("of the server") } }.join()
        assertEquals(listOf("of the server", "of the test"), keys())
    }

    @Test
    public fun `what a fixture makes is there for all tests, once`() {
        var made = 0
        val pages = Fixture(db) {
            made++
            add("of the fixture")
            "value"
        }
        repeat(2) {
            databaseTest(pages) { value ->
                assertEquals("value", value)
                assertEquals(listOf("of the fixture"), keys())
                Pages.update({ Pages.key eq "of the fixture" }) { it[key] = "changed" }
            }
        }
        assertEquals(1, made)
        test { assertEquals(listOf("of the fixture"), keys()) }
    }

    // ---- Failing when it should

    @Test
    public fun `a test that leaves a connection lent fails`() {
        val stray = strayAfter { gate -> database.connection { add("a"); gate.await() } }
        assertTrue("1 connection in use" in stray, stray)
        assertNothingRemains()
    }

    @Test
    public fun `a test that leaves a transaction open fails and says so`() {
        val stray = strayAfter { gate -> database.transaction { add("a"); gate.await() } }
        assertTrue("1 connection in use, with 1 open transaction" in stray, stray)
        assertNothingRemains()
    }

    /** What a test fails with whose [work] goes on after its end. */
    private fun strayAfter(work: suspend DatabaseTestScope.(gate: CompletableDeferred<Unit>) -> Unit): String {
        val gate = CompletableDeferred<Unit>()
        var stray: Job? = null
        val error = assertThrows(AssertionError::class.java) {
            databaseTest(db) {
                val started = CompletableDeferred<Unit>()
                stray = CoroutineScope(Dispatchers.Default).launch(sandbox) {
                    work(CompletableDeferred<Unit>().also { started.complete(Unit) })
                }
                started.await()
                while (statements.none { it.operation == "INSERT" }) delay(1.milliseconds)
            }
        }
        test {
            gate.complete(Unit)
            withoutHang("the stray coroutine") { stray!!.cancelAndJoin() }
        }
        return error.message.orEmpty()
    }

    @Test
    public fun `a statement that commits the test's transaction fails the test`() {
        needs(!can.transactionalDdl, "statement that commits by itself")
        val error = assertThrows(Throwable::class.java) { databaseTest(db) { database.exec("CREATE TABLE page_escape (id INT)") } }
        test { database("DROP TABLE page_escape") }
        assertTrue("CREATE TABLE page_escape" in error.stackTraceToString(), error.stackTraceToString())
    }

    private suspend fun database(sql: String) = db.exec(sql)

    @Test
    public fun `too many queries fail with their text, transaction control is free`(): Unit = databaseTest(db) {
        expectQueries(atMost = 2, atLeast = 2) { transaction { add("a"); keys() } }
        val error = assertFails<AssertionError> { expectQueries(atMost = 1) { add("b"); keys() } }
        assertTrue("at most 1 queries, but there were 2" in error.message.orEmpty(), error.message)
        assertTrue("INSERT INTO" in error.message.orEmpty(), error.message)
        assertFails<AssertionError> { expectQueries(atMost = 9, atLeast = 3) { keys() } }
        assertEquals("mine", assertFails<IllegalStateException> { expectQueries(atMost = 0) { keys(); error("mine") } }.message)
    }

    @Test
    public fun `queries are counted apart for each block, children included`(): Unit = databaseTest(db) {
        coroutineScope {
            val counts = List(4) { n -> async { recordStatements { repeat(n + 1) { launch { keys() } } }.size } }.awaitAll()
            assertEquals(listOf(1, 2, 3, 4), counts)
        }
        assertEquals(10, statements.size)
    }

    @Test
    public fun `a query for each row fails, a query for all of them passes`(): Unit = databaseTest(db) {
        for (n in 1..3) {
            val user = User.create { name = "user $n" }
            Tweet.create { text = "hello"; this.user.value = user }
        }
        expectNoRepeats { User.all().with(User::tweets).toList() }
        val error = assertFails<AssertionError> { expectNoRepeats { for (user in User.all().toList()) user.tweets() } }
        assertTrue("3 times" in error.message.orEmpty() && "tweets" in error.message.orEmpty(), error.message)
        expectNoRepeats(limit = 3) { for (user in User.all().toList()) user.tweets() }
    }

    @Test
    public fun `a plan tells whether an index serves, whatever the number of rows`() {
        databaseTest(db) {
            checkPlans()
            Page.createAll((1..2000).map { n -> Page.new { key = "page $n"; text = "text" } })
            checkPlans()
        }
        assertNothingRemains()
        test { assertPlan(Pages.selectAll().where { Pages.key eq "x" }) { indexBacked() } }
    }

    /** As Exposed names it. */
    private val keyIndex get() = if (backend.product == "SQLite") "page_block_key" else "page_block_key_unique"

    private suspend fun checkPlans() {
        val served = Pages.selectAll().where { Pages.key eq "page 7" }
        assertPlan(served) { indexBacked() }
        if (!served.empty()) assertPlan(served) { usesIndex(keyIndex) }
        assertPlan(Page.find { Pages.id eq 7L }) { indexBacked() }
        val scan = assertFails<AssertionError> { assertPlan(Pages.selectAll().where { Pages.text eq "text" }) { indexBacked() } }
        assertTrue("No index serves" in scan.message.orEmpty() && "page_block" in scan.message.orEmpty(), scan.message)
        assertFails<AssertionError> { assertPlan(served) { usesIndex("no_such_index") } }
    }

    @Test
    public fun `an explained query is not run`(): Unit = databaseTest(db) {
        add("a")
        explain { Pages.update({ Pages.key eq "a" }) { it[text] = "changed" } }
        assertEquals("", Pages.selectAll().single()[Pages.text])
    }

    @Test
    public fun `a connection that is lent is told without a sandbox, too`(): Unit = test {
        db.assertAllReturned()
        db.connection {
            db.exec("SELECT 1")
            val error = assertFails<AssertionError> { db.assertAllReturned() }
            assertTrue("1 connection in use" in error.message.orEmpty(), error.message)
        }
    }

    @Test
    public fun `databases that are not under test are left alone`() {
        needs(can.shared && can.concurrentWriters, "second writer")
        val other = open()
        databaseTest(db) { withContext(other) { add("kept") } }
        test {
            assertEquals(listOf("kept"), keys())
            other.close()
        }
    }

    @Test
    public fun `a sandbox cannot be entered from inside a transaction`(): Unit = test {
        transaction { assertFails<IllegalStateException> { rolledBack(db) { } } }
    }

}
