package dev.kormorant

import dev.kormorant.driver.Dialect
import dev.kormorant.internal.Deadline
import dev.kormorant.internal.ModelJournal
import dev.kormorant.internal.Site
import kotlinx.coroutines.delay
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * Runs the block of an outermost transaction again when it lost against a concurrent one: after a serialization failure or a
 * deadlock, and after nothing else. Not after a lost link either, when nobody knows what became of the work.
 *
 * Each attempt is a transaction of its own. Before the next one every model that the block has touched gets back the values,
 * the dirty columns and the loaded relations that it had before the block; other state of the program is the block's own affair. Actions of
 * `afterCommit` of the lost attempts are forgotten. A block that has committed anything is not run again, be it that an action of
 * `afterCommit` has failed, or that [Transaction.commit] was called before.
 *
 * @throws IllegalArgumentException if [attempts] is less than 1 or a pause is negative.
 */
public class Retry(
    /** How often the block runs at most. 5: with random pauses a sixth success is rare where five have failed. */
    public val attempts: Int = 5,
    /** The longest pause before the second attempt; it doubles with each further one. 20 ms: some transactions long. */
    public val backoff: Duration = 20.milliseconds,
    /** The longest pause of all. 1 s. */
    public val maxBackoff: Duration = 1.seconds,
) {
    init {
        require(attempts >= 1) { "A transaction is attempted at least once, not $attempts times." }
        require(!backoff.isNegative() && !maxBackoff.isNegative()) { "A pause between two attempts must not be negative." }
    }

    /** A random time, at least half of the longest, so that those who met once do not meet again. */
    internal fun pauseAfter(attempt: Int): Duration {
        val longest = minOf(maxBackoff, backoff * (1 shl (attempt - 1).coerceAtMost(MAX_DOUBLINGS)))
        return longest * Random.nextDouble(0.5, 1.0)
    }

    override fun toString(): String = "Retry(attempts=$attempts, backoff=$backoff, maxBackoff=$maxBackoff)"

    private companion object {
        const val MAX_DOUBLINGS = 20
    }
}

/** Runs [run] until it succeeds, fails for another reason, or [retry] or [deadline] has enough. */
internal suspend fun <T> Database.retrying(retry: Retry, deadline: Deadline?, run: suspend (attempt: Int, journal: ModelJournal) -> T): T {
    val place = if (config.creationSites) Site.here() else Site.UNKNOWN
    val dialect = openBridge().dialect
    var attempt = 1
    while (true) {
        val journal = ModelJournal()
        try {
            return run(attempt, journal)
        } catch (error: Throwable) {
            val pause = retry.pauseAfter(attempt)
            val isLast = journal.isCommitted || attempt >= retry.attempts || deadline != null && deadline.left <= pause
            if (isLast || !lostAgainstOthers(error, dialect)) throw error
            journal.restore()
            attempt++
            audience.tell { TransactionEvent(this, TransactionEvent.Kind.RETRY, place.toString(), attempt, error) }
            delay(pause)
        }
    }
}

/** Whether the database refused for the sake of a concurrent transaction, in whatever the block has wrapped that. */
private fun lostAgainstOthers(error: Throwable, dialect: Dialect): Boolean =
    generateSequence(error) { it.cause }.take(MAX_CAUSES).any { it is DatabaseException && dialect.isRetryable(it) }

private const val MAX_CAUSES = 20
