package dev.kormorant.test.conformance

import dev.kormorant.CommitOutcome
import dev.kormorant.CommitOutcomeUnknownException
import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.TransactionOptions
import dev.kormorant.insert
import dev.kormorant.resolve
import dev.kormorant.test.FaultProxy
import dev.kormorant.test.FaultProxy.Direction
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.ZERO

/** What becomes of a transaction whose COMMIT is not answered, and how a program finds out. */
public abstract class CommitOutcomeSuite(backend: Backend) : Suite(backend, Pages) {
    private val resolvable = TransactionOptions(resolvable = true)

    private fun throughProxy(block: suspend CoroutineScope.(FaultProxy, Database) -> Unit) = test {
        needs(can.transactionIds && backend.server != null, "transaction ids")
        FaultProxy(backend.server!!.host, backend.server!!.port).use { proxy ->
            val other = Database.open(proxy.instead(url.substringBefore('?') + "?sslmode=disable")) { pool { max = 1 } }
            try {
                withContext(other) { block(proxy, other) }
            } finally {
                other.close(ZERO)
            }
        }
    }

    @Test
    public fun `cut at each byte of COMMIT and of its answer, the server tells how the transaction ended (U4, T5)`(): Unit = throughProxy { proxy, _ ->
        val outcomes = HashMap<CommitOutcome, Int>()
        for ((direction, bytes) in listOf(Direction.TO_SERVER to COMMIT_BYTES, Direction.TO_CLIENT to ANSWER_BYTES)) {
            for (cut in 1..bytes) {
                val page = "$direction $cut"
                val result = runCatching {
                    transaction(resolvable) {
                        addPages(page)
                        proxy.cutAfter(direction, cut.toLong())
                    }
                }
                proxy.resume()
                val error = result.exceptionOrNull()
                assertTrue(error is CommitOutcomeUnknownException || cut == bytes && (error == null || error is ConnectionException), "$page: $error")
                val stored = withContext(db) { page in pageKeys() }
                if (error is CommitOutcomeUnknownException) {
                    assertHint(error, "resolve")
                    val outcome = db.resolve(error)
                    outcomes.merge(outcome, 1, Int::plus)
                    assertEquals(if (withContext(db) { page in pageKeys() }) CommitOutcome.COMMITTED else CommitOutcome.ROLLED_BACK, outcome, page)
                } else {
                    assertTrue(stored || error != null, page)
                }
            }
        }
        assertEquals(setOf(CommitOutcome.COMMITTED, CommitOutcome.ROLLED_BACK), outcomes.keys, "$outcomes")
    }

    @Test
    public fun `a counter is raised exactly once each time, whatever happens to COMMIT (U4)`(): Unit = throughProxy { proxy, other ->
        addPages("counter")
        seeded { random ->
            repeat(RAISES) { number ->
                while (true) {
                    try {
                        transaction(resolvable) {
                            val value = Page.get { Pages.key eq "counter" }.text.ifEmpty { "0" }.toInt()
                            Pages.update({ Pages.key eq "counter" }) { it[text] = "${value + 1}" }
                            if (random.nextInt(3) == 0) proxy.cutAfter(Direction.entries.random(random), random.nextLong(1, ANSWER_BYTES + 5L))
                        }
                        break
                    } catch (error: CommitOutcomeUnknownException) {
                        proxy.resume()
                        if (db.resolve(error) == CommitOutcome.COMMITTED) break
                    } catch (_: ConnectionException) {
                        // Lost before COMMIT.
                        proxy.resume()
                    }
                }
                proxy.resume()
                val value = withContext(db) { Page.get { Pages.key eq "counter" }.text }
                assertEquals("${number + 1}", value)
            }
        }
        assertEquals(0, other.pool.inUse)
    }

    @Test
    public fun `an id costs no statement of its own and no id is asked for otherwise (U4)`(): Unit = test {
        needs(can.transactionIds, "transaction ids")
        Pages.insert { it[key] = "warm" }
        assertTrue(statementsOf { transaction { addPages("a") } }.none { "txid" in it })
        assertEquals(1, statementsOf { transaction(resolvable) { addPages("b") } }.count { "txid" in it })
        assertEquals(CommitOutcome.UNKNOWN, db.resolve(CommitOutcomeUnknownException("Lost.", "None.", null).also { assertNull(it.transactionId) }))
    }

    private companion object {
        /** Of the message Query with COMMIT, and of CommandComplete and ReadyForQuery. */
        const val COMMIT_BYTES = 12
        const val ANSWER_BYTES = 18
        const val RAISES = 60
    }
}
