package dev.kormorant.test

import dev.kormorant.Database
import dev.kormorant.NoDatabaseException
import dev.kormorant.driver.Access
import dev.kormorant.driver.Connection
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Driver
import dev.kormorant.driver.RawColumn
import dev.kormorant.driver.RawResult
import dev.kormorant.driver.RowStream
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.withDriver
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.collect
import java.util.concurrent.CopyOnWriteArrayList

/**
 * How the database would run [query] (a `Query`, a `ModelQuery`), for [check] to look at: `assertPlan(query) { indexBacked() }`. The
 * query itself is not run.
 *
 * The answer depends on tables and indexes only, not on the number of rows or on statistics: PostgreSQL is asked with sequential scans
 * off, in a transaction that is rolled back, and MySQL and MariaDB for the indexes they could use. Outside a transaction only; in [databaseTest]
 * it sees the test's own tables and rows.
 *
 * @throws AssertionError by the functions of [Plan].
 * @throws NoDatabaseException if there is no database in the context.
 */
public suspend fun assertPlan(query: Flow<*>, check: Plan.() -> Unit): Unit = explain { query.collect() }.check()

/** How the database would run the statements of [block], which get no rows for an answer; see [assertPlan]. */
public suspend fun explain(block: suspend () -> Unit): Plan {
    val database = currentCoroutineContext()[Database] ?: throw NoDatabaseException()
    val explained = CopyOnWriteArrayList<Explained>()
    database.withDriver({ real -> ExplainingDriver(real, explained) }) { block() }
    check(explained.isNotEmpty()) { "No statement was sent, so there is no plan." }
    return Plan(explained)
}

/** One statement, and the steps in which the database would run it. */
internal class Explained(val sql: String, val steps: List<PlanStep>)

/** A step of a plan that reads rows of a table. */
internal class PlanStep(val text: String, val indexes: Set<String>, val isIndexBacked: Boolean)

/** How a database would run a query. */
public class Plan internal constructor(private val explained: List<Explained>) {
    private val steps get() = explained.flatMap { it.steps }

    /** The steps of the plan in the words of the database. */
    public val text: String get() = steps.joinToString("\n") { it.text }

    /** Names of the indexes that serve the query. */
    public val indexes: Set<String> get() = steps.flatMapTo(LinkedHashSet()) { it.indexes }

    /**
     * Fails if a table is read from end to end: no index serves its condition.
     *
     * @throws AssertionError with the statement and its plan.
     */
    public fun indexBacked() {
        val scanned = steps.firstOrNull { !it.isIndexBacked } ?: return
        throw AssertionError("No index serves \"${scanned.text.trim()}\".${report()}")
    }

    /**
     * Fails unless the index called [name] serves the query. Where several could, PostgreSQL and SQLite tell the one they would choose.
     * MySQL and MariaDB do not name a unique index if the one row that the query asks for is not there.
     *
     * @throws AssertionError with the statement and its plan.
     */
    public fun usesIndex(name: String) {
        if (indexes.none { it.equals(name, ignoreCase = true) }) throw AssertionError("The index $name does not serve the query.${report()}")
    }

    private fun report() = explained.joinToString("") { "\n${it.sql}\n${it.steps.joinToString("\n") { step -> step.text }}" }
}

/** Connections that explain what they are asked to run, each in a transaction of its own on the [real] one. */
private class ExplainingDriver(private val real: Connection, private val explained: MutableList<Explained>) : Driver {
    override suspend fun connect(access: Access): Connection = ExplainingConnection()

    override suspend fun close() = Unit

    override val maxWriters: Int get() = 1

    private inner class ExplainingConnection : Connection {
        override val dialect: Dialect get() = real.dialect
        override val serverId: Long? get() = real.serverId
        override val status: ConnectionStatus get() = real.status

        override suspend fun execute(statement: SqlStatement): RawResult {
            explained += Explained(statement.sql, explain(statement))
            return RawResult(emptyList(), emptyList(), 0)
        }

        override suspend fun stream(statement: SqlStatement, fetchSize: Int): RowStream {
            execute(statement)
            return NoRows
        }

        override suspend fun cancel() = real.cancel()

        override fun close() = Unit

        private suspend fun explain(statement: SqlStatement): List<PlanStep> = when (real.dialect.name) {
            "PostgreSQL" -> withoutSequentialScans { postgresqlSteps(answer("EXPLAIN (COSTS OFF)", statement)) }
            "SQLite" -> sqliteSteps(answer("EXPLAIN QUERY PLAN", statement))
            else -> mysqlSteps(answer("EXPLAIN", statement))
        }

        private suspend fun <T> withoutSequentialScans(block: suspend () -> T): T {
            send("BEGIN")
            try {
                send("SET LOCAL enable_seqscan = off")
                return block()
            } finally {
                send("ROLLBACK")
            }
        }

        private suspend fun send(sql: String) = real.execute(SqlStatement(sql, reusable = false))

        private suspend fun answer(command: String, statement: SqlStatement) =
            real.execute(SqlStatement("$command ${statement.sql}", statement.types, statement.values, reusable = false))
    }

    private object NoRows : RowStream {
        override val columns: List<RawColumn> get() = emptyList()

        override suspend fun next(): List<Array<Any?>>? = null

        override suspend fun close() = Unit
    }
}

private val POSTGRESQL_INDEX = Regex("""(?:Index (?:Only )?Scan(?: Backward)? using|Bitmap Index Scan on) "?([^"]+?)"?(?: on .*)?$""")

/** A step is a line with an arrow or the first one; the lines below it are its details. */
internal fun postgresqlSteps(answer: RawResult): List<PlanStep> {
    val nodes = ArrayList<MutableList<String>>()
    for (row in answer.rows) {
        val line = "${row[0]}"
        if (nodes.isEmpty() || line.trimStart().startsWith("->")) nodes += mutableListOf(line) else nodes.last() += line
    }
    return nodes.mapNotNull { node ->
        val head = node[0].trim().removePrefix("->").trim()
        val index = POSTGRESQL_INDEX.find(head)?.groupValues?.get(1)
        val filteredOnly = node.none { "Index Cond:" in it } && node.any { "Filter:" in it }
        when {
            "Seq Scan on" in head -> PlanStep(node.joinToString("\n"), emptySet(), isIndexBacked = false)
            index != null -> PlanStep(node.joinToString("\n"), setOf(index), isIndexBacked = !filteredOnly)
            else -> null
        }
    }
}

private val SQLITE_INDEX = Regex("""USING (?:COVERING )?INDEX (\S+)""")

internal fun sqliteSteps(answer: RawResult): List<PlanStep> = answer.rows.mapNotNull { row ->
    val text = "${row.last()}"
    when {
        !text.startsWith("SCAN ") && !text.startsWith("SEARCH ") -> null
        else -> PlanStep(
            text,
            SQLITE_INDEX.findAll(text).map { it.groupValues[1] }.toSet(),
            isIndexBacked = "AUTOMATIC" !in text && (text.startsWith("SEARCH ") || SQLITE_INDEX.containsMatchIn(text)),
        )
    }
}

internal fun mysqlSteps(answer: RawResult): List<PlanStep> {
    val names = answer.columns.map { it.name.lowercase() }
    return answer.rows.mapNotNull { row ->
        fun value(column: String) = names.indexOf(column).takeIf { it >= 0 }?.let { row[it] }?.toString()
        val indexes = listOfNotNull(value("possible_keys"), value("key")).flatMap { it.split(',') }.toSet()
        val extra = value("extra").orEmpty()
        val table = value("table")
        when {
            table != null -> PlanStep("$table: ${value("type")}, possible keys $indexes, $extra", indexes, indexes.isNotEmpty())
            // The row of a unique key was looked for while planning, and is not there.
            "const table" in extra -> PlanStep(extra, emptySet(), isIndexBacked = true)
            else -> null
        }
    }
}
