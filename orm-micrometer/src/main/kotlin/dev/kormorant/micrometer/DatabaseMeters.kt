package dev.kormorant.micrometer

import dev.kormorant.ConnectionEvent
import dev.kormorant.Database
import dev.kormorant.DatabaseListener
import dev.kormorant.DecodeEvent
import dev.kormorant.PoolStats
import dev.kormorant.StatementEvent
import dev.kormorant.TransactionEvent
import io.micrometer.core.instrument.Gauge
import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.Tags
import io.micrometer.core.instrument.Timer
import kotlinx.coroutines.CancellationException
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * Meters of a database: `val meters = DatabaseMeters(registry, "shop")`, then `Database.open(url) { listener(meters) }` and
 * [bindTo] for the gauges of the pool. All of them have the tag `database`, which is [name].
 *
 * | meter | what |
 * |---|---|
 * | `kormorant.statements` | timer of statements, BEGIN and its like left out; tags `operation` (`SELECT`…, `OTHER`), `outcome` (`success`, `cancelled`, or the class of the error) |
 * | `kormorant.statements.rows` | summary of the rows of statements that succeeded; tag `operation` |
 * | `kormorant.statements.decode` | timer of making rows and models of the answers to queries |
 * | `kormorant.transactions` | timer of COMMIT and ROLLBACK of whole transactions; tags `outcome` (`commit`, `rollback`, `failed`) |
 * | `kormorant.transactions.events` | counter; tag `kind`: `retry`, `leak`, `idle` |
 * | `kormorant.connections.acquire` | timer of the wait for a connection; tag `outcome` (`success`, or the class of the error) |
 * | `kormorant.connections.use` | timer of how long callers hold a connection |
 * | `kormorant.connections.open` | timer of opening one; `kormorant.connections.open.failures` counts those that could not be |
 * | `kormorant.connections` | gauge with tag `state`: `in_use`, `idle`, `connecting`; `kormorant.connections.max` and `kormorant.connections.waiting` |
 */
public class DatabaseMeters(private val registry: MeterRegistry, name: String) : DatabaseListener {
    private val tags = Tags.of("database", name)

    /** Adds the gauges of the pool of [database], which is not kept from being collected. */
    public fun bindTo(database: Database): DatabaseMeters = apply {
        gauge(database, "kormorant.connections", "in_use") { it.inUse }
        gauge(database, "kormorant.connections", "idle") { it.idle }
        gauge(database, "kormorant.connections", "connecting") { it.connecting }
        gauge(database, "kormorant.connections.max", null) { it.max }
        gauge(database, "kormorant.connections.waiting", null) { it.waiting }
    }

    private fun gauge(database: Database, meter: String, state: String?, value: (PoolStats) -> Int) {
        Gauge.builder(meter, database) { value(it.pool).toDouble() }.tags(if (state == null) tags else tags.and("state", state)).register(registry)
    }

    override fun onStatement(event: StatementEvent) {
        if (event.isTransactionControl) return onTransactionControl(event)
        val operation = event.operation.takeIf { it in OPERATIONS } ?: "OTHER"
        record("kormorant.statements", event.executeTime, tags.and("operation", operation, "outcome", outcome(event.error)))
        if (event.error == null) registry.summary("kormorant.statements.rows", tags.and("operation", operation)).record(event.rows.toDouble())
    }

    private fun onTransactionControl(event: StatementEvent) {
        val outcome = when {
            event.sql != "COMMIT" && event.sql != "ROLLBACK" -> return
            event.error != null -> "failed"
            else -> event.sql.lowercase()
        }
        record("kormorant.transactions", event.executeTime, tags.and("outcome", outcome))
    }

    override fun onDecode(event: DecodeEvent): Unit = record("kormorant.statements.decode", event.time, tags)

    override fun onTransaction(event: TransactionEvent) {
        if (event.kind !in NOTEWORTHY) return
        registry.counter("kormorant.transactions.events", tags.and("kind", event.kind.name.lowercase())).increment()
    }

    override fun onConnection(event: ConnectionEvent) {
        when (event) {
            is ConnectionEvent.Acquired -> record("kormorant.connections.acquire", event.waited, tags.and("outcome", "success"))
            is ConnectionEvent.Refused -> record("kormorant.connections.acquire", event.waited, tags.and("outcome", outcome(event.error)))
            is ConnectionEvent.Released -> record("kormorant.connections.use", event.held, tags)
            is ConnectionEvent.Opened -> record("kormorant.connections.open", event.time, tags)
            is ConnectionEvent.OpenFailed -> registry.counter("kormorant.connections.open.failures", tags).increment()
        }
    }

    private fun record(meter: String, time: Duration, tags: Tags) = Timer.builder(meter).tags(tags).register(registry).record(time.toJavaDuration())

    private fun outcome(error: Throwable?): String = when (error) {
        null -> "success"
        is CancellationException -> "cancelled"
        else -> error.javaClass.simpleName
    }

    private companion object {
        val NOTEWORTHY = setOf(TransactionEvent.Kind.RETRY, TransactionEvent.Kind.LEAK, TransactionEvent.Kind.IDLE)

        /** Tags must not grow with what users write. */
        val OPERATIONS = setOf("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "WITH", "CREATE", "ALTER", "DROP", "TRUNCATE", "SET")
    }
}
