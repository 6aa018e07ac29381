package dev.kormorant.test.conformance

import dev.kormorant.ConnectionException
import dev.kormorant.CommitOutcomeUnknownException
import dev.kormorant.Database
import dev.kormorant.Isolation
import dev.kormorant.Retry
import dev.kormorant.batchInsert
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds

private object BankAccounts : Table("bank_account") {
    val id = integer("id")
    val balance = integer("balance")

    /** Counts the writes. */
    val version = integer("version")
    override val primaryKey = PrimaryKey(id)
}

/** What each committed transaction read and wrote, written by itself. */
private object BankLedger : Table("bank_ledger") {
    val transaction = integer("tx")
    val account = integer("account")
    val readVersion = integer("read_version")
    val wrote = bool("wrote")
}

/** What a transaction did to one account. */
internal class Touch(val transaction: Int, val account: Int, val readVersion: Int, val wrote: Boolean)

/**
 * Whether the transactions can be put in an order in which each sees exactly what those before it have left: no version is written twice,
 * and the graph of who must come before whom has no cycle.
 */
internal fun assertSerializable(history: List<Touch>) {
    val writers = HashMap<Pair<Int, Int>, Int>()
    for (access in history.filter { it.wrote }) {
        val other = writers.put(access.account to access.readVersion + 1, access.transaction)
        assertTrue(other == null, "transactions $other and ${access.transaction} have both written version ${access.readVersion + 1} of account ${access.account}")
    }
    val before = HashMap<Int, MutableSet<Int>>()
    fun order(first: Int?, second: Int?) {
        if (first != null && second != null && first != second) before.getOrPut(second) { HashSet() } += first
    }
    for (access in history) {
        order(writers[access.account to access.readVersion], access.transaction)
        order(access.transaction, writers[access.account to access.readVersion + 1])
    }
    val done = HashSet<Int>()
    var left = history.mapTo(HashSet()) { it.transaction }
    while (left.isNotEmpty()) {
        val free = left.filterTo(HashSet()) { transaction -> before[transaction].orEmpty().all { it in done } }
        assertTrue(free.isNotEmpty(), "the transactions $left have no serial order")
        done += free
        left = HashSet(left - free)
    }
}

/** Money moved by many at once, some of whom are killed or cancelled. */
public abstract class BankSuite(backend: Backend) : Suite(backend, BankAccounts, BankLedger) {
    private val retry = Retry(attempts = 1000, backoff = 2.milliseconds, maxBackoff = 50.milliseconds)

    @Test
    public fun `money moved by 64 coroutines with kills and cancels is all there, and the history is serializable (P19, N1, U8)`(): Unit = runBlocking {
        if (can.shared) {
            open { pool { max = 12; acquireTimeout = GUARD } }.use { bank -> withContext(bank) { seeded { run(bank, it) } } }
        } else {
            withContext(db) { seeded { run(db, it) } }
        }
    }

    private suspend fun run(bank: Database, random: Random) {
        BankAccounts.batchInsert((1..ACCOUNTS).toList()) { number ->
            this[BankAccounts.id] = number
            this[BankAccounts.balance] = START
            this[BankAccounts.version] = 0
        }
        val sessions = ConcurrentHashMap.newKeySet<Long>()
        val failures = ConcurrentLinkedQueue<Throwable>()
        val seeds = List(COROUTINES) { random.nextLong() }
        withoutHang("the bank") {
            coroutineScope {
                seeds.mapIndexed { worker, seed ->
                    launch(Dispatchers.Default) {
                        val own = Random(seed)
                        repeat(ROUNDS) { round -> one(bank, worker * ROUNDS + round, own, sessions, failures) }
                    }
                }.joinAll()
            }
        }
        failures.firstOrNull()?.let { throw AssertionError("an error that no kill explains", it) }
        assertEquals(0, bank.pool.inUse)
        assertEquals(0, bank.pool.waiting)
        val accounts = BankAccounts.selectAll().toList()
        val history = BankLedger.selectAll().toList()
            .map { Touch(it[BankLedger.transaction], it[BankLedger.account], it[BankLedger.readVersion], it[BankLedger.wrote]) }
        assertEquals(ACCOUNTS * START, accounts.sumOf { it[BankAccounts.balance] }, "the money")
        for (account in accounts) {
            assertEquals(account[BankAccounts.version], history.count { it.wrote && it.account == account[BankAccounts.id] }, "writes of $account")
        }
        assertSerializable(history)
        assertTrue(history.isNotEmpty())
    }

    private suspend fun one(bank: Database, id: Int, random: Random, sessions: MutableSet<Long>, failures: MutableCollection<Throwable>) {
        val fate = random.nextInt(16)
        try {
            when (fate) {
                0 -> coroutineScope {
                    val moving = launch { move(bank, id, random, sessions) }
                    repeat(random.nextInt(40)) { yield() }
                    moving.cancelAndJoin()
                }
                1 -> {
                    sessions.randomOrNull(random)?.let { session ->
                        sessions -= session
                        runCatching { outside { db.exec(backend.dialogue.killSession!!(session)) } }
                    }
                    move(bank, id, random, sessions)
                }
                2, 3 -> audit(id)
                else -> move(bank, id, random, sessions)
            }
        } catch (error: ConnectionException) {
            if (backend.dialogue.killSession == null) failures += error
        } catch (error: CommitOutcomeUnknownException) {
            if (backend.dialogue.killSession == null) failures += error
        } catch (error: Exception) {
            failures += error
        }
    }

    /** Moves money between two accounts; or, if both have enough together, takes a note of that in one of them: the trap of write skew. */
    private suspend fun move(bank: Database, id: Int, random: Random, sessions: MutableSet<Long>) {
        val (from, to) = (1..ACCOUNTS).shuffled(random).take(2)
        val amount = random.nextInt(1, 10)
        val skews = random.nextInt(4) == 0
        transaction(isolation = Isolation.SERIALIZABLE, retry = retry) {
            if (backend.dialogue.killSession != null) sessions += (bank.exec(backend.dialogue.sessionId!!).scalar() as Number).toLong()
            val first = read(from)
            val second = read(to)
            if (skews) {
                write(from, first.first, first.second)
            } else {
                write(from, first.first - amount, first.second)
                write(to, second.first + amount, second.second)
            }
            note(id, from, first.second, wrote = true)
            note(id, to, second.second, wrote = !skews)
        }
    }

    private suspend fun audit(id: Int): Unit = transaction(isolation = Isolation.SERIALIZABLE, retry = retry) {
        val seen = BankAccounts.selectAll().toList()
        assertEquals(ACCOUNTS * START, seen.sumOf { it[BankAccounts.balance] }, "the money seen by a transaction")
        for (row in seen) note(id, row[BankAccounts.id], row[BankAccounts.version], wrote = false)
    }

    private suspend fun read(id: Int): Pair<Int, Int> =
        BankAccounts.selectAll().where { BankAccounts.id eq id }.single().let { it[BankAccounts.balance] to it[BankAccounts.version] }

    private suspend fun write(id: Int, balance: Int, readVersion: Int) {
        BankAccounts.update({ BankAccounts.id eq id }) {
            it[BankAccounts.balance] = balance
            it[version] = readVersion + 1
        }
    }

    private suspend fun note(id: Int, account: Int, readVersion: Int, wrote: Boolean) {
        BankLedger.insert {
            it[transaction] = id
            it[BankLedger.account] = account
            it[BankLedger.readVersion] = readVersion
            it[BankLedger.wrote] = wrote
        }
    }

    @Test
    public fun `the checker finds lost updates and write skew`(): Unit = runBlocking {
        assertSerializable(listOf(Touch(1, 1, 0, true), Touch(2, 1, 1, true), Touch(3, 1, 2, false)))
        assertFails<AssertionError> { assertSerializable(listOf(Touch(1, 1, 0, true), Touch(2, 1, 0, true))) }
        assertFails<AssertionError> {
            assertSerializable(listOf(Touch(1, 1, 0, false), Touch(1, 2, 0, true), Touch(2, 2, 0, false), Touch(2, 1, 0, true)))
        }
    }

    private companion object {
        const val COROUTINES = 64
        const val ROUNDS = 4
        const val ACCOUNTS = 12
        const val START = 100
    }
}
