package dev.kormorant.test.conformance

import dev.kormorant.ConnectionException
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.Database
import dev.kormorant.DeadlockException
import dev.kormorant.OrmException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.SerializationException
import dev.kormorant.batchInsert
import dev.kormorant.connection
import dev.kormorant.insert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.withStatementTimeout
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import org.jetbrains.exposed.v1.core.Table
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private object Accounts : Table("account") {
    val id = integer("id")
    val balance = long("balance")
    override val primaryKey = PrimaryKey(id)
}

/**
 * Many [coroutines] on few connections for a while, doing at random all that can go right and wrong with a statement or a transaction.
 *
 * It runs for 10 seconds, or for as many as the system property `kormorant.soak.seconds` says. Every piece of work knows which errors
 * are its own doing; any other is a failure. So is a while in which no coroutine gets anywhere: the failure tells then what each of
 * them is at and what the server says.
 */
@Timeout(24 * 60 * 60)
public abstract class SoakSuite(backend: Backend, private val coroutines: Int = 500, private val parameters: String = "") :
    Suite(backend, Pages, Accounts) {
    private class Undo : RuntimeException()

    private enum class Work(val kills: Boolean = false) {
        READ, TOTAL, TRANSFER, SAVEPOINT, UNDO, DUPLICATE, TIMEOUT, KILLED(kills = true), KILLED_IN_TRANSACTION(kills = true)
    }

    private val done = ConcurrentHashMap<Work, AtomicInteger>()

    /** What each coroutine is at. */
    private val doing = ConcurrentHashMap<Int, Work>()

    @Test
    public fun `nothing is lost, leaked, mixed up or cancelled by others`(): Unit = test {
        val seconds = Integer.getInteger("kormorant.soak.seconds", 10)
        done.clear()
        Accounts.batchInsert(1..ACCOUNTS) { this[Accounts.id] = it; this[Accounts.balance] = START }
        Pages.insert { it[key] = "taken" }
        open(parameters) { cancelTimeout = 1.minutes; pool { max = 10; acquireTimeout = 2.minutes } }.use { soaked ->
            seeded { random ->
                val seed = random.nextLong()
                val end = TimeSource.Monotonic.markNow() + seconds.seconds
                val watchdog = launch { watch(soaked) }
                (1..coroutines).map { number ->
                    launch(Dispatchers.Default + soaked) {
                        val own = Random(seed + number)
                        while (end.hasNotPassedNow()) step(soaked, own) { doing[number] = it }
                        doing.remove(number)
                    }
                }.joinAll()
                watchdog.cancelAndJoin()
                println("Soak of ${backend.product}: $done in $seconds s, then ${soaked.pool}")
                assertEquals(emptyList<Work>(), Work.entries.filter { !done.containsKey(it) && it != Work.UNDO && (!it.kills || backend.dialogue.killSession != null) })
                assertEquals(ACCOUNTS * START, total(db))
                assertEquals(0, soaked.pool.inUse, "connections in use")
                assertEquals(0, soaked.pool.waiting, "callers waiting")
                val answers = (1..50).map { number -> async { soaked.connection { number(soaked, "SELECT $number").toInt() } } }
                assertEquals((1..50).toList(), answers.awaitAll())
                backend.dialogue.sessionsInTransaction?.let { question -> eventually("no session is in a transaction") { number(db, question) == 0L } }
                assertEquals(1, Pages.selectAll().count().toInt())
            }
        }
        backend.dialogue.sessions?.let { question -> eventually("only the sessions of the suite are left") { number(db, question).toInt() == db.pool.idle } }
    }

    /** Fails when nobody gets anywhere any more. */
    private suspend fun watch(soaked: Database) {
        var before = -1
        while (true) {
            val now = done.values.sumOf { it.get() }
            if (now == before) throw AssertionError("Nothing was done for $STANDSTILL. ${report(soaked)}")
            before = now
            delay(STANDSTILL)
        }
    }

    private suspend fun report(soaked: Database) = buildString {
        appendLine("Done: $done. At work: ${doing.values.groupingBy { it }.eachCount()}. ${soaked.pool}")
        open().use { observer ->
            for (question in backend.dialogue.diagnosis) {
                appendLine(question)
                for (row in observer.exec(question).rows) appendLine("    ${row.values.joinToString(" | ")}")
            }
        }
        for ((thread, stack) in Thread.getAllStackTraces()) {
            if (stack.isNotEmpty()) appendLine("$thread").append(stack.joinToString("\n") { "    at $it" }).appendLine()
        }
    }

    private suspend fun step(soaked: Database, random: Random, begin: (Work) -> Unit) {
        val work = Work.entries[random.nextInt(Work.entries.size)]
        if (work.kills && (backend.dialogue.killSession == null || random.nextInt(10) > 0)) return
        begin(work)
        try {
            // Who kills a session stays until it is noticed: nobody else must get it.
            when (if (work.kills) IN_PEACE else random.nextInt(6)) {
                0 -> impatiently(random, 20) { act(work, soaked, random) }
                1, 2 -> soaked.connection {
                    read(soaked, random)
                    impatiently(random, 5) { act(work, soaked, random) }
                    read(soaked, random)
                }
                else -> act(work, soaked, random)
            }
            done.computeIfAbsent(work) { AtomicInteger() }.incrementAndGet()
        } catch (_: Undo) {
            // Its own.
        } catch (error: DeadlockException) {
            if (work == Work.READ || work == Work.TOTAL) throw error
        } catch (error: SerializationException) {
            if (work == Work.READ || work == Work.TOTAL) throw error
        }
    }

    private suspend fun impatiently(random: Random, millis: Int, block: suspend CoroutineScope.() -> Unit) {
        withTimeoutOrNull(random.nextInt(1, millis * 1_000).microseconds, block)
    }

    private suspend fun read(soaked: Database, random: Random) {
        val number = random.nextInt()
        assertEquals(number.toLong(), number(soaked, "SELECT $number"))
    }

    private suspend inline fun <reified T : OrmException> expect(block: () -> Unit): T {
        try {
            block()
        } catch (error: OrmException) {
            if (error is T) return error
            throw error
        }
        return fail("nothing was thrown, but ${T::class.simpleName} was expected")
    }

    private suspend fun act(work: Work, soaked: Database, random: Random) {
        when (work) {
            Work.READ -> read(soaked, random)
            Work.TOTAL -> assertEquals(ACCOUNTS * START, total(soaked))
            Work.TRANSFER -> transaction { transfer(soaked, random) }
            Work.SAVEPOINT -> transaction {
                transfer(soaked, random)
                try {
                    transaction {
                        transfer(soaked, random)
                        throw Undo()
                    }
                } catch (_: Undo) {
                    transfer(soaked, random)
                }
            }
            Work.UNDO -> transaction {
                transfer(soaked, random)
                throw Undo()
            }
            Work.DUPLICATE -> {
                val error = expect<ConstraintViolationException> { Pages.insert { it[key] = "taken" } }
                assertEquals(ConstraintKind.UNIQUE, error.kind)
            }
            // On a connection of its own, else most of that time would go by in the queue for one.
            Work.TIMEOUT -> soaked.connection {
                read(soaked, random)
                withStatementTimeout((1 + random.nextInt(20)).milliseconds) {
                    expect<QueryTimeoutException> { soaked.exec(backend.dialogue.slowStatement) }
                }
            }
            Work.KILLED -> soaked.connection { kill(soaked) }
            Work.KILLED_IN_TRANSACTION -> expect<ConnectionException> {
                transaction {
                    add(soaked, 1 + random.nextInt(ACCOUNTS), 1)
                    kill(soaked)
                    add(soaked, 1 + random.nextInt(ACCOUNTS), 1)
                }
            }
        }
    }

    /** In the order of the accounts, else most transfers would be deadlocks. */
    private suspend fun transfer(soaked: Database, random: Random) {
        val (first, second) = (1..ACCOUNTS).shuffled(random).take(2).sorted()
        val amount = random.nextInt(-100, 100)
        add(soaked, first, amount)
        add(soaked, second, -amount)
    }

    private suspend fun add(soaked: Database, account: Int, amount: Int) {
        assertEquals(1, soaked.exec("UPDATE account SET balance = balance + ? WHERE id = ?", amount, account).affected.toInt())
    }

    /** Ends the session of the caller and uses it until that is noticed. */
    private suspend fun kill(soaked: Database) {
        val id = number(soaked, backend.dialogue.sessionId!!)
        db.exec(backend.dialogue.killSession!!(id))
        expect<ConnectionException> { while (true) soaked.exec("SELECT 1") }
    }

    private suspend fun total(database: Database): Long = number(database, "SELECT SUM(balance) FROM account")

    private suspend fun number(database: Database, sql: String): Long {
        val value = database.exec(sql).scalar()
        assertTrue(value is Number, "$value")
        return (value as Number).toLong()
    }

    private companion object {
        const val ACCOUNTS = 20
        const val START = 1_000_000L
        const val IN_PEACE = 5

        /** So long that a busy machine is no reason. */
        val STANDSTILL = 30.seconds
    }
}
