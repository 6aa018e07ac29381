package dev.kormorant.test

import dev.kormorant.connection
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** The sandbox behind the JUnit extension, on a database that only tells what it was sent. */
@Timeout(60)
class SandboxHolderTest {
    private val script = ScriptedDriver()

    @Test
    fun `all that the tests of one sandbox do happens in one transaction, which is rolled back`() = runBlocking {
        script.open().use { db ->
            val sandbox = SandboxHolder.open(db)
            sandbox.database.transaction { sandbox.database.exec("INSERT 1") }
            sandbox.database.exec("INSERT 2")
            sandbox.close()
            script.assertAllReturned(db)
        }
        val expected = listOf(
            "BEGIN", "SAVEPOINT sandbox_1", "INSERT 1", "RELEASE SAVEPOINT sandbox_1", "SAVEPOINT guard_1", "INSERT 2", "RELEASE SAVEPOINT guard_1", "ROLLBACK",
        )
        assertEquals(expected, script.sent.filter { it in expected })
        assertEquals(setOf(1), script.received.mapTo(HashSet()) { it.connection })
    }

    @Test
    fun `a sandbox that is left with an open transaction says so, and is rolled back all the same`() = runBlocking {
        script.open().use { db ->
            val sandbox = SandboxHolder.open(db)
            val begun = CompletableDeferred<Unit>()
            val stray = CoroutineScope(Dispatchers.Default).launch {
                sandbox.database.transaction {
                    sandbox.database.exec("INSERT 1")
                    begun.complete(Unit)
                    CompletableDeferred<Unit>().await()
                }
            }
            begun.await()
            val error = assertThrows(AssertionError::class.java) { sandbox.close() }
            assertTrue("1 connection in use, with 1 open transaction" in error.message.orEmpty(), error.message)
            stray.cancelAndJoin()
            script.assertAllReturned(db)
        }
        assertEquals("ROLLBACK", script.sent.last())
    }

    @Test
    fun `a sandbox that is left with a lent connection says so`() = runBlocking {
        script.open().use { db ->
            val sandbox = SandboxHolder.open(db)
            val lent = CompletableDeferred<Unit>()
            val stray = CoroutineScope(Dispatchers.Default).launch {
                sandbox.database.connection {
                    sandbox.database.exec("INSERT 1")
                    lent.complete(Unit)
                    CompletableDeferred<Unit>().await()
                }
            }
            lent.await()
            val error = assertThrows(AssertionError::class.java) { sandbox.close() }
            assertTrue("1 connection in use (" in error.message.orEmpty(), error.message)
            stray.cancelAndJoin()
        }
    }
}
