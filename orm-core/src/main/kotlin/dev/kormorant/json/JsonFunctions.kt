@file:JvmName("JsonFunctions")

package dev.kormorant.json

import dev.kormorant.internal.DialectExpression
import dev.kormorant.internal.DialectOp
import dev.kormorant.internal.SqlPart
import dev.kormorant.internal.add
import dev.kormorant.internal.literal
import dev.kormorant.internal.noSuch
import org.jetbrains.exposed.v1.core.BooleanColumnType
import org.jetbrains.exposed.v1.core.ColumnWithTransform
import org.jetbrains.exposed.v1.core.DoubleColumnType
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.JsonColumnMarker
import org.jetbrains.exposed.v1.core.LongColumnType
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.TextColumnType
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import org.jetbrains.exposed.v1.core.vendors.MariaDBDialect
import org.jetbrains.exposed.v1.core.vendors.MysqlDialect
import org.jetbrains.exposed.v1.core.vendors.PostgreSQLDialect
import org.jetbrains.exposed.v1.core.vendors.SQLiteDialect
import org.jetbrains.exposed.v1.core.vendors.currentDialect

// Functions and operators on columns that hold JSON, of whatever column type: JSON, JSONB or text. A path is a list of steps, the same
// on every database: a key, or a position in an array as digits, `extract<String>("tags", "0")`; no step is the whole document. Values
// are those of JsonText.of. What is at a path that does not exist is NULL. A dialect that cannot do something throws
// UnsupportedByDialectException when the statement is made.

/**
 * The value at [path] as a [T]: `String`, `Int`, `Long`, `Double` or `Boolean`. A JSON `null` is NULL.
 *
 * @throws IllegalArgumentException for another [T].
 */
public inline fun <reified T : Any> ExpressionWithColumnType<*>.extract(vararg path: String): ExpressionWithColumnType<T?> = extract(T::class.java, *path)

/** The value at [path] as a [type]; see the other `extract`. */
@Suppress("UNCHECKED_CAST")
public fun <T : Any> ExpressionWithColumnType<*>.extract(type: Class<T>, vararg path: String): ExpressionWithColumnType<T?> =
    extractAs(type.kotlin.javaObjectType, path.asList()) as ExpressionWithColumnType<T?>

private fun ExpressionWithColumnType<*>.extractAs(type: Class<*>, path: List<String>): ExpressionWithColumnType<*> = when (type) {
    String::class.java -> scalar(TextColumnType(), path, null, null, "TEXT")
    Int::class.javaObjectType -> scalar(IntegerColumnType(), path, "INTEGER", "SIGNED", "INTEGER")
    Long::class.javaObjectType -> scalar(LongColumnType(), path, "BIGINT", "SIGNED", "INTEGER")
    Double::class.javaObjectType -> scalar(DoubleColumnType(), path, "DOUBLE PRECISION", "DECIMAL(65, 20)", "REAL")
    Boolean::class.javaObjectType -> truth(path)
    else -> throw IllegalArgumentException("A value cannot be extracted as ${type.name}; use String, Int, Long, Double, Boolean, or extractJson.")
}

private fun <T : Any> ExpressionWithColumnType<*>.scalar(type: IColumnType<T>, path: List<String>, postgres: String?, mysql: String?, sqlite: String) =
    DialectExpression<T?>(type) { dialect ->
        when (dialect) {
            is PostgreSQLDialect -> cast(postgres) { add("(", jsonb, " #>> ", keys(path), ")") }
            is MysqlDialect -> cast(mysql) { mysqlText(document, path) }
            is SQLiteDialect -> cast(sqlite) { add("JSON_EXTRACT(", document, ", ", literal(dollarPath(path)), ")") }
            else -> noSuch("JSON")
        }
    }

private fun ExpressionWithColumnType<*>.truth(path: List<String>) = DialectExpression<Boolean?>(BooleanColumnType()) { dialect ->
    when (dialect) {
        is PostgreSQLDialect -> cast("BOOLEAN") { add("(", jsonb, " #>> ", keys(path), ")") }
        is MysqlDialect -> {
            add("(")
            mysqlText(document, path)
            add(" = 'true')")
        }
        is SQLiteDialect -> add("JSON_EXTRACT(", document, ", ", literal(dollarPath(path)), ")")
        else -> noSuch("JSON")
    }
}

/** What is at [path] as JSON text; a JSON `null` is the text `null`. */
public fun ExpressionWithColumnType<*>.extractJson(vararg path: String): ExpressionWithColumnType<String?> = DialectExpression(TextColumnType()) { dialect ->
    when (dialect) {
        is PostgreSQLDialect -> add("(", jsonb, " #> ", keys(path.asList()), ")::text")
        is MysqlDialect -> add("JSON_EXTRACT(", document, ", ", literal(dollarPath(path.asList())), ")")
        is SQLiteDialect -> add("(", document, " -> ", literal(dollarPath(path.asList())), ")")
        else -> noSuch("JSON")
    }
}

/** Number of elements of the array at [path]; NULL if there is none. */
public fun ExpressionWithColumnType<*>.jsonLength(vararg path: String): ExpressionWithColumnType<Int?> = DialectExpression(IntegerColumnType()) { dialect ->
    val steps = path.asList()
    when (dialect) {
        is PostgreSQLDialect ->
            add("CASE JSONB_TYPEOF(", jsonb, " #> ", keys(steps), ") WHEN 'array' THEN JSONB_ARRAY_LENGTH(", jsonb, " #> ", keys(steps), ") END")
        is MysqlDialect -> literal(dollarPath(steps)).let { at ->
            add("CASE JSON_TYPE(JSON_EXTRACT(", document, ", ", at, ")) WHEN 'ARRAY' THEN JSON_LENGTH(", document, ", ", at, ") END")
        }
        is SQLiteDialect -> literal(dollarPath(steps)).let { at ->
            add("CASE JSON_TYPE(", document, ", ", at, ") WHEN 'array' THEN JSON_ARRAY_LENGTH(", document, ", ", at, ") END")
        }
        else -> noSuch("JSON")
    }
}

// ---- Conditions

/** Whether there is something at [path], a JSON `null` included. */
public fun ExpressionWithColumnType<*>.exists(vararg path: String): Op<Boolean> = DialectOp { dialect ->
    when (dialect) {
        is PostgreSQLDialect -> add("(", jsonb, " #> ", keys(path.asList()), ") IS NOT NULL")
        is MysqlDialect -> add("JSON_CONTAINS_PATH(", document, ", 'one', ", literal(dollarPath(path.asList())), ")")
        is SQLiteDialect -> add("JSON_TYPE(", document, ", ", literal(dollarPath(path.asList())), ") IS NOT NULL")
        else -> noSuch("JSON")
    }
}

/** Whether the document is an object with the key [key]. */
public fun ExpressionWithColumnType<*>.hasKey(key: String): Op<Boolean> = hasKeys(listOf(key), all = true)

/** Whether the document is an object with at least one of [keys]. */
public fun ExpressionWithColumnType<*>.hasAnyKey(vararg keys: String): Op<Boolean> = hasKeys(keys.asList(), all = false)

/** Whether the document is an object with all of [keys]. */
public fun ExpressionWithColumnType<*>.hasAllKeys(vararg keys: String): Op<Boolean> = hasKeys(keys.asList(), all = true)

private fun ExpressionWithColumnType<*>.hasKeys(keys: List<String>, all: Boolean): Op<Boolean> {
    require(keys.isNotEmpty()) { "hasAnyKey and hasAllKeys need a key." }
    return DialectOp { dialect ->
        val paths = keys.map { literal("$" + member(it)) }
        when (dialect) {
            is PostgreSQLDialect -> add(jsonb, if (all) " ??& " else " ??| ", keys.joinToString(prefix = "ARRAY[", postfix = "]") { literal(it) })
            is MysqlDialect -> add("JSON_CONTAINS_PATH(", document, if (all) ", 'all', " else ", 'one', ", paths.joinToString(), ")")
            is SQLiteDialect -> {
                add("(")
                paths.forEachIndexed { index, path ->
                    if (index > 0) add(if (all) " AND " else " OR ")
                    add("JSON_TYPE(", document, ", ", path, ") IS NOT NULL")
                }
                add(")")
            }
            else -> noSuch("JSON")
        }
    }
}

/** Whether the document contains [value]: all its keys and elements, at the same places. Not on SQLite. */
public infix fun ExpressionWithColumnType<*>.contains(value: Any?): Op<Boolean> = containment(value) { text, dialect ->
    if (dialect is PostgreSQLDialect) add(jsonb, " @> ", json(text)) else add("JSON_CONTAINS(", document, ", ", json(text), ")")
}

/** Whether [value] contains the document. Not on SQLite. */
public infix fun ExpressionWithColumnType<*>.containedBy(value: Any?): Op<Boolean> = containment(value) { text, dialect ->
    if (dialect is PostgreSQLDialect) add(jsonb, " <@ ", json(text)) else add("JSON_CONTAINS(", json(text), ", ", document, ")")
}

private fun containment(value: Any?, sql: QueryBuilder.(JsonText, DatabaseDialect) -> Unit): Op<Boolean> {
    val text = JsonText.of(value)
    return DialectOp { dialect -> if (dialect is PostgreSQLDialect || dialect is MysqlDialect) sql(text, dialect) else noSuch("containment of JSON") }
}

// ---- Changed documents

/**
 * The document with [value] at [path], which has one step at least: `it[body] = body.jsonSet("author", "name", value = "Ann")`. All
 * but the last step have to exist; the last one is added to an object that lacks it.
 */
public fun <T> ExpressionWithColumnType<T>.jsonSet(vararg path: String, value: Any?): ExpressionWithColumnType<T> {
    require(path.isNotEmpty()) { "jsonSet needs a path." }
    val text = JsonText.of(value)
    return changed(
        { add("JSONB_SET(", jsonb, ", ", keys(path.asList()), ", ", json(text), ")") },
        { add("JSON_SET(", document, ", ", literal(dollarPath(path.asList())), ", ", json(text), ")") },
    )
}

/** The document with [value] as a further element of the array at [path]. */
public fun <T> ExpressionWithColumnType<T>.jsonAppend(vararg path: String, value: Any?): ExpressionWithColumnType<T> {
    val text = JsonText.of(value)
    return changed(
        { add("JSONB_INSERT(", jsonb, ", ", keys(path.asList() + "-1"), ", ", json(text), ", true)") },
        { dialect ->
            if (dialect is SQLiteDialect) add("JSON_INSERT(", document, ", ", literal(dollarPath(path.asList()) + "[#]"), ", ", json(text), ")")
            else add("JSON_ARRAY_APPEND(", document, ", ", literal(dollarPath(path.asList())), ", ", json(text), ")")
        },
    )
}

/** The document without what is at [path], which has one step at least. */
public fun <T> ExpressionWithColumnType<T>.jsonRemove(vararg path: String): ExpressionWithColumnType<T> {
    require(path.isNotEmpty()) { "jsonRemove needs a path." }
    return changed(
        { add("(", jsonb, " #- ", keys(path.asList()), ")") },
        { add("JSON_REMOVE(", document, ", ", literal(dollarPath(path.asList())), ")") },
    )
}

/**
 * The object with the keys of [value] over its own. Other databases than PostgreSQL merge objects that both have under a key as well, and
 * drop a key whose new value is `null` (RFC 7396).
 */
public fun <T> ExpressionWithColumnType<T>.jsonMerge(value: Any?): ExpressionWithColumnType<T> {
    val text = JsonText.of(value)
    return changed(
        { add("(", jsonb, " || ", json(text), ")") },
        { dialect -> add(if (dialect is SQLiteDialect) "JSON_PATCH(" else "JSON_MERGE_PATCH(", document, ", ", json(text), ")") },
    )
}

private fun <T> ExpressionWithColumnType<T>.changed(
    postgres: QueryBuilder.(DatabaseDialect) -> Unit,
    others: QueryBuilder.(DatabaseDialect) -> Unit,
): ExpressionWithColumnType<T> = DialectExpression(columnType) { dialect ->
    when (dialect) {
        is PostgreSQLDialect -> {
            postgres(dialect)
            // What comes out is JSONB, and the column takes its own type only.
            val marker = columnType.marker()
            if (marker == null) add("::text") else if (!marker.usesBinaryFormat) add("::json")
        }
        is MysqlDialect, is SQLiteDialect -> others(dialect)
        else -> noSuch("JSON")
    }
}

// ---- Parts of the SQL

private val ExpressionWithColumnType<*>.document: SqlPart get() = SqlPart { it.add(this@document) }

/** The document as PostgreSQL's JSONB, which is what the operators are for. */
private val ExpressionWithColumnType<*>.jsonb: SqlPart
    get() = if (columnType.marker()?.usesBinaryFormat == true) document else SqlPart { it.add("(", this@jsonb, ")::jsonb") }

private fun IColumnType<*>.marker(): JsonColumnMarker? = this as? JsonColumnMarker ?: (this as? ColumnWithTransform<*, *>)?.delegate?.marker()

/** A value as JSON of the database's own. */
private fun json(value: JsonText) = SqlPart { builder ->
    val (before, after) = when (currentDialect) {
        is PostgreSQLDialect -> "" to "::jsonb"
        is SQLiteDialect -> "JSON(" to ")"
        // MariaDB has no cast to JSON.
        else -> "JSON_EXTRACT(" to ", '$')"
    }
    builder.append(before)
    builder.registerArgument(TextColumnType(), value.text)
    builder.append(after)
}

private inline fun QueryBuilder.cast(type: String?, value: () -> Unit) {
    if (type == null) return value()
    add("CAST(")
    value()
    add(" AS ", type, ")")
}

/** The text of a scalar; of a JSON `null` it would be `null`. MariaDB's JSON_UNQUOTE loses characters beyond the first 65 536. */
private fun QueryBuilder.mysqlText(document: SqlPart, path: List<String>) {
    val at = literal(dollarPath(path))
    val text = if (currentDialect is MariaDBDialect) "JSON_VALUE(" to ")" else "JSON_UNQUOTE(JSON_EXTRACT(" to "))"
    add("CASE JSON_TYPE(JSON_EXTRACT(", document, ", ", at, ")) WHEN 'NULL' THEN NULL WHEN 'STRING' THEN ", text.first, document, ", ", at, text.second)
    add(" ELSE JSON_EXTRACT(", document, ", ", at, ") END")
}

/** A path as PostgreSQL has it: an array of texts. It is no parameter, so that GROUP BY sees the same expression. */
private fun keys(path: List<String>) = path.joinToString(prefix = "'{", postfix = "}'") { step ->
    "\"" + step.replace("\\", "\\\\").replace("\"", "\\\"").replace("'", "''") + "\""
}

private fun dollarPath(path: List<String>): String = path.joinToString("", "$") { step -> if (step.isNotEmpty() && step.all(Char::isDigit)) "[$step]" else member(step) }

private fun member(key: String) = ".\"" + key.replace("\\", "\\\\").replace("\"", "\\\"") + "\""
