package dev.kormorant.driver

import dev.kormorant.Database
import dev.kormorant.PoolStats
import dev.kormorant.currentLevel
import dev.kormorant.internal.ConnectionPool
import dev.kormorant.internal.Substitute
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.withContext
import kotlin.time.Duration

/**
 * Runs [block] with connections of another driver in place of those of the pool: for test kits and tools that look at or change what
 * is sent. [wrap] makes that driver around one connection of the pool, which is its own until the end of the block; its
 * connections are pooled under the settings of the database. What runs outside the block uses the pool as ever.
 *
 * May be nested: the inner driver is made around a connection of the outer one.
 *
 * @param block gets the figures of the pool it works on.
 * @return what [block] returned.
 * @throws IllegalStateException inside a transaction or pinned connection of this database, which has its connection already.
 */
public suspend fun <T> Database.withDriver(wrap: suspend (Connection) -> Driver, block: suspend CoroutineScope.(pool: () -> PoolStats) -> T): T {
    check(currentLevel() == null) { "withDriver() was called inside a transaction or pinned connection of the same database." }
    openBridge()
    val lent = acquire(Access.WRITE, null, null)
    try {
        val driver = wrap(lent.connection)
        val pool = ConnectionPool(config.pool.limitedTo(driver.maxWriters), timer) { driver.connect(Access.WRITE) }
        try {
            return withContext(this + Substitute(substituteKey, pool)) { block { pool.stats } }
        } finally {
            uncancellable {
                pool.close(Duration.ZERO)
                driver.close()
            }
        }
    } finally {
        release(Access.WRITE, lent)
    }
}
