package dev.kormorant.async;

import dev.kormorant.Transaction;
import dev.kormorant.async.internal.Funnel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import kotlin.Unit;
import org.jetbrains.exposed.v1.core.SqlLogger;
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor;

/**
 * The handle of an open transaction or savepoint. What is called on it belongs to the transaction, on whatever thread, and runs in the
 * order of the calls; what is called on the database does not. The transaction ends when the stage returned by its function is
 * complete and the calls made until then are; a later call fails with {@code TransactionClosedException}.
 *
 * <p>A call that fails while nobody has asked for its future fails the transaction: nothing that went wrong is committed over. Whoever
 * adds a dependent to the future, or waits for it, takes that on.
 *
 * <p>While a nested transaction is open, calls on this handle wait for its end, so the nested one must not wait for them.
 */
public sealed class AsyncTransaction extends AsyncStatements permits AsyncManualTransaction {
    private final Transaction transaction;

    AsyncTransaction(Funnel funnel, Transaction transaction) {
        super(funnel);
        this.transaction = transaction;
    }

    /**
     * Runs a function in a savepoint with a name of its own choosing; see {@link #transaction(Function)}.
     *
     * @param name any text but the empty one
     * @param block gets the handle of the savepoint
     * @param <T> type of the value
     * @return the value of the stage, after the savepoint is released
     */
    public <T> CompletableFuture<T> savepoint(String name, Function<? super AsyncTransaction, ? extends CompletionStage<? extends T>> block) {
        return funnel.savepoint(transaction, name, (inner, savepoint) -> block.apply(new AsyncTransaction(inner, savepoint)));
    }

    /**
     * Ends this level now as if its function had returned, and begins it again: what follows is work of its own, undone alone.
     *
     * @return complete when the server has answered; fails as the transaction would, and then the level has ended for good
     */
    public CompletableFuture<Void> commit() {
        return commit(true);
    }

    /**
     * Ends this level now; see the other {@code commit}.
     *
     * @param begin {@code false} ends it for good: later calls fail with {@code TransactionClosedException}
     * @return complete when the server has answered
     */
    public CompletableFuture<Void> commit(boolean begin) {
        return funnel.commit(transaction, begin);
    }

    /**
     * Undoes the work of this level now and begins it again.
     *
     * @return complete when the server has answered
     */
    public CompletableFuture<Void> rollback() {
        return rollback(true);
    }

    /**
     * Undoes the work of this level now; see the other {@code rollback}.
     *
     * @param begin {@code false} ends it for good: later calls fail with {@code TransactionClosedException}
     * @return complete when the server has answered
     */
    public CompletableFuture<Void> rollback(boolean begin) {
        return funnel.rollback(transaction, begin);
    }

    /**
     * The run of the function it is in, from 1; more only with {@link TransactionOptions#retry(int)}.
     *
     * @return the number of the attempt
     */
    public int attempt() {
        return transaction.getAttempt();
    }

    /** Makes this level end with a rollback; the future of its block still completes with the value, and without an exception. */
    public void setRollbackOnly() {
        transaction.setRollbackOnly();
    }

    /**
     * Whether this level is marked to end with a rollback.
     *
     * @return whether it is
     */
    public boolean isRollbackOnly() {
        return transaction.isRollbackOnly();
    }

    /**
     * Whether the block is still open.
     *
     * @return whether it is
     */
    public boolean isOpen() {
        return transaction.isOpen();
    }

    /**
     * Whether the transaction was opened read-only.
     *
     * @return whether it was
     */
    public boolean isReadOnly() {
        return transaction.getReadOnly();
    }

    /**
     * Runs an action once, on the executor, after the outermost transaction has been committed and before its future is complete;
     * never after a rollback. An exception from it makes that future fail, but the work stays committed.
     *
     * @param action should not block
     */
    public void afterCommit(Runnable action) {
        transaction.afterCommit(next -> {
            action.run();
            return Unit.INSTANCE;
        });
    }

    /**
     * Shows every statement of the transaction that succeeds to Exposed's loggers, with its values, until the end of the outermost level.
     *
     * @param loggers the loggers
     */
    public void addLogger(SqlLogger... loggers) {
        transaction.addLogger(loggers);
    }

    /**
     * Tells Exposed's interceptor of every statement, COMMIT and ROLLBACK of the transaction, until the end of the outermost level. What it
     * throws before a COMMIT makes the transaction roll back.
     *
     * @param interceptor is called on the executor: be quick
     */
    public void registerInterceptor(StatementInterceptor interceptor) {
        transaction.registerInterceptor(interceptor);
    }

    @Override
    public String toString() {
        return "Async" + transaction;
    }
}
