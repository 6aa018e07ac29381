package dev.kormorant.jasync.golden.kormorant

import dev.kormorant.andHaving
import dev.kormorant.andWhere
import dev.kormorant.except
import dev.kormorant.intersect
import dev.kormorant.orHaving
import dev.kormorant.orWhere
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.union
import dev.kormorant.unionAll
import dev.kormorant.jasync.golden.Albums
import dev.kormorant.jasync.golden.Artists
import dev.kormorant.jasync.golden.Charts
import dev.kormorant.jasync.golden.Genre
import dev.kormorant.jasync.golden.Names
import dev.kormorant.jasync.golden.Tracks
import org.jetbrains.exposed.v1.core.*
import org.jetbrains.exposed.v1.core.AbstractQuery.CommentPosition
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import java.math.BigDecimal

// The two files of this name differ in what they import and in nothing else; SameSqlTest compares them.

private val artists = Artists.alias("a")
private val producers = Artists.alias("producers")
private val dear = BigDecimal("20.00")

private val conditions: List<() -> Op<Boolean>> = listOf(
    { Albums.id eq 1L },
    { Albums.id neq 1L },
    { Albums.id eq EntityID(1L, Albums) },
    { Albums.id inList listOf(1L, 2L, 3L) },
    { Albums.id notInList listOf(3L, 2L) },
    { Albums.id greater 5L },
    { Albums.id greaterEq 5L },
    { Albums.id less 5L },
    { Albums.id lessEq 5L },
    { Albums.id.between(2L, 4L) },
    { Albums.artist eq 1L },
    { Albums.artist eq Artists.id },
    { Albums.producer eq null },
    { Albums.producer neq null },
    { Albums.producer eq 3L },
    { Albums.producer.isNull() },
    { Albums.producer.isNotNull() },
    { Albums.title eq "What?" },
    { Albums.title neq "it's" },
    { Albums.title eq Artists.name },
    { Albums.title like "A%" },
    { Albums.title notLike "A%" },
    { Albums.title like LikePattern.ofLiteral("50%_") },
    { Albums.title like LikePattern("!%a", '!') },
    { Albums.title inList emptyList() },
    { Albums.title notInList emptyList() },
    { Albums.title inList listOf("x") },
    { Albums.title inList listOf("b", "a", "c") },
    { Albums.title.isNullOrEmpty() },
    { Albums.title match "jazz" },
    { Albums.title regexp "^A" },
    { Albums.title.lowerCase() eq "kind of blue" },
    { Albums.title.charLength() greater 3 },
    { Albums.title.between("A", "M") },
    { Albums.price greater dear },
    { Albums.price.between(BigDecimal.ONE, dear) },
    { Albums.year eq 1959 },
    { Albums.year eq null },
    { Albums.year.isNull() },
    { Albums.year less 1960 },
    { Albums.year isDistinctFrom 1960 },
    { Albums.year isNotDistinctFrom 1960 },
    { Albums.live eq true },
    { Albums.live eq false },
    { not(Albums.live) },
    { Albums.genre eq Genre.JAZZ },
    { Albums.genre inList Genre.entries },
    { Albums.order greater 1 },
    { (Albums.order + 1) greater Albums.year },
    { (Albums.order % 2) eq 0 },
    { Albums.flags hasFlag 4 },
    { (Albums.flags bitwiseAnd 3) eq 1 },
    { (Albums.flags bitwiseOr 3) eq 7 },
    { (Albums.flags bitwiseXor 3) eq 2 },
    { (Albums.live eq true) and (Albums.year greater 1950) and (Albums.genre eq Genre.ROCK) },
    { (Albums.live eq true) or (Albums.year greater 1950) or (Albums.genre eq Genre.ROCK) },
    { ((Albums.live eq true) or (Albums.year greater 1950)) and (Albums.genre neq Genre.FOLK) },
    { (Albums.live eq true) and ((Albums.year greater 1950) or (Albums.genre neq Genre.FOLK)) },
    { not((Albums.live eq true) and (Albums.year greater 1950)) },
    { (Albums.live eq true).andNot { Albums.year eq 1 } },
    { (Albums.live eq true).orNot { Albums.year eq 1 } },
    { (Albums.live eq true) andIfNotNull null },
    { listOf<Op<Boolean>>(Albums.live eq true, Albums.year eq 1, Albums.order eq 2).compoundOr() },
    { listOf<Op<Boolean>>(Albums.live eq true, Albums.year eq 1, Albums.order eq 2).compoundAnd() },
    { (Albums.title to Albums.order) inList listOf("a" to 1, "b" to 2) },
    { Triple(Albums.title, Albums.order, Albums.flags) inList listOf(Triple("a", 1, 2)) },
    { Op.TRUE },
    { Op.FALSE },
    { Albums.artist inSubQuery Artists.select(Artists.id).where { Artists.born less 1930 } },
    { Albums.artist notInSubQuery Artists.select(Artists.id) },
    { Albums.title eqSubQuery Artists.select(Artists.name).where { Artists.id eq 1L } },
    { Albums.title notEqSubQuery Artists.select(Artists.name).limit(1) },
    { Albums.order lessSubQuery Artists.select(Artists.born).limit(1) },
    { Albums.order greaterEqSubQuery Artists.select(Artists.born).limit(1) },
    { exists(Artists.selectAll().where { Artists.id eq Albums.artist }) },
    { notExists(Artists.selectAll().where { Artists.id eq Albums.artist }) },
    { Albums.title eq anyFrom(Artists.select(Artists.name)) },
    { Albums.title neq allFrom(Artists.select(Artists.name)) },
    { Albums.order eq anyFrom(listOf(1, 2, 3)) },
    { Albums.title eq anyFrom(Names) },
    { Albums.title inTable Names },
    { Albums.title eq wrapAsExpression<String>(Artists.select(Artists.name).where { Artists.id eq Albums.artist }) },
    { case().When(Albums.live eq true, intLiteral(1)).Else(intLiteral(0)) eq 1 },
    { Albums.price greater (Albums.price * BigDecimal("0.5")) },
    { Charts.album eq Albums.id },
)

private val expressions: List<() -> Expression<*>> = listOf(
    { Albums.title },
    { Albums.order },
    { Albums.title.upperCase() },
    { Albums.title.lowerCase().alias("low") },
    { Albums.title.trim() },
    { Albums.title.substring(1, 3) },
    { Albums.title.charLength() },
    { Albums.title.locate("a") },
    { concat(Albums.title, stringLiteral("-"), Albums.year) },
    { concat(" ", listOf(Albums.title, Albums.genre)) },
    { Albums.title + "!" },
    { Albums.title.groupConcat("; ") },
    { Albums.title.groupConcat(", ", distinct = true) },
    { Albums.title.groupConcat(", ", orderBy = Albums.title to SortOrder.DESC) },
    { coalesce(Albums.year, intLiteral(0)) },
    { Albums.year + 1 },
    { Albums.order - 1 },
    { Albums.order * 2 + 1 },
    { Albums.price / BigDecimal("2") },
    { Albums.order % 3 },
    { Albums.order.castTo(VarCharColumnType(10)) },
    { Albums.title.castTo(TextColumnType()) },
    { Albums.year.castTo(LongColumnType()) },
    { Albums.id.count() },
    { Albums.artist.countDistinct() },
    { Albums.price.sum() },
    { Albums.price.avg() },
    { Albums.price.min() },
    { Albums.year.max().alias("latest") },
    { Albums.price.stdDevPop() },
    { Albums.price.varSamp() },
    { Albums.live eq true },
    { (Albums.year greater 2000).alias("modern") },
    { stringLiteral("it's ?") },
    { intLiteral(42) },
    { booleanLiteral(true) },
    { stringParam("?") },
    { intParam(7) },
    { case().When(Albums.live eq true, stringLiteral("live")).When(Albums.year less 1960, stringParam("old")).Else(Albums.title) },
    { case(Albums.order).When(intLiteral(1), stringLiteral("one")).Else(stringLiteral("more")) },
    { CustomFunction("ABS", IntegerColumnType(), Albums.order) },
    { CustomStringFunction("REPLACE", Albums.title, stringLiteral("a"), stringParam("b")) },
    { CustomOperator("+", IntegerColumnType(), Albums.order, Albums.flags) },
    { Albums.order.function("ABS") },
    { wrapAsExpression<Long>(Tracks.select(Tracks.id.count()).where { Tracks.album eq Albums.id }).alias("tracks") },
    { exists(Tracks.selectAll().where { Tracks.album eq Albums.id }) },
    { rowNumber().over().orderBy(Albums.order) },
    { rowNumber().over().partitionBy(Albums.artist).orderBy(Albums.year, SortOrder.DESC) },
    { rank().over().orderBy(Albums.price, SortOrder.DESC) },
    { denseRank().over().orderBy(Albums.price) },
    { percentRank().over().orderBy(Albums.price) },
    { cumeDist().over().orderBy(Albums.price) },
    { ntile(intLiteral(4)).over().orderBy(Albums.price) },
    { Albums.title.lag(intLiteral(1)).over().orderBy(Albums.order) },
    { Albums.title.lead(intLiteral(2), stringLiteral("none")).over().orderBy(Albums.order) },
    { Albums.title.firstValue().over().partitionBy(Albums.genre).orderBy(Albums.order) },
    { Albums.title.lastValue().over().orderBy(Albums.order) },
    { Albums.title.nthValue(intLiteral(2)).over().orderBy(Albums.order) },
    { Albums.price.sum().over().partitionBy(Albums.artist, Albums.genre) },
    { Albums.price.sum().over().orderBy(Albums.order).rows(WindowFrameBound.unboundedPreceding(), WindowFrameBound.currentRow()) },
    { Albums.price.sum().over().orderBy(Albums.order).range(WindowFrameBound.unboundedPreceding(), WindowFrameBound.unboundedFollowing()) },
    { Albums.id.count().over().orderBy(Albums.order).groups(WindowFrameBound.offsetPreceding(1), WindowFrameBound.offsetFollowing(1)) },
    { Albums.price.avg().over() },
)

private fun albums() = Albums.select(Albums.id, Albums.title)

private fun jazz() = Albums.select(Albums.title).where { Albums.genre eq Genre.JAZZ }

private fun rock() = Albums.select(Albums.title).where { Albums.genre eq Genre.ROCK }

private fun names() = Artists.select(Artists.name)

private val title = Albums.title.alias("title_of_it")
private val total = Albums.price.sum().alias("total")

private fun perArtist() = Albums.select(Albums.artist, total).groupBy(Albums.artist)

private val shapes: Map<String, () -> Built> = mapOf(
    "all of an album" to { Albums.selectAll() },
    "all of an artist" to { Artists.selectAll() },
    "all of the tracks" to { Tracks.selectAll() },
    "all of the charts" to { Charts.selectAll() },
    "all of the names" to { Names.selectAll() },
    "an alias" to { artists.selectAll().where { artists[Artists.name] eq "x" } },
    "some columns" to { Albums.select(Albums.title, Albums.order, Albums.artist) },
    "a list of columns" to { Albums.select(listOf(Albums.title, Albums.year)) },
    "a composite id" to { Charts.select(Charts.id) },
    "part of a composite id" to { Charts.selectAll().where { Charts.week eq 3 } },
    "no table" to { Table.Dual.select(intLiteral(1)) },
    "distinct" to { albums().withDistinct() },
    "distinct and not" to { albums().withDistinct().withDistinct(false) },
    "distinct on" to { albums().withDistinctOn(Albums.title) },
    "distinct on two" to { albums().withDistinctOn(Albums.title).withDistinctOn(Albums.id) },
    "distinct on, sorted" to { albums().withDistinctOn(Albums.title to SortOrder.ASC, Albums.id to SortOrder.DESC) },
    "limit" to { albums().limit(3) },
    "offset" to { albums().limit(3).offset(7) },
    "offset alone" to { albums().offset(7) },
    "sorted and limited" to { albums().orderBy(Albums.title).limit(3).offset(1) },
    "sorted by two" to { albums().orderBy(Albums.year to SortOrder.DESC, Albums.title to SortOrder.ASC) },
    "sorted twice" to { albums().orderBy(Albums.year).orderBy(Albums.title, SortOrder.DESC) },
    "sorted by an expression" to { albums().orderBy(Albums.title.lowerCase(), SortOrder.DESC) },
    "sorted by an alias" to { Albums.select(title).orderBy(title) },
    "sorted by a sub-query" to { albums().orderBy(wrapAsExpression<String>(names().where { Artists.id eq Albums.artist })) },
    "sorted by a condition" to { albums().orderBy(Albums.live eq true, SortOrder.DESC) },
    "grouped" to { perArtist() },
    "grouped by two" to { Albums.select(Albums.artist, Albums.year, Albums.id.count()).groupBy(Albums.artist, Albums.year) },
    "grouped by an alias" to { Albums.select(title, Albums.id.count()).groupBy(title) },
    "having" to { perArtist().having { Albums.price.sum() greater dear } },
    "having and" to { perArtist().having { Albums.price.sum() greater dear }.andHaving { Albums.id.count() greater 2L } },
    "having or" to { perArtist().having { Albums.price.sum() greater dear }.orHaving { Albums.id.count() greater 2L } },
    "and having alone" to { perArtist().andHaving { Albums.id.count() greater 2L } },
    "having adjusted" to { perArtist().having { Albums.id.count() greater 2L }.adjustHaving { Albums.id.count() less 9L } },
    "everything of groups" to {
        perArtist().where { Albums.live eq false }.having { Albums.id.count() greater 1L }.orderBy(total, SortOrder.DESC).limit(5)
    },
    "and where" to { albums().where { Albums.live eq true }.andWhere { Albums.year greater 1950 } },
    "and where alone" to { albums().andWhere { Albums.year greater 1950 } },
    "or where" to { albums().where { Albums.live eq true }.orWhere { Albums.year greater 1950 } },
    "or where alone" to { albums().orWhere { Albums.year greater 1950 } },
    "and, or, and" to { albums().where { Albums.live eq true }.orWhere { Albums.year eq 1 }.andWhere { Albums.order eq 2 } },
    "where as a value" to { albums().where(Albums.live eq true) },
    "where adjusted" to { albums().where { Albums.live eq true }.adjustWhere { Albums.live eq false } },
    "select adjusted" to { albums().adjustSelect { select(Albums.year) } },
    "select extended" to { albums().adjustSelect { select(it.fields + Albums.year) } },
    "source adjusted" to { albums().adjustColumnSet { innerJoin(Artists, { Albums.artist }, { Artists.id }) } },
    "a copy" to { albums().where { Albums.live eq true }.orderBy(Albums.title).limit(2).copy() },
    "comment" to { albums().comment("first") },
    "comments" to { albums().comment("a").comment("b", CommentPosition.AFTER_SELECT).comment("c", CommentPosition.BACK) },
    "comment adjusted" to { albums().comment("a").adjustComments(CommentPosition.FRONT, "b") },
    "inner join by key" to { (Albums.innerJoin(Tracks)).select(Albums.title, Tracks.title) },
    "left join by key" to { (Albums leftJoin Tracks).selectAll() },
    "right join by key" to { (Albums rightJoin Tracks).select(Albums.title) },
    "full join by key" to { (Albums fullJoin Tracks).select(Albums.title) },
    "cross join" to { (Names crossJoin Tracks).select(Names.name, Tracks.title) },
    "join on columns" to { Albums.join(Artists, JoinType.LEFT, Albums.artist, Artists.id).select(Albums.title, Artists.name) },
    "join on a condition" to { Albums.join(Artists, JoinType.INNER) { Albums.artist eq Artists.id }.select(Albums.title) },
    "join on both" to { Albums.join(Artists, JoinType.INNER, Albums.artist, Artists.id) { Artists.born greater 1900 }.selectAll() },
    "join by lambdas" to { Albums.innerJoin(Artists, { Albums.artist }, { Artists.id }).select(Albums.title) },
    "left join by lambdas" to { Albums.leftJoin(Artists, { Albums.producer }, { Artists.id }) { Albums.live eq true }.select(Albums.title) },
    "join of three" to { Tracks.innerJoin(Albums, { Tracks.album }, { Albums.id }).innerJoin(Artists, { Albums.artist }, { Artists.id }).selectAll() },
    "join of an alias" to { Albums.join(producers, JoinType.LEFT, Albums.producer, producers[Artists.id]).select(Albums.title, producers[Artists.name]) },
    "join of two aliases" to {
        Albums.join(artists, JoinType.INNER, Albums.artist, artists[Artists.id])
            .join(producers, JoinType.LEFT, Albums.producer, producers[Artists.id])
            .select(artists[Artists.name], producers[Artists.name])
    },
    "self join" to { Artists.join(artists, JoinType.INNER) { Artists.born eq artists[Artists.born] }.select(Artists.name, artists[Artists.name]) },
    "join of a join" to { Artists.join(Albums.innerJoin(Tracks), JoinType.LEFT, Artists.id, Albums.artist).select(Artists.name) },
    "join of a query" to { perArtist().alias("sums").let { Artists.join(it, JoinType.INNER, Artists.id, it[Albums.artist]).select(Artists.name, it[total]) } },
    "joinQuery" to { Artists.joinQuery(on = { it[Albums.artist] eq Artists.id }, joinPart = { perArtist() }).selectAll() },
    "joinQuery of two" to {
        Artists.joinQuery(on = { it[Albums.artist] eq Artists.id }, joinPart = { perArtist() })
            .joinQuery(on = { it[Albums.artist] eq Artists.id }, joinType = JoinType.LEFT) { perArtist() }.select(Artists.name)
    },
    "lastQueryAlias" to { Artists.joinQuery(on = { it[Albums.artist] eq Artists.id }, joinPart = { perArtist() }).let { it.select(it.lastQueryAlias!![total]) } },
    "lateral join" to {
        Artists.joinQuery(on = { Artists.id.isNotNull() }, lateral = true) { albums().where { Albums.artist eq Artists.id }.limit(2) }.select(Artists.name)
    },
    "a query as a table" to { albums().alias("q").selectAll() },
    "columns of a query" to { albums().alias("q").let { q -> q.select(q[Albums.title]).where { q[Albums.id] greater 3L } } },
    "aliases of a query" to { perArtist().alias("q").let { q -> q.select(q[Albums.artist], q[total]) } },
    "a query in a query in a query" to { albums().alias("q").selectAll().alias("r").selectAll().limit(2) },
    "for update" to { albums().forUpdate() },
    "for update and not" to { albums().apply { forUpdate() }.apply { notForUpdate() } },
    "for update of PostgreSQL" to { albums().forUpdate(ForUpdateOption.PostgreSQL.ForUpdate(ForUpdateOption.PostgreSQL.MODE.SKIP_LOCKED, Albums)) },
    "for share of PostgreSQL" to { albums().forUpdate(ForUpdateOption.PostgreSQL.ForShare) },
    "for key share of PostgreSQL" to { albums().forUpdate(ForUpdateOption.PostgreSQL.ForKeyShare(ForUpdateOption.PostgreSQL.MODE.NO_WAIT)) },
    "for update of MySQL" to { albums().forUpdate(ForUpdateOption.MySQL.ForUpdate(ForUpdateOption.MySQL.MODE.NO_WAIT)) },
    "lock in share mode" to { albums().forUpdate(ForUpdateOption.MySQL.LockInShareMode) },
    "lock in share mode of MariaDB" to { albums().forUpdate(ForUpdateOption.MariaDB.LockInShareMode) },
    "union" to { jazz().union(rock()) },
    "union all" to { jazz().unionAll(rock()) },
    "intersect" to { jazz().intersect(rock()) },
    "except" to { jazz().except(rock()) },
    "union of three" to { jazz().union(rock()).unionAll(names()) },
    "union and intersect" to { jazz().union(rock()).intersect(names()) },
    "union without distinct" to { jazz().union(rock()).withDistinct(false) },
    "union all with distinct" to { jazz().unionAll(rock()).withDistinct() },
    "union, limited" to { jazz().union(rock()).apply { limit(3).offset(1) } },
    "union, sorted by an alias" to { Albums.select(title).union(names()).orderBy(title, SortOrder.DESC).limit(1) },
    "union of expressions" to { Albums.select(Albums.title.upperCase(), intLiteral(1)).union(Artists.select(Artists.name, intLiteral(2))) },
    "union of limited queries" to { jazz().orderBy(Albums.title).limit(1).union(rock().limit(2)) },
    "union as a table" to { jazz().union(rock()).alias("both_of_them").selectAll() },
    "union as a sub-query" to { albums().where { Albums.title inSubQuery jazz().union(rock()) } },
    "a copy of a union" to { jazz().union(rock()).apply { limit(3) }.copy() },
    "everything" to {
        Albums.innerJoin(Artists, { Albums.artist }, { Artists.id }).select(Artists.name, total, Albums.id.count())
            .where { (Albums.genre inList listOf(Genre.JAZZ, Genre.FOLK)) and (Albums.title like "%?%") }.andWhere { Artists.born greater 1900 }
            .groupBy(Artists.name).having { Albums.price.sum() greater dear }.orderBy(total to SortOrder.DESC_NULLS_LAST, Artists.name to SortOrder.ASC)
            .limit(10).offset(20)
    },
)

/** Each query under a name that says what it is about. */
internal fun queries(): Map<String, () -> Built> = buildMap {
    putAll(shapes)
    conditions.forEachIndexed { index, condition ->
        put("condition $index", { albums().where(condition) })
        put("condition $index, negated", { albums().where { not(condition()) } })
    }
    expressions.forEachIndexed { index, expression ->
        put("expression $index", { Albums.select(expression()) })
        put("expression $index in a query", { Albums.select(Albums.id, expression()).where { Albums.live eq true }.limit(5) })
    }
    for (order in SortOrder.entries) {
        put("sorted $order", { albums().orderBy(Albums.year, order) })
        put("sorted by an expression $order", { albums().orderBy(Albums.title.lowerCase() to order, Albums.id to SortOrder.ASC) })
        put("window $order", { Albums.select(rowNumber().over().orderBy(Albums.year, order)) })
    }
    for (type in JoinType.entries - JoinType.CROSS) {
        put("join $type", { Albums.join(Artists, type, Albums.artist, Artists.id).select(Albums.title, Artists.name) })
        put("join $type of an alias", { Albums.join(artists, type, Albums.artist, artists[Artists.id]).selectAll() })
        put("join $type of a query", { names().alias("n").let { n -> Albums.join(n, type, Albums.title, n[Artists.name]).select(n[Artists.name]) } })
    }
}
