package dev.kormorant.examples.recipes

import dev.kormorant.ConnectionEvent
import dev.kormorant.Database
import dev.kormorant.DatabaseListener
import dev.kormorant.StatementEvent
import dev.kormorant.logStatements
import dev.kormorant.micrometer.DatabaseMeters
import dev.kormorant.opentelemetry.DatabaseTelemetry
import dev.kormorant.withListener
import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.simple.SimpleMeterRegistry
import io.opentelemetry.api.OpenTelemetry
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds

// region observed
fun openObserved(url: String, registry: MeterRegistry, telemetry: OpenTelemetry): Database {
    val meters = DatabaseMeters(registry, "shop")
    val db = Database.open(url) {
        logStatements(slow = 200.milliseconds)              // SLF4J logger dev.kormorant.sql: DEBUG, slow ones WARN
        listener(meters)                                    // orm-micrometer
        listener(DatabaseTelemetry(telemetry))              // orm-opentelemetry
    }
    meters.bindTo(db)                                       // gauges of the pool
    return db
}
// endregion

// region listener
class Busy : DatabaseListener {
    val statements = AtomicInteger()

    override fun onStatement(event: StatementEvent) {
        statements.incrementAndGet()
    }

    override fun onConnection(event: ConnectionEvent) {
        if (event is ConnectionEvent.Refused) println("No connection after ${event.waited}.")
    }
}
// endregion

// region with-listener
/** How many statements a block sends, its children included. */
suspend fun counted(block: suspend () -> Unit): Int {
    val busy = Busy()
    withListener(busy) { block() }
    return busy.statements.get()
}
// endregion

suspend fun main() = openObserved("sqlite::memory:", SimpleMeterRegistry(), OpenTelemetry.noop()).use { db ->
    println("${counted { repeat(3) { db.exec("SELECT $it") } }} statements")
}
