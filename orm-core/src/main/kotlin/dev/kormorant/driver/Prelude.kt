package dev.kormorant.driver

import dev.kormorant.Isolation
import kotlin.time.Duration

/**
 * Statements without parameters that go ahead of another one, in its round trip where the wire allows it: BEGIN, SAVEPOINT, settings.
 * It belongs to one call of [Connection.execute], which tells it what has been answered.
 */
public class Prelude(
    /** What is sent, in order. */
    public val statements: List<String>,
    /** Whether the statement behind them must not run unless all of them have succeeded. */
    public val guards: Boolean = true,
) {
    /** How many of [statements] have succeeded, one after the other from the first. */
    @Volatile
    public var answered: Int = 0
        private set

    /** The first value of the first row that one of them has answered with. */
    @Volatile
    public var value: Any? = null
        private set

    /** Called by the driver when the next of them has succeeded. */
    public fun onAnswer(value: Any? = null) {
        if (this.value == null) this.value = value
        answered++
    }

    /** Called by the driver when it sends all of them again. */
    public fun restart() {
        answered = 0
        value = null
    }
}

/** How a transaction is opened. Durations are more than zero; `null` leaves a thing to the session. */
public class BeginOptions(
    public val isolation: Isolation? = null,
    public val readOnly: Boolean = false,
    /** Whether it may wait until it can run without ever failing for concurrent ones. */
    public val deferrable: Boolean = false,
    /** How long a statement waits for a lock. */
    public val lockTimeout: Duration? = null,
    /** After what time the server itself ends a statement. */
    public val statementTimeout: Duration? = null,
    /** Whether the server is asked for the id under which it knows the outcome, as the value of the [Prelude]. */
    public val identified: Boolean = false,
)
