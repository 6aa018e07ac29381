package dev.kormorant.test

import dev.kormorant.DatabaseException
import dev.kormorant.TransactionAbortedException
import dev.kormorant.connection
import dev.kormorant.transaction
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** What is done when the server is in another state than its answers let expect. */
@Timeout(60)
class ServerStateTest {
    @Test
    fun `a BEGIN that came through although it was cancelled is rolled back on a pinned connection`(): Unit = runBlocking {
        val script = ScriptedDriver()
        script.answerTooLate("BEGIN")
        script.open().use { db ->
            withContext(db) {
                db.connection {
                    db.exec("FIRST")
                    val job = launch(start = CoroutineStart.UNDISPATCHED) { db.transaction { db.exec("NEVER SENT") } }
                    job.cancelAndJoin()
                    db.exec("LAST")
                }
            }
            assertEquals(listOf("FIRST", "BEGIN", "CANCEL", "ROLLBACK", "LAST"), script.sent)
            assertEquals(0, script.closed)
            script.assertAllReturned(db)
        }
    }

    @Test
    fun `a savepoint that the server does not know leaves only the rollback of the whole transaction`() {
        val script = ScriptedDriver(errorAbortsTransaction = false)
        script.refuse("ROLLBACK TO SAVEPOINT")
        script.refuse("BAD")
        runBlocking {
            script.open().use { db ->
                val error = runCatching {
                    db.transaction {
                        val failed = runCatching { db.transaction { db.exec("BAD") } }.exceptionOrNull()
                        assertTrue(failed is DatabaseException && failed.suppressed.single() is DatabaseException, "$failed")
                        val refused = runCatching { db.exec("NEVER SENT") }.exceptionOrNull()
                        assertTrue(refused is TransactionAbortedException, "$refused")
                    }
                }.exceptionOrNull()
                assertTrue(error is TransactionAbortedException, "$error")
                assertEquals(listOf("BEGIN", "SAVEPOINT \"s1\"", "BAD", "ROLLBACK TO SAVEPOINT \"s1\"", "ROLLBACK"), script.sent)
                assertEquals(0, script.closed)
                script.assertAllReturned(db)
            }
        }
    }
}
