package dev.kormorant.async.internal

import dev.kormorant.Children
import dev.kormorant.Isolation
import dev.kormorant.Propagation
import dev.kormorant.Retry
import dev.kormorant.TransactionOptions
import java.time.Duration
import kotlin.time.toKotlinDuration

/** Options as Kotlin knows them. Calls on a handle are coroutines started in the block, which must always be let in. */
internal fun transactionOptions(
    isolation: Isolation?,
    readOnly: Boolean,
    propagation: Propagation,
    retry: Retry?,
    timeout: Duration?,
    statementTimeout: Duration?,
    lockTimeout: Duration?,
    deferrable: Boolean,
    resolvable: Boolean,
): TransactionOptions = TransactionOptions(
    isolation,
    readOnly,
    propagation,
    retry,
    timeout?.toKotlinDuration(),
    statementTimeout?.toKotlinDuration(),
    lockTimeout?.toKotlinDuration(),
    deferrable,
    Children.QUEUE,
    resolvable,
)

internal fun retry(attempts: Int, backoff: Duration, maxBackoff: Duration): Retry =
    Retry(attempts, backoff.toKotlinDuration(), maxBackoff.toKotlinDuration())
