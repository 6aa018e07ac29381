package dev.kormorant.test.conformance

import dev.kormorant.Schema
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.insert
import dev.kormorant.json.JsonText
import dev.kormorant.json.contains
import dev.kormorant.json.containedBy
import dev.kormorant.json.exists
import dev.kormorant.json.extract
import dev.kormorant.json.extractJson
import dev.kormorant.json.hasAllKeys
import dev.kormorant.json.hasAnyKey
import dev.kormorant.json.hasKey
import dev.kormorant.json.jsonAppend
import dev.kormorant.json.jsonLength
import dev.kormorant.json.jsonMerge
import dev.kormorant.json.jsonRemove
import dev.kormorant.json.jsonSet
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.update
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.Op
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.isNull
import org.jetbrains.exposed.v1.core.statements.UpdateStatement
import org.jetbrains.exposed.v1.json.json
import org.jetbrains.exposed.v1.json.jsonb
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test

/** The functions and operators on JSON, each on columns of JSON, of JSONB where there is one, and of text (Q15). */
public abstract class JsonSuite(backend: Backend) : Suite(backend) {
    private val document = """{"name":"Ann \"A\" é😀","age":42,"ok":true,"ratio":0.5,"none":null,"tags":["x","y"],"at":{"it's ?":"here","n":{"m":1}}}"""

    /** Runs [block] with a table that holds [document], for each kind of column. */
    private fun forEachKind(block: suspend Documents<Any>.() -> Unit) = test {
        val kinds = listOfNotNull(
            documents<JsonElement>("document_json") { json(it, { value -> value.toString() }, Json::parseToJsonElement) },
            if (can.jsonb) documents<JsonElement>("document_jsonb") { jsonb(it, { value -> value.toString() }, Json::parseToJsonElement) } else null,
            documents<String>("document_text") { text(it) },
        )
        for (table in kinds) {
            Schema.drop(table)
            Schema.create(table)
            table.put(document)
            table.block()
            Schema.drop(table)
        }
    }

    @Suppress("UNCHECKED_CAST")
    private fun <T : Any> documents(name: String, column: Table.(String) -> Column<T>) = Documents(name, column) as Documents<Any>

    private suspend fun <T> Documents<*>.value(expression: Expression<T>): T = selectAll().scalar(expression)

    private suspend fun Documents<*>.holds(condition: Op<Boolean>): Boolean = !selectAll().where(condition).empty()

    /** The document after [change] of it is stored. */
    private suspend fun Documents<Any>.after(change: (Column<Any>) -> ExpressionWithColumnType<Any>): JsonElement {
        assertEquals(1, update { it[body] = change(body) })
        return Json.parseToJsonElement(selectAll().single()[body].toString())
    }

    @Test
    public fun `a value is extracted as the type that is asked for`(): Unit = forEachKind {
        assertEquals("Ann \"A\" é😀", value(body.extract<String>("name")))
        assertEquals(42, value(body.extract<Int>("age")))
        assertEquals(42L, value(body.extract<Long>("age")))
        assertEquals(0.5, value(body.extract<Double>("ratio")))
        assertEquals(true, value(body.extract<Boolean>("ok")))
        assertEquals("y", value(body.extract<String>("tags", "1")))
        assertEquals("here", value(body.extract<String>("at", "it's ?")))
        assertEquals(1, value(body.extract<Int>("at", "n", "m")))
        assertNull(value(body.extract<String>("none")))
        assertNull(value(body.extract<String>("nobody")))
        assertNull(value(body.extract<Int>("nobody", "there")))
        assertEquals(Json.parseToJsonElement("""["x","y"]"""), Json.parseToJsonElement(value(body.extractJson("tags"))!!))
        assertEquals("null", value(body.extractJson("none")))
        assertNull(value(body.extractJson("nobody")))
    }

    @Test
    public fun `an extracted value is compared, tested for NULL, sorted and grouped`(): Unit = forEachKind {
        put("""{"name":"Bob","age":7}""")
        put("[1,2]")
        assertEquals(listOf(42), select(body.extract<Int>("age")).where { body.extract<Int>("age") greater 7 }.toList().map { it[body.extract<Int>("age")] })
        assertEquals(1, selectAll().where { body.extract<String>("name") eq "Bob" }.count())
        assertEquals(1, selectAll().where { body.extract<Int>("age").isNull() }.count())
        val age = body.extract<Int>("age")
        assertEquals(3, select(age, id.count()).groupBy(age).orderBy(age).toList().size)
        assertEquals(listOf(7, 42), select(age).where { age greater 0 }.orderBy(age).fetchSize(1).let { query -> query.toList().map { it[age] } })
    }

    @Test
    public fun `a path exists, a JSON null included, and keys are there`(): Unit = forEachKind {
        assertEquals(listOf(true, true, true, false), listOf(body.exists("at", "n"), body.exists("none"), body.exists("tags", "0"), body.exists("tags", "2")).map { holds(it) })
        assertEquals(listOf(true, true, false), listOf(body.hasKey("name"), body.hasKey("none"), body.hasKey("m")).map { holds(it) })
        assertEquals(listOf(true, false), listOf(body.hasAnyKey("x", "age"), body.hasAnyKey("x", "y")).map { holds(it) })
        assertEquals(listOf(true, false), listOf(body.hasAllKeys("name", "age"), body.hasAllKeys("name", "x")).map { holds(it) })
        put("""{"it's \"? \\ é":1}""")
        assertEquals(1, selectAll().where { body.hasKey("it's \"? \\ é") }.count())
    }

    @Test
    public fun `a document contains another, or is contained in it`(): Unit = forEachKind {
        if (backend.product == "SQLite") {
            assertEquals(0, statementsOf { assertFails<UnsupportedByDialectException> { holds(body contains mapOf("age" to 42)) } }.size)
            return@forEachKind
        }
        assertEquals(true, holds(body contains mapOf("age" to 42, "tags" to listOf("y"))))
        assertEquals(true, holds(body contains JsonText("""{"at":{"n":{}}}""")))
        assertEquals(false, holds(body contains mapOf("age" to 43)))
        assertEquals(true, holds(body containedBy JsonText(document)))
        assertEquals(false, holds(body containedBy mapOf("age" to 42)))
    }

    @Test
    public fun `the length of an array is the number of its elements`(): Unit = forEachKind {
        assertEquals(listOf(2, null, null), listOf(body.jsonLength("tags"), body.jsonLength("name"), body.jsonLength("nobody")).map { value(it) })
        update { it.put(body, "[1,2,3]") }
        assertEquals(3, value(body.jsonLength()))
    }

    @Test
    public fun `a value is set, added, removed at its path`(): Unit = forEachKind {
        update { it.put(body, """{"a":{"b":1},"tags":["x"]}""") }
        assertEquals(Json.parseToJsonElement("""{"a":{"b":"it's \"?\" é"},"tags":["x"]}"""), after { it.jsonSet("a", "b", value = "it's \"?\" é") })
        assertEquals(Json.parseToJsonElement("""{"a":{"b":null,"c":[1,{"d":true}]},"tags":["x"]}"""), after { it.jsonSet("a", "b", value = null).jsonSet("a", "c", value = listOf(1, mapOf("d" to true))) })
        assertEquals(Json.parseToJsonElement("""{"a":{"b":null,"c":[1,{"d":true}]},"tags":["x","y",["z"]]}"""), after { it.jsonAppend("tags", value = "y").jsonAppend("tags", value = listOf("z")) })
        assertEquals(Json.parseToJsonElement("""{"a":{"b":null},"tags":["y",["z"]]}"""), after { it.jsonRemove("tags", "0").jsonRemove("a", "c") })
        assertEquals(Json.parseToJsonElement("""{"a":1,"tags":["y",["z"]],"new":2}"""), after { it.jsonMerge(mapOf("a" to 1, "new" to 2)) })
    }

    @Test
    public fun `an element is appended to a document that is an array, and to an empty one`(): Unit = forEachKind {
        update { it.put(body, "[]") }
        assertEquals(Json.parseToJsonElement("[1]"), after { it.jsonAppend(value = 1) })
        assertEquals(Json.parseToJsonElement("""[1,"b"]"""), after { it.jsonAppend(value = "b") })
    }

    /** A table with one column of documents. */
    private class Documents<T : Any>(name: String, column: Table.(String) -> Column<T>) : LongIdTable(name) {
        val body: Column<T> = column("body")

        @Suppress("UNCHECKED_CAST")
        fun value(text: String): T = (if (tableName == "document_text") text else Json.parseToJsonElement(text)) as T

        suspend fun put(text: String) = insert { it[body] = value(text) }

        fun UpdateStatement.put(column: Column<T>, text: String) = set(column, value(text))
    }
}
