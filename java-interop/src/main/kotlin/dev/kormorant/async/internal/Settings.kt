package dev.kormorant.async.internal

import dev.kormorant.Database
import dev.kormorant.DatabaseConfig
import dev.kormorant.DatabaseListener
import dev.kormorant.RepeatedLoadEvent
import dev.kormorant.StatementEvent
import dev.kormorant.TransactionEvent
import dev.kormorant.async.StatementListener
import dev.kormorant.async.TransactionListener
import dev.kormorant.logStatements
import java.time.Duration
import java.util.function.Consumer
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

/** The settings of a database whose types Java cannot write: Kotlin's durations and functions. */
internal class Settings(val config: DatabaseConfig) {
    private val pool = config.pool

    fun connectTimeout(timeout: Duration) {
        config.connectTimeout = timeout.toKotlinDuration()
    }

    fun cancelTimeout(timeout: Duration) {
        config.cancelTimeout = timeout.toKotlinDuration()
    }

    fun statementTimeout(timeout: Duration?) {
        config.statementTimeout = timeout?.toKotlinDuration()
    }

    fun transactionWaitTimeout(timeout: Duration) {
        config.transactionWaitTimeout = timeout.toKotlinDuration()
    }

    fun idleThreshold(threshold: Duration?) {
        config.idleThreshold = threshold?.toKotlinDuration()
    }

    fun transactionListener(listener: TransactionListener) {
        config.listener(object : DatabaseListener {
            override fun onTransaction(event: TransactionEvent) =
                listener.onTransaction(TransactionListener.Event(event.kind, event.origin, event.attempt, event.error, event.idle?.toJavaDuration()))
        })
    }

    fun streamTimeout(timeout: Duration) {
        config.streamTimeout = timeout.toKotlinDuration()
    }

    fun acquireTimeout(timeout: Duration) {
        pool.acquireTimeout = timeout.toKotlinDuration()
    }

    fun maxLifetime(age: Duration) {
        pool.maxLifetime = age.toKotlinDuration()
    }

    fun idleTimeout(timeout: Duration) {
        pool.idleTimeout = timeout.toKotlinDuration()
    }

    fun keepalive(silence: Duration?) {
        pool.keepalive = silence?.toKotlinDuration()
    }

    fun validateAfter(silence: Duration) {
        pool.validateAfter = silence.toKotlinDuration()
    }

    fun leakThreshold(age: Duration?) {
        pool.leakThreshold = age?.toKotlinDuration()
    }

    fun repeatedLoads(limit: Int, fail: Boolean) = config.repeatedLoads(limit, fail)

    fun repeatedLoadListener(listener: Consumer<RepeatedLoadEvent>) {
        config.listener(object : DatabaseListener {
            override fun onRepeatedLoad(event: RepeatedLoadEvent) = listener.accept(event)
        })
    }

    fun logStatements(slow: Duration?) = config.logStatements(slow?.toKotlinDuration())

    fun listener(listener: StatementListener) {
        config.listener(object : DatabaseListener {
            override fun onStatement(event: StatementEvent) =
                listener.onStatement(StatementListener.Statement(event.sql, event.executeTime.toJavaDuration(), event.rows, event.error))
        })
    }
}

internal fun open(url: String, configure: Consumer<Settings>): Database = Database.open(url) { configure.accept(Settings(this)) }
