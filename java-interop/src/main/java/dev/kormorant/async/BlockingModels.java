package dev.kormorant.async;

import dev.kormorant.Cascade;
import dev.kormorant.Model;
import dev.kormorant.ModelQuery;
import dev.kormorant.Related;
import dev.kormorant.Relation;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.Op;

/**
 * {@link AsyncModels} for a thread that may wait. Calls behave as {@link BlockingStatements} says.
 *
 * @param <I> type of the id
 * @param <M> the model
 */
public final class BlockingModels<I, M extends Model<I>> {
    private final AsyncModels<I, M> async;

    BlockingModels(AsyncModels<I, M> async) {
        this.async = async;
    }

    /**
     * A query for all models; no I/O.
     *
     * @return the query
     */
    public ModelQuery<M> all() {
        return async.all();
    }

    /**
     * A query for the models that match a condition; no I/O.
     *
     * @param condition the condition, see {@link Conditions}
     * @return the query
     */
    public ModelQuery<M> find(Op<Boolean> condition) {
        return async.find(condition);
    }

    /**
     * The model with an id; throws {@code RecordNotFoundException} if there is none.
     *
     * @param id the plain id
     * @return the model
     */
    public M get(I id) {
        return BlockingStatements.call(() -> async.get(id));
    }

    /**
     * The first model that matches a condition; throws {@code RecordNotFoundException} if there is none.
     *
     * @param condition the condition, see {@link Conditions}
     * @return the model
     */
    public M get(Op<Boolean> condition) {
        return BlockingStatements.call(() -> async.get(condition));
    }

    /**
     * The model with an id, if any.
     *
     * @param id the plain id
     * @return the model
     */
    public Optional<M> getOptional(I id) {
        return BlockingStatements.call(() -> async.getOptional(id));
    }

    /**
     * The first model that matches a condition, if any.
     *
     * @param condition the condition, see {@link Conditions}
     * @return the model
     */
    public Optional<M> getOptional(Op<Boolean> condition) {
        return BlockingStatements.call(() -> async.getOptional(condition));
    }

    /**
     * Runs a query.
     *
     * @param query what {@link #all} and {@link #find} begin
     * @return all its models, with the relations it asks for
     */
    public List<M> list(ModelQuery<M> query) {
        return BlockingStatements.call(() -> async.list(query));
    }

    /**
     * Counts the rows of the table.
     *
     * @return how many there are
     */
    public Long count() {
        return BlockingStatements.call(() -> async.count());
    }

    /**
     * Counts the rows that match a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @return how many there are
     */
    public Long count(Op<Boolean> condition) {
        return BlockingStatements.call(() -> async.count(condition));
    }

    /**
     * Looks for a row that matches a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @return whether there is one
     */
    public Boolean exists(Op<Boolean> condition) {
        return BlockingStatements.call(() -> async.exists(condition));
    }

    /**
     * What a relation of a model leads to: loaded once and kept in the model. Throws {@code RecordNotFoundException} if the row
     * a reference names is gone.
     *
     * @param model the model
     * @param relation a relation of it
     * @param <V> type of what is related
     * @return a model, {@code null} for an empty optional reference, or a list of models
     */
    public <V> V load(M model, Relation<? extends Related<V>> relation) {
        return BlockingStatements.call(() -> async.load(model, relation));
    }

    /**
     * Inserts a row.
     *
     * @param init sets its values
     * @return its model, as the database stored it
     */
    public M create(Consumer<? super M> init) {
        return BlockingStatements.call(() -> async.create(init));
    }

    /**
     * Inserts models, many rows per statement, and all or none of them. Ids and defaults made by the database are in them afterwards.
     *
     * @param models new ones
     * @return the models, in their order
     */
    public List<M> createAll(Collection<? extends M> models) {
        return BlockingStatements.call(() -> async.createAll(models));
    }

    /**
     * Inserts a new model, else updates the columns that were changed; does nothing when there are none.
     *
     * @param model the model
     * @return whether a row was written; {@code false} when clean, and when the row is gone
     */
    public Boolean save(M model) {
        return BlockingStatements.call(() -> async.save(model));
    }

    /**
     * Updates some of the changed columns; throws {@code IllegalArgumentException} if the model is new.
     *
     * @param model the model
     * @param only writes no other columns; the rest stays to be saved
     * @return whether a row was written
     */
    public Boolean save(M model, Set<? extends Column<?>> only) {
        return BlockingStatements.call(() -> async.save(model, only));
    }

    /**
     * Deletes the row of a model; saving the model again inserts it.
     *
     * @param model the model
     * @return how many rows were deleted, 0 or 1
     */
    public Integer delete(M model) {
        return BlockingStatements.call(() -> async.delete(model));
    }

    /**
     * Deletes the row with an id.
     *
     * @param id the plain id
     * @return how many rows were deleted, 0 or 1
     */
    public Integer deleteById(I id) {
        return BlockingStatements.call(() -> async.deleteById(id));
    }

    /**
     * Deletes the rows that match a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @return how many rows were deleted
     */
    public Integer deleteWhere(Op<Boolean> condition) {
        return BlockingStatements.call(() -> async.deleteWhere(condition));
    }

    /**
     * Changes the rows that match a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @param values gives the values
     * @return how many rows matched, whether or not their values changed
     */
    public Integer updateWhere(Op<Boolean> condition, Consumer<Assignments> values) {
        return BlockingStatements.call(() -> async.updateWhere(condition, values));
    }

    /**
     * The model with the given values, created with them if there is none.
     *
     * @param lookup sets the values to look for, which the new row gets as well
     * @return the model, and whether this call created it
     */
    public GetOrCreate<M> getOrCreate(Consumer<? super M> lookup) {
        return BlockingStatements.call(() -> async.getOrCreate(lookup));
    }

    /**
     * The model with the given values, created with these and defaults if there is none. Safe against others doing the same at once if a
     * unique constraint covers the values.
     *
     * @param lookup sets the values to look for, which the new row gets as well
     * @param defaults sets further values of the new row
     * @return the model, and whether this call created it
     */
    public GetOrCreate<M> getOrCreate(Consumer<? super M> lookup, Consumer<? super M> defaults) {
        return BlockingStatements.call(() -> async.getOrCreate(lookup, defaults));
    }

    /**
     * The model with an id, created with it and defaults if there is none.
     *
     * @param id the plain id
     * @param defaults sets further values of the new row
     * @return the model, and whether this call created it
     */
    public GetOrCreate<M> getOrCreate(I id, Consumer<? super M> defaults) {
        return BlockingStatements.call(() -> async.getOrCreate(id, defaults));
    }

    /**
     * The model with an id, its row locked until the end of the transaction, so that nobody else changes it meanwhile; only on a
     * transaction. Throws {@code RecordNotFoundException} if there is none.
     *
     * @param id the plain id
     * @return the model
     */
    public M getForUpdate(I id) {
        return BlockingStatements.call(() -> async.getForUpdate(id));
    }

    /**
     * The models of the rows any query returns, columns found by their names; those it does not return are not loaded.
     *
     * @param sql the query
     * @param arguments a value for each {@code ?}
     * @return the models
     */
    public List<M> findBySql(String sql, Object... arguments) {
        return BlockingStatements.call(() -> async.findBySql(sql, arguments));
    }

    /**
     * One value over all rows: {@code users.scalar(max(USERS.age))}.
     *
     * @param expression what is wanted
     * @param <T> type of the value
     * @return the value, empty if it is NULL
     */
    public <T> Optional<T> scalar(Expression<T> expression) {
        return BlockingStatements.call(() -> async.scalar(expression));
    }

    /**
     * Runs a query whose models become objects of another class, with their loaded relations within them: a record, or a class with one
     * constructor. Throws {@code MappingException} if something has no place.
     *
     * @param query what {@link #all} and {@link #find} begin
     * @param as class of the objects
     * @param <R> type of the objects
     * @return the objects
     */
    public <R> List<R> list(ModelQuery<M> query, Class<R> as) {
        return BlockingStatements.call(() -> async.list(query, as));
    }

    /**
     * Inserts a row; if that breaks a unique constraint, finds the model with the same values in the columns of a primary key or unique
     * index. Throws the {@code ConstraintViolationException} if the function sets no such columns or no row has their values.
     *
     * @param init sets its values
     * @return the model, and whether this call created it
     */
    public GetOrCreate<M> createOrGet(Consumer<? super M> init) {
        return BlockingStatements.call(() -> async.createOrGet(init));
    }

    /**
     * Inserts a row, or gives its values to the row that is there with the same values in a unique key, with one statement.
     *
     * @param init sets its values
     * @param keys columns of one unique constraint; none is the first one of the table whose columns are set
     * @return the model as the database stored it
     */
    public M upsert(Consumer<? super M> init, Column<?>... keys) {
        return BlockingStatements.call(() -> async.upsert(init, keys));
    }

    /**
     * Reads a model, locking its row, lets a function change it and saves it, in a transaction.
     *
     * @param id the plain id
     * @param change sets values
     * @return the saved model, if there is one
     */
    public Optional<M> findByIdAndUpdate(I id, Consumer<? super M> change) {
        return BlockingStatements.call(() -> async.findByIdAndUpdate(id, change));
    }

    /**
     * Inserts a row even if the model stands for one already.
     *
     * @param model the model
     * @return true
     */
    public Boolean forceInsert(M model) {
        return BlockingStatements.call(() -> async.forceInsert(model));
    }

    /**
     * Reads the row of a model again; unsaved changes and loaded relations are gone. Throws {@code RecordNotFoundException} if the
     * row is.
     *
     * @param model the model
     * @return the same model
     */
    public M refresh(M model) {
        return BlockingStatements.call(() -> async.refresh(model));
    }

    /**
     * Deletes the row of a model together with what refers to it.
     *
     * @param model the model
     * @param cascade what becomes of rows that refer to it
     * @return how many rows of the model itself were deleted, 0 or 1
     */
    public Integer delete(M model, Cascade cascade) {
        return BlockingStatements.call(() -> async.delete(model, cascade));
    }

    /**
     * Inserts models as {@link #createAll(Collection)} does, so many rows per statement at most.
     *
     * @param models new ones
     * @param batchSize rows per statement at most
     * @return the models, in their order
     */
    public List<M> createAll(Collection<? extends M> models, int batchSize) {
        return BlockingStatements.call(() -> async.createAll(models, batchSize));
    }

    /**
     * Writes some columns of models, whether or not they were changed, with one UPDATE for many of them; all of them or none.
     *
     * @param models saved ones
     * @param columns what to write, none of the key
     * @return how many of the rows were there
     */
    public Integer updateAll(Collection<? extends M> models, Column<?>... columns) {
        return BlockingStatements.call(() -> async.updateAll(models, columns));
    }

    /**
     * Writes some columns of models, so many rows per statement at most; see the other {@code updateAll}.
     *
     * @param batchSize rows per statement at most
     * @param models saved ones
     * @param columns what to write, none of the key
     * @return how many of the rows were there
     */
    public Integer updateAll(int batchSize, Collection<? extends M> models, Column<?>... columns) {
        return BlockingStatements.call(() -> async.updateAll(batchSize, models, columns));
    }
}
