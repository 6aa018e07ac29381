package dev.kormorant.async;

import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;
import org.jetbrains.exposed.v1.core.statements.UpdateBuilder;

/** The values an INSERT or UPDATE gives to columns; valid only inside the function it is handed to. */
public final class Assignments {
    private final UpdateBuilder<?> statement;

    Assignments(UpdateBuilder<?> statement) {
        this.statement = statement;
    }

    /**
     * Gives a column a value, which travels as a parameter.
     *
     * @param column the column
     * @param value the value; {@code null} only for a nullable column
     * @param <T> type of the column
     * @return this
     */
    public <T> Assignments set(Column<T> column, T value) {
        statement.set(column, value);
        return this;
    }

    /**
     * Gives an id column, or one that refers to an id, the plain id.
     *
     * @param column the column
     * @param id the id; {@code null} only for a nullable column
     * @param <T> type of the id
     * @return this
     */
    public <T> Assignments setId(Column<EntityID<T>> column, T id) {
        statement.setWithNullableEntityIdValue(column, id);
        return this;
    }

    /**
     * Gives a column what the database computes.
     *
     * @param column the column
     * @param expression what to compute
     * @param <T> type of the column
     * @return this
     */
    public <T> Assignments setExpression(Column<T> column, Expression<T> expression) {
        statement.set(column, expression);
        return this;
    }
}
