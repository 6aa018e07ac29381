package dev.kormorant.examples.recipes

import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.after
import dev.kormorant.batchInsert
import dev.kormorant.compiled
import dev.kormorant.explain
import dev.kormorant.hole
import dev.kormorant.mapTo
import dev.kormorant.pages
import dev.kormorant.recursiveCte
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.union
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.greaterEq
import org.jetbrains.exposed.v1.core.innerJoin
import org.jetbrains.exposed.v1.core.intLiteral
import org.jetbrains.exposed.v1.core.isNull
import org.jetbrains.exposed.v1.core.plus

// region queries-table
object Parts : LongIdTable("part") {
    val name = varchar("name", 40)
    val kind = varchar("kind", 20)
    val price = integer("price")
    val partOf = long("part_of").nullable()
}
// endregion

// region queries-map
data class PartRow(val id: Long, val name: String, val price: Int, val partOf: Long?)

data class KindCount(val kind: String, val parts: Long)

suspend fun kinds(): List<KindCount> {
    val parts = Parts.id.count().alias("parts")
    return Parts.select(Parts.kind, parts).groupBy(Parts.kind).having { Parts.id.count() greater 1L }
        .orderBy(Parts.kind).mapTo<KindCount>().toList()
}
// endregion

// region queries-set
suspend fun names(): List<String> {
    val wheels = Parts.select(Parts.name).where { Parts.kind eq "wheel" }
    val dear = Parts.select(Parts.name).where { Parts.price greaterEq 100 }
    return wheels.union(dear).orderBy(Parts.name).toList().map { it[Parts.name] }
}
// endregion

// region queries-cte
suspend fun partsOf(name: String): List<Pair<String, Int>> {
    val depth = intLiteral(0).alias("depth")
    val tree = recursiveCte("tree", Parts.select(Parts.id, Parts.name, depth).where { Parts.name eq name }) { tree ->
        Parts.innerJoin(tree, { partOf }, { tree[Parts.id] }).select(Parts.id, Parts.name, tree[depth] + 1)
    }
    return tree.selectAll().orderBy(tree[depth] to SortOrder.ASC, tree[Parts.name] to SortOrder.ASC)
        .toList().map { it[tree[Parts.name]] to it[tree[depth]] }
}
// endregion

// region queries-pages
suspend fun pagesOfParts(): List<List<String>> {
    val query = Parts.selectAll().orderBy(Parts.price to SortOrder.DESC, Parts.id to SortOrder.ASC)
    val first = query.copy().limit(2).toList()
    val second = query.copy().after(first.last()).limit(2).toList()
    check(query.pages(2).toList().map { it.size } == listOf(first.size, second.size))
    return listOf(first, second).map { page -> page.map { it[Parts.name] } }
}
// endregion

// region queries-compiled
val partsByKind = compiled(hole(Parts.kind), hole(Parts.price)) { kind, price ->
    Parts.selectAll().where { (Parts.kind eq kind) and (Parts.price greaterEq price) }.orderBy(Parts.id).mapTo<PartRow>()
}

suspend fun cheapestWheel(): String = partsByKind("wheel", 0).toList().minBy { it.price }.name
// endregion

// region queries-explain
suspend fun plan(): List<String> = explain { Parts.selectAll().where { Parts.partOf.isNull() } }.toList().map { it.toString() }
// endregion

suspend fun reading(db: Database) = withContext(db) {
    Schema.create(Parts)
    val rows = listOf(Triple("bicycle", "whole", 500), Triple("front wheel", "wheel", 80), Triple("back wheel", "wheel", 120), Triple("spoke", "wire", 1))
    var above: Long? = null
    for ((name, kind, price) in rows) {
        val id = Parts.batchInsert(listOf(name)) {
            this[Parts.name] = name
            this[Parts.kind] = kind
            this[Parts.price] = price
            this[Parts.partOf] = above
        }.single()[Parts.id].value
        if (above == null || name == "back wheel") above = id
    }
    println(kinds())
    println(names())
    println(partsOf("bicycle"))
    println(pagesOfParts())
    println(cheapestWheel())
    check(plan().isNotEmpty())
}

suspend fun main() = Database.open("sqlite::memory:").use { reading(it) }
