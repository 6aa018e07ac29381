package dev.kormorant.async;

import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.statements.UpsertStatementKt;

/**
 * What an upsert does with a row that is there: {@code upsertOptions().keys(WORDS.name).onUpdate(row -> row.set(WORDS.seen, true))}.
 * Each method changes the object and returns it.
 */
public final class UpsertOptions {
    Column<?>[] keys = {};
    Consumer<Assignments> onUpdate;
    List<Column<?>> exclude;
    Op<Boolean> where;

    private UpsertOptions() {}

    /**
     * An upsert by the primary key, or else by the first unique index, that changes all columns given.
     *
     * @return new options
     */
    public static UpsertOptions upsertOptions() {
        return new UpsertOptions();
    }

    /**
     * The value that the row would have been inserted with, for {@link #onUpdate}.
     *
     * @param column a column of the table
     * @param <T> type of the column
     * @return the expression
     */
    public static <T> ExpressionWithColumnType<T> inserted(Column<T> column) {
        return UpsertStatementKt.insertValue(column);
    }

    /**
     * Columns with a unique constraint, by which a row is found. MySQL and MariaDB take none and look at all unique keys.
     *
     * @param columns the columns
     * @return this
     */
    public UpsertOptions keys(Column<?>... columns) {
        keys = columns.clone();
        return this;
    }

    /**
     * What an existing row is changed to, instead of the values given.
     *
     * @param values gives the values, of which expressions may use the row's own columns and {@link #inserted}
     * @return this
     */
    public UpsertOptions onUpdate(Consumer<Assignments> values) {
        onUpdate = Objects.requireNonNull(values, "values");
        return this;
    }

    /**
     * Columns that an existing row keeps.
     *
     * @param columns the columns
     * @return this
     */
    public UpsertOptions exclude(Column<?>... columns) {
        exclude = List.of(columns);
        return this;
    }

    /**
     * Which existing rows may be changed; not on MySQL and MariaDB.
     *
     * @param condition the condition
     * @return this
     */
    public UpsertOptions where(Op<Boolean> condition) {
        where = Objects.requireNonNull(condition, "condition");
        return this;
    }
}
