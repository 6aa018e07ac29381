package dev.kormorant.async.internal

import dev.kormorant.ConnectionBusyException
import dev.kormorant.Database
import dev.kormorant.Isolation
import dev.kormorant.Propagation
import dev.kormorant.RowQuery
import dev.kormorant.Rows
import dev.kormorant.StatementTimeout
import dev.kormorant.Transaction
import dev.kormorant.TransactionClosedException
import dev.kormorant.async.ContextCarrier
import dev.kormorant.connection
import dev.kormorant.explain
import dev.kormorant.savepoint
import dev.kormorant.transaction
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.future.await
import kotlinx.coroutines.jdk9.asPublisher
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.Executor
import java.util.concurrent.Flow
import java.util.function.BiFunction
import java.util.function.Function
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn
import kotlin.time.toKotlinDuration

/**
 * The one place where coroutines are started for Java: a funnel for each database, open transaction and pinned connection.
 *
 * A call runs on the calling thread up to its first wait, so that calls are queued in the order they are made, and goes on on the
 * executor of the database, where its future is completed. The coroutine owns whatever connection it uses; a future that is
 * completed by somebody else, as by `cancel` or `orTimeout`, cancels it. Calls of a transaction are children of its block, which
 * therefore ends after them, and run one after another.
 */
internal class Funnel private constructor(
    val database: Database,
    override val coroutineContext: CoroutineContext,
    private val held: Held?,
    private val carriers: List<ContextCarrier>,
) : CoroutineScope {
    /** For what belongs to a block in [scope] that is already where it is to run; [what] names it in a message. */
    constructor(database: Database, scope: CoroutineScope, what: Any, carriers: List<ContextCarrier>) : this(database, scope.coroutineContext, Held(what), carriers)

    constructor(database: Database, executor: Executor, carriers: List<ContextCarrier>) :
        this(database, executor.asCoroutineDispatcher() + database, null, carriers)

    fun <T> call(function: Suspending<T>): CompletableFuture<T> = start { result(function) }

    fun <T, R> call(function: Suspending<T>, map: Function<in T, out R>): CompletableFuture<R> = start { map.apply(result(function)) }

    /** For a function that returns nothing. */
    fun run(function: Suspending<Unit>): CompletableFuture<Void?> = call(function) { null }

    private suspend fun <T> result(function: Suspending<T>): T = suspendCoroutineUninterceptedOrReturn(function::invoke)

    fun close(grace: Duration): CompletableFuture<Void?> = start {
        database.close(grace.toKotlinDuration())
        null
    }

    fun <T> transaction(
        isolation: Isolation?,
        readOnly: Boolean,
        propagation: Propagation,
        statementTimeout: Duration?,
        block: BiFunction<Funnel, Transaction, out CompletionStage<out T>?>,
    ): CompletableFuture<T> = start {
        withContext(statementTimeout?.let { StatementTimeout(it.toKotlinDuration()) } ?: EmptyCoroutineContext) {
            database.transaction(isolation, readOnly, propagation) { awaited(block.apply(inner(this, it), it)) }
        }
    }

    fun <T> savepoint(
        transaction: Transaction,
        name: String,
        block: BiFunction<Funnel, Transaction, out CompletionStage<out T>?>,
    ): CompletableFuture<T> = start { transaction.savepoint(name) { awaited(block.apply(inner(this, it), it)) } }

    fun <T> connection(block: Function<Funnel, out CompletionStage<out T>?>): CompletableFuture<T> =
        start { database.connection { awaited(block.apply(inner(this, "pinned connection"))) } }

    /** Each subscription is a coroutine of its own, so this is for a database only. */
    fun <T : Any> publisher(query: Rows<T>): Flow.Publisher<T> = query.asPublisher(coroutineContext)

    fun explain(query: RowQuery<*>, analyze: Boolean, options: String?): CompletableFuture<List<String>> =
        start { explain(analyze, options) { query }.map { it.toString() }.toList() }

    private fun inner(scope: CoroutineScope, what: Any) = Funnel(database, scope, what, carriers)

    private suspend fun <T> awaited(stage: CompletionStage<out T>?): T = try {
        requireNotNull(stage) { "The function returned null instead of a CompletionStage." }.await()
    } catch (error: CompletionException) {
        throw error.cause ?: error
    }

    private fun <T> start(block: suspend () -> T): CompletableFuture<T> {
        val future = CompletableFuture<T>()
        val coroutine = launch(Carried.here(carriers), CoroutineStart.UNDISPATCHED) {
            try {
                future.complete(inTurn(block))
            } catch (error: CancellationException) {
                future.completeExceptionally(if (isEnded()) ended() else error)
            } catch (error: CompletionException) {
                future.completeExceptionally(error.cause ?: error)
            } catch (error: Throwable) {
                future.completeExceptionally(error)
            }
        }
        future.whenComplete { _, _ -> coroutine.cancel() }
        return future
    }

    /** Runs [block] when the calls made before it on the same handle have ended. */
    private suspend fun <T> inTurn(block: suspend () -> T): T {
        val order = held?.order ?: return block()
        if (isEnded()) throw ended()
        var mine = order.tryLock()
        try {
            if (!mine) {
                withTimeoutOrNull(database.config.transactionWaitTimeout) {
                    order.lock()
                    mine = true
                }
            }
            if (!mine) throw tooLong()
            return block()
        } finally {
            if (mine) order.unlock()
        }
    }

    private fun isEnded() = held != null && coroutineContext[Job]?.isActive == false

    private fun ended() = TransactionClosedException(
        "The ${held?.what} has ended.",
        "Let the function return a stage that is complete when all its work is; use a transaction of its own for what comes later.",
    )

    private fun tooLong() = ConnectionBusyException(
        "A call waited ${database.config.transactionWaitTimeout} for its turn on the ${held?.what}.",
        "A nested transaction must use its own handle and not wait for calls on the outer one.",
    )
}

/** A suspend function as Java calls it: with the continuation as an argument. */
internal fun interface Suspending<T> {
    fun invoke(next: Continuation<T>): Any?
}

/** A transaction or connection that belongs to a block. */
private class Held(
    /** How it is called in a message. */
    val what: Any,
) {
    /** Fair, so calls run in the order in which they asked. */
    val order = Mutex()
}
