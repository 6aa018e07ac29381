package dev.kormorant.opentelemetry

import dev.kormorant.ConstraintViolationException
import dev.kormorant.Database
import dev.kormorant.transaction
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.trace.SpanKind
import io.opentelemetry.api.trace.StatusCode
import io.opentelemetry.extension.kotlin.asContextElement
import io.opentelemetry.sdk.testing.junit5.OpenTelemetryExtension
import io.opentelemetry.sdk.trace.data.SpanData
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension
import java.util.UUID
import kotlin.concurrent.thread
import kotlin.coroutines.CoroutineContext

class DatabaseTelemetryTest {
    @JvmField
    @RegisterExtension
    val telemetry: OpenTelemetryExtension = OpenTelemetryExtension.create()

    private fun traced(transactionControl: Boolean = false, block: suspend (Database) -> Unit): List<SpanData> {
        runBlocking {
            Database.open("sqlite::memory:") { listener(DatabaseTelemetry(telemetry.openTelemetry, transactionControl)) }.use { db ->
                db.exec("CREATE TABLE note (id INTEGER PRIMARY KEY, text VARCHAR(40) UNIQUE)")
                telemetry.clearSpans()
                block(db)
            }
        }
        return telemetry.spans
    }

    private operator fun SpanData.get(name: String): String? = attributes[AttributeKey.stringKey(name)]

    @Test
    fun `a statement is a client span by the semantic conventions`() {
        val secret = UUID.randomUUID().toString()
        val span = traced { it.exec("INSERT INTO note (id, text) VALUES (?, '$secret')", 1) }.single()
        assertEquals("INSERT note", span.name)
        assertEquals(SpanKind.CLIENT, span.kind)
        assertEquals("sqlite", span["db.system.name"])
        assertEquals(":memory:", span["db.namespace"])
        assertEquals("INSERT", span["db.operation.name"])
        assertEquals("note", span["db.collection.name"])
        assertEquals("INSERT note", span["db.query.summary"])
        assertEquals("INSERT INTO note (id, text) VALUES (?, ?)", span["db.query.text"])
        assertEquals(StatusCode.UNSET, span.status.statusCode)
        assertFalse(secret in span.toString())
        assertTrue(span.endEpochNanos > span.startEpochNanos)
    }

    @Test
    fun `an error has its code, and no text`() {
        val span = traced { db ->
            db.exec("INSERT INTO note (id, text) VALUES (1, 'same')")
            assertThrows(ConstraintViolationException::class.java) { runBlocking { db.exec("INSERT INTO note (id, text) VALUES (2, 'same')") } }
        }.last()
        assertEquals(StatusCode.ERROR, span.status.statusCode)
        assertEquals("", span.status.description)
        assertEquals(span["db.response.status_code"], span["error.type"])
        assertTrue(span.events.isEmpty())
    }

    @Test
    fun `durations are a histogram in seconds`() {
        traced { it.exec("SELECT text FROM note") }
        val metric = telemetry.metrics.single { it.name == "db.client.operation.duration" }
        assertEquals("s", metric.unit)
        val point = metric.histogramData.points.single { it.attributes[AttributeKey.stringKey("db.operation.name")] == "SELECT" }
        assertEquals(1, point.count)
        assertEquals(null, point.attributes[AttributeKey.stringKey("db.query.text")])
    }

    @Test
    fun `transaction control has spans only where asked for`() {
        assertEquals(listOf("SELECT note"), traced { db -> db.transaction { db.exec("SELECT 1 FROM note") } }.map { it.name })
        assertEquals(listOf("BEGIN", "SELECT note", "COMMIT"), traced(true) { db -> db.transaction { db.exec("SELECT 1 FROM note") } }.map { it.name.substringBefore(" IMM") })
    }

    /** Resumes each time on a new thread. */
    private object Hopping : CoroutineDispatcher() {
        override fun dispatch(context: CoroutineContext, block: Runnable) {
            thread(isDaemon = true, block = block::run)
        }
    }

    @Test
    fun `spans of a coroutine that hops threads are below the span of their caller`() {
        val tracer = telemetry.openTelemetry.getTracer("test")
        val parents = List(5) { tracer.spanBuilder("call $it").startSpan() }
        val spans = traced(transactionControl = true) { db ->
            withContext(Hopping) {
                parents.forEachIndexed { n, parent ->
                    launch(parent.asContextElement()) {
                        db.exec("SELECT $n FROM note")
                        db.transaction {
                            db.exec("INSERT INTO note (text) VALUES ('$n')")
                            launch { db.exec("SELECT text FROM note") }
                        }
                    }
                }
            }
            parents.forEach { it.end() }
        }.filter { it.kind == SpanKind.CLIENT }
        val byParent = spans.groupBy { it.parentSpanId }
        assertEquals(parents.map { it.spanContext.spanId }.toSet(), byParent.keys)
        assertTrue(byParent.values.all { it.size == 5 }, "$byParent")
    }

    @Test
    fun `a summary is short, and the same for statements of one shape`() {
        fun summary(sql: String) = QuerySummary.of(sql).text
        assertEquals("SELECT users tweets", summary("""SELECT * FROM "users" INNER JOIN tweets ON tweets.author = "users".id"""))
        assertEquals("UPDATE shop.item", summary("UPDATE `shop`.`item` SET a = ?"))
        assertEquals("CREATE note", summary("CREATE TABLE IF NOT EXISTS note (id INT)"))
        assertEquals("COMMIT", summary("COMMIT"))
        assertEquals(null, QuerySummary.of("SELECT 1 FROM a JOIN b ON TRUE").collection)
    }
}
