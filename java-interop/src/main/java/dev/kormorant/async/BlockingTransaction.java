package dev.kormorant.async;

/** The handle of an open transaction or savepoint for a thread that waits; see {@link AsyncTransaction}. */
public final class BlockingTransaction extends BlockingStatements {
    private final AsyncTransaction transaction;

    BlockingTransaction(AsyncTransaction transaction) {
        super(transaction);
        this.transaction = transaction;
    }

    /** Ends this level now and begins it again; see {@link AsyncTransaction#commit()}. */
    public void commit() {
        call(transaction::commit);
    }

    /** Undoes the work of this level now and begins it again; see {@link AsyncTransaction#rollback()}. */
    public void rollback() {
        call(transaction::rollback);
    }

    /**
     * The handle itself, for {@link AsyncTransaction#setRollbackOnly}, {@link AsyncTransaction#afterCommit} and calls that need not be
     * waited for.
     *
     * @return the handle
     */
    public AsyncTransaction async() {
        return transaction;
    }
}
