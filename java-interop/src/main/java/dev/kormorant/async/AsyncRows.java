package dev.kormorant.async;

import dev.kormorant.MappedTable;
import dev.kormorant.async.internal.Funnel;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Op;

/**
 * A table whose rows are immutable objects, a record or a class with one constructor, on the database or handle it was made for
 * ({@link AsyncStatements#rows}). Futures behave as {@link AsyncStatements} says.
 *
 * @param <T> the class of the rows
 */
public final class AsyncRows<T> {
    private final Funnel funnel;
    private final MappedTable<T> table;

    AsyncRows(Funnel funnel, MappedTable<T> table) {
        this.funnel = funnel;
        this.table = table;
    }

    /**
     * All rows.
     *
     * @return the rows, in no particular order
     */
    public CompletableFuture<List<T>> list() {
        return funnel.<List<? extends T>, List<T>>call(next -> table.select().toList(next), Collections::unmodifiableList);
    }

    /**
     * The rows that match a condition.
     *
     * @param condition the condition, see {@link Conditions}
     * @return the rows, in no particular order
     */
    public CompletableFuture<List<T>> list(Op<Boolean> condition) {
        return funnel.<List<? extends T>, List<T>>call(next -> table.select(() -> condition).toList(next), Collections::unmodifiableList);
    }

    /**
     * Inserts a row. A {@code null} for a column that cannot be NULL, as for an id the database is to make, leaves it to its default.
     *
     * @param row the row
     * @return the row as the database stored it
     */
    public CompletableFuture<T> insert(T row) {
        return funnel.call(next -> table.insert(row, next));
    }

    /**
     * Inserts rows, many per statement; all of them or none.
     *
     * @param rows the rows
     * @return the rows as the database stored them, in their order
     */
    public CompletableFuture<List<T>> insertAll(Collection<? extends T> rows) {
        return funnel.<List<? extends T>, List<T>>call(next -> table.insertAll(rows, next), Collections::unmodifiableList);
    }

    /**
     * Writes all columns of a row over the one with its primary key.
     *
     * @param row the row
     * @return whether it was there
     */
    public CompletableFuture<Boolean> update(T row) {
        return funnel.call(next -> table.update(row, next));
    }

    /**
     * Deletes the row with the primary key of a row.
     *
     * @param row the row
     * @return whether it was there
     */
    public CompletableFuture<Boolean> delete(T row) {
        return funnel.call(next -> table.delete(row, next));
    }
}
