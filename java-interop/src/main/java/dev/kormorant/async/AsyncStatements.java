package dev.kormorant.async;

import static dev.kormorant.async.KotlinFunctions.unit;

import dev.kormorant.Model;
import dev.kormorant.ModelClass;
import dev.kormorant.ModelQuery;
import dev.kormorant.Query;
import dev.kormorant.SqlResult;
import dev.kormorant.StatementsKt;
import dev.kormorant.async.internal.Funnel;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import kotlin.Unit;
import kotlin.jvm.functions.Function2;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.ResultRow;
import org.jetbrains.exposed.v1.core.Table;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;
import org.jetbrains.exposed.v1.core.dao.id.IdTable;
import org.jetbrains.exposed.v1.core.statements.InsertStatement;
import org.jetbrains.exposed.v1.core.statements.UpdateBuilder;

/**
 * What can be run, and where: on a database, in a transaction, on a pinned connection.
 *
 * <p>Every call runs at once and returns a future. On a database each call is a transaction of its own, on any connection; calls on a
 * transaction or connection run on that, one after another in the order they were made, whether or not the program waits between them.
 *
 * <p>A future fails with the original {@code OrmException}: {@code DatabaseException} and its kin for what the database refused,
 * {@code ConnectionException}, {@code PoolTimeoutException}, {@code PoolClosedException}, and {@code TransactionClosedException} for a
 * call on a handle whose block has ended. No call throws. {@code cancel}, {@code orTimeout} and every other way to complete a future
 * from outside stop the statement on the server; the connection is kept.
 *
 * <p>Futures are completed on the executor of the database, never on a driver's thread, so that is where dependents run; those added
 * to a future that is complete already run on the adding thread, and those of a cancelled one on the cancelling thread. Functions that
 * give values ({@link Assignments}) are called once, on the calling thread or on the executor.
 */
public abstract sealed class AsyncStatements permits AsyncDatabase, AsyncTransaction, AsyncConnection {
    final Funnel funnel;

    AsyncStatements(Funnel funnel) {
        this.funnel = funnel;
    }

    /**
     * What can be done with models of one class here.
     *
     * @param type the class's {@link ModelType}, or the companion of a Kotlin model
     * @param <I> type of the id
     * @param <M> the model
     * @return its functions
     */
    public final <I, M extends Model<I>> AsyncModels<I, M> models(ModelClass<I, M> type) {
        return new AsyncModels<>(funnel, type);
    }

    /**
     * What can be done with tables as objects of the database here.
     *
     * @return its functions
     */
    public final AsyncSchema schema() {
        return new AsyncSchema(funnel);
    }

    // ---- Queries

    /**
     * Runs a query.
     *
     * @param query the query
     * @return all rows
     */
    public final CompletableFuture<List<ResultRow>> list(Query query) {
        return funnel.call(next -> query.toList(next));
    }

    /**
     * Runs a query.
     *
     * @param query the query
     * @param map makes a value of each row; called on the executor
     * @param <R> type of the values
     * @return the values of all rows
     */
    public final <R> CompletableFuture<List<R>> list(Query query, Function<? super ResultRow, ? extends R> map) {
        return funnel.<List<ResultRow>, List<R>>call(next -> query.toList(next), rows -> rows.stream().<R>map(map).toList());
    }

    /**
     * Runs a query for models.
     *
     * @param query the query
     * @param <M> the model
     * @return all models, with the relations the query asks for
     */
    public final <M extends Model<?>> CompletableFuture<List<M>> list(ModelQuery<M> query) {
        return funnel.<List<? extends M>, List<M>>call(next -> query.toList(next), Collections::unmodifiableList);
    }

    /**
     * Runs a query for one row at most.
     *
     * @param query the query
     * @return the first row, if any
     */
    public final CompletableFuture<Optional<ResultRow>> first(Query query) {
        return funnel.<ResultRow, Optional<ResultRow>>call(next -> query.firstOrNull(next), Optional::ofNullable);
    }

    /**
     * Runs a query for one model at most.
     *
     * @param query the query
     * @param <M> the model
     * @return the first model, if any
     */
    public final <M extends Model<?>> CompletableFuture<Optional<M>> first(ModelQuery<M> query) {
        return funnel.<M, Optional<M>>call(next -> query.firstOrNull(next), Optional::ofNullable);
    }

    /**
     * Runs a query that must return one row; fails with {@code RecordNotFoundException} or {@code TooManyRowsException}.
     *
     * @param query the query
     * @return the only row
     */
    public final CompletableFuture<ResultRow> single(Query query) {
        return funnel.call(next -> query.single(next));
    }

    /**
     * Runs a query that must return one model; fails with {@code RecordNotFoundException} or {@code TooManyRowsException}.
     *
     * @param query the query
     * @param <M> the model
     * @return the only model
     */
    public final <M extends Model<?>> CompletableFuture<M> single(ModelQuery<M> query) {
        return funnel.call(next -> query.single(next));
    }

    /**
     * Counts what a query returns, its LIMIT included.
     *
     * @param query the query
     * @return the number of its rows
     */
    public final CompletableFuture<Long> count(Query query) {
        return funnel.call(next -> query.count(false, next));
    }

    /**
     * Counts what a query returns, its LIMIT included.
     *
     * @param query the query
     * @return the number of its models
     */
    public final CompletableFuture<Long> count(ModelQuery<?> query) {
        return funnel.call(next -> query.count(false, next));
    }

    /**
     * One value of the first row; the query's own columns are left out.
     *
     * @param query the query
     * @param expression what is wanted
     * @param <T> type of the value
     * @return the value, empty if there is no row or it is NULL
     */
    public final <T> CompletableFuture<Optional<T>> scalar(Query query, Expression<T> expression) {
        return funnel.<T, Optional<T>>call(next -> query.scalarOrNull(expression, next), Optional::ofNullable);
    }

    /**
     * Runs any SQL with a {@code ?} for each argument.
     *
     * @param sql the statement
     * @param arguments values, which travel as parameters with the type of their class
     * @return its rows, or the number of rows affected
     */
    public final CompletableFuture<SqlResult> exec(String sql, Object... arguments) {
        return funnel.call(next -> funnel.getDatabase().exec(sql, arguments, next));
    }

    // ---- Data changes

    /**
     * Inserts one row.
     *
     * @param table the table
     * @param values gives the values
     * @return the row as the database stored it
     */
    public final CompletableFuture<ResultRow> insert(Table table, Consumer<Assignments> values) {
        return funnel.<InsertStatement<Number>, ResultRow>call(
                next -> StatementsKt.insert(table, assigning(values), next), AsyncStatements::row);
    }

    /**
     * Inserts one row.
     *
     * @param table the table
     * @param values gives the values
     * @param <I> type of the id
     * @return its id
     */
    public final <I> CompletableFuture<I> insertAndGetId(IdTable<I> table, Consumer<Assignments> values) {
        return funnel.<EntityID<I>, I>call(next -> StatementsKt.insertAndGetId(table, assigning(values), next), EntityID::getValue);
    }

    /**
     * Inserts one row unless it violates a unique constraint.
     *
     * @param table the table
     * @param values gives the values
     * @return whether it was inserted
     */
    public final CompletableFuture<Boolean> insertIgnore(Table table, Consumer<Assignments> values) {
        return funnel.<InsertStatement<Long>, Boolean>call(
                next -> StatementsKt.insertIgnore(table, assigning(values), next), statement -> statement.getInsertedCount() > 0);
    }

    /**
     * Inserts one row unless it violates a unique constraint.
     *
     * @param table the table
     * @param values gives the values
     * @param <I> type of the id
     * @return its id, empty if it was not inserted
     */
    public final <I> CompletableFuture<Optional<I>> insertIgnoreAndGetId(IdTable<I> table, Consumer<Assignments> values) {
        return funnel.<EntityID<I>, Optional<I>>call(
                next -> StatementsKt.insertIgnoreAndGetId(table, assigning(values), next),
                id -> Optional.ofNullable(id).map(EntityID::getValue));
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
    public final <E> CompletableFuture<List<ResultRow>> batchInsert(Table table, Collection<E> elements, BiConsumer<Assignments, E> values) {
        return funnel.call(next -> StatementsKt.batchInsert(table, elements, false, true, (statement, element) -> {
            values.accept(new Assignments(statement), element);
            return Unit.INSTANCE;
        }, next));
    }

    /**
     * Changes the rows that match a condition.
     *
     * @param table the table
     * @param condition the condition
     * @param values gives the values
     * @return how many rows matched, whether or not their values changed
     */
    public final CompletableFuture<Integer> update(Table table, Op<Boolean> condition, Consumer<Assignments> values) {
        return funnel.call(next -> StatementsKt.update(table, () -> condition, null, assigning(values), next));
    }

    /**
     * Changes all rows.
     *
     * @param table the table
     * @param values gives the values
     * @return how many rows there were
     */
    public final CompletableFuture<Integer> updateAll(Table table, Consumer<Assignments> values) {
        return funnel.call(next -> StatementsKt.update(table, (Integer) null, assigning(values), next));
    }

    /**
     * Deletes the rows that match a condition.
     *
     * @param table the table
     * @param condition the condition
     * @return how many rows were deleted
     */
    public final CompletableFuture<Integer> deleteWhere(Table table, Op<Boolean> condition) {
        return funnel.call(next -> StatementsKt.deleteWhere(table, null, any -> condition, next));
    }

    /**
     * Deletes all rows.
     *
     * @param table the table
     * @return how many rows were deleted
     */
    public final CompletableFuture<Integer> deleteAll(Table table) {
        return funnel.call(next -> StatementsKt.deleteAll(table, next));
    }

    // ---- Transactions

    /**
     * Runs a function in a transaction: committed when the stage it returns is complete, rolled back when that fails, when the function
     * throws, or when the returned future is cancelled. On the handle of a transaction it is a savepoint, which a failure undoes alone.
     *
     * @param block gets the handle, on which everything that belongs to the transaction must be called, on whatever thread; called on
     *     the calling thread if it need not wait for calls made before, else on the executor. It should not block.
     * @param <T> type of the value
     * @return the value of the stage, after the COMMIT. Fails as the stage does, or with {@code TransactionAbortedException} if an error
     *     in the transaction was handled there but nothing can be committed any more, or {@code CommitOutcomeUnknownException}
     */
    public final <T> CompletableFuture<T> transaction(Function<? super AsyncTransaction, ? extends CompletionStage<? extends T>> block) {
        return transaction(TransactionOptions.options(), block);
    }

    /**
     * Runs a function in a transaction; see the other {@code transaction}.
     *
     * @param options how; fails with {@code IllegalStateException} or {@code IllegalArgumentException} if they do not fit the transaction
     *     around it
     * @param block gets the handle
     * @param <T> type of the value
     * @return the value of the stage, after the COMMIT
     */
    public final <T> CompletableFuture<T> transaction(
            TransactionOptions options, Function<? super AsyncTransaction, ? extends CompletionStage<? extends T>> block) {
        Objects.requireNonNull(options, "options");
        return funnel.transaction(options.asKotlin(), (inner, transaction) -> block.apply(new AsyncTransaction(inner, transaction)));
    }

    private static <T, S extends UpdateBuilder<?>> Function2<T, S, Unit> assigning(Consumer<Assignments> values) {
        return (table, statement) -> unit(values).invoke(new Assignments(statement));
    }

    private static ResultRow row(InsertStatement<?> statement) {
        return Objects.requireNonNull(statement.getResultedValues()).get(0);
    }
}
