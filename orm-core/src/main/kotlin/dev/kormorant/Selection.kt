package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.SqlStatement
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.RowReader
import kotlinx.coroutines.flow.FlowCollector
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption

/** Reads the rows of one execution; what each field needs is found when it is made, not per row. */
internal fun interface RowsReader<out T> {
    fun read(rows: List<Array<Any?>>): List<T>
}

/** What is made of the rows of a query. */
internal fun interface RowPlan<out T> {
    fun reader(fields: List<Expression<*>>, bridge: ExposedBridge): RowsReader<T>
}

internal val RESULT_ROWS: RowPlan<ResultRow> = RowPlan(::RowReader)

/** A query and what is made of its rows: the one place where queries are run and read. */
internal class Selection<out T>(val query: RowQuery<*>, val plan: RowPlan<T>) : SizedIterable<T> {
    override fun limit(count: Int): SizedIterable<T> = Selection(query.copy().limit(count), plan)

    override fun offset(start: Long): SizedIterable<T> = Selection(query.copy().offset(start), plan)

    override fun orderBy(vararg order: Pair<Expression<*>, SortOrder>): SizedIterable<T> = Selection(query.copy().orderBy(*order), plan)

    override fun forUpdate(option: ForUpdateOption): SizedIterable<T> = Selection(query.copy().forUpdate(option), plan)

    override fun notForUpdate(): SizedIterable<T> = Selection(query.copy().notForUpdate(), plan)

    override fun copy(): SizedIterable<T> = Selection(query.copy(), plan)

    fun <R> map(f: (T) -> R): Selection<R> = Selection(query.copy()) { fields, bridge ->
        val reader = plan.reader(fields, bridge)
        RowsReader { rows -> reader.read(rows).map(f) }
    }

    override suspend fun collect(collector: FlowCollector<T>) {
        val database = Database.current()
        execution(query, database).collect(database, query.fetchSize, collector)
    }

    override suspend fun toList(): List<T> = read(query)

    override suspend fun first(): T = read(query.limited(1)).ifEmpty { throw query.notFound(Database.current()) }[0]

    override suspend fun firstOrNull(): T? = read(query.limited(1)).firstOrNull()

    override suspend fun single(): T = atMostOne().ifEmpty { throw query.notFound(Database.current()) }[0]

    override suspend fun singleOrNull(): T? = atMostOne().firstOrNull()

    override suspend fun count(ignoreLimit: Boolean): Long = query.count(ignoreLimit)

    override suspend fun empty(): Boolean = query.empty()

    private suspend fun atMostOne(): List<T> = read(query.limited(2)).also { if (it.size > 1) throw query.tooMany(Database.current()) }

    private suspend fun read(query: RowQuery<*>): List<T> = Database.current().let { execution(query, it).toList(it) }

    private suspend fun execution(query: RowQuery<*>, database: Database): Execution<T> {
        val bridge = database.openBridge()
        return Execution(query.statement(bridge), plan.reader(query.resultFields, bridge), query.access)
    }
}

/** One run of a statement: how queries meet the database. */
internal class Execution<out T>(val statement: SqlStatement, private val reader: RowsReader<T>, private val access: Access) {
    suspend fun toList(database: Database): List<T> {
        val rows = database.run(statement, access).rows
        return database.audience.decoding(rows.size) { reader.read(rows) }
    }

    /** With [fetchSize] in portions, which hold the connection; without it all rows are read first. */
    suspend fun collect(database: Database, fetchSize: Int?, collector: FlowCollector<T>) {
        if (fetchSize == null) {
            for (row in toList(database)) collector.emit(row)
            return
        }
        require(fetchSize > 0) { "fetchSize must be more than zero, not $fetchSize." }
        database.stream(statement, access, fetchSize) { rows -> for (row in reader.read(rows)) collector.emit(row) }
    }
}

/** This with a query of its own, which nobody changes any more. */
internal fun <T> SizedIterable<T>.toSelection(): Selection<T> = when (this) {
    is Selection<T> -> this
    is RowQuery<*> -> {
        @Suppress("UNCHECKED_CAST")
        Selection(copy(), RESULT_ROWS) as Selection<T>
    }
}
