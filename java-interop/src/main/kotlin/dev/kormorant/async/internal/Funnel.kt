package dev.kormorant.async.internal

import dev.kormorant.CommitOutcome
import dev.kormorant.CommitOutcomeUnknownException
import dev.kormorant.ConnectionBusyException
import dev.kormorant.Database
import dev.kormorant.ManualTransaction
import dev.kormorant.Notification
import dev.kormorant.RowQuery
import dev.kormorant.Rows
import dev.kormorant.Transaction
import dev.kormorant.TransactionAbortedException
import dev.kormorant.TransactionClosedException
import dev.kormorant.TransactionOptions
import dev.kormorant.async.ContextCarrier
import dev.kormorant.begin
import dev.kormorant.connection
import dev.kormorant.copyIn
import dev.kormorant.copyOut
import dev.kormorant.explain
import dev.kormorant.listen
import dev.kormorant.notify
import dev.kormorant.requireBlockingAllowed
import dev.kormorant.resolve
import dev.kormorant.savepoint
import dev.kormorant.transaction
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.future.await
import kotlinx.coroutines.jdk9.asFlow
import kotlinx.coroutines.jdk9.asPublisher
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.withTimeoutOrNull
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executor
import java.util.concurrent.Flow
import java.util.concurrent.TimeUnit
import java.util.function.BiFunction
import java.util.function.Function
import java.util.function.Supplier
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
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

    fun <T> transaction(options: TransactionOptions, block: BiFunction<Funnel, Transaction, out CompletionStage<out T>?>): CompletableFuture<T> =
        start { database.transaction(options) { inBlock(it, block) } }

    fun <T> savepoint(
        transaction: Transaction,
        name: String,
        block: BiFunction<Funnel, Transaction, out CompletionStage<out T>?>,
    ): CompletableFuture<T> = start { transaction.savepoint(name) { inBlock(it, block) } }

    /** The block ends with its stage and the calls made until then. */
    private suspend fun <T> CoroutineScope.inBlock(transaction: Transaction, block: BiFunction<Funnel, Transaction, out CompletionStage<out T>?>): T {
        val inner = inner(this, transaction)
        val value = awaited(block.apply(inner, transaction))
        inner.finish()
        return value
    }

    /**
     * Waits for the calls made until now.
     *
     * @throws TransactionAbortedException if one has failed and nobody has asked how it went.
     */
    suspend fun finish() {
        while (true) (coroutineContext[Job]?.children?.firstOrNull() ?: break).join()
        held?.requireObserved()
    }

    fun commit(transaction: Transaction, begin: Boolean): CompletableFuture<Void?> = start {
        try {
            held?.requireObserved()
        } catch (error: TransactionAbortedException) {
            transaction.rollback(begin)
            throw error
        }
        transaction.commit(begin)
        null
    }

    fun rollback(transaction: Transaction, begin: Boolean): CompletableFuture<Void?> = start {
        held?.forget()
        transaction.rollback(begin)
        null
    }

    /** Nothing but its handle keeps a transaction by hand: a call has no lasting coroutine that could. */
    fun <H> begin(options: TransactionOptions, handle: BiFunction<Funnel, ManualTransaction, H>): CompletableFuture<H> = start {
        val transaction = database.begin(options, owner = null)
        handle.apply(Funnel(database, coroutineContext.minusKey(Job) + transaction.context, Held("$transaction"), carriers), transaction)
    }

    fun resolve(outcome: CommitOutcomeUnknownException): CompletableFuture<CommitOutcome> = start { database.resolve(outcome) }

    fun <T> connection(block: Function<Funnel, out CompletionStage<out T>?>): CompletableFuture<T> =
        start { database.connection { awaited(block.apply(inner(this, "pinned connection"))) } }

    /** Each subscription is a coroutine of its own, so this is for a database only. */
    fun <T : Any> publisher(query: Rows<T>): Flow.Publisher<T> = query.asPublisher(coroutineContext)

    /** A database that cannot do it says so to the subscriber. */
    fun listen(channels: Array<String>): Flow.Publisher<Notification> =
        flow { emitAll(database.listen(*channels)) }.asPublisher(coroutineContext)

    fun copyOut(sql: String): Flow.Publisher<ByteArray> = flow { emitAll(database.copyOut(sql)) }.asPublisher(coroutineContext)

    fun copyIn(sql: String, data: Flow.Publisher<ByteArray>): CompletableFuture<Long> = start { database.copyIn(sql, data.asFlow()) }

    fun notify(channel: String, payload: String): CompletableFuture<Void?> = start {
        database.notify(channel, payload)
        null
    }

    fun explain(query: RowQuery<*>, analyze: Boolean, options: String?): CompletableFuture<List<String>> =
        start { explain(analyze, options) { query }.map { it.toString() }.toList() }

    private fun inner(scope: CoroutineScope, what: Any) = Funnel(database, scope, what, carriers)

    private suspend fun <T> awaited(stage: CompletionStage<out T>?): T = try {
        requireNotNull(stage) { "The function returned null instead of a CompletionStage." }.await()
    } catch (error: CompletionException) {
        throw error.cause ?: error
    }

    private fun <T> start(block: suspend () -> T): CompletableFuture<T> {
        if (waiting.get() != null) database.requireBlockingAllowed()
        val call = Call<T>()
        val coroutine = launch(Carried.here(carriers), CoroutineStart.UNDISPATCHED) {
            try {
                call.complete(inTurn(block))
            } catch (error: CancellationException) {
                call.completeExceptionally(if (isEnded()) ended() else error)
            } catch (error: CompletionException) {
                fail(call, error.cause ?: error)
            } catch (error: Throwable) {
                fail(call, error)
            }
        }
        call.whenOver { coroutine.cancel() }
        return call
    }

    private fun fail(call: Call<*>, error: Throwable) {
        held?.failed(call, error)
        call.completeExceptionally(error)
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

    companion object {
        /** Set while a call is made for a thread that is going to wait for it. */
        private val waiting = ThreadLocal<Boolean>()

        /** The future of a call, which is not made if this thread must not wait for its database. */
        @JvmStatic
        fun <T> forWaiting(call: Supplier<out CompletableFuture<T>>): CompletableFuture<T> {
            val before = waiting.get()
            waiting.set(true)
            try {
                return call.get()
            } finally {
                if (before == null) waiting.remove()
            }
        }
    }
}

/** The future of one call, which knows whether anybody has asked for its outcome. */
private class Call<T> : CompletableFuture<T>() {
    @Volatile
    private var isObserved = false

    /** Whether somebody has a dependent on it or has waited for it. */
    fun observed(): Boolean = isObserved || numberOfDependents > OWN_DEPENDENTS

    /** Remembers who is waiting, before they are told. */
    fun freeze() {
        if (observed()) isObserved = true
    }

    fun whenOver(action: () -> Unit) {
        whenComplete { _, _ -> action() }
        isObserved = false
    }

    /** Called for every dependent that is added. */
    override fun <U> newIncompleteFuture(): CompletableFuture<U> {
        isObserved = true
        return CompletableFuture()
    }

    override fun toCompletableFuture(): CompletableFuture<T> {
        isObserved = true
        return this
    }

    override fun get(): T {
        isObserved = true
        return super.get()
    }

    override fun get(timeout: Long, unit: TimeUnit): T {
        isObserved = true
        return super.get(timeout, unit)
    }

    override fun join(): T {
        isObserved = true
        return super.join()
    }

    private companion object {
        const val OWN_DEPENDENTS = 1
    }
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

    private val failures = ConcurrentLinkedQueue<Pair<Call<*>, Throwable>>()

    fun failed(call: Call<*>, error: Throwable) {
        call.freeze()
        failures += call to error
    }

    fun forget(): Unit = failures.clear()

    /** @throws TransactionAbortedException if a call has failed and nobody has asked how it went. */
    fun requireObserved() {
        val (_, error) = failures.firstOrNull { (call, _) -> !call.observed() } ?: return
        forget()
        throw TransactionAbortedException(
            "A call on the $what has failed, and nobody has asked for its future.",
            "Return a stage that depends on it, or handle its failure.",
            error,
        )
    }
}
