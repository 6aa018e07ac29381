package dev.kormorant.internal

import dev.kormorant.ConnectionBusyException
import dev.kormorant.driver.Access
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext

/**
 * Refuses to wait for a connection when all [max] that the pool can have are held by blocks that cannot end before the caller does:
 * [ancestor] and those it was opened in. On SQLite that is the one writer.
 */
internal suspend fun checkNotHeldByAncestors(ancestor: Level, access: Access, max: Int) {
    val context = currentCoroutineContext()
    val job = context[Job]
    val holders = generateSequence(ancestor) { it.session.ancestor }
        .filter { it.session.access == access && it.session.connection != null && Scope.isWithin(job, it.chain.last().job) }
        .take(max)
        .toList()
    if (holders.size < max) return
    val place = context[ancestor.session.database.scopeKey]?.left ?: Site.here()
    throw ConnectionBusyException(
        "Work started $place needs a connection that the transaction opened ${holders.first().origin} holds, which waits for that work" +
            if (max == 1) "." else ", and so it is with all $max connections.",
        "Run it in the transaction, or after it, or in a scope that the transaction does not wait for.",
    )
}
