package dev.kormorant

import dev.kormorant.internal.CompiledQuery
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.EntityIDColumnType
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.dao.id.EntityID

/** The place of a value in a [compiled] query: an expression of type [T] whose value comes with each run. */
public class Hole<T> internal constructor(override val columnType: IColumnType<T & Any>) : ExpressionWithColumnType<T>() {
    override fun toQueryBuilder(queryBuilder: QueryBuilder) {
        if (queryBuilder.prepared) queryBuilder.registerArgument(columnType, this) else queryBuilder.append("?")
    }
}

/** A place for values such as [like] has, which is a column or other expression. */
public fun <T> hole(like: ExpressionWithColumnType<T>): Hole<T> = Hole(like.columnType)

/** A place for plain ids such as [like] has, which is an id column or refers to one. */
@Suppress("UNCHECKED_CAST")
public fun <T : Any> hole(like: Column<EntityID<T>>): Hole<T> = Hole((like.columnType as EntityIDColumnType<T>).idColumn.columnType)

/**
 * A query whose SQL is made once for each database and then run many times. The values that differ from run to run have a [hole]:
 *
 * ```
 * val adults = compiled(hole(Users.age), hole(Users.city)) { age, city ->
 *     Users.selectAll().where { (Users.age greaterEq age) and (Users.city eq city) }.mapTo<UserRow>()
 * }
 * adults(18, "Bonn").toList()
 * ```
 *
 * What comes of it is a plain function, which any number of coroutines and databases of different kinds may share: it keeps the SQL for
 * the last 16 databases. Each call gives [Rows] that run when they are collected. `first()` and its kin read all rows, since the
 * SQL is fixed, so put a limit into the query.
 *
 * [query] is called once, at once; conditions in it that are lambdas are evaluated once for each database. A list of values cannot be a
 * hole, as its length is part of the SQL.
 */
public fun <R> compiled(query: () -> SizedIterable<R>): () -> Rows<R> {
    val compiled = CompiledQuery(query(), emptyList())
    return { compiled.rows() }
}

/** A query with one hole; see the other `compiled`. */
public fun <A, R> compiled(a: Hole<A>, query: (Hole<A>) -> SizedIterable<R>): (A) -> Rows<R> {
    val compiled = CompiledQuery(query(a), listOf(a))
    return { compiled.rows(it) }
}

/** A query with two holes; see the other `compiled`. */
public fun <A, B, R> compiled(a: Hole<A>, b: Hole<B>, query: (Hole<A>, Hole<B>) -> SizedIterable<R>): (A, B) -> Rows<R> {
    val compiled = CompiledQuery(query(a, b), listOf(a, b))
    return { first, second -> compiled.rows(first, second) }
}

/** A query with three holes; see the other `compiled`. */
public fun <A, B, C, R> compiled(a: Hole<A>, b: Hole<B>, c: Hole<C>, query: (Hole<A>, Hole<B>, Hole<C>) -> SizedIterable<R>): (A, B, C) -> Rows<R> {
    val compiled = CompiledQuery(query(a, b, c), listOf(a, b, c))
    return { first, second, third -> compiled.rows(first, second, third) }
}

/** A query with four holes; see the other `compiled`. */
public fun <A, B, C, D, R> compiled(
    a: Hole<A>,
    b: Hole<B>,
    c: Hole<C>,
    d: Hole<D>,
    query: (Hole<A>, Hole<B>, Hole<C>, Hole<D>) -> SizedIterable<R>,
): (A, B, C, D) -> Rows<R> {
    val compiled = CompiledQuery(query(a, b, c, d), listOf(a, b, c, d))
    return { first, second, third, fourth -> compiled.rows(first, second, third, fourth) }
}
