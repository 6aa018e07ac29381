package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.Execution
import dev.kormorant.Hole
import dev.kormorant.RecordNotFoundException
import dev.kormorant.Rows
import dev.kormorant.RowsReader
import dev.kormorant.SizedIterable
import dev.kormorant.TooManyRowsException
import dev.kormorant.toSelection
import kotlinx.coroutines.flow.FlowCollector

/** A query that is rendered once per database. Reading the cache takes no lock. */
internal class CompiledQuery<R>(query: SizedIterable<R>, private val holes: List<Hole<*>>) {
    private val selection = query.toSelection()

    /** The latest first. */
    @Volatile
    private var renderings: List<Rendering> = emptyList()

    fun rows(vararg values: Any?): Rows<R> = CompiledRows(values)

    private fun on(bridge: ExposedBridge): Rendering = renderings.firstOrNull { it.bridge === bridge } ?: synchronized(this) {
        renderings.firstOrNull { it.bridge === bridge } ?: render(bridge).also { renderings = (listOf(it) + renderings).take(MAX_RENDERINGS) }
    }

    private fun render(bridge: ExposedBridge): Rendering {
        val rendered = bridge.render { selection.query.rendered(bridge) }
        for ((_, value) in rendered.arguments) require(value !is Hole<*> || holes.any { it === value }) { "The query has a hole that compiled() was not given." }
        return Rendering(bridge, rendered, selection.plan.reader(selection.query.resultFields, bridge))
    }

    /** The text for one database, where its values go, and how its rows are read. */
    private inner class Rendering(val bridge: ExposedBridge, private val rendered: RenderedSql, val reader: RowsReader<R>) {
        private val sources = rendered.arguments.map { (_, value) -> holes.indexOfFirst { it === value } }

        fun execution(values: Array<out Any?>): Execution<R> = Execution(
            bridge.render {
                val arguments = rendered.arguments.mapIndexed { index, (type, constant) -> type to if (sources[index] < 0) constant else values[sources[index]] }
                bind(RenderedSql(rendered.source, rendered.sql, arguments))
            },
            reader,
            selection.query.access,
        )
    }

    private inner class CompiledRows(private val values: Array<out Any?>) : Rows<R> {
        override suspend fun collect(collector: FlowCollector<R>) {
            val database = Database.current()
            execution(database).collect(database, selection.query.fetchSize, collector)
        }

        override suspend fun toList(): List<R> = Database.current().let { execution(it).toList(it) }

        override suspend fun first(): R = toList().ifEmpty { throw notFound() }[0]

        override suspend fun firstOrNull(): R? = toList().firstOrNull()

        override suspend fun single(): R = atMostOne().ifEmpty { throw notFound() }[0]

        override suspend fun singleOrNull(): R? = atMostOne().firstOrNull()

        private suspend fun execution(database: Database) = on(database.openBridge()).execution(values)

        private suspend fun atMostOne(): List<R> =
            toList().also { if (it.size > 1) throw TooManyRowsException("The compiled query returned more than one row.", sql()) }

        private suspend fun notFound() = RecordNotFoundException("The compiled query returned no row.", sql())

        private suspend fun sql(): String = execution(Database.current()).statement.sql
    }

    private companion object {
        /** More databases than one query usually meets. */
        const val MAX_RENDERINGS = 16
    }
}
