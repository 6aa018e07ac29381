package dev.kormorant.async;

import dev.kormorant.ManualTransaction;
import dev.kormorant.async.internal.Funnel;
import java.util.concurrent.CompletableFuture;

/**
 * A transaction that is opened and ended by hand, see {@link AsyncDatabase#begin()}. It must be closed. A handle that nobody can reach any
 * more is rolled back, and its place of creation is logged as a warning and told to the listeners of transactions.
 */
public final class AsyncManualTransaction extends AsyncTransaction implements AutoCloseable {
    private final ManualTransaction transaction;

    AsyncManualTransaction(Funnel funnel, ManualTransaction transaction) {
        super(funnel, transaction);
        this.transaction = transaction;
    }

    /**
     * Rolls back what is not committed and gives the connection back, after the calls made before. May be repeated.
     *
     * @return complete when that is done
     */
    public CompletableFuture<Void> closeAsync() {
        return funnel.run(transaction::close);
    }

    /**
     * {@link #closeAsync()}, waited for on the calling thread.
     *
     * @throws dev.kormorant.BlockingNotAllowedException where {@link BlockingStatements} must not wait either, whatever the policy
     */
    @Override
    public void close() {
        BlockingStatements.await(funnel, this::closeAsync);
    }
}
