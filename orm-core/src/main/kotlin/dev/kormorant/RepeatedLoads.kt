package dev.kormorant

import dev.kormorant.internal.LoadCounts
import kotlinx.coroutines.withContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/** When loading a relation for one model after another is too much: `DatabaseConfig.repeatedLoads` and [withoutRepeatedLoads]. */
internal class RepeatedLoads(val limit: Int, val fail: Boolean) : AbstractCoroutineContextElement(RepeatedLoads) {
    val counts = LoadCounts()

    init {
        require(limit > 0) { "The limit of repeated loads must be more than zero, not $limit." }
    }

    companion object Key : CoroutineContext.Key<RepeatedLoads>
}

/**
 * Runs [block], in which no relation may be loaded for one model after another more than [limit] times: a query per row where one for
 * all would do. What `with` or peers mode loads does not count. For tests; see [DatabaseConfig.repeatedLoads] for development.
 *
 * @param limit 3 by default: a program that means well stays below.
 * @throws RepeatedLoadException at the load that is one too many, with the place in the program and the `with(…)` to add.
 */
public suspend fun <T> withoutRepeatedLoads(limit: Int = 3, block: suspend () -> T): T = withContext(RepeatedLoads(limit, fail = true)) { block() }

/** A relation was loaded for one model after another, told once for each result. */
public class RepeatedLoadEvent internal constructor(
    /** The property as `with` takes it: `Tweet::user`, in Java `Tweet.USER`. */
    public val relation: String,
    /** How often it has been loaded. */
    public val times: Int,
    /** File and line of the program that loaded it, where that is known. */
    public val site: String?,
) {
    /** What to change. */
    public val remedy: String get() = "Add with($relation) to the query that loads the models."

    override fun toString(): String = "The relation $relation was loaded $times times, one model after another${site?.let { ", at $it" }.orEmpty()}"
}
