package dev.kormorant.async;

import dev.kormorant.QueriesKt;
import dev.kormorant.Query;
import dev.kormorant.Relation;
import dev.kormorant.RelationQuery;
import java.util.List;
import org.jetbrains.exposed.v1.core.ColumnSet;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType;
import org.jetbrains.exposed.v1.core.FieldSet;
import org.jetbrains.exposed.v1.core.FunctionBuilderKt;

/**
 * Where queries begin: {@code select(USERS, USERS.name).where(eq(USERS.id, 1L)).limit(10)}. A query is a value that holds no
 * database; {@link AsyncStatements#list(Query)} and its kin run it, as often as wanted.
 */
public final class Queries {
    private Queries() {}

    /**
     * A query for all columns of a table or join.
     *
     * @param from the table or join
     * @return the query
     */
    public static Query selectAll(FieldSet from) {
        return QueriesKt.selectAll(from);
    }

    /**
     * A query for some columns or expressions.
     *
     * @param from the table or join
     * @param fields what to select, one or more
     * @return the query
     */
    public static Query select(ColumnSet from, Expression<?>... fields) {
        return QueriesKt.select(from, List.of(fields));
    }

    /**
     * How a relation is loaded along with a query for models: {@code users.all().with(load(User.TWEETS).limitPerParent(2))}.
     *
     * @param relation the relation
     * @return all related models; its functions choose among them, sort them, and load further relations along
     */
    public static RelationQuery load(Relation<?> relation) {
        return new RelationQuery(relation);
    }

    /**
     * COUNT.
     *
     * @param expression what to count, where it is not NULL
     * @return the expression
     */
    public static ExpressionWithColumnType<Long> count(ExpressionWithColumnType<?> expression) {
        return FunctionBuilderKt.count(expression);
    }

    /**
     * MIN; {@code null} if there are no rows.
     *
     * @param expression whose least value is wanted
     * @param <T> type of the value
     * @return the expression
     */
    public static <T> ExpressionWithColumnType<T> min(ExpressionWithColumnType<T> expression) {
        return FunctionBuilderKt.<T, T>min(expression);
    }

    /**
     * MAX; {@code null} if there are no rows.
     *
     * @param expression whose greatest value is wanted
     * @param <T> type of the value
     * @return the expression
     */
    public static <T> ExpressionWithColumnType<T> max(ExpressionWithColumnType<T> expression) {
        return FunctionBuilderKt.<T, T>max(expression);
    }

    /**
     * SUM; {@code null} if there are no rows.
     *
     * @param expression what to add up
     * @param <T> type of the value
     * @return the expression
     */
    public static <T> ExpressionWithColumnType<T> sum(ExpressionWithColumnType<T> expression) {
        return FunctionBuilderKt.sum(expression);
    }
}
