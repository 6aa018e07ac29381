package dev.kormorant.async;

import dev.kormorant.RowQuery;
import dev.kormorant.async.internal.ColumnsKt;
import java.util.Collection;
import java.util.List;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.EqOp;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType;
import org.jetbrains.exposed.v1.core.GreaterEqOp;
import org.jetbrains.exposed.v1.core.GreaterOp;
import org.jetbrains.exposed.v1.core.LessEqOp;
import org.jetbrains.exposed.v1.core.LessOp;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.OpBuilderKt;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;

/**
 * Conditions for queries, updates and deletes: {@code and(eq(USERS.name, "Ann"), gt(USERS.age, 17))}. Values travel as parameters.
 * Id columns, and columns that refer to an id, compare with the plain id as well. Nothing here does I/O.
 */
public final class Conditions {
    private Conditions() {}

    /**
     * The column has the value; {@code null} means IS NULL.
     *
     * @param column a column or other expression
     * @param value the value
     * @param <T> type of both
     * @return the condition
     */
    public static <T> Op<Boolean> eq(ExpressionWithColumnType<T> column, T value) {
        return OpBuilderKt.eq(column, value);
    }

    /**
     * The column has the id; {@code null} means IS NULL.
     *
     * @param column an id column or one that refers to an id
     * @param id the plain id
     * @param <T> type of the id
     * @return the condition
     */
    public static <T> Op<Boolean> eq(Column<EntityID<T>> column, T id) {
        return OpBuilderKt.eqEntityIDValue(column, id);
    }

    /**
     * Both are the same.
     *
     * @param one an expression
     * @param other another
     * @param <T> type of both
     * @return the condition
     */
    public static <T> Op<Boolean> eq(Expression<T> one, Expression<T> other) {
        return OpBuilderKt.eq(one, other);
    }

    /**
     * The column has the id that the expression gives, as a {@link Queries#hole hole} does.
     *
     * @param column an id column or one that refers to an id
     * @param id an expression for the plain id
     * @param <T> type of the id
     * @return the condition
     */
    public static <T> Op<Boolean> eq(Column<EntityID<T>> column, Expression<T> id) {
        return new EqOp(column, id);
    }

    /**
     * The column does not have the value; {@code null} means IS NOT NULL.
     *
     * @param column a column or other expression
     * @param value the value
     * @param <T> type of both
     * @return the condition
     */
    public static <T> Op<Boolean> neq(ExpressionWithColumnType<T> column, T value) {
        return OpBuilderKt.neq(column, value);
    }

    /**
     * The column does not have the id; {@code null} means IS NOT NULL.
     *
     * @param column an id column or one that refers to an id
     * @param id the plain id
     * @param <T> type of the id
     * @return the condition
     */
    public static <T> Op<Boolean> neq(Column<EntityID<T>> column, T id) {
        return OpBuilderKt.neqEntityIDValue(column, id);
    }

    /**
     * The column is less than the value.
     *
     * @param column a column or other expression
     * @param value the value
     * @param <T> type of both
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> lt(ExpressionWithColumnType<T> column, T value) {
        return OpBuilderKt.less(column, value);
    }

    /**
     * The id is less than the given one.
     *
     * @param column an id column or one that refers to an id
     * @param id the plain id
     * @param <T> type of the id
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> lt(Column<EntityID<T>> column, T id) {
        return OpBuilderKt.lessEntityID(column, id);
    }

    /**
     * The column is less than the value or equal.
     *
     * @param column a column or other expression
     * @param value the value
     * @param <T> type of both
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> le(ExpressionWithColumnType<T> column, T value) {
        return OpBuilderKt.lessEq(column, value);
    }

    /**
     * The id is less than the given one or equal.
     *
     * @param column an id column or one that refers to an id
     * @param id the plain id
     * @param <T> type of the id
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> le(Column<EntityID<T>> column, T id) {
        return OpBuilderKt.lessEqEntityID(column, id);
    }

    /**
     * The column is greater than the value.
     *
     * @param column a column or other expression
     * @param value the value
     * @param <T> type of both
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> gt(ExpressionWithColumnType<T> column, T value) {
        return OpBuilderKt.greater(column, value);
    }

    /**
     * The id is greater than the given one.
     *
     * @param column an id column or one that refers to an id
     * @param id the plain id
     * @param <T> type of the id
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> gt(Column<EntityID<T>> column, T id) {
        return OpBuilderKt.greaterEntityID(column, id);
    }

    /**
     * The column is greater than the value or equal.
     *
     * @param column a column or other expression
     * @param value the value
     * @param <T> type of both
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> ge(ExpressionWithColumnType<T> column, T value) {
        return OpBuilderKt.greaterEq(column, value);
    }

    /**
     * The id is greater than the given one or equal.
     *
     * @param column an id column or one that refers to an id
     * @param id the plain id
     * @param <T> type of the id
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> ge(Column<EntityID<T>> column, T id) {
        return OpBuilderKt.greaterEqEntityID(column, id);
    }

    /**
     * One is less than the other.
     *
     * @param one an expression
     * @param other another, a {@link Queries#hole hole} for instance
     * @param <T> type of both
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> lt(Expression<T> one, Expression<T> other) {
        return new LessOp(one, other);
    }

    /**
     * One is less than or equal to the other.
     *
     * @param one an expression
     * @param other another, a {@link Queries#hole hole} for instance
     * @param <T> type of both
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> le(Expression<T> one, Expression<T> other) {
        return new LessEqOp(one, other);
    }

    /**
     * One is greater than the other.
     *
     * @param one an expression
     * @param other another, a {@link Queries#hole hole} for instance
     * @param <T> type of both
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> gt(Expression<T> one, Expression<T> other) {
        return new GreaterOp(one, other);
    }

    /**
     * One is greater than or equal to the other.
     *
     * @param one an expression
     * @param other another, a {@link Queries#hole hole} for instance
     * @param <T> type of both
     * @return the condition
     */
    public static <T extends Comparable<? super T>> Op<Boolean> ge(Expression<T> one, Expression<T> other) {
        return new GreaterEqOp(one, other);
    }

    /**
     * The text matches a pattern, in which {@code %} stands for any text and {@code _} for any character.
     *
     * @param text a column or other expression
     * @param pattern the pattern
     * @return the condition
     */
    public static Op<Boolean> like(Expression<String> text, String pattern) {
        return OpBuilderKt.like(text, pattern);
    }

    /**
     * The value is NULL.
     *
     * @param expression a column or other expression
     * @return the condition
     */
    public static Op<Boolean> isNull(Expression<?> expression) {
        return OpBuilderKt.isNull(expression);
    }

    /**
     * The value is not NULL.
     *
     * @param expression a column or other expression
     * @return the condition
     */
    public static Op<Boolean> isNotNull(Expression<?> expression) {
        return OpBuilderKt.isNotNull(expression);
    }

    /**
     * The column has one of the values; never true if there are none.
     *
     * @param column a column or other expression
     * @param values the values
     * @param <T> type of both
     * @return the condition
     */
    public static <T> Op<Boolean> in(ExpressionWithColumnType<T> column, Collection<? extends T> values) {
        return OpBuilderKt.inList(column, values);
    }

    /**
     * The column has one of the ids; never true if there are none.
     *
     * @param column an id column or one that refers to an id
     * @param ids the plain ids
     * @param <T> type of the id
     * @return the condition
     */
    public static <T> Op<Boolean> inIds(Column<EntityID<T>> column, Collection<T> ids) {
        return ColumnsKt.inIds(column, ids);
    }

    /**
     * The value is one of those that a query returns.
     *
     * @param expression a column or other expression
     * @param query a query of one column
     * @param <T> type of the value
     * @return the condition
     */
    public static <T> Op<Boolean> inSubQuery(Expression<T> expression, RowQuery<?> query) {
        return OpBuilderKt.inSubQuery(expression, query);
    }

    /**
     * A query returns a row.
     *
     * @param query the query, which may use columns of the query around it
     * @return the condition
     */
    public static Op<Boolean> exists(RowQuery<?> query) {
        return OpBuilderKt.exists(query);
    }

    /**
     * The column is not below the lower bound and not above the upper one.
     *
     * @param column a column or other expression
     * @param lower the lower bound, included
     * @param upper the upper bound, included
     * @param <T> type of all three
     * @return the condition
     */
    public static <T> Op<Boolean> between(ExpressionWithColumnType<T> column, T lower, T upper) {
        return OpBuilderKt.between(column, lower, upper);
    }

    /**
     * All of the conditions hold.
     *
     * @param conditions one or more
     * @return the condition
     */
    @SafeVarargs
    @SuppressWarnings("varargs")
    public static Op<Boolean> and(Op<Boolean>... conditions) {
        return OpBuilderKt.compoundAnd(List.of(conditions));
    }

    /**
     * At least one of the conditions holds.
     *
     * @param conditions one or more
     * @return the condition
     */
    @SafeVarargs
    @SuppressWarnings("varargs")
    public static Op<Boolean> or(Op<Boolean>... conditions) {
        return OpBuilderKt.compoundOr(List.of(conditions));
    }

    /**
     * The condition does not hold.
     *
     * @param condition the condition
     * @return its opposite
     */
    public static Op<Boolean> not(Op<Boolean> condition) {
        return OpBuilderKt.not(condition);
    }
}
