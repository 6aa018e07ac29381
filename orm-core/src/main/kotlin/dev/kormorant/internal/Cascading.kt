package dev.kormorant.internal

import dev.kormorant.AnyReferrers
import dev.kormorant.Cascade
import dev.kormorant.Database
import dev.kormorant.ManyToMany
import dev.kormorant.Model
import dev.kormorant.ModelClass
import dev.kormorant.Query
import dev.kormorant.give
import dev.kormorant.runCounted
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Slice
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.statements.DeleteStatement
import org.jetbrains.exposed.v1.core.statements.Statement
import org.jetbrains.exposed.v1.core.statements.UpdateStatement

/**
 * Deletes or detaches what refers to models, children before parents, by the relations their classes declare. Each relation of a level
 * takes one query for the children, if they have children of their own, and one statement to delete them or to set them to NULL.
 */
internal class Cascading(private val database: Database, private val bridge: ExposedBridge, private val cascade: Cascade) {
    /** Rows that are being deleted: a cycle of references comes back to them. */
    private val doomed = HashSet<Any>()

    suspend fun clear(type: ModelClass<*, *>, owners: List<Model<*>>) {
        owners.mapTo(doomed) { it.id }
        for (relation in type.downward()) {
            check(owners.none { it.state.hasChanged(relation.ownerKey.columns) }) {
                "Rows refer to ${relation.ownerKey} of ${type.table.tableName}, which has a value that is not saved: save or refresh the model before."
            }
            val keys = owners.mapNotNull { relation.ownerKey.of(it.state) }.distinct()
            if (keys.isNotEmpty()) when (relation) {
                is ManyToMany<*> -> delete(relation.link, relation.foundBy, keys)
                is AnyReferrers -> clear(relation, keys)
                else -> Unit
            }
        }
    }

    private suspend fun clear(relation: AnyReferrers<*>, keys: List<Any>) {
        val child = relation.target
        val detachable = relation.foundBy.columns.filter { it.columnType.nullable }
        if (cascade == Cascade.NULLIFY && detachable.isNotEmpty()) return detach(child.table, detachable, relation.foundBy, keys)
        val further = child.downward()
        if (further.isEmpty()) return delete(child.table, relation.foundBy, keys)
        val (again, children) = children(child, further.flatMap { it.ownerKey.columns }, relation.foundBy, keys).partition { it.id in doomed }
        if (again.isNotEmpty() && detachable.isNotEmpty()) detach(child.table, detachable, child.shape.keyColumns, again.map { child.shape.keyColumns.keyOf(it) })
        if (children.isEmpty()) return
        clear(child, children)
        delete(child.table, child.shape.keyColumns, children.map { child.shape.keyColumns.keyOf(it) })
    }

    /** Rows with one of [keys], with their ids and [columns]. */
    private suspend fun children(child: ModelClass<*, *>, columns: List<Column<*>>, foundBy: KeyColumns, keys: List<Any>): List<Model<*>> {
        val fields = (child.shape.keyColumns.columns + columns).distinct()
        val reader = RowReader(fields, bridge)
        val models = ArrayList<Model<*>>()
        database.queryByKeys(bridge, foundBy, keys, { part -> Query(Slice(child.table, fields)).where(foundBy.among(part)).statement(bridge, part.size == 1) }) { result ->
            bridge.render { reader.read(result).mapTo(models) { child.wrapRow(it) } }
        }
        return models
    }

    private suspend fun detach(table: Table, columns: List<Column<*>>, foundBy: KeyColumns, keys: List<Any>) = inPortions(foundBy, keys, columns.size) { part ->
        UpdateStatement(table, null, foundBy.among(part)).also { update -> columns.forEach { update.give(it, null) } }
    }

    private suspend fun delete(table: Table, foundBy: KeyColumns, keys: List<Any>) = inPortions(foundBy, keys, 0) { part ->
        DeleteStatement(table, foundBy.among(part), isIgnore = false, limit = null)
    }

    private suspend fun inPortions(foundBy: KeyColumns, keys: List<Any>, others: Int, statement: (List<Any>) -> Statement<Int>) {
        for (part in keys.chunked(foundBy.perStatement(bridge.dialect.maxParameters, others))) database.runCounted(bridge) { statement(part) }
    }

    /** The relations to rows that cannot stay as they are without the one they refer to. */
    private fun ModelClass<*, *>.downward() = relations.all.filter { it is AnyReferrers || it is ManyToMany<*> }.distinct()

    private fun KeyColumns.keyOf(model: Model<*>): Any = checkNotNull(of(model.state))
}
