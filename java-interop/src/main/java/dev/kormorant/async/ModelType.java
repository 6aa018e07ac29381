package dev.kormorant.async;

import dev.kormorant.BackReference;
import dev.kormorant.ManyToMany;
import dev.kormorant.Model;
import dev.kormorant.ModelClass;
import dev.kormorant.OptionalBackReference;
import dev.kormorant.OptionalReference;
import dev.kormorant.Reference;
import dev.kormorant.Referrers;
import dev.kormorant.async.internal.ModelOptions;
import java.util.function.Supplier;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.dao.id.IdTable;

/**
 * What makes a Java class a model: its table and how an object of it is made. The class holds it in a static field, by which it is
 * found, and its relations in others:
 *
 * <pre>{@code
 * public final class Tweet extends LongModel {
 *     public static final ModelType<Long, Tweet> MODEL = ModelType.of(TWEETS, Tweet::new);
 *     public static final Reference<Long, User> USER = MODEL.reference(TWEETS.user, () -> User.MODEL);
 *
 *     public String getText() { return get(TWEETS.text); }
 *     public void setText(String text) { set(TWEETS.text, text); }
 *     public Ref<Long, User> user() { return USER.of(this); }
 * }
 * }</pre>
 *
 * Relations name the other model by a lambda, which is called at first use, so that two classes may name each other. It holds no
 * database and does no I/O: {@link AsyncStatements#models} does.
 *
 * @param <I> type of the id
 * @param <M> the model
 */
public final class ModelType<I, M extends Model<I>> extends ModelClass<I, M> {
    private final Supplier<M> factory;
    private final ModelOptions options;

    private ModelType(IdTable<I> table, Supplier<M> factory, ModelOptions options) {
        super(table, factory::get);
        this.factory = factory;
        this.options = options;
    }

    /**
     * The type of a model.
     *
     * @param table its table
     * @param factory makes an unsaved one, once per row loaded, so it should do no more than construct
     * @param <I> type of the id
     * @param <M> the model
     * @return the type
     */
    public static <I, M extends Model<I>> ModelType<I, M> of(IdTable<I> table, Supplier<M> factory) {
        return new ModelType<>(table, factory, ModelOptions.NONE);
    }

    /**
     * The same with a column that counts the changes of a row: a model is saved and deleted in the version it was loaded with only, and
     * the call fails with {@code StaleModelException} if somebody else was faster.
     *
     * @param column an integer, long or short column of the table
     * @return another type, which is the one to keep
     */
    public ModelType<I, M> versioned(Column<? extends Number> column) {
        return new ModelType<>(getTable(), factory, options.versioned(column));
    }

    /**
     * The same with a condition that all its queries and relations have, such as {@code isNull(POSTS.deletedAt)} for rows that are deleted
     * softly; {@link AsyncModels#unscoped} asks for all rows.
     *
     * @param condition asked for at each query
     * @return another type, which is the one to keep
     */
    public ModelType<I, M> scoped(Supplier<Op<Boolean>> condition) {
        return new ModelType<>(getTable(), factory, options.scoped(condition));
    }

    @Override
    public Column<? extends Number> getVersion() {
        return options.getVersion();
    }

    @Override
    public Op<Boolean> getDefaultScope() {
        return options.getScope() == null ? null : options.getScope().get();
    }

    /**
     * Hooks around the saving, deleting and loading of these models.
     *
     * @return where to register them
     */
    public AsyncHooks<M> hooks() {
        return new AsyncHooks<>(this);
    }

    // ---- Relations

    /**
     * The relation to the one model that a column refers to.
     *
     * @param column a column of this table
     * @param target the other model's type
     * @param <J> type of its id
     * @param <N> the other model
     * @return the relation
     */
    public <J, N extends Model<J>> Reference<J, N> reference(Column<?> column, Supplier<? extends ModelClass<J, N>> target) {
        return new Reference<>(target::get, own(column));
    }

    /**
     * The relation to the model that a nullable column refers to, or none.
     *
     * @param column a column of this table
     * @param target the other model's type
     * @param <J> type of its id
     * @param <N> the other model
     * @return the relation
     */
    public <J, N extends Model<J>> OptionalReference<J, N> optionalReference(Column<?> column, Supplier<? extends ModelClass<J, N>> target) {
        return new OptionalReference<>(target::get, own(column));
    }

    /**
     * The relation to the models that refer to this one.
     *
     * @param column the column of the other table that refers to this one
     * @param target the other model's type
     * @param <N> the other model
     * @return the relation
     */
    public <N extends Model<?>> Referrers<N> referrers(Column<?> column, Supplier<? extends ModelClass<?, N>> target) {
        return new Referrers<>(target::get, column);
    }

    /**
     * The relation to the one model that refers to this one.
     *
     * @param column the column of the other table that refers to this one; it should be unique
     * @param target the other model's type
     * @param <N> the other model
     * @return the relation
     */
    public <N extends Model<?>> BackReference<N> backReference(Column<?> column, Supplier<? extends ModelClass<?, N>> target) {
        return new BackReference<>(target::get, column);
    }

    /**
     * The relation to the one model that refers to this one, or none.
     *
     * @param column the column of the other table that refers to this one; it should be unique
     * @param target the other model's type
     * @param <N> the other model
     * @return the relation
     */
    public <N extends Model<?>> OptionalBackReference<N> optionalBackReference(Column<?> column, Supplier<? extends ModelClass<?, N>> target) {
        return new OptionalBackReference<>(target::get, column);
    }

    /**
     * The relation to the one model that a foreign key of several columns refers to.
     *
     * @param target the other model's type
     * @param columns the columns of this table that are the key
     * @param <J> type of its id
     * @param <N> the other model
     * @return the relation
     */
    public <J, N extends Model<J>> Reference<J, N> reference(Supplier<? extends ModelClass<J, N>> target, Column<?>... columns) {
        return new Reference<>(target::get, columns);
    }

    /**
     * The relation to the models whose foreign key of several columns refers to this one.
     *
     * @param target the other model's type
     * @param columns the columns of the other table that are the key
     * @param <N> the other model
     * @return the relation
     */
    public <N extends Model<?>> Referrers<N> referrers(Supplier<? extends ModelClass<?, N>> target, Column<?>... columns) {
        return new Referrers<>(target::get, columns);
    }

    /**
     * The relation to models through the rows of a link table.
     *
     * @param source the column of the link table that refers to this model
     * @param linked the column of the link table that refers to the others
     * @param target the other model's type
     * @param <N> the other model
     * @return the relation
     */
    public <N extends Model<?>> ManyToMany<N> manyToMany(Column<?> source, Column<?> linked, Supplier<? extends ModelClass<?, N>> target) {
        return new ManyToMany<>(target::get, source, linked);
    }

    private Column<?> own(Column<?> column) {
        if (column.getTable() != getTable()) {
            throw new IllegalArgumentException(
                    "Column " + column.getTable().getTableName() + "." + column.getName() + " is not one of " + getTable().getTableName() + ".");
        }
        return column;
    }
}
