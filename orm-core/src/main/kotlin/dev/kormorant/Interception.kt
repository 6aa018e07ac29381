package dev.kormorant

import org.jetbrains.exposed.v1.core.CompositeSqlLogger
import org.jetbrains.exposed.v1.core.SqlLogger
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor

/**
 * Shows every statement of the calling coroutine's transaction to [loggers], with its values, from now to the end of the outermost one:
 * `addLogger(StdOutSqlLogger)`. [DatabaseConfig.logger] shows those of all transactions.
 *
 * @throws IllegalStateException outside a transaction.
 */
public suspend fun addLogger(vararg loggers: SqlLogger): CompositeSqlLogger = currentTransaction().addLogger(*loggers)

/**
 * Tells [interceptor] what happens in the calling coroutine's transaction; see [Transaction.registerInterceptor].
 *
 * @throws IllegalStateException outside a transaction.
 */
public suspend fun registerInterceptor(interceptor: StatementInterceptor): Boolean = currentTransaction().registerInterceptor(interceptor)

/** Tells [interceptor] nothing any more; returns whether it was registered with the calling coroutine's transaction. */
public suspend fun unregisterInterceptor(interceptor: StatementInterceptor): Boolean = currentTransaction().unregisterInterceptor(interceptor)

private suspend fun currentTransaction(): Transaction = checkNotNull(Database.current().currentLevel()?.takeIf { it.exposed != null }) {
    "Loggers and interceptors are added to a transaction, and there is none; DatabaseConfig.logger and interceptor are for a whole database."
}.transaction
