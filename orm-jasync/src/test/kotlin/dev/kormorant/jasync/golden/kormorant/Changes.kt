package dev.kormorant.jasync.golden.kormorant

import dev.kormorant.batchInsert
import dev.kormorant.delete
import dev.kormorant.deleteAll
import dev.kormorant.deleteIgnoreWhere
import dev.kormorant.deleteReturning
import dev.kormorant.deleteWhere
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.insertIgnore
import dev.kormorant.mergeFrom
import dev.kormorant.replace
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.update
import dev.kormorant.updateReturning
import dev.kormorant.upsert
import dev.kormorant.jasync.golden.Albums
import dev.kormorant.jasync.golden.Artists
import dev.kormorant.jasync.golden.Charts
import dev.kormorant.jasync.golden.Genre
import dev.kormorant.jasync.golden.Names
import dev.kormorant.jasync.golden.Tracks
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.*
import java.math.BigDecimal

// The two files of this name differ in what they import and in nothing else; SameSqlTest compares them.

/** Data changes under names that say what they are about, on tables without rows. */
internal fun changes(): Map<String, suspend () -> Unit> = buildMap {
    change("insert") { Artists.insert { it[name] = "Miles"; it[born] = 1926; it[key] = "m" } }
    change("insert of NULL") { Artists.insert { it[name] = "Miles"; it[born] = null; it[key] = "m" } }
    change("insert without a nullable column") { Artists.insert { it[name] = "?"; it[key] = "m" } }
    change("insert of an expression") { Artists.insert { it[name] = stringLiteral("a").upperCase(); it[key] = "m" } }
    change("insert of a query") { Artists.insert { it[name] = "a"; it[born] = wrapAsExpression<Int>(Artists.select(Artists.born.max())); it[key] = "m" } }
    change("insert without id") { Names.insert { it[name] = "x" } }
    change("insertAndGetId") { Artists.insertAndGetId { it[name] = "Miles"; it[key] = "m" } }
    change("insertIgnore") { Artists.insertIgnore { it[name] = "Miles"; it[key] = "m" } }
    change("insertIgnore without id") { Names.insertIgnore { it[name] = "x" } }
    change("insert from a query") { Names.insert(Artists.select(Artists.name)) }
    change("insert from a query into columns") { Names.insert(Artists.select(Artists.name).where { Artists.born less 1950 }, columns = listOf(Names.name)) }
    change("insertIgnore from a query") { Names.insertIgnore(Artists.select(Artists.name)) }
    change("replace") { Artists.replace { it[id] = 1L; it[name] = "Miles"; it[key] = "m" } }
    change("replace from a query") { Names.replace(Artists.select(Artists.name)) }
    change("upsert") { Artists.upsert { it[id] = 1L; it[name] = "Miles"; it[key] = "m" } }
    change("upsert by a key") { Artists.upsert(Artists.name) { it[name] = "Miles"; it[key] = "m" } }
    change("upsert with an update") { Artists.upsert(Artists.name, onUpdate = { it[Artists.born] = 3 }) { it[name] = "Miles"; it[key] = "m" } }
    change("upsert with exclusions") { Artists.upsert(Artists.name, onUpdateExclude = listOf(Artists.key)) { it[name] = "Miles"; it[born] = 1; it[key] = "m" } }
    change("upsert with a condition") { Artists.upsert(Artists.name, where = { Artists.born.isNull() }) { it[name] = "Miles"; it[key] = "m" } }
    change("update") { Artists.update { it[born] = 1900 } }
    change("update of several columns") { Artists.update { it[born] = null; it[key] = "k" } }
    change("update with a condition") { Artists.update({ Artists.name eq "Miles" }) { it[born] = 1926 } }
    change("update with conditions") { Albums.update({ (Albums.genre eq Genre.JAZZ) and (Albums.live eq true) }) { it[price] = BigDecimal("9.99") } }
    change("update by an expression") { Albums.update { it.update(order, order + 1) } }
    change("update by a lambda") { Albums.update { it.update(title) { title.upperCase() } } }
    change("update by a query") { Albums.update { it[year] = wrapAsExpression<Int>(Artists.select(Artists.born.max())) } }
    change("update with a limit") { Artists.update(limit = 2) { it[born] = 1900 } }
    change("update with a condition and a limit") { Artists.update({ Artists.born.isNull() }, limit = 2) { it[born] = 1900 } }
    change("update of a reference") { Albums.update({ Albums.id eq 1L }) { it[artist] = 2L } }
    change("update of a composite id") { Charts.update({ (Charts.week eq 1) and (Charts.place eq 2) }) { it[album] = 3L } }
    change("update of a join") { Albums.innerJoin(Artists, { Albums.artist }, { Artists.id }).update({ Artists.name eq "Miles" }) { it[Albums.order] = 7 } }
    change("updateReturning") { Artists.updateReturning(listOf(Artists.id, Artists.name)) { it[born] = 1900 }.toList() }
    change("updateReturning with a condition") { Artists.updateReturning(where = { Artists.born eq 3 }) { it[born] = 1900 }.toList() }
    change("deleteAll") { Tracks.deleteAll() }
    change("deleteWhere") { Tracks.deleteWhere { plays less 10L } }
    change("deleteWhere with a limit") { Tracks.deleteWhere(limit = 3) { plays less 10L } }
    change("deleteWhere by a query") { Tracks.deleteWhere { Tracks.album inSubQuery Albums.select(Albums.id).where { Albums.live eq true } } }
    change("deleteIgnoreWhere") { Tracks.deleteIgnoreWhere { plays less 10L } }
    change("deleteReturning") { Tracks.deleteReturning(listOf(Tracks.id)) { Tracks.plays less 10L }.toList() }
    change("delete from a join") { Tracks.innerJoin(Albums, { Tracks.album }, { Albums.id }).delete(Tracks) { Albums.live eq true } }
    change("batchInsert of one") { Names.batchInsert(listOf("a"), shouldReturnGeneratedValues = false) { this[Names.name] = it } }
    change("merge from a table") {
        Names.mergeFrom(Artists, on = { Names.name eq Artists.name }) {
            whenNotMatchedInsert { it[Names.name] = Artists.name }
            whenMatchedDelete(and = Artists.born less 1900)
        }
    }
    change("merge from a query") {
        Names.mergeFrom(Artists.selectAll().where { Artists.born.isNotNull() }.alias("source"), on = { Op.TRUE }) { whenMatchedDoNothing() }
    }
}

private fun MutableMap<String, suspend () -> Unit>.change(name: String, body: suspend () -> Any?) {
    put(name) { body() }
}
