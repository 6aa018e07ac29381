package dev.kormorant.async;

import dev.kormorant.BlockingKt;
import dev.kormorant.BlockingNotAllowedException;
import dev.kormorant.Model;
import dev.kormorant.ModelClass;
import dev.kormorant.ModelQuery;
import dev.kormorant.Query;
import dev.kormorant.SqlResult;
import dev.kormorant.async.internal.Funnel;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.ResultRow;
import org.jetbrains.exposed.v1.core.Table;
import org.jetbrains.exposed.v1.core.dao.id.IdTable;

/**
 * {@link AsyncStatements} for a thread that may wait, a virtual one above all: each call waits for its future and returns the value or
 * throws the original exception, unchecked. Interrupting the thread cancels the statement on the server; the call throws
 * {@link CancellationException} then, and the thread stays interrupted.
 *
 * <p>On a virtual thread it always waits. On others the policy of the database decides, see {@link AsyncDatabase#blockingPolicy()}; by default
 * waiting is forbidden, and {@link AsyncDatabase#allowBlocking()} opens it for a while. Where waiting would stall others it is forbidden
 * whatever the policy: on an event loop, on a thread of Kotlin's default dispatcher, and in a dependent of a future, which holds a
 * thread that futures need to complete. What is forbidden throws {@link BlockingNotAllowedException} and sends nothing.
 */
public abstract sealed class BlockingStatements permits BlockingDatabase, BlockingTransaction {
    final AsyncStatements async;

    BlockingStatements(AsyncStatements async) {
        this.async = async;
    }

    /**
     * Waits for the future of any call.
     *
     * @param future makes the call
     * @param <T> type of the value
     * @return the value
     */
    public static <T> T call(Supplier<? extends CompletableFuture<T>> future) {
        Dependents.requireBlockingAllowed();
        return waitFor(Funnel.forWaiting(future));
    }

    /** Waits for what closes something, which no policy forbids. */
    @SuppressWarnings("try")
    static <T> T await(Funnel funnel, Supplier<? extends CompletableFuture<T>> future) {
        try (var allowed = BlockingKt.allowBlocking(funnel.getDatabase())) {
            return call(future);
        }
    }

    /**
     * What can be done with models of one class here.
     *
     * @param type the class's {@link ModelType}, or the companion of a Kotlin model
     * @param <I> type of the id
     * @param <M> the model
     * @return its functions
     */
    public final <I, M extends Model<I>> BlockingModels<I, M> models(ModelClass<I, M> type) {
        return new BlockingModels<>(async.models(type));
    }

    /**
     * Runs a query.
     *
     * @param query the query
     * @return all rows
     */
    public final List<ResultRow> list(Query query) {
        return call(() -> async.list(query));
    }

    /**
     * Runs a query.
     *
     * @param query the query
     * @param map makes a value of each row
     * @param <R> type of the values
     * @return the values of all rows
     */
    public final <R> List<R> list(Query query, Function<? super ResultRow, ? extends R> map) {
        return call(() -> async.list(query, map));
    }

    /**
     * Runs a query for models.
     *
     * @param query the query
     * @param <M> the model
     * @return all models, with the relations the query asks for
     */
    public final <M extends Model<?>> List<M> list(ModelQuery<M> query) {
        return call(() -> async.list(query));
    }

    /**
     * Runs a query for one row at most.
     *
     * @param query the query
     * @return the first row, if any
     */
    public final Optional<ResultRow> first(Query query) {
        return call(() -> async.first(query));
    }

    /**
     * Runs a query for one model at most.
     *
     * @param query the query
     * @param <M> the model
     * @return the first model, if any
     */
    public final <M extends Model<?>> Optional<M> first(ModelQuery<M> query) {
        return call(() -> async.first(query));
    }

    /**
     * Runs a query that must return one row; throws {@code RecordNotFoundException} or {@code TooManyRowsException}.
     *
     * @param query the query
     * @return the only row
     */
    public final ResultRow single(Query query) {
        return call(() -> async.single(query));
    }

    /**
     * Runs a query that must return one model; throws {@code RecordNotFoundException} or {@code TooManyRowsException}.
     *
     * @param query the query
     * @param <M> the model
     * @return the only model
     */
    public final <M extends Model<?>> M single(ModelQuery<M> query) {
        return call(() -> async.single(query));
    }

    /**
     * Counts what a query returns, its LIMIT included.
     *
     * @param query the query
     * @return the number of its rows
     */
    public final Long count(Query query) {
        return call(() -> async.count(query));
    }

    /**
     * Counts what a query returns, its LIMIT included.
     *
     * @param query the query
     * @return the number of its models
     */
    public final Long count(ModelQuery<?> query) {
        return call(() -> async.count(query));
    }

    /**
     * One value of the first row; the query's own columns are left out.
     *
     * @param query the query
     * @param expression what is wanted
     * @param <T> type of the value
     * @return the value, empty if there is no row or it is NULL
     */
    public final <T> Optional<T> scalar(Query query, Expression<T> expression) {
        return call(() -> async.scalar(query, expression));
    }

    /**
     * Runs any SQL with a {@code ?} for each argument.
     *
     * @param sql the statement
     * @param arguments values, which travel as parameters with the type of their class
     * @return its rows, or the number of rows affected
     */
    public final SqlResult exec(String sql, Object... arguments) {
        return call(() -> async.exec(sql, arguments));
    }

    /**
     * Inserts one row.
     *
     * @param table the table
     * @param values gives the values
     * @return the row as the database stored it
     */
    public final ResultRow insert(Table table, Consumer<Assignments> values) {
        return call(() -> async.insert(table, values));
    }

    /**
     * Inserts one row.
     *
     * @param table the table
     * @param values gives the values
     * @param <I> type of the id
     * @return its id
     */
    public final <I> I insertAndGetId(IdTable<I> table, Consumer<Assignments> values) {
        return call(() -> async.insertAndGetId(table, values));
    }

    /**
     * Inserts one row unless it violates a unique constraint.
     *
     * @param table the table
     * @param values gives the values
     * @return whether it was inserted
     */
    public final Boolean insertIgnore(Table table, Consumer<Assignments> values) {
        return call(() -> async.insertIgnore(table, values));
    }

    /**
     * Inserts one row unless it violates a unique constraint.
     *
     * @param table the table
     * @param values gives the values
     * @param <I> type of the id
     * @return its id, empty if it was not inserted
     */
    public final <I> Optional<I> insertIgnoreAndGetId(IdTable<I> table, Consumer<Assignments> values) {
        return call(() -> async.insertIgnoreAndGetId(table, values));
    }

    /**
     * Inserts a row per element, many rows per statement, and all or none of them. No element, no statement.
     *
     * @param table the table
     * @param elements the elements
     * @param values gives the values for an element
     * @param <E> type of the elements
     * @return the rows as the database stored them, in the order of the elements
     */
    public final <E> List<ResultRow> batchInsert(Table table, Collection<E> elements, BiConsumer<Assignments, E> values) {
        return call(() -> async.batchInsert(table, elements, values));
    }

    /**
     * Changes the rows that match a condition.
     *
     * @param table the table
     * @param condition the condition
     * @param values gives the values
     * @return how many rows matched, whether or not their values changed
     */
    public final Integer update(Table table, Op<Boolean> condition, Consumer<Assignments> values) {
        return call(() -> async.update(table, condition, values));
    }

    /**
     * Changes all rows.
     *
     * @param table the table
     * @param values gives the values
     * @return how many rows there were
     */
    public final Integer updateAll(Table table, Consumer<Assignments> values) {
        return call(() -> async.updateAll(table, values));
    }

    /**
     * Deletes the rows that match a condition.
     *
     * @param table the table
     * @param condition the condition
     * @return how many rows were deleted
     */
    public final Integer deleteWhere(Table table, Op<Boolean> condition) {
        return call(() -> async.deleteWhere(table, condition));
    }

    /**
     * Deletes all rows.
     *
     * @param table the table
     * @return how many rows were deleted
     */
    public final Integer deleteAll(Table table) {
        return call(() -> async.deleteAll(table));
    }

    /**
     * Runs a function in a transaction, on the calling thread: committed when it returns, rolled back when it throws. On the handle of a
     * transaction it is a savepoint.
     *
     * @param block gets the handle, on which everything that belongs to the transaction must be called; valid until it returns
     * @param <T> type of the value
     * @return the value of the function, after the COMMIT
     */
    public final <T> T transaction(Function<? super BlockingTransaction, ? extends T> block) {
        return transaction(TransactionOptions.options(), block);
    }

    /**
     * Runs a function in a transaction; see the other {@code transaction}.
     *
     * @param options how
     * @param block gets the handle
     * @param <T> type of the value
     * @return the value of the function, after the COMMIT
     */
    public final <T> T transaction(TransactionOptions options, Function<? super BlockingTransaction, ? extends T> block) {
        Dependents.requireBlockingAllowed();
        BlockingKt.requireBlockingAllowed(async.funnel.getDatabase());
        var opened = new CompletableFuture<AsyncTransaction>();
        var outcome = new CompletableFuture<T>();
        var ended = async.<T>transaction(options, transaction -> {
            opened.complete(transaction);
            return outcome;
        });
        ended.whenComplete((value, error) -> opened.completeExceptionally(error == null ? new CancellationException() : error));
        try {
            outcome.complete(block.apply(new BlockingTransaction(waitFor(opened))));
        } catch (Throwable error) {
            outcome.completeExceptionally(error);
        }
        return waitFor(ended);
    }

    private static <T> T waitFor(CompletableFuture<T> future) {
        try {
            return future.get();
        } catch (InterruptedException interruption) {
            future.cancel(true);
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException("The waiting thread was interrupted.").initCause(interruption);
        } catch (ExecutionException failure) {
            if (failure.getCause() instanceof RuntimeException error) throw error;
            if (failure.getCause() instanceof Error error) throw error;
            throw new CompletionException(failure.getCause());
        }
    }
}
