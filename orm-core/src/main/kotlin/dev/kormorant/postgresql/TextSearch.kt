@file:JvmName("TextSearch")

package dev.kormorant.postgresql

import dev.kormorant.internal.SqlPart
import dev.kormorant.internal.add
import dev.kormorant.internal.literal
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.FloatColumnType
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.TextColumnType

// PostgreSQL's full-text search: `where { toTsVector(Posts.body, "english") matches plainToTsQuery("the fox", "english") }`. Without a
// configuration the server's default_text_search_config holds. MySQL's search is Exposed's `match`.

/** [text] made ready to be searched: a `tsvector`. */
@JvmOverloads
public fun toTsVector(text: Expression<out String?>, configuration: String? = null): ExpressionWithColumnType<String?> =
    search("TO_TSVECTOR", configuration, text)

/** A `tsquery` in its own notation: `fox & !dog`, `quick <-> fox`, `fo:*`. What is not in that notation is an error of the database. */
@JvmOverloads
public fun toTsQuery(query: String, configuration: String? = null): ExpressionWithColumnType<String?> =
    search("TO_TSQUERY", configuration, parameter(query))

/** A `tsquery` for texts that have all words of [query], which may be any text. */
@JvmOverloads
public fun plainToTsQuery(query: String, configuration: String? = null): ExpressionWithColumnType<String?> =
    search("PLAINTO_TSQUERY", configuration, parameter(query))

/** A `tsquery` for texts that have the words of [query], which may be any text, one after another. */
@JvmOverloads
public fun phraseToTsQuery(query: String, configuration: String? = null): ExpressionWithColumnType<String?> =
    search("PHRASETO_TSQUERY", configuration, parameter(query))

/** A `tsquery` in the manner of search engines: quotes, `or` and `-`; any text will do. */
@JvmOverloads
public fun webSearchToTsQuery(query: String, configuration: String? = null): ExpressionWithColumnType<String?> =
    search("WEBSEARCH_TO_TSQUERY", configuration, parameter(query))

/** Whether this `tsvector`, a column or [toTsVector], has what [query] looks for. */
public infix fun ExpressionWithColumnType<out String?>.matches(query: ExpressionWithColumnType<String?>): Op<Boolean> =
    pgOp { add(this@matches, " @@ ", query) }

/** How well [vector] fits [query]: more is better. */
public fun tsRank(vector: ExpressionWithColumnType<out String?>, query: ExpressionWithColumnType<String?>): ExpressionWithColumnType<Float?> =
    pgExpression(FloatColumnType()) { add("TS_RANK(", vector, ", ", query, ")") }

/** [tsRank] that regards how near the words are to each other. */
public fun tsRankCd(vector: ExpressionWithColumnType<out String?>, query: ExpressionWithColumnType<String?>): ExpressionWithColumnType<Float?> =
    pgExpression(FloatColumnType()) { add("TS_RANK_CD(", vector, ", ", query, ")") }

/** The parts of [text] that have what [query] looks for, with the words marked as [options] say: `StartSel=<b>, StopSel=</b>`. */
@JvmOverloads
public fun tsHeadline(
    text: Expression<out String?>,
    query: ExpressionWithColumnType<String?>,
    configuration: String? = null,
    options: String? = null,
): ExpressionWithColumnType<String?> = pgExpression(TextColumnType()) {
    add("TS_HEADLINE(", configured(configuration), text, ", ", query, if (options == null) "" else ", ${literal(options)}", ")")
}

private fun search(function: String, configuration: String?, argument: Any): ExpressionWithColumnType<String?> =
    pgExpression(TextColumnType()) { add(function, "(", configured(configuration), argument, ")") }

private fun configured(configuration: String?) = if (configuration == null) "" else "${literal(configuration)}::regconfig, "

private fun parameter(text: String) = SqlPart { it.registerArgument(TextColumnType(), text) }
