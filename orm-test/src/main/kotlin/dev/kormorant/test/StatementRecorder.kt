package dev.kormorant.test

import dev.kormorant.DatabaseListener
import dev.kormorant.StatementEvent
import dev.kormorant.withListener
import kotlinx.coroutines.CoroutineScope
import java.util.concurrent.CopyOnWriteArrayList

/**
 * Remembers the statements it hears of. Give it to a database as a listener, or use the functions that do so for a block:
 * [recordStatements], [expectQueries], [expectNoRepeats].
 */
public class StatementRecorder : DatabaseListener {
    private val events = CopyOnWriteArrayList<StatementEvent>()

    /** All statements so far in the order of their answers, BEGIN, SAVEPOINT, COMMIT and their like included. */
    public val statements: List<StatementEvent> get() = events.toList()

    /** The statements that read or change data. */
    public val queries: List<StatementEvent> get() = events.filterNot { it.isTransactionControl }

    /** Transactions that have begun and not ended, savepoints not counted. */
    public val openTransactions: Int
        get() = events.count { it.error == null && (it.operation == "BEGIN" || it.operation == "START") } -
            events.count { it.error == null && (it.sql == "COMMIT" || it.sql == "ROLLBACK") }

    /** Forgets all. */
    public fun clear(): Unit = events.clear()

    override fun onStatement(event: StatementEvent) {
        events += event
    }

    /**
     * Fails unless the number of [queries] is between [atLeast] and [atMost].
     *
     * @throws AssertionError with the statements.
     */
    @JvmOverloads
    public fun assertQueries(atMost: Int, atLeast: Int = 0) {
        val found = queries
        if (found.size in atLeast..atMost) return
        val wanted = when {
            atLeast == atMost -> "$atMost"
            found.size > atMost -> "at most $atMost"
            else -> "at least $atLeast"
        }
        throw AssertionError("Expected $wanted queries, but there were ${found.size}:${listing(found)}")
    }

    /**
     * Fails if a SELECT of one shape has come more than [limit] times: the mark of a loop that loads for each row what one query
     * could load for all. Two statements have one shape if their texts differ only in the length of lists and in literals.
     *
     * @throws AssertionError with the shape and how often it came.
     */
    @JvmOverloads
    public fun assertNoRepeats(limit: Int = 1) {
        val (shape, times) = queries.filter { it.operation == "SELECT" }.groupingBy { shapeOf(it) }.eachCount().maxByOrNull { it.value } ?: return
        if (times <= limit) return
        throw AssertionError(
            "One query ran $times times, with $limit at most expected: $shape\n" +
                "Load what it reads for all rows at once: by with(…) on the query for models, by a join or an IN list otherwise.",
        )
    }

    private fun shapeOf(event: StatementEvent) = LIST.replace(event.redactedSql, "(?, …)")

    private fun listing(found: List<StatementEvent>) = found.joinToString("") { "\n  ${it.sql}" }

    private companion object {
        val LIST = Regex("""\(\?(?:\s*,\s*\?)*\)""")
    }
}

/** The statements that [block] sends, in the order of their answers. */
public suspend fun recordStatements(block: suspend CoroutineScope.() -> Unit): List<StatementEvent> =
    StatementRecorder().also { withListener(it, block) }.statements

/**
 * Runs [block] and fails unless it sends between [atLeast] and [atMost] statements, those that only control transactions not counted.
 *
 * @return what [block] returned.
 * @throws AssertionError with the statements.
 */
public suspend fun <T> expectQueries(atMost: Int, atLeast: Int = 0, block: suspend CoroutineScope.() -> T): T {
    require(atLeast in 0..atMost) { "atLeast must be from 0 to atMost, not $atLeast." }
    val recorder = StatementRecorder()
    return withListener(recorder, block).also { recorder.assertQueries(atMost, atLeast) }
}

/**
 * Runs [block] and fails if one query of it comes more than [limit] times, as it does when relations are loaded in a loop; see
 * [StatementRecorder.assertNoRepeats].
 *
 * @return what [block] returned.
 * @throws AssertionError with the query and how often it came.
 */
public suspend fun <T> expectNoRepeats(limit: Int = 1, block: suspend CoroutineScope.() -> T): T {
    val recorder = StatementRecorder()
    return withListener(recorder, block).also { recorder.assertNoRepeats(limit) }
}
