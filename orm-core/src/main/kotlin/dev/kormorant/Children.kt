package dev.kormorant

import dev.kormorant.internal.Scope
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext

/** What a coroutine started inside a transaction has to do with it. */
public enum class Children {
    /** It belongs to the transaction: its statements queue for the connection, in order, and are rolled back with the rest. The default. */
    QUEUE,

    /** Its first statement is an [IllegalStateException] that names both places of creation. */
    FAIL,

    /** It is outside: its statements commit by themselves, on other connections, and it does not see the transaction's rows. */
    DETACH,
}

/**
 * Runs [block] outside the transaction or pinned connection of the calling coroutine: its statements commit by themselves, or in
 * transactions of its own, on other connections. Outside a transaction it makes no difference.
 *
 * Statements wait for a connection as any other, but where all that the pool can have are held by transactions that wait for this
 * block, as on SQLite the only writer, they fail with a [ConnectionBusyException] at once.
 */
public suspend fun <T> Database.independent(block: suspend CoroutineScope.() -> T): T {
    val scope = currentCoroutineContext()[scopeKey] ?: return withContext(this, block)
    return withContext(this + Scope.detached(scope), block)
}

/** [Database.independent] on the database of the calling coroutine. */
public suspend fun <T> independent(block: suspend CoroutineScope.() -> T): T = Database.current().independent(block)
