package dev.kormorant.async;

import static dev.kormorant.async.KotlinFunctions.unit;

import dev.kormorant.Cascade;
import dev.kormorant.ManyToMany;
import dev.kormorant.Model;
import dev.kormorant.ModelClass;
import dev.kormorant.ModelKt;
import dev.kormorant.ModelQuery;
import dev.kormorant.Related;
import dev.kormorant.Relation;
import dev.kormorant.async.internal.Funnel;
import dev.kormorant.async.internal.Mapped;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import kotlin.Pair;
import kotlin.Unit;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption;

/**
 * What can be done with the models of one class, on the database or handle it was made for ({@link AsyncStatements#models}). Every call
 * has a twin with a handle first, which runs it there instead: {@code pages.get(1L)}, {@code pages.get(tx, 1L)}. Futures behave as
 * {@link AsyncStatements} says; functions that set values are called once, on the calling thread or on the executor.
 *
 * @param <I> type of the id
 * @param <M> the model
 */
public final class AsyncModels<I, M extends Model<I>> {
    private final Funnel funnel;
    private final ModelClass<I, M> type;

    AsyncModels(Funnel funnel, ModelClass<I, M> type) {
        this.funnel = funnel;
        this.type = Objects.requireNonNull(type, "type");
    }

    /**
     * The same functions on a transaction, a connection or another database.
     *
     * @param handle where they are to run
     * @return the functions
     */
    public AsyncModels<I, M> on(AsyncStatements handle) {
        return handle.models(type);
    }

    // ---- Queries as values

    /**
     * A query for all models; no I/O. {@link #list(ModelQuery)} and {@link AsyncStatements#list(ModelQuery)} run it.
     *
     * @return the query
     */
    public ModelQuery<M> all() {
        return type.all();
    }

    /**
     * A query for the models that match a condition; no I/O.
     *
     * @param condition the condition, see {@link Conditions}
     * @return the query
     */
    public ModelQuery<M> find(Op<Boolean> condition) {
        return type.find(() -> condition);
    }

    /**
     * A query for all models, those that the type's scope hides as well; no I/O.
     *
     * @return the query
     */
    public ModelQuery<M> unscoped() {
        return type.unscoped();
    }

    // ---- Reading

    /**
     * The model with an id; fails with {@code RecordNotFoundException} if there is none.
     *
     * @param id the plain id
     * @return the model
     */
    public CompletableFuture<M> get(I id) {
        return funnel.call(next -> type.get(id, next));
    }

    /**
     * {@link #get(Object)} on a handle.
     *
     * @param handle where to run it
     * @param id the plain id
     * @return the model
     */
    public CompletableFuture<M> get(AsyncStatements handle, I id) {
        return on(handle).get(id);
    }

    /**
     * The first model that matches a condition; fails with {@code RecordNotFoundException} if there is none.
     *
     * @param condition the condition, see {@link Conditions}
     * @return the model
     */
    public CompletableFuture<M> get(Op<Boolean> condition) {
        return funnel.call(next -> type.get(() -> condition, next));
    }

    /**
     * {@link #get(Op)} on a handle.
     *
     * @param handle where to run it
     * @param condition the condition, see {@link Conditions}
     * @return the model
     */
    public CompletableFuture<M> get(AsyncStatements handle, Op<Boolean> condition) {
        return on(handle).get(condition);
    }

    /**
     * The model with an id, if any.
     *
     * @param id the plain id
     * @return the model
     */
    public CompletableFuture<Optional<M>> getOptional(I id) {
        return funnel.<M, Optional<M>>call(next -> type.getOrNull(id, next), Optional::ofNullable);
    }

    /**
     * {@link #getOptional(Object)} on a handle.
     *
     * @param handle where to run it
     * @param id the plain id
     * @return the model
     */
    public CompletableFuture<Optional<M>> getOptional(AsyncStatements handle, I id) {
        return on(handle).getOptional(id);
    }

    /**
     * The first model that matches a condition, if any.
     *
     * @param condition the condition, see {@link Conditions}
     * @return the model
     */
    public CompletableFuture<Optional<M>> getOptional(Op<Boolean> condition) {
        return funnel.<M, Optional<M>>call(next -> type.getOrNull(() -> condition, next), Optional::ofNullable);
    }

    /**
     * {@link #getOptional(Op)} on a handle.
     *
     * @param handle where to run it
     * @param condition the condition, see {@link Conditions}
     * @return the model
     */
    public CompletableFuture<Optional<M>> getOptional(AsyncStatements handle, Op<Boolean> condition) {
        return on(handle).getOptional(condition);
    }

    /**
     * Runs a query.
     *
     * @param query what {@link #all} and {@link #find} begin
     * @return all its models, with the relations it asks for
     */
    public CompletableFuture<List<M>> list(ModelQuery<M> query) {
        return funnel.<List<? extends M>, List<M>>call(next -> query.toList(next), Collections::unmodifiableList);
    }

    /**
     * {@link #list(ModelQuery)} on a handle.
     *
     * @param handle where to run it
     * @param query what {@link #all} and {@link #find} begin
     * @return all its models, with the relations it asks for
     */
    public CompletableFuture<List<M>> list(AsyncStatements handle, ModelQuery<M> query) {
        return on(handle).list(query);
    }

    /**
     * Counts the rows of the table.
     *
     * @return how many there are
     */
    public CompletableFuture<Long> count() {
        return funnel.call(next -> type.count(next));
    }

    /**
     * {@link #count()} on a handle.
     *
     * @param handle where to run it
     * @return how many there are
     */
    public CompletableFuture<Long> count(AsyncStatements handle) {
        return on(handle).count();
    }

    /**
     * Counts the rows that match a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @return how many there are
     */
    public CompletableFuture<Long> count(Op<Boolean> condition) {
        return funnel.call(next -> type.count(() -> condition, next));
    }

    /**
     * {@link #count(Op)} on a handle.
     *
     * @param handle where to run it
     * @param condition the condition, see {@link Conditions}
     * @return how many there are
     */
    public CompletableFuture<Long> count(AsyncStatements handle, Op<Boolean> condition) {
        return on(handle).count(condition);
    }

    /**
     * Looks for a row that matches a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @return whether there is one
     */
    public CompletableFuture<Boolean> exists(Op<Boolean> condition) {
        return funnel.call(next -> type.exists(() -> condition, next));
    }

    /**
     * {@link #exists(Op)} on a handle.
     *
     * @param handle where to run it
     * @param condition the condition, see {@link Conditions}
     * @return whether there is one
     */
    public CompletableFuture<Boolean> exists(AsyncStatements handle, Op<Boolean> condition) {
        return on(handle).exists(condition);
    }

    /**
     * What a relation of a model leads to: loaded once and kept in the model. Fails with {@code RecordNotFoundException} if the row
     * a reference names is gone.
     *
     * @param model the model
     * @param relation a relation of it
     * @param <V> type of what is related
     * @return a model, {@code null} for an empty optional reference, or a list of models
     */
    public <V> CompletableFuture<V> load(M model, Relation<? extends Related<V>> relation) {
        return load(relation.of(model));
    }

    /**
     * {@link #load(Model, Relation)} on a handle.
     *
     * @param handle where to run it
     * @param model the model
     * @param relation a relation of it
     * @param <V> type of what is related
     * @return a model, {@code null} for an empty optional reference, or a list of models
     */
    public <V> CompletableFuture<V> load(AsyncStatements handle, M model, Relation<? extends Related<V>> relation) {
        return on(handle).load(model, relation);
    }

    // ---- Writing

    /**
     * Inserts a row.
     *
     * @param init sets its values
     * @return its model, as the database stored it
     */
    public CompletableFuture<M> create(Consumer<? super M> init) {
        return funnel.call(next -> type.create(unit(init), next));
    }

    /**
     * {@link #create(Consumer)} on a handle.
     *
     * @param handle where to run it
     * @param init sets its values
     * @return its model, as the database stored it
     */
    public CompletableFuture<M> create(AsyncStatements handle, Consumer<? super M> init) {
        return on(handle).create(init);
    }

    /**
     * Inserts models, many rows per statement, and all or none of them. Ids and defaults made by the database are in them afterwards.
     *
     * @param models new ones
     * @return the models, in their order
     */
    public CompletableFuture<List<M>> createAll(Collection<? extends M> models) {
        return funnel.<List<? extends M>, List<M>>call(next -> type.createAll(models, null, next), Collections::unmodifiableList);
    }

    /**
     * {@link #createAll(Collection)} on a handle.
     *
     * @param handle where to run it
     * @param models new ones
     * @return the models, in their order
     */
    public CompletableFuture<List<M>> createAll(AsyncStatements handle, Collection<? extends M> models) {
        return on(handle).createAll(models);
    }

    /**
     * Inserts a new model, else updates the columns that were changed; does nothing when there are none.
     *
     * @param model the model
     * @return whether a row was written; {@code false} when clean, and when the row is gone
     */
    public CompletableFuture<Boolean> save(M model) {
        return funnel.call(next -> ModelKt.save(model, null, false, next));
    }

    /**
     * {@link #save(Model)} on a handle.
     *
     * @param handle where to run it
     * @param model the model
     * @return whether a row was written; {@code false} when clean, and when the row is gone
     */
    public CompletableFuture<Boolean> save(AsyncStatements handle, M model) {
        return on(handle).save(model);
    }

    /**
     * Updates some of the changed columns; fails with {@code IllegalArgumentException} if the model is new.
     *
     * @param model the model
     * @param only writes no other columns; the rest stays to be saved
     * @return whether a row was written
     */
    public CompletableFuture<Boolean> save(M model, Set<? extends Column<?>> only) {
        return funnel.call(next -> ModelKt.save(model, only, false, next));
    }

    /**
     * {@link #save(Model, Set)} on a handle.
     *
     * @param handle where to run it
     * @param model the model
     * @param only writes no other columns; the rest stays to be saved
     * @return whether a row was written
     */
    public CompletableFuture<Boolean> save(AsyncStatements handle, M model, Set<? extends Column<?>> only) {
        return on(handle).save(model, only);
    }

    /**
     * Deletes the row of a model; saving the model again inserts it.
     *
     * @param model the model
     * @return how many rows were deleted, 0 or 1
     */
    public CompletableFuture<Integer> delete(M model) {
        return funnel.call(next -> ModelKt.delete(model, Cascade.NONE, next));
    }

    /**
     * {@link #delete(Model)} on a handle.
     *
     * @param handle where to run it
     * @param model the model
     * @return how many rows were deleted, 0 or 1
     */
    public CompletableFuture<Integer> delete(AsyncStatements handle, M model) {
        return on(handle).delete(model);
    }

    /**
     * Deletes the row with an id.
     *
     * @param id the plain id
     * @return how many rows were deleted, 0 or 1
     */
    public CompletableFuture<Integer> deleteById(I id) {
        return funnel.call(next -> type.deleteById(id, next));
    }

    /**
     * {@link #deleteById(Object)} on a handle.
     *
     * @param handle where to run it
     * @param id the plain id
     * @return how many rows were deleted, 0 or 1
     */
    public CompletableFuture<Integer> deleteById(AsyncStatements handle, I id) {
        return on(handle).deleteById(id);
    }

    /**
     * Deletes the rows that match a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @return how many rows were deleted
     */
    public CompletableFuture<Integer> deleteWhere(Op<Boolean> condition) {
        return funnel.call(next -> type.deleteWhere(() -> condition, next));
    }

    /**
     * {@link #deleteWhere(Op)} on a handle.
     *
     * @param handle where to run it
     * @param condition the condition, see {@link Conditions}
     * @return how many rows were deleted
     */
    public CompletableFuture<Integer> deleteWhere(AsyncStatements handle, Op<Boolean> condition) {
        return on(handle).deleteWhere(condition);
    }

    /**
     * Changes the rows that match a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @param values gives the values
     * @return how many rows matched, whether or not their values changed
     */
    public CompletableFuture<Integer> updateWhere(Op<Boolean> condition, Consumer<Assignments> values) {
        return funnel.call(next -> type.updateWhere(() -> condition, (table, statement) -> {
            values.accept(new Assignments(statement));
            return Unit.INSTANCE;
        }, next));
    }

    /**
     * {@link #updateWhere(Op, Consumer)} on a handle.
     *
     * @param handle where to run it
     * @param condition the condition, see {@link Conditions}
     * @param values gives the values
     * @return how many rows matched, whether or not their values changed
     */
    public CompletableFuture<Integer> updateWhere(AsyncStatements handle, Op<Boolean> condition, Consumer<Assignments> values) {
        return on(handle).updateWhere(condition, values);
    }

    /**
     * The model with the given values, created with them if there is none.
     *
     * @param lookup sets the values to look for, which the new row gets as well
     * @return the model, and whether this call created it
     */
    public CompletableFuture<GetOrCreate<M>> getOrCreate(Consumer<? super M> lookup) {
        return getOrCreate(lookup, none -> {});
    }

    /**
     * {@link #getOrCreate(Consumer)} on a handle.
     *
     * @param handle where to run it
     * @param lookup sets the values to look for, which the new row gets as well
     * @return the model, and whether this call created it
     */
    public CompletableFuture<GetOrCreate<M>> getOrCreate(AsyncStatements handle, Consumer<? super M> lookup) {
        return on(handle).getOrCreate(lookup);
    }

    /**
     * The model with the given values, created with these and defaults if there is none. Safe against others doing the same at once if a
     * unique constraint covers the values.
     *
     * @param lookup sets the values to look for, which the new row gets as well
     * @param defaults sets further values of the new row
     * @return the model, and whether this call created it
     */
    public CompletableFuture<GetOrCreate<M>> getOrCreate(Consumer<? super M> lookup, Consumer<? super M> defaults) {
        return funnel.<Pair<? extends M, Boolean>, GetOrCreate<M>>call(
                next -> type.getOrCreate(unit(lookup), unit(defaults), next), AsyncModels::found);
    }

    /**
     * {@link #getOrCreate(Consumer, Consumer)} on a handle.
     *
     * @param handle where to run it
     * @param lookup sets the values to look for, which the new row gets as well
     * @param defaults sets further values of the new row
     * @return the model, and whether this call created it
     */
    public CompletableFuture<GetOrCreate<M>> getOrCreate(AsyncStatements handle, Consumer<? super M> lookup, Consumer<? super M> defaults) {
        return on(handle).getOrCreate(lookup, defaults);
    }

    /**
     * The model with an id, created with it and defaults if there is none.
     *
     * @param id the plain id
     * @param defaults sets further values of the new row
     * @return the model, and whether this call created it
     */
    public CompletableFuture<GetOrCreate<M>> getOrCreate(I id, Consumer<? super M> defaults) {
        return funnel.<Pair<? extends M, Boolean>, GetOrCreate<M>>call(
                next -> type.getOrCreate(id, unit(defaults), next), AsyncModels::found);
    }

    /**
     * {@link #getOrCreate(Object, Consumer)} on a handle.
     *
     * @param handle where to run it
     * @param id the plain id
     * @param defaults sets further values of the new row
     * @return the model, and whether this call created it
     */
    public CompletableFuture<GetOrCreate<M>> getOrCreate(AsyncStatements handle, I id, Consumer<? super M> defaults) {
        return on(handle).getOrCreate(id, defaults);
    }

    /**
     * The model with an id, its row locked until the end of the transaction, so that nobody else changes it meanwhile; only on a
     * transaction. Fails with {@code RecordNotFoundException} if there is none.
     *
     * @param id the plain id
     * @return the model
     */
    public CompletableFuture<M> getForUpdate(I id) {
        return funnel.call(next -> type.getForUpdate(id, ForUpdateOption.ForUpdate.INSTANCE, next));
    }

    /**
     * {@link #getForUpdate(Object)} on a handle.
     *
     * @param handle where to run it
     * @param id the plain id
     * @return the model
     */
    public CompletableFuture<M> getForUpdate(AsyncStatements handle, I id) {
        return on(handle).getForUpdate(id);
    }

    /**
     * The models of the rows any query returns, columns found by their names; those it does not return are not loaded.
     *
     * @param sql the query
     * @param arguments a value for each {@code ?}
     * @return the models
     */
    public CompletableFuture<List<M>> findBySql(String sql, Object... arguments) {
        return funnel.<List<? extends M>, List<M>>call(next -> type.findBySql(sql, arguments, next), Collections::unmodifiableList);
    }

    /**
     * {@link #findBySql(String, Object...)} on a handle.
     *
     * @param handle where to run it
     * @param sql the query
     * @param arguments a value for each {@code ?}
     * @return the models
     */
    public CompletableFuture<List<M>> findBySql(AsyncStatements handle, String sql, Object... arguments) {
        return on(handle).findBySql(sql, arguments);
    }

    /**
     * One value over all rows: {@code users.scalar(max(USERS.age))}.
     *
     * @param expression what is wanted
     * @param <T> type of the value
     * @return the value, empty if it is NULL
     */
    public <T> CompletableFuture<Optional<T>> scalar(Expression<T> expression) {
        return funnel.<T, Optional<T>>call(next -> type.scalar(expression, next), Optional::ofNullable);
    }

    /**
     * {@link #scalar(Expression)} on a handle.
     *
     * @param handle where to run it
     * @param expression what is wanted
     * @param <T> type of the value
     * @return the value, empty if it is NULL
     */
    public <T> CompletableFuture<Optional<T>> scalar(AsyncStatements handle, Expression<T> expression) {
        return on(handle).scalar(expression);
    }

    /**
     * Runs a query whose models become objects of another class, with their loaded relations within them: a record, or a class with one
     * constructor. Fails with {@code MappingException} if something has no place.
     *
     * @param query what {@link #all} and {@link #find} begin
     * @param as class of the objects
     * @param <R> type of the objects
     * @return the objects
     */
    public <R> CompletableFuture<List<R>> list(ModelQuery<M> query, Class<R> as) {
        return funnel.<List<? extends R>, List<R>>call(next -> Mapped.rows(query, as).toList(next), Collections::unmodifiableList);
    }

    /**
     * {@link #list(ModelQuery, Class)} on a handle.
     *
     * @param handle where to run it
     * @param query what {@link #all} and {@link #find} begin
     * @param as class of the objects
     * @param <R> type of the objects
     * @return the objects
     */
    public <R> CompletableFuture<List<R>> list(AsyncStatements handle, ModelQuery<M> query, Class<R> as) {
        return on(handle).list(query, as);
    }

    /**
     * Inserts a row; if that breaks a unique constraint, finds the model with the same values in the columns of a primary key or unique
     * index. Fails with the {@code ConstraintViolationException} if the function sets no such columns or no row has their values.
     *
     * @param init sets its values
     * @return the model, and whether this call created it
     */
    public CompletableFuture<GetOrCreate<M>> createOrGet(Consumer<? super M> init) {
        return funnel.<Pair<? extends M, Boolean>, GetOrCreate<M>>call(next -> type.createOrGet(unit(init), next), AsyncModels::found);
    }

    /**
     * {@link #createOrGet(Consumer)} on a handle.
     *
     * @param handle where to run it
     * @param init sets its values
     * @return the model, and whether this call created it
     */
    public CompletableFuture<GetOrCreate<M>> createOrGet(AsyncStatements handle, Consumer<? super M> init) {
        return on(handle).createOrGet(init);
    }

    /**
     * Inserts a row, or gives its values to the row that is there with the same values in a unique key, with one statement.
     *
     * @param init sets its values
     * @param keys columns of one unique constraint; none is the first one of the table whose columns are set
     * @return the model as the database stored it
     */
    public CompletableFuture<M> upsert(Consumer<? super M> init, Column<?>... keys) {
        return funnel.call(next -> type.upsert(keys, unit(init), next));
    }

    /**
     * {@link #upsert(Consumer, Column...)} on a handle.
     *
     * @param handle where to run it
     * @param init sets its values
     * @param keys columns of one unique constraint; none is the first one of the table whose columns are set
     * @return the model as the database stored it
     */
    public CompletableFuture<M> upsert(AsyncStatements handle, Consumer<? super M> init, Column<?>... keys) {
        return on(handle).upsert(init, keys);
    }

    /**
     * Reads a model, locking its row, lets a function change it and saves it, in a transaction.
     *
     * @param id the plain id
     * @param change sets values
     * @return the saved model, if there is one
     */
    public CompletableFuture<Optional<M>> findByIdAndUpdate(I id, Consumer<? super M> change) {
        return funnel.<M, Optional<M>>call(next -> type.findByIdAndUpdate(id, unit(change), next), Optional::ofNullable);
    }

    /**
     * {@link #findByIdAndUpdate(Object, Consumer)} on a handle.
     *
     * @param handle where to run it
     * @param id the plain id
     * @param change sets values
     * @return the saved model, if there is one
     */
    public CompletableFuture<Optional<M>> findByIdAndUpdate(AsyncStatements handle, I id, Consumer<? super M> change) {
        return on(handle).findByIdAndUpdate(id, change);
    }

    /**
     * Inserts a row even if the model stands for one already.
     *
     * @param model the model
     * @return true
     */
    public CompletableFuture<Boolean> forceInsert(M model) {
        return funnel.call(next -> ModelKt.save(model, null, true, next));
    }

    /**
     * {@link #forceInsert(Model)} on a handle.
     *
     * @param handle where to run it
     * @param model the model
     * @return true
     */
    public CompletableFuture<Boolean> forceInsert(AsyncStatements handle, M model) {
        return on(handle).forceInsert(model);
    }

    /**
     * Reads the row of a model again; unsaved changes and loaded relations are gone. Fails with {@code RecordNotFoundException} if the
     * row is.
     *
     * @param model the model
     * @return the same model
     */
    public CompletableFuture<M> refresh(M model) {
        return funnel.call(next -> ModelKt.refresh(model, next));
    }

    /**
     * {@link #refresh(Model)} on a handle.
     *
     * @param handle where to run it
     * @param model the model
     * @return the same model
     */
    public CompletableFuture<M> refresh(AsyncStatements handle, M model) {
        return on(handle).refresh(model);
    }

    /**
     * Deletes the row of a model together with what refers to it.
     *
     * @param model the model
     * @param cascade what becomes of rows that refer to it
     * @return how many rows of the model itself were deleted, 0 or 1
     */
    public CompletableFuture<Integer> delete(M model, Cascade cascade) {
        return funnel.call(next -> ModelKt.delete(model, cascade, next));
    }

    /**
     * {@link #delete(Model, Cascade)} on a handle.
     *
     * @param handle where to run it
     * @param model the model
     * @param cascade what becomes of rows that refer to it
     * @return how many rows of the model itself were deleted, 0 or 1
     */
    public CompletableFuture<Integer> delete(AsyncStatements handle, M model, Cascade cascade) {
        return on(handle).delete(model, cascade);
    }

    /**
     * Inserts models as {@link #createAll(Collection)} does, so many rows per statement at most.
     *
     * @param models new ones
     * @param batchSize rows per statement at most
     * @return the models, in their order
     */
    public CompletableFuture<List<M>> createAll(Collection<? extends M> models, int batchSize) {
        return funnel.<List<? extends M>, List<M>>call(next -> type.createAll(models, batchSize, next), Collections::unmodifiableList);
    }

    /**
     * {@link #createAll(Collection, int)} on a handle.
     *
     * @param handle where to run it
     * @param models new ones
     * @param batchSize rows per statement at most
     * @return the models, in their order
     */
    public CompletableFuture<List<M>> createAll(AsyncStatements handle, Collection<? extends M> models, int batchSize) {
        return on(handle).createAll(models, batchSize);
    }

    /**
     * Writes some columns of models, whether or not they were changed, with one UPDATE for many of them; all of them or none.
     *
     * @param models saved ones
     * @param columns what to write, none of the key
     * @return how many of the rows were there
     */
    public CompletableFuture<Integer> updateAll(Collection<? extends M> models, Column<?>... columns) {
        return updateAll(1000, models, columns);
    }

    /**
     * {@link #updateAll(Collection, Column...)} on a handle.
     *
     * @param handle where to run it
     * @param models saved ones
     * @param columns what to write, none of the key
     * @return how many of the rows were there
     */
    public CompletableFuture<Integer> updateAll(AsyncStatements handle, Collection<? extends M> models, Column<?>... columns) {
        return on(handle).updateAll(models, columns);
    }

    /**
     * Writes some columns of models, so many rows per statement at most; see the other {@code updateAll}.
     *
     * @param batchSize rows per statement at most
     * @param models saved ones
     * @param columns what to write, none of the key
     * @return how many of the rows were there
     */
    public CompletableFuture<Integer> updateAll(int batchSize, Collection<? extends M> models, Column<?>... columns) {
        return funnel.call(next -> type.updateAll(models, columns, batchSize, next));
    }

    /**
     * {@link #updateAll(int, Collection, Column...)} on a handle.
     *
     * @param handle where to run it
     * @param batchSize rows per statement at most
     * @param models saved ones
     * @param columns what to write, none of the key
     * @return how many of the rows were there
     */
    public CompletableFuture<Integer> updateAll(AsyncStatements handle, int batchSize, Collection<? extends M> models, Column<?>... columns) {
        return on(handle).updateAll(batchSize, models, columns);
    }

    /**
     * The links of a model, to be changed.
     *
     * @param model the model
     * @param relation a many-to-many relation of it
     * @param <N> the model on the other side
     * @return what can be done with them
     */
    public <N extends Model<?>> AsyncLinks<N> link(M model, ManyToMany<N> relation) {
        return new AsyncLinks<>(funnel, relation.of(model));
    }

    /**
     * {@link #link(Model, ManyToMany)} on a handle.
     *
     * @param handle where to change them
     * @param model the model
     * @param relation a many-to-many relation of it
     * @param <N> the model on the other side
     * @return what can be done with them
     */
    public <N extends Model<?>> AsyncLinks<N> link(AsyncStatements handle, M model, ManyToMany<N> relation) {
        return on(handle).link(model, relation);
    }

    private <V> CompletableFuture<V> load(Related<V> related) {
        return funnel.call(next -> related.invoke(next));
    }

    private static <M> GetOrCreate<M> found(Pair<? extends M, Boolean> pair) {
        return new GetOrCreate<>(pair.getFirst(), pair.getSecond());
    }
}
