package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.Model
import dev.kormorant.Query
import dev.kormorant.Relation
import dev.kormorant.RelationQuery
import dev.kormorant.driver.SqlStatement
import dev.kormorant.loaded
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Slice
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.rowNumber
import java.util.Collections
import java.util.IdentityHashMap

/**
 * Loads [roots] and what is to be loaded along with them for [owners], level by level: one query for each relation of a level,
 * whichever ways lead there, or one per portion of keys that fits the parameter limit; none where there is nobody to load it for.
 */
internal suspend fun Database.loadAlong(roots: List<RelationQuery>, owners: List<Model<*>>) {
    var level = roots.map { it to owners }
    while (level.isNotEmpty()) {
        val below = ArrayList<Pair<RelationQuery, List<Model<*>>>>()
        for (group in level.groupBy { (query, _) -> if (query.isPlain) query.relation else query }.values) {
            loadRelation(group.first().first, if (group.size == 1) group.single().second else group.flatMap { it.second }.distinctObjects())
            for ((query, its) in group) {
                if (query.along.roots.isEmpty()) continue
                val related = its.flatMap { it.state.relatedModels(query.relation) }.distinctObjects()
                if (related.isNotEmpty()) query.along.roots.mapTo(below) { it to related }
            }
        }
        level = below
    }
}

/** Loads the relation of [query] for those of [owners] that do not have it, or for all of them where the query is a choice of its own. */
internal suspend fun Database.loadRelation(query: RelationQuery, owners: List<Model<*>>) {
    val relation = query.relation
    val needy = if (query.isPlain) owners.filterNot { it.state.isLoaded(relation) || relation.takeFromRow(it) } else owners
    if (needy.isEmpty()) return
    val keys = needy.mapNotNullTo(LinkedHashSet()) { relation.ownerKey.of(it.state) }.toList()
    val related = if (keys.isEmpty()) emptyMap() else RelationReader(this, openBridge(), query).read(keys)
    for (owner in needy) {
        val models = related[relation.ownerKey.of(owner.state)]
        owner.state.relate(relation, if (relation.isMany) models.orEmpty() else models?.first())
    }
}

/** The query of one relation, and what its rows become. */
private class RelationReader(private val database: Database, private val bridge: ExposedBridge, private val query: RelationQuery) {
    private val relation: Relation<*> = query.relation
    private val target = relation.target
    private val sql = bridge.sqlOf(target.shape)
    private val width = target.shape.columns.size

    /** Key columns that are not the target's own, as those of a link table. */
    private val foreign: List<Column<*>> = relation.foundBy.columns.filter { it.table != target.table }
    private val keyDecoders = bridge.render { foreign.map { FieldDecoder(it) } }
    private val related = HashMap<Any?, MutableList<Model<*>>>()
    private val all = ArrayList<Model<*>>()

    /** Rows that are related to several owners are one model. */
    private val byId = HashMap<Any, Model<*>>()
    private var left = query.limit ?: Int.MAX_VALUE

    /** Related models by the keys of their owners. */
    suspend fun read(keys: List<Any>): Map<Any?, List<Model<*>>> {
        database.queryByKeys(bridge, relation.foundBy, keys, ::statement) { result -> bridge.render { take(result.rows) } }
        if (all.size > 1) database.peersOf(target, all, query.loadsPeers)?.let { peers -> all.forEach { it.state.peers = peers } }
        database.loaded(target, all)
        return related
    }

    private fun take(rows: List<Array<Any?>>) {
        val view = RowView()
        for (row in rows) {
            if (left-- <= 0) return
            val values = sql.decode(if (row.size == width) row else row.copyOf(width), view)
            var next = width
            val key = relation.foundBy.of { column ->
                if (column.table == target.table) values[target.shape.position(column)]
                else {
                    view.values = row
                    keyDecoders[next - width].decode(row, next++, view)
                }
            }
            related.getOrPut(key) { ArrayList() } += if (foreign.isEmpty()) made(values) else byId.getOrPut(target.shape.id(values)) { made(values) }
        }
    }

    private fun made(values: Array<Any?>): Model<*> = target.wrapValues(values).also { all += it }

    private fun statement(keys: List<Any>): SqlStatement {
        val scope = if (query.everything) null else target.defaultScope
        if (query.isPlain && scope == null && foreign.isEmpty() && relation.order.isEmpty() && keys.size == 1) {
            return sql.selectBy(relation.foundBy, keys.single())
        }
        val order = query.order.ifEmpty { relation.order }
        val keyFields = foreign.mapIndexed { index, column -> column.alias("kormorant_key$index") }
        val fields: List<Expression<*>> = target.shape.columns.asList() + keyFields
        val perParent = query.limitPerParent
        val rank = rowNumber().over().partitionBy(*relation.foundBy.columns.toTypedArray()).orderBy(*order.toTypedArray()).alias(RANK)
        val rows = Query(Slice(relation.source, if (perParent == null) fields else fields + rank))
        rows.where(relation.foundBy.among(keys))
        if (scope != null) rows.andWhere { scope }
        for (condition in query.conditions) rows.andWhere(condition)
        val reusable = keys.size == 1
        if (perParent == null) {
            rows.orderBy(*order.toTypedArray())
            query.limit?.let { rows.limit(it) }
            return rows.statement(bridge, reusable)
        }
        val ranked = rows.statement(bridge, reusable)
        val limit = query.limit?.let { " LIMIT $it" }.orEmpty()
        val complete = "SELECT * FROM (${ranked.sql}) kormorant_ranked WHERE $RANK <= $perParent ORDER BY $RANK$limit"
        return SqlStatement(complete, ranked.types, ranked.values, ranked.reusable)
    }

    private companion object {
        const val RANK = "kormorant_rank"
    }
}

internal fun ModelState.relatedModels(relation: Relation<*>): List<Model<*>> = when (val related = related(relation)) {
    is Model<*> -> listOf(related)
    is List<*> -> related.map { it as Model<*> }
    else -> emptyList()
}

private fun List<Model<*>>.distinctObjects(): List<Model<*>> =
    Collections.newSetFromMap(IdentityHashMap<Model<*>, Boolean>()).let { seen -> filter(seen::add) }
