package dev.kormorant

import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.internal.Deadline
import kotlinx.coroutines.delay
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How a transaction ended whose COMMIT was not answered. */
public enum class CommitOutcome {
    COMMITTED,
    ROLLED_BACK,

    /** The server cannot tell: it was not asked for an id, has forgotten it, or does not know yet. */
    UNKNOWN,
}

/**
 * Asks the server what became of the transaction whose COMMIT was not answered. While the server has not noticed yet that the link
 * is gone, the transaction may still be open; then it is asked again for up to [patience].
 *
 * Only for transactions opened with [TransactionOptions.resolvable]; the answer is [CommitOutcome.UNKNOWN] for any other. The
 * question must reach the server that had the transaction.
 *
 * @throws ConnectionException and the like, as any statement.
 */
public suspend fun Database.resolve(outcome: CommitOutcomeUnknownException, patience: Duration = 10.seconds): CommitOutcome {
    val id = outcome.transactionId ?: return CommitOutcome.UNKNOWN
    val question = openBridge().dialect.transactionOutcome ?: return CommitOutcome.UNKNOWN
    val statement = SqlStatement(question, listOf(SqlType.BIGINT), listOf(id))
    val deadline = Deadline.after(timer, patience)
    while (true) {
        when (independent { run(statement) }.rows.singleOrNull()?.firstOrNull()) {
            "committed" -> return CommitOutcome.COMMITTED
            "aborted" -> return CommitOutcome.ROLLED_BACK
            "in progress" -> if (deadline?.hasPassed == true) return CommitOutcome.UNKNOWN
            else -> return CommitOutcome.UNKNOWN
        }
        delay(PAUSE)
    }
}

private val PAUSE = 20.milliseconds
