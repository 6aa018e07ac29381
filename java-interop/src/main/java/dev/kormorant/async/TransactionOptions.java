package dev.kormorant.async;

import dev.kormorant.Isolation;
import dev.kormorant.Propagation;
import java.time.Duration;
import java.util.Objects;

/**
 * How a transaction is to be run: {@code options().isolation(Isolation.SERIALIZABLE).readOnly(true)}. Immutable; each method returns
 * a changed copy.
 */
public final class TransactionOptions {
    private static final TransactionOptions DEFAULTS = new TransactionOptions(null, false, Propagation.NESTED, null);

    final Isolation isolation;
    final boolean readOnly;
    final Propagation propagation;
    final Duration statementTimeout;

    private TransactionOptions(Isolation isolation, boolean readOnly, Propagation propagation, Duration statementTimeout) {
        this.isolation = isolation;
        this.readOnly = readOnly;
        this.propagation = Objects.requireNonNull(propagation, "propagation");
        this.statementTimeout = statementTimeout;
    }

    /**
     * The isolation level of the database's configuration, read-write, {@link Propagation#NESTED}, the database's statement timeout.
     *
     * @return the defaults
     */
    public static TransactionOptions options() {
        return DEFAULTS;
    }

    /**
     * The isolation level; only for an outermost transaction. By default that of the configuration.
     *
     * @param level the level
     * @return a changed copy
     */
    public TransactionOptions isolation(Isolation level) {
        return new TransactionOptions(level, readOnly, propagation, statementTimeout);
    }

    /**
     * Whether the database may refuse writes; by default it must not. SQLite runs a read-only transaction beside the writer.
     *
     * @param value whether the transaction only reads
     * @return a changed copy
     */
    public TransactionOptions readOnly(boolean value) {
        return new TransactionOptions(isolation, value, propagation, statementTimeout);
    }

    /**
     * What to do when it is started on the handle of a transaction; by default a savepoint inside that, {@link Propagation#NESTED}.
     *
     * @param value the propagation
     * @return a changed copy
     */
    public TransactionOptions propagation(Propagation value) {
        return new TransactionOptions(isolation, readOnly, value, statementTimeout);
    }

    /**
     * How long each statement of the transaction may run before it is cancelled on the server and fails with a
     * {@code QueryTimeoutException}. By default that of the configuration.
     *
     * @param timeout more than zero
     * @return a changed copy
     */
    public TransactionOptions statementTimeout(Duration timeout) {
        return new TransactionOptions(isolation, readOnly, propagation, timeout);
    }
}
