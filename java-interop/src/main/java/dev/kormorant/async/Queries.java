package dev.kormorant.async;

import dev.kormorant.CompiledKt;
import dev.kormorant.Cte;
import dev.kormorant.CteKt;
import dev.kormorant.Hole;
import dev.kormorant.PagingKt;
import dev.kormorant.QueriesKt;
import dev.kormorant.Query;
import dev.kormorant.Relation;
import dev.kormorant.RelationQuery;
import dev.kormorant.RowQuery;
import dev.kormorant.Rows;
import dev.kormorant.SetOperation;
import dev.kormorant.SetOperationsKt;
import dev.kormorant.SizedIterable;
import java.math.BigDecimal;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jetbrains.exposed.v1.core.Alias;
import org.jetbrains.exposed.v1.core.AliasKt;
import org.jetbrains.exposed.v1.core.Case;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.ColumnSet;
import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType;
import org.jetbrains.exposed.v1.core.FieldSet;
import org.jetbrains.exposed.v1.core.FunctionBuilderKt;
import org.jetbrains.exposed.v1.core.Join;
import org.jetbrains.exposed.v1.core.JoinType;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.QueryAlias;
import org.jetbrains.exposed.v1.core.Table;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;

/**
 * Where queries begin: {@code select(USERS, USERS.name).where(eq(USERS.id, 1L)).limit(10)}. A query is a value that holds no
 * database; {@link AsyncStatements#list(Rows)} and its kin run it, as often as wanted.
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
     * A join of two tables by equal columns: {@code join(TWEETS, USERS, JoinType.INNER, TWEETS.user, USERS.id)}.
     *
     * @param left a table, join, alias or common table expression
     * @param right another
     * @param type how
     * @param leftColumn a column of the left one
     * @param rightColumn what it equals in the right one
     * @return the join
     */
    public static Join join(ColumnSet left, ColumnSet right, JoinType type, Expression<?> leftColumn, Expression<?> rightColumn) {
        return left.join(right, type, leftColumn, rightColumn, false, null);
    }

    /**
     * A join of two tables by any condition.
     *
     * @param left a table, join, alias or common table expression
     * @param right another
     * @param type how
     * @param condition the condition
     * @return the join
     */
    public static Join join(ColumnSet left, ColumnSet right, JoinType type, Op<Boolean> condition) {
        return left.join(right, type, null, null, false, () -> condition);
    }

    /**
     * A join with a query that may use columns of what stands to the left of it.
     *
     * @param left a table, join or alias
     * @param right an alias of a query
     * @param type how
     * @param condition the condition
     * @return the join
     */
    public static Join joinLateral(ColumnSet left, QueryAlias right, JoinType type, Op<Boolean> condition) {
        return left.join(right, type, null, null, true, () -> condition);
    }

    /**
     * A table under another name; its columns are those of {@code alias.get(column)}.
     *
     * @param table the table
     * @param name the name
     * @param <T> the table
     * @return the alias
     */
    public static <T extends Table> Alias<T> alias(T table, String name) {
        return AliasKt.alias(table, name);
    }

    /**
     * A query as a table; its columns are those of {@code alias.get(column)}.
     *
     * @param query the query
     * @param name the name
     * @return the alias
     */
    public static QueryAlias alias(RowQuery<?> query, String name) {
        return AliasKt.alias(query, name);
    }

    /**
     * An expression under a name.
     *
     * @param expression the expression
     * @param name the name
     * @param <T> type of its values
     * @return the alias
     */
    public static <T> ExpressionWithColumnType<T> alias(ExpressionWithColumnType<T> expression, String name) {
        return AliasKt.alias(expression, name);
    }

    // ---- Set operations

    /**
     * The rows of both queries, each once.
     *
     * @param first a query or set operation
     * @param second another query
     * @return the operation, which is a query itself
     */
    public static SetOperation union(RowQuery<?> first, Query second) {
        return SetOperationsKt.union(first, second);
    }

    /**
     * The rows of both queries with their duplicates.
     *
     * @param first a query or set operation
     * @param second another query
     * @return the operation, which is a query itself
     */
    public static SetOperation unionAll(RowQuery<?> first, Query second) {
        return SetOperationsKt.unionAll(first, second);
    }

    /**
     * The rows that both queries return, each once.
     *
     * @param first a query or set operation
     * @param second another query
     * @return the operation, which is a query itself
     */
    public static SetOperation intersect(RowQuery<?> first, Query second) {
        return SetOperationsKt.intersect(first, second);
    }

    /**
     * The rows that the first query returns and the second does not, each once.
     *
     * @param first a query or set operation
     * @param second another query
     * @return the operation, which is a query itself
     */
    public static SetOperation except(RowQuery<?> first, Query second) {
        return SetOperationsKt.except(first, second);
    }

    // ---- Common table expressions

    /**
     * A query under a name, {@code WITH name AS (…)}: a table for the length of a statement, with the columns {@code cte.get(column)}. A
     * query that reads it brings the WITH clause along.
     *
     * @param name the name
     * @param query the query, whose expressions need aliases
     * @return the table
     */
    public static Cte cte(String name, RowQuery<?> query) {
        return CteKt.cte(name, query);
    }

    /**
     * A table that grows out of itself: the step, which reads the table, is repeated on the rows of the time before until it gives none.
     *
     * @param name the name
     * @param base gives the first rows
     * @param step makes the step, from the table
     * @return the table
     */
    public static Cte recursiveCte(String name, RowQuery<?> base, Function<? super Cte, ? extends RowQuery<?>> step) {
        return CteKt.recursiveCte(name, base, false, step::apply);
    }

    // ---- Pages

    /**
     * Keeps the rows that come after the one with the given keys in the order of the query: {@code
     * after(query.orderBy(POSTS.day, SortOrder.DESC).orderBy(POSTS.id, SortOrder.ASC).limit(20), lastDay, lastId)}. One key for each
     * expression the query is sorted by, unique together; a nullable one must be sorted with NULLS FIRST or NULLS LAST.
     *
     * @param query the query, which is changed
     * @param keys the keys, plain ids for id columns
     * @return the query
     */
    public static Query after(Query query, Object... keys) {
        return PagingKt.after(query, keys);
    }

    // ---- Compiled queries

    /**
     * A place for a value in a compiled query.
     *
     * @param like a column or other expression with values of that type
     * @param <T> type of the value
     * @return the place, an expression
     */
    public static <T> Hole<T> hole(ExpressionWithColumnType<T> like) {
        return CompiledKt.hole(like);
    }

    /**
     * A place for a plain id in a compiled query.
     *
     * @param like an id column or one that refers to an id
     * @param <T> type of the id
     * @return the place, an expression
     */
    public static <T> Hole<T> hole(Column<EntityID<T>> like) {
        return CompiledKt.hole(like);
    }

    /**
     * A query whose SQL is made once for each database. {@code compiled(query).get()} is run by {@link AsyncStatements#list(Rows)} and
     * its kin, as often as wanted, on any database, from any thread.
     *
     * @param query the query, or what {@code as} makes of one
     * @param <R> what the query returns
     * @return gives the query
     */
    public static <R> Supplier<Rows<R>> compiled(SizedIterable<R> query) {
        var compiled = CompiledKt.<R>compiled(() -> query);
        return compiled::invoke;
    }

    /**
     * A query with a hole, whose SQL is made once for each database:
     * {@code var byName = compiled(hole(USERS.name), name -> selectAll(USERS).where(eq(USERS.name, name)))}, then
     * {@code db.list(byName.apply("Ann"))}.
     *
     * @param a the hole
     * @param query makes the query, at once
     * @param <A> type of the value
     * @param <R> what the query returns
     * @return gives the query for a value
     */
    public static <A, R> Function<A, Rows<R>> compiled(Hole<A> a, Function<Hole<A>, ? extends SizedIterable<R>> query) {
        var compiled = CompiledKt.<A, R>compiled(a, query::apply);
        return compiled::invoke;
    }

    /**
     * A query with two holes, whose SQL is made once for each database.
     *
     * @param a the first hole
     * @param b the second
     * @param query makes the query, at once
     * @param <A> type of the first value
     * @param <B> type of the second
     * @param <R> what the query returns
     * @return gives the query for two values
     */
    public static <A, B, R> BiFunction<A, B, Rows<R>> compiled(
            Hole<A> a, Hole<B> b, BiFunction<Hole<A>, Hole<B>, ? extends SizedIterable<R>> query) {
        var compiled = CompiledKt.<A, B, R>compiled(a, b, query::apply);
        return compiled::invoke;
    }

    // ---- Expressions

    /**
     * CASE: {@code caseOf().When(condition, one).Else(other)}.
     *
     * @return the beginning
     */
    public static Case caseOf() {
        return new Case();
    }

    /**
     * AVG; {@code null} if there are no rows.
     *
     * @param expression whose average is wanted
     * @param scale digits after the point
     * @param <T> type of the values
     * @return the expression
     */
    public static <T extends Comparable<? super T>> ExpressionWithColumnType<BigDecimal> avg(ExpressionWithColumnType<T> expression, int scale) {
        return FunctionBuilderKt.<T, T>avg(expression, scale);
    }

    /**
     * COUNT of the different values.
     *
     * @param column what to count, where it is not NULL
     * @return the expression
     */
    public static ExpressionWithColumnType<Long> countDistinct(Column<?> column) {
        return FunctionBuilderKt.countDistinct(column);
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
