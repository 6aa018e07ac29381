package dev.kormorant.async;

import dev.kormorant.ManyToMany;
import dev.kormorant.Model;
import dev.kormorant.ModelClass;
import dev.kormorant.OptionalReference;
import dev.kormorant.Reference;
import dev.kormorant.Referrers;
import java.util.function.Supplier;
import org.jetbrains.exposed.v1.core.Column;
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
    private ModelType(IdTable<I> table, Supplier<M> factory) {
        super(table, factory::get);
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
        return new ModelType<>(table, factory);
    }

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
