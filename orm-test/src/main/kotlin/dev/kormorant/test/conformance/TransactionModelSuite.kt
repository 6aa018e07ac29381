package dev.kormorant.test.conformance

import dev.kormorant.OrmException
import dev.kormorant.Propagation
import dev.kormorant.Transaction
import dev.kormorant.deleteAll
import dev.kormorant.savepoint
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import kotlin.random.Random

/** A step of a random program. */
private sealed interface Step {
    class Add(val key: String) : Step

    /** A nested block whose failure is caught. */
    class Nested(val body: List<Step>, val named: Boolean) : Step

    /** A nested block whose failure ends the block around it too. */
    class Uncaught(val body: List<Step>) : Step

    /** A joined block whose failure is caught, which it must not help. */
    class Joined(val body: List<Step>) : Step

    /** Nested blocks of coroutines at the same time, whose failures are caught. */
    class Together(val bodies: List<List<Step>>) : Step

    /** A nested block of a coroutine that is cancelled at its end. */
    class Cancelled(val body: List<Step>) : Step

    object BadStatement : Step

    object Fail : Step

    object RollbackOnly : Step

    object Commit : Step

    object Rollback : Step
}

private fun print(steps: List<Step>): String = steps.joinToString(" ", "{", "}") {
    when (it) {
        is Step.Add -> it.key
        is Step.Nested -> "nested${print(it.body)}"
        is Step.Uncaught -> "uncaught${print(it.body)}"
        is Step.Joined -> "joined${print(it.body)}"
        is Step.Together -> "together${it.bodies.map(::print)}"
        is Step.Cancelled -> "cancelled${print(it.body)}"
        else -> it.javaClass.simpleName
    }
}

/** What a program must leave: the rules of `docs/transactions.md` on sets of keys. */
private class Expected {
    private class Failed : RuntimeException()

    /** What a level has done since its begin. */
    private class Level(val parent: Level?, val durable: MutableSet<String>) {
        val pending = LinkedHashSet<String>()
        var spoiled = false
        var rollbackOnly = false

        fun keep() {
            (parent?.pending ?: durable) += pending
            reset()
        }

        fun reset() {
            pending.clear()
            spoiled = false
            rollbackOnly = false
        }
    }

    private val durable = LinkedHashSet<String>()

    fun after(program: List<Step>): Set<String> {
        caught { block(program, null) }
        return durable
    }

    private fun block(steps: List<Step>, parent: Level?) {
        val level = Level(parent, durable)
        for (step in steps) perform(step, level)
        end(level)
    }

    private fun end(level: Level) {
        if (level.spoiled) throw Failed()
        if (level.rollbackOnly) level.reset() else level.keep()
    }

    private fun perform(step: Step, level: Level) {
        when (step) {
            is Step.Add -> level.pending += step.key
            is Step.Nested -> caught { block(step.body, level) }
            is Step.Uncaught -> block(step.body, level)
            is Step.Joined -> if (caught { for (inner in step.body) perform(inner, level) }) level.spoiled = true
            is Step.Together -> for (body in step.bodies) caught { block(body, level) }
            is Step.Cancelled -> Unit
            Step.BadStatement -> Unit
            Step.Fail -> throw Failed()
            Step.RollbackOnly -> level.rollbackOnly = true
            Step.Commit -> end(level)
            Step.Rollback -> level.reset()
        }
    }

    private fun caught(action: () -> Unit): Boolean = try {
        action()
        false
    } catch (_: Failed) {
        true
    }
}

/** Makes programs up. */
private class Programs(private val random: Random) {
    private var keys = 0

    fun program(): List<Step> = body(depth = 0, joined = false)

    /** Ending and beginning again is for a block that is alone on its level. */
    private fun body(depth: Int, joined: Boolean): List<Step> = List(random.nextInt(1, 5)) { step(depth, joined) }

    private fun step(depth: Int, joined: Boolean): Step {
        val choice = random.nextInt(if (depth < MAX_DEPTH) 20 else 10)
        return when {
            choice < 6 -> Step.Add("k${keys++}")
            choice == 6 -> if (random.nextInt(3) == 0) Step.Fail else Step.Add("k${keys++}")
            choice == 7 -> if (joined) Step.BadStatement else Step.RollbackOnly
            choice == 8 -> if (joined) Step.BadStatement else Step.Commit
            choice == 9 -> if (joined) Step.BadStatement else Step.Rollback
            choice < 13 -> Step.Nested(body(depth + 1, false), random.nextBoolean())
            choice == 13 -> Step.Uncaught(body(depth + 1, false))
            choice == 14 -> Step.Joined(body(depth + 1, true))
            choice < 18 -> Step.Together(List(random.nextInt(2, 4)) { body(depth + 1, false) })
            else -> Step.Cancelled(body(depth + 1, false))
        }
    }

    private companion object {
        const val MAX_DEPTH = 3
    }
}

/** Random programs of nested blocks, coroutines, failures and cancels leave exactly the rows that the rules say. */
public abstract class TransactionModelSuite(backend: Backend) : Suite(backend, Pages) {
    @Test
    public fun `random programs leave the rows that the rules say (T1, T2, T4, T7, T8, U1, N6)`(): Unit = test {
        val runs = if (can.concurrentWriters) ON_SERVERS else ON_SQLITE
        seeded { random ->
            withoutHang("a program") {
                repeat(runs) { number ->
                    val program = Programs(random).program()
                    val expected = Expected().after(program)
                    val failure = caught { transaction { tx -> perform(program, tx) } }
                    val stored = pageKeys()
                    assertEquals(expected.sorted(), stored, "program $number: ${print(program)}, which ended with $failure")
                    assertEquals(0, db.pool.inUse)
                    if (stored.isNotEmpty()) Pages.deleteAll()
                }
            }
        }
    }

    private suspend fun CoroutineScope.perform(steps: List<Step>, tx: Transaction): Unit = steps.forEach { perform(it, tx) }

    private suspend fun CoroutineScope.perform(step: Step, tx: Transaction) {
        when (step) {
            is Step.Add -> addPages(step.key)
            is Step.Nested -> caught {
                if (step.named) tx.savepoint("a \"name\"") { inner -> perform(step.body, inner) } else transaction { inner -> perform(step.body, inner) }
            }
            is Step.Uncaught -> transaction { inner -> perform(step.body, inner) }
            is Step.Joined -> caught { transaction(propagation = Propagation.REQUIRED) { same -> perform(step.body, same) } }
            is Step.Together -> step.bodies.mapIndexed { number, body ->
                launch(if (number % 2 == 0) Dispatchers.Default else Dispatchers.Unconfined) { caught { transaction { inner -> perform(body, inner) } } }
            }.joinAll()
            is Step.Cancelled -> cancelled(step)
            Step.BadStatement -> caught { transaction { db.exec("SELEKT 1") } }
            Step.Fail -> throw Stop()
            Step.RollbackOnly -> tx.setRollbackOnly()
            Step.Commit -> tx.commit()
            Step.Rollback -> tx.rollback()
        }
    }

    private suspend fun CoroutineScope.cancelled(step: Step.Cancelled) {
        val reached = CompletableDeferred<Unit>()
        val child = launch {
            caught {
                transaction { inner ->
                    // Its last word must be the cancellation.
                    caught { perform(step.body.filter { it is Step.Add || it is Step.Nested }, inner) }
                    reached.complete(Unit)
                    awaitCancellation()
                }
            }
        }
        reached.await()
        child.cancelAndJoin()
    }

    /** What [action] fails with, if the model says that it may. */
    private suspend fun caught(action: suspend () -> Unit): Exception? = try {
        action()
        null
    } catch (stop: Stop) {
        stop
    } catch (error: OrmException) {
        if (error.connectionLost) throw error
        error
    }

    private companion object {
        const val ON_SQLITE = 1000
        const val ON_SERVERS = 200
    }
}
