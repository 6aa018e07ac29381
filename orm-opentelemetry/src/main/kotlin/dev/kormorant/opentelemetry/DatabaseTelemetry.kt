package dev.kormorant.opentelemetry

import dev.kormorant.Database
import dev.kormorant.DatabaseException
import dev.kormorant.DatabaseListener
import dev.kormorant.StatementEvent
import dev.kormorant.driver.DatabaseUrl
import io.opentelemetry.api.OpenTelemetry
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.common.Attributes
import io.opentelemetry.api.trace.SpanKind
import io.opentelemetry.api.trace.StatusCode
import io.opentelemetry.context.Context
import kotlinx.coroutines.CancellationException
import java.util.concurrent.TimeUnit
import kotlin.time.DurationUnit

/**
 * Spans and metrics of statements by the stable semantic conventions of OpenTelemetry for databases:
 * `Database.open(url) { listener(DatabaseTelemetry(openTelemetry)) }`.
 *
 * Each statement is a span of kind CLIENT below the current one, named by its operation and first table, with `db.system.name`, `db.namespace`,
 * `db.operation.name`, `db.collection.name`, `db.query.summary`, `db.query.text`, `server.address`, `server.port`, `db.response.status_code` and
 * `error.type`, and is counted in the histogram `db.client.operation.duration`. The text has `?` for every value.
 *
 * The current span is that of the coroutine: put it there by `opentelemetry-extension-kotlin`, as in
 * `withContext(span.asContextElement()) { … }`, or by an instrumentation of the server.
 *
 * @param transactionControl whether BEGIN, COMMIT, ROLLBACK and savepoints are spans as well. Default `false`: they double the
 * spans of a trace and tell little.
 */
public class DatabaseTelemetry(openTelemetry: OpenTelemetry, private val transactionControl: Boolean = false) : DatabaseListener {
    private val tracer = openTelemetry.getTracer(SCOPE)
    private val duration = openTelemetry.getMeter(SCOPE).histogramBuilder("db.client.operation.duration")
        .setDescription("Duration of database client operations.")
        .setUnit("s")
        .setExplicitBucketBoundariesAdvice(listOf(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0))
        .build()

    /** What all statements of a database have in common; a listener usually has one. */
    @Volatile
    private var known: Pair<Database, Attributes>? = null

    override fun onStatement(event: StatementEvent) {
        if (event.isTransactionControl && !transactionControl) return
        val end = System.currentTimeMillis() * 1_000_000
        val summary = QuerySummary.of(event.redactedSql)
        val attributes = attributes(event, summary)
        val span = tracer.spanBuilder(summary.text)
            .setSpanKind(SpanKind.CLIENT)
            .setStartTimestamp(end - event.executeTime.inWholeNanoseconds, TimeUnit.NANOSECONDS)
            .setAllAttributes(attributes)
            .setAttribute(QUERY_TEXT, event.redactedSql)
            .startSpan()
        if (attributes[ERROR_TYPE] != null) span.setStatus(StatusCode.ERROR)
        span.end(end, TimeUnit.NANOSECONDS)
        duration.record(event.executeTime.toDouble(DurationUnit.SECONDS), attributes, Context.current())
    }

    private fun attributes(event: StatementEvent, summary: QuerySummary): Attributes {
        val attributes = Attributes.builder().putAll(placeOf(event.database)).put(OPERATION, summary.operation).put(SUMMARY, summary.text)
        summary.collection?.let { attributes.put(COLLECTION, it) }
        val error = event.error ?: return attributes.build()
        val status = (error as? DatabaseException)?.let { it.sqlState ?: it.vendorCode.takeIf { code -> code != 0 }?.toString() }
        status?.let { attributes.put(STATUS, it) }
        attributes.put(ERROR_TYPE, status ?: if (error is CancellationException) "cancelled" else error.javaClass.name)
        return attributes.build()
    }

    private fun placeOf(database: Database): Attributes {
        known?.takeIf { it.first === database }?.let { return it.second }
        val url = DatabaseUrl.parse(database.url)
        val place = Attributes.builder().put(SYSTEM, SYSTEMS[database.dialectName] ?: "other_sql").put(NAMESPACE, url.database)
        url.host?.let { place.put(ADDRESS, it) }
        url.port?.let { place.put(PORT, it.toLong()) }
        return place.build().also { known = database to it }
    }

    private companion object {
        const val SCOPE = "dev.kormorant"
        val SYSTEMS = mapOf("PostgreSQL" to "postgresql", "MySQL" to "mysql", "MariaDB" to "mariadb", "SQLite" to "sqlite")
        val SYSTEM = AttributeKey.stringKey("db.system.name")
        val NAMESPACE = AttributeKey.stringKey("db.namespace")
        val OPERATION = AttributeKey.stringKey("db.operation.name")
        val COLLECTION = AttributeKey.stringKey("db.collection.name")
        val SUMMARY = AttributeKey.stringKey("db.query.summary")
        val QUERY_TEXT = AttributeKey.stringKey("db.query.text")
        val STATUS = AttributeKey.stringKey("db.response.status_code")
        val ERROR_TYPE = AttributeKey.stringKey("error.type")
        val ADDRESS = AttributeKey.stringKey("server.address")
        val PORT = AttributeKey.longKey("server.port")
    }
}
