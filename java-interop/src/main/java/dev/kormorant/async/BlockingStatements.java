package dev.kormorant.async;

import dev.kormorant.BlockingKt;
import dev.kormorant.BlockingNotAllowedException;
import dev.kormorant.Model;
import dev.kormorant.ModelClass;
import dev.kormorant.ModelQuery;
import dev.kormorant.Query;
import dev.kormorant.RowQuery;
import dev.kormorant.Rows;
import dev.kormorant.SizedIterable;
import dev.kormorant.SqlQuery;
import dev.kormorant.SqlResult;
import dev.kormorant.SqlRow;
import dev.kormorant.async.internal.Funnel;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.Join;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.QueryAlias;
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
     * @param query a query, what {@code as} makes of one, or a compiled query with its values
     * @param <T> what it returns: {@code ResultRow}, or the class it is mapped to
     * @return all of it
     */
    public final <T> List<T> list(Rows<T> query) {
        return call(() -> async.list(query));
    }

    /**
     * Runs a query.
     *
     * @param query the query
     * @param map makes a value of each row
     * @param <T> what the query returns
     * @param <R> type of the values
     * @return the values of all rows
     */
    public final <T, R> List<R> list(Rows<T> query, Function<? super T, ? extends R> map) {
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
     * @param <T> what the query returns
     * @return the first row, if any
     */
    public final <T> Optional<T> first(Rows<T> query) {
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
     * @param <T> what the query returns
     * @return the only row
     */
    public final <T> T single(Rows<T> query) {
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
    public final Long count(SizedIterable<?> query) {
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
     * How the database would run a query; it is not run.
     *
     * @param query the query
     * @return the plan in the database's own form, a text for each of its rows
     */
    public final List<String> explain(RowQuery<?> query) {
        return call(() -> async.explain(query));
    }

    /**
     * How the database would run a query. Throws {@code UnsupportedByDialectException} if the database has no such option.
     *
     * @param query the query
     * @param analyze whether to run it as well
     * @param options what the database takes in addition, as {@code FORMAT JSON}, or {@code null}
     * @return the plan in the database's own form, a text for each of its rows
     */
    public final List<String> explain(RowQuery<?> query, boolean analyze, String options) {
        return call(() -> async.explain(query, analyze, options));
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
     * Runs any SQL with parameters {@code :name}.
     *
     * @param sql the statement
     * @param arguments values by name; {@code null} only in a map that takes it
     * @return its rows, or the number of rows affected
     */
    public final SqlResult exec(String sql, Map<String, ?> arguments) {
        return call(() -> async.exec(sql, arguments));
    }

    /**
     * Runs a statement given as SQL, of whatever kind it is.
     *
     * @param statement what {@link #sql} has made
     * @return its rows, the number of rows affected and the last id, as far as it has them
     */
    public final SqlResult exec(SqlQuery<?> statement) {
        return call(() -> async.exec(statement));
    }

    /**
     * Runs the statements of a script, separated by semicolons, one after another on one connection. The first that fails ends it.
     *
     * @param script the statements, without parameters
     * @return their results, in order
     */
    public final List<SqlResult> script(String script) {
        return call(() -> async.script(script));
    }

    /**
     * Changes a limited number of the rows that match a condition; MySQL and MariaDB only.
     *
     * @param table the table
     * @param condition the condition
     * @param limit how many at most
     * @param values gives the values
     * @return how many rows matched
     */
    public final Integer update(Table table, Op<Boolean> condition, int limit, Consumer<Assignments> values) {
        return call(() -> async.update(table, condition, limit, values));
    }

    /**
     * Changes the rows of a table of a join; not on SQLite.
     *
     * @param join the join
     * @param condition the condition
     * @param values gives the values
     * @return how many rows matched
     */
    public final Integer update(Join join, Op<Boolean> condition, Consumer<Assignments> values) {
        return call(() -> async.update(join, condition, values));
    }

    /**
     * Deletes a limited number of the rows that match a condition; MySQL and MariaDB only.
     *
     * @param table the table
     * @param condition the condition
     * @param limit how many at most
     * @return how many rows were deleted
     */
    public final Integer deleteWhere(Table table, Op<Boolean> condition, int limit) {
        return call(() -> async.deleteWhere(table, condition, limit));
    }

    /**
     * Deletes the rows that match a condition as far as no constraint forbids it; MySQL and MariaDB only.
     *
     * @param table the table
     * @param condition the condition
     * @return how many rows were deleted; MySQL 8.0 counts those as well that a constraint has kept
     */
    public final Integer deleteIgnoreWhere(Table table, Op<Boolean> condition) {
        return call(() -> async.deleteIgnoreWhere(table, condition));
    }

    /**
     * Deletes the rows of one table that a join finds; not on SQLite.
     *
     * @param join the join
     * @param target the table to delete from
     * @param condition the condition
     * @return how many rows were deleted
     */
    public final Integer delete(Join join, Table target, Op<Boolean> condition) {
        return call(() -> async.delete(join, target, condition));
    }

    /**
     * Inserts the rows of a query.
     *
     * @param table the table
     * @param query the query
     * @param columns what its fields are stored in; none is all columns but an id that the database makes
     * @return how many rows were inserted
     */
    public final Integer insert(Table table, RowQuery<?> query, Column<?>... columns) {
        return call(() -> async.insert(table, query, columns));
    }

    /**
     * Inserts those rows of a query that violate no unique constraint.
     *
     * @param table the table
     * @param query the query
     * @param columns what its fields are stored in; none is all columns but an id that the database makes
     * @return how many rows were inserted
     */
    public final Integer insertIgnore(Table table, RowQuery<?> query, Column<?>... columns) {
        return call(() -> async.insertIgnore(table, query, columns));
    }

    /**
     * Inserts the rows of a query in the place of those with the same values in a unique key; not on PostgreSQL.
     *
     * @param table the table
     * @param query the query
     * @param columns what its fields are stored in; none is all columns but an id that the database makes
     * @return how many rows there were
     */
    public final Integer replace(Table table, RowQuery<?> query, Column<?>... columns) {
        return call(() -> async.replace(table, query, columns));
    }

    /**
     * Inserts a row, or changes the one that is there.
     *
     * @param table the table
     * @param options how a row is found and what becomes of it
     * @param values gives the values
     * @return the row as it is stored now; empty if the options hold an existing row back
     */
    public final Optional<ResultRow> upsert(Table table, UpsertOptions options, Consumer<Assignments> values) {
        return call(() -> async.upsert(table, options, values));
    }

    /**
     * {@link #upsert} of a row per element, many rows per statement, and all or none of them.
     *
     * @param table the table
     * @param elements the elements
     * @param options how a row is found and what becomes of it
     * @param values gives the values for an element
     * @param <E> type of the elements
     * @return the rows as they are stored now, in the order of the elements, without those that the options hold back
     */
    public final <E> List<ResultRow> batchUpsert(
            Table table, Collection<E> elements, UpsertOptions options, BiConsumer<Assignments, E> values) {
        return call(() -> async.batchUpsert(table, elements, options, values));
    }

    /**
     * Inserts a row in the place of those with the same values in a unique key; not on PostgreSQL.
     *
     * @param table the table
     * @param values gives the values
     * @return the row as the database stored it
     */
    public final ResultRow replace(Table table, Consumer<Assignments> values) {
        return call(() -> async.replace(table, values));
    }

    /**
     * {@link #replace} of a row per element, many rows per statement, and all or none of them.
     *
     * @param table the table
     * @param elements the elements
     * @param values gives the values for an element
     * @param <E> type of the elements
     * @return the rows as the database stored them, in the order of the elements
     */
    public final <E> List<ResultRow> batchReplace(Table table, Collection<E> elements, BiConsumer<Assignments, E> values) {
        return call(() -> async.batchReplace(table, elements, values));
    }

    /**
     * Compares a table with another one and inserts, updates and deletes; PostgreSQL from 15 on only.
     *
     * @param table the table to change
     * @param source the other table
     * @param on which rows belong together
     * @param clauses says what becomes of them
     * @return how many rows were inserted, updated and deleted
     */
    public final Integer merge(Table table, Table source, Op<Boolean> on, Consumer<MergeClauses> clauses) {
        return call(() -> async.merge(table, source, on, clauses));
    }

    /**
     * Compares a table with the rows of a query; see the other {@code merge}.
     *
     * @param table the table to change
     * @param source the query
     * @param on which rows belong together
     * @param clauses says what becomes of them
     * @return how many rows were inserted, updated and deleted
     */
    public final Integer merge(Table table, QueryAlias source, Op<Boolean> on, Consumer<MergeClauses> clauses) {
        return call(() -> async.merge(table, source, on, clauses));
    }

    /**
     * Inserts a row and returns what is wanted of it; not on MySQL.
     *
     * @param table the table
     * @param values gives the values
     * @param returning what is wanted; nothing is all columns
     * @return the row
     */
    public final ResultRow insertReturning(Table table, Consumer<Assignments> values, Expression<?>... returning) {
        return call(() -> async.insertReturning(table, values, returning));
    }

    /**
     * {@link #upsert} that returns what is wanted of the row; not on MySQL.
     *
     * @param table the table
     * @param options how a row is found and what becomes of it
     * @param values gives the values
     * @param returning what is wanted; nothing is all columns
     * @return the row as it is stored now; none if the options hold an existing row back
     */
    public final List<ResultRow> upsertReturning(
            Table table, UpsertOptions options, Consumer<Assignments> values, Expression<?>... returning) {
        return call(() -> async.upsertReturning(table, options, values, returning));
    }

    /**
     * Changes the rows that match a condition and returns what is wanted of each as it is then; not on MySQL and MariaDB.
     *
     * @param table the table
     * @param condition the condition
     * @param values gives the values
     * @param returning what is wanted; nothing is all columns
     * @return the rows
     */
    public final List<ResultRow> updateReturning(
            Table table, Op<Boolean> condition, Consumer<Assignments> values, Expression<?>... returning) {
        return call(() -> async.updateReturning(table, condition, values, returning));
    }

    /**
     * Deletes the rows that match a condition and returns what is wanted of each; not on MySQL.
     *
     * @param table the table
     * @param condition the condition
     * @param returning what is wanted; nothing is all columns
     * @return the rows
     */
    public final List<ResultRow> deleteReturning(Table table, Op<Boolean> condition, Expression<?>... returning) {
        return call(() -> async.deleteReturning(table, condition, returning));
    }

    /**
     * A statement in SQL with a {@code ?} for each argument; see {@link AsyncStatements#sql(String, Object...)}. Runs nothing.
     *
     * @param sql the statement
     * @param arguments values, which travel as parameters with the type of their class
     * @return the statement
     */
    public final SqlQuery<SqlRow> sql(String sql, Object... arguments) {
        return async.sql(sql, arguments);
    }

    /**
     * A statement in SQL with parameters {@code :name}. Runs nothing.
     *
     * @param sql the statement
     * @param arguments values by name
     * @return the statement
     */
    public final SqlQuery<SqlRow> sql(String sql, Map<String, ?> arguments) {
        return async.sql(sql, arguments);
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
