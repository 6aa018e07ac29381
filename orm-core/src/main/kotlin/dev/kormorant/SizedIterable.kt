package dev.kormorant

import kotlinx.coroutines.flow.Flow
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption

/**
 * What a statement returns: a cold `Flow` of it. Collecting it, or calling one of the functions here, runs the statement on the
 * database of the calling coroutine, inside its transaction if it is in one; every call runs it anew.
 */
public interface Rows<out T> : Flow<T> {
    /** All of it. */
    public suspend fun toList(): List<T>

    /**
     * The first one.
     *
     * @throws RecordNotFoundException if there is none.
     */
    public suspend fun first(): T

    /** The first one, or `null`. */
    public suspend fun firstOrNull(): T?

    /**
     * The only one.
     *
     * @throws RecordNotFoundException if there is none.
     * @throws TooManyRowsException if there are more.
     */
    public suspend fun single(): T

    /**
     * The only one, or `null` if there is none.
     *
     * @throws TooManyRowsException if there are more.
     */
    public suspend fun singleOrNull(): T?
}

/**
 * What a query returns, in a form that can still be sorted and limited: a [Query] or [SetOperation] of rows, or what `mapTo` and
 * [mapLazy] make of one. Its functions ask the database for no more rows than they need.
 */
public sealed interface SizedIterable<out T> : Rows<T> {
    /** Returns at most [count]. */
    public fun limit(count: Int): SizedIterable<T>

    /** Leaves out the first [start]. */
    public fun offset(start: Long): SizedIterable<T>

    /** Sorts by [order], the first key first; later calls add further keys. */
    public fun orderBy(vararg order: Pair<Expression<*>, SortOrder>): SizedIterable<T>

    /** Locks the rows until the end of the transaction; see [Query.forUpdate]. */
    public fun forUpdate(option: ForUpdateOption = ForUpdateOption.ForUpdate): SizedIterable<T>

    /** Locks no rows, whatever was said before. */
    public fun notForUpdate(): SizedIterable<T>

    /** The same, independent of this one. */
    public fun copy(): SizedIterable<T>

    /** How many there are, LIMIT, OFFSET, DISTINCT and GROUP BY included; [ignoreLimit] leaves LIMIT and OFFSET out. */
    public suspend fun count(ignoreLimit: Boolean = false): Long

    /** Whether there is none; asks for one only. */
    public suspend fun empty(): Boolean
}

/**
 * What [f] makes of each one. It is called once for each row of every run, on the caller's thread, and may suspend neither nor do I/O.
 */
public infix fun <T, R> SizedIterable<T>.mapLazy(f: (T) -> R): SizedIterable<R> = toSelection().map(f)
