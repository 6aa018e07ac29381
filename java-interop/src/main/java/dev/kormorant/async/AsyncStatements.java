package dev.kormorant.async;

import static dev.kormorant.async.KotlinFunctions.unit;

import dev.kormorant.Model;
import dev.kormorant.ModelClass;
import dev.kormorant.ModelQuery;
import dev.kormorant.Query;
import dev.kormorant.ReturningKt;
import dev.kormorant.RowQuery;
import dev.kormorant.Rows;
import dev.kormorant.SizedIterable;
import dev.kormorant.SqlQueries;
import dev.kormorant.SqlQuery;
import dev.kormorant.SqlResult;
import dev.kormorant.SqlRow;
import dev.kormorant.StatementsKt;
import dev.kormorant.UpsertsKt;
import dev.kormorant.async.internal.Funnel;
import dev.kormorant.async.internal.Mapped;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import kotlin.Unit;
import kotlin.jvm.functions.Function0;
import kotlin.jvm.functions.Function1;
import kotlin.jvm.functions.Function2;
import kotlinx.coroutines.flow.FlowKt;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.Join;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.QueryAlias;
import org.jetbrains.exposed.v1.core.ResultRow;
import org.jetbrains.exposed.v1.core.Table;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;
import org.jetbrains.exposed.v1.core.dao.id.IdTable;
import org.jetbrains.exposed.v1.core.statements.InsertStatement;
import org.jetbrains.exposed.v1.core.statements.MergeStatement;
import org.jetbrains.exposed.v1.core.statements.ReplaceStatement;
import org.jetbrains.exposed.v1.core.statements.UpdateBuilder;
import org.jetbrains.exposed.v1.core.statements.UpdateStatement;
import org.jetbrains.exposed.v1.core.statements.UpsertBuilder;
import org.jetbrains.exposed.v1.core.statements.UpsertStatement;

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
     * A table whose rows are immutable objects, such as records.
     *
     * @param table the table
     * @param as class of the objects, by the names of whose parameters columns are found
     * @param <T> class of the objects
     * @return what can be done with them
     */
    public final <T> AsyncRows<T> rows(Table table, Class<T> as) {
        return new AsyncRows<>(funnel, Mapped.table(table, as));
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
     * @param query a query, what {@code as} makes of one, or a compiled query with its values
     * @param <T> what it returns: {@code ResultRow}, or the class it is mapped to
     * @return all of it
     */
    public final <T> CompletableFuture<List<T>> list(Rows<T> query) {
        return funnel.<List<? extends T>, List<T>>call(next -> query.toList(next), Collections::unmodifiableList);
    }

    /**
     * Runs a query.
     *
     * @param query the query
     * @param map makes a value of each row; called on the executor
     * @param <T> what the query returns
     * @param <R> type of the values
     * @return the values of all rows
     */
    public final <T, R> CompletableFuture<List<R>> list(Rows<T> query, Function<? super T, ? extends R> map) {
        return funnel.<List<? extends T>, List<R>>call(next -> query.toList(next), rows -> rows.stream().<R>map(map).toList());
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
     * @param <T> what the query returns
     * @return the first row, if any
     */
    public final <T> CompletableFuture<Optional<T>> first(Rows<T> query) {
        return funnel.<T, Optional<T>>call(next -> query.firstOrNull(next), Optional::ofNullable);
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
     * @param <T> what the query returns
     * @return the only row
     */
    public final <T> CompletableFuture<T> single(Rows<T> query) {
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
    public final CompletableFuture<Long> count(SizedIterable<?> query) {
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
     * Sends a message to all that listen to a channel; in a transaction when that is committed. PostgreSQL only.
     *
     * @param channel name as it is, without quotes
     * @param payload less than 8 000 bytes; may be empty
     * @return complete when it is sent; fails with {@code UnsupportedByDialectException} on other databases, before anything is sent
     */
    public final CompletableFuture<Void> notify(String channel, String payload) {
        return funnel.notify(channel, payload);
    }

    /**
     * Sends data as the input of {@code COPY … FROM STDIN}: all of it is stored or, after any failure, nothing. PostgreSQL only.
     *
     * @param sql the statement
     * @param data pieces cut anywhere; the next one is asked for when the server has taken the one before
     * @return the number of rows; fails with {@code UnsupportedByDialectException} on other databases, before anything is sent
     */
    public final CompletableFuture<Long> copyIn(String sql, java.util.concurrent.Flow.Publisher<byte[]> data) {
        return funnel.copyIn(sql, data);
    }

    /**
     * How the database would run a query; it is not run.
     *
     * @param query the query
     * @return the plan in the database's own form, a text for each of its rows
     */
    public final CompletableFuture<List<String>> explain(RowQuery<?> query) {
        return explain(query, false, null);
    }

    /**
     * How the database would run a query. Fails with {@code UnsupportedByDialectException} if the database has no such option.
     *
     * @param query the query
     * @param analyze whether to run it as well
     * @param options what the database takes in addition, as {@code FORMAT JSON}, or {@code null}
     * @return the plan in the database's own form, a text for each of its rows
     */
    public final CompletableFuture<List<String>> explain(RowQuery<?> query, boolean analyze, String options) {
        return funnel.explain(query, analyze, options);
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

    /**
     * Runs any SQL with parameters {@code :name}.
     *
     * @param sql the statement
     * @param arguments values by name; {@code null} only in a map that takes it
     * @return its rows, or the number of rows affected
     */
    public final CompletableFuture<SqlResult> exec(String sql, Map<String, ?> arguments) {
        return exec(sql(sql, arguments));
    }

    /**
     * Runs a statement given as SQL, of whatever kind it is.
     *
     * @param statement what {@link #sql} has made
     * @return its rows, the number of rows affected and the last id, as far as it has them
     */
    public final CompletableFuture<SqlResult> exec(SqlQuery<?> statement) {
        return funnel.call(next -> statement.execute(next));
    }

    /**
     * A statement in SQL with a {@code ?} for each argument, to be run by {@link #list(Rows)}, {@link #exec(SqlQuery)} and their kin as often
     * as wanted: {@code db.list(db.sql("SELECT id, name FROM users WHERE id > ?", 5).as(UserRow.class))}. Runs nothing.
     *
     * @param sql the statement
     * @param arguments values, which travel as parameters with the type of their class
     * @return the statement
     */
    public final SqlQuery<SqlRow> sql(String sql, Object... arguments) {
        return SqlQueries.sql(funnel.getDatabase(), sql, arguments);
    }

    /**
     * A statement in SQL with parameters {@code :name}; see the other {@code sql}.
     *
     * @param sql the statement
     * @param arguments values by name
     * @return the statement
     */
    public final SqlQuery<SqlRow> sql(String sql, Map<String, ?> arguments) {
        return SqlQueries.sql(funnel.getDatabase(), sql, arguments);
    }

    /**
     * Runs the statements of a script, separated by semicolons, one after another on one connection. The first that fails ends it.
     *
     * @param script the statements, without parameters
     * @return their results, in order
     */
    public final CompletableFuture<List<SqlResult>> script(String script) {
        return funnel.call(next -> SqlQueries.script(funnel.getDatabase(), script, next));
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
        return funnel.call(next -> StatementsKt.batchInsert(table, elements, false, true, assigningElements(values), next));
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

    /**
     * Changes a limited number of the rows that match a condition; MySQL and MariaDB only.
     *
     * @param table the table
     * @param condition the condition
     * @param limit how many at most
     * @param values gives the values
     * @return how many rows matched
     */
    public final CompletableFuture<Integer> update(Table table, Op<Boolean> condition, int limit, Consumer<Assignments> values) {
        return funnel.call(next -> StatementsKt.update(table, () -> condition, limit, assigning(values), next));
    }

    /**
     * Changes the rows of a table of a join; not on SQLite.
     *
     * @param join the join
     * @param condition the condition
     * @param values gives the values
     * @return how many rows matched
     */
    public final CompletableFuture<Integer> update(Join join, Op<Boolean> condition, Consumer<Assignments> values) {
        return funnel.call(next -> StatementsKt.update(join, () -> condition, null, unit(update -> values.accept(new Assignments(update))), next));
    }

    /**
     * Deletes a limited number of the rows that match a condition; MySQL and MariaDB only.
     *
     * @param table the table
     * @param condition the condition
     * @param limit how many at most
     * @return how many rows were deleted
     */
    public final CompletableFuture<Integer> deleteWhere(Table table, Op<Boolean> condition, int limit) {
        return funnel.call(next -> StatementsKt.deleteWhere(table, limit, any -> condition, next));
    }

    /**
     * Deletes the rows that match a condition as far as no constraint forbids it; MySQL and MariaDB only.
     *
     * @param table the table
     * @param condition the condition
     * @return how many rows were deleted; MySQL 8.0 counts those as well that a constraint has kept
     */
    public final CompletableFuture<Integer> deleteIgnoreWhere(Table table, Op<Boolean> condition) {
        return funnel.call(next -> StatementsKt.deleteIgnoreWhere(table, null, any -> condition, next));
    }

    /**
     * Deletes the rows of one table that a join finds; not on SQLite.
     *
     * @param join the join
     * @param target the table to delete from
     * @param condition the condition
     * @return how many rows were deleted
     */
    public final CompletableFuture<Integer> delete(Join join, Table target, Op<Boolean> condition) {
        return funnel.call(next -> StatementsKt.delete(join, target, new Table[0], false, null, () -> condition, next));
    }

    // ---- Rows from queries

    /**
     * Inserts the rows of a query.
     *
     * @param table the table
     * @param query the query
     * @param columns what its fields are stored in; none is all columns but an id that the database makes
     * @return how many rows were inserted
     */
    public final CompletableFuture<Integer> insert(Table table, RowQuery<?> query, Column<?>... columns) {
        return funnel.call(next -> StatementsKt.insert(table, query, orAll(columns), next));
    }

    /**
     * Inserts those rows of a query that violate no unique constraint.
     *
     * @param table the table
     * @param query the query
     * @param columns what its fields are stored in; none is all columns but an id that the database makes
     * @return how many rows were inserted
     */
    public final CompletableFuture<Integer> insertIgnore(Table table, RowQuery<?> query, Column<?>... columns) {
        return funnel.call(next -> StatementsKt.insertIgnore(table, query, orAll(columns), next));
    }

    /**
     * Inserts the rows of a query in the place of those with the same values in a unique key; not on PostgreSQL.
     *
     * @param table the table
     * @param query the query
     * @param columns what its fields are stored in; none is all columns but an id that the database makes
     * @return how many rows there were
     */
    public final CompletableFuture<Integer> replace(Table table, RowQuery<?> query, Column<?>... columns) {
        return funnel.call(next -> UpsertsKt.replace(table, query, orAll(columns), next));
    }

    // ---- Rows that may be there

    /**
     * Inserts a row, or changes the one that is there.
     *
     * @param table the table
     * @param options how a row is found and what becomes of it
     * @param values gives the values
     * @return the row as it is stored now; empty if the options hold an existing row back
     */
    public final CompletableFuture<Optional<ResultRow>> upsert(Table table, UpsertOptions options, Consumer<Assignments> values) {
        return funnel.<UpsertStatement<Long>, Optional<ResultRow>>call(
                next -> UpsertsKt.upsert(table, options.keys, onUpdate(options), options.exclude, where(options), assigning(values), next),
                statement -> Objects.requireNonNull(statement.getResultedValues()).stream().findFirst());
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
    public final <E> CompletableFuture<List<ResultRow>> batchUpsert(
            Table table, Collection<E> elements, UpsertOptions options, BiConsumer<Assignments, E> values) {
        return funnel.call(next -> UpsertsKt.batchUpsert(
                table, elements, options.keys, onUpdate(options), options.exclude, where(options), true, assigningElements(values), next));
    }

    /**
     * Inserts a row in the place of those with the same values in a unique key; not on PostgreSQL.
     *
     * @param table the table
     * @param values gives the values
     * @return the row as the database stored it
     */
    public final CompletableFuture<ResultRow> replace(Table table, Consumer<Assignments> values) {
        return funnel.<ReplaceStatement<Long>, ResultRow>call(next -> UpsertsKt.replace(table, assigning(values), next), AsyncStatements::row);
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
    public final <E> CompletableFuture<List<ResultRow>> batchReplace(Table table, Collection<E> elements, BiConsumer<Assignments, E> values) {
        return funnel.call(next -> UpsertsKt.batchReplace(table, elements, true, assigningElements(values), next));
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
    public final CompletableFuture<Integer> merge(Table table, Table source, Op<Boolean> on, Consumer<MergeClauses> clauses) {
        return funnel.call(next -> UpsertsKt.mergeFrom(table, source, () -> on, merging(clauses), next));
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
    public final CompletableFuture<Integer> merge(Table table, QueryAlias source, Op<Boolean> on, Consumer<MergeClauses> clauses) {
        return funnel.call(next -> UpsertsKt.mergeFrom(table, source, () -> on, merging(clauses), next));
    }

    // ---- Data changes that return rows

    /**
     * Inserts a row and returns what is wanted of it; not on MySQL.
     *
     * @param table the table
     * @param values gives the values
     * @param returning what is wanted; nothing is all columns
     * @return the row
     */
    public final CompletableFuture<ResultRow> insertReturning(Table table, Consumer<Assignments> values, Expression<?>... returning) {
        return collected(ReturningKt.insertReturning(table, orColumns(table, returning), false, assigning(values)), rows -> rows.get(0));
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
    public final CompletableFuture<List<ResultRow>> upsertReturning(
            Table table, UpsertOptions options, Consumer<Assignments> values, Expression<?>... returning) {
        return collected(
                ReturningKt.upsertReturning(
                        table, options.keys, orColumns(table, returning), onUpdate(options), options.exclude, where(options), assigning(values)),
                Collections::unmodifiableList);
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
    public final CompletableFuture<List<ResultRow>> updateReturning(
            Table table, Op<Boolean> condition, Consumer<Assignments> values, Expression<?>... returning) {
        return collected(
                ReturningKt.updateReturning(table, orColumns(table, returning), () -> condition, assigning(values)), Collections::unmodifiableList);
    }

    /**
     * Deletes the rows that match a condition and returns what is wanted of each; not on MySQL.
     *
     * @param table the table
     * @param condition the condition
     * @param returning what is wanted; nothing is all columns
     * @return the rows
     */
    public final CompletableFuture<List<ResultRow>> deleteReturning(Table table, Op<Boolean> condition, Expression<?>... returning) {
        return collected(ReturningKt.deleteReturning(table, orColumns(table, returning), () -> condition), Collections::unmodifiableList);
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

    private static <S extends UpdateBuilder<?>, E> Function2<S, E, Unit> assigningElements(BiConsumer<Assignments, E> values) {
        return (statement, element) -> {
            values.accept(new Assignments(statement), element);
            return Unit.INSTANCE;
        };
    }

    private static <S extends MergeStatement> Function1<S, Unit> merging(Consumer<MergeClauses> clauses) {
        return unit(statement -> clauses.accept(new MergeClauses(statement)));
    }

    private static Function2<UpsertBuilder, UpdateStatement, Unit> onUpdate(UpsertOptions options) {
        return options.onUpdate == null ? null : assigning(options.onUpdate);
    }

    private static Function0<Op<Boolean>> where(UpsertOptions options) {
        return options.where == null ? null : () -> options.where;
    }

    private static List<Column<?>> orAll(Column<?>[] columns) {
        return columns.length == 0 ? null : List.of(columns);
    }

    private static List<Expression<?>> orColumns(Table table, Expression<?>[] fields) {
        return fields.length == 0 ? new ArrayList<>(table.getColumns()) : List.of(fields);
    }

    private <R> CompletableFuture<R> collected(
            kotlinx.coroutines.flow.Flow<ResultRow> rows, Function<List<? extends ResultRow>, R> map) {
        return funnel.<List<? extends ResultRow>, R>call(next -> FlowKt.toList(rows, new ArrayList<ResultRow>(), next), map);
    }

    private static ResultRow row(InsertStatement<?> statement) {
        return Objects.requireNonNull(statement.getResultedValues()).get(0);
    }
}
