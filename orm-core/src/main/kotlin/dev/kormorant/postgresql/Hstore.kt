@file:JvmName("Hstore")

package dev.kormorant.postgresql

import dev.kormorant.internal.SqlPart
import dev.kormorant.internal.add
import dev.kormorant.internal.literal
import org.jetbrains.exposed.v1.core.ArrayColumnType
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.TextColumnType

/** A column of PostgreSQL's extension `hstore`: keys with texts or `null`. Keys have no order. */
public fun Table.hstore(name: String): Column<Map<String, String?>> = registerColumn(name, HstoreColumnType())

/** The value of [key]; NULL if it has none or the key is not there. */
@JvmName("hstoreValue")
public operator fun ExpressionWithColumnType<out Map<String, String?>?>.get(key: String): ExpressionWithColumnType<String?> =
    pgExpression(TextColumnType()) { add("(", this@get, " -> ", literal(key), ")") }

/** Whether [key] is there, with a value or `null`. */
@JvmName("hstoreHasKey")
public fun ExpressionWithColumnType<out Map<String, String?>?>.hasKey(key: String): Op<Boolean> = pgOp { add(this@hasKey, " ?? ", literal(key)) }

/** Whether at least one of [keys] is there. */
@JvmName("hstoreHasAnyKey")
public fun ExpressionWithColumnType<out Map<String, String?>?>.hasAnyKey(vararg keys: String): Op<Boolean> =
    pgOp { add(this@hasAnyKey, " ??| ", texts(keys)) }

/** Whether all of [keys] are there. */
@JvmName("hstoreHasAllKeys")
public fun ExpressionWithColumnType<out Map<String, String?>?>.hasAllKeys(vararg keys: String): Op<Boolean> =
    pgOp { add(this@hasAllKeys, " ??& ", texts(keys)) }

/** Whether all of [pairs] are there. */
@JvmName("hstoreContains")
public infix fun ExpressionWithColumnType<out Map<String, String?>?>.contains(pairs: Map<String, String?>): Op<Boolean> =
    pgOp { add(this@contains, " @> ", parameter(pairs)) }

/** Whether nothing but [pairs] is there. */
@JvmName("hstoreContainedBy")
public infix fun ExpressionWithColumnType<out Map<String, String?>?>.containedBy(pairs: Map<String, String?>): Op<Boolean> =
    pgOp { add(this@containedBy, " <@ ", parameter(pairs)) }

/** This with [pairs] over its own: `it[tags] = tags.merge(mapOf("seen" to "yes"))`. */
@JvmName("hstoreMerge")
public fun <M : Map<String, String?>?> ExpressionWithColumnType<M>.merge(pairs: Map<String, String?>): ExpressionWithColumnType<M> =
    pgExpression(columnType) { add("(", this@merge, " || ", parameter(pairs), ")") }

/** This without [keys]. */
@JvmName("hstoreWithout")
public fun <M : Map<String, String?>?> ExpressionWithColumnType<M>.without(vararg keys: String): ExpressionWithColumnType<M> =
    pgExpression(columnType) { add("(", this@without, " - ", texts(keys), ")") }

/** The keys, in no particular order. */
@JvmName("hstoreKeys")
public fun ExpressionWithColumnType<out Map<String, String?>?>.keys(): ExpressionWithColumnType<List<String>?> =
    pgExpression(ArrayColumnType(TextColumnType())) { add("AKEYS(", this@keys, ")") }

private fun parameter(pairs: Map<String, String?>) = SqlPart { it.registerArgument(HstoreColumnType(), pairs) }

private fun texts(keys: Array<out String>) = keys.joinToString(prefix = "ARRAY[", postfix = "]::text[]") { literal(it) }

private class HstoreColumnType : TextTypeBase<Map<String, String?>>("hstore") {
    override fun parse(text: String): Map<String, String?> = HstoreReader(text).read()

    override fun format(value: Map<String, String?>): String =
        value.entries.joinToString { (key, text) -> "${quoted(key)}=>${if (text == null) "NULL" else quoted(text)}" }

    private fun quoted(text: String) = "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\""
}

/** Reads what the server writes: `"a"=>"1", "b"=>NULL`. */
private class HstoreReader(private val text: String) {
    private var at = 0

    fun read(): Map<String, String?> {
        val pairs = LinkedHashMap<String, String?>()
        while (at < text.length) {
            val key = quoted()
            require(text.startsWith("=>", at)) { "Not an hstore." }
            at += 2
            if (text.startsWith("NULL", at)) {
                pairs[key] = null
                at += 4
            } else {
                pairs[key] = quoted()
            }
            while (at < text.length && (text[at] == ',' || text[at] == ' ')) at++
        }
        return pairs
    }

    private fun quoted(): String = buildString {
        require(text.getOrNull(at) == '"') { "Not an hstore." }
        at++
        while (text[at] != '"') {
            if (text[at] == '\\') at++
            append(text[at++])
        }
        at++
    }
}
