package dev.kormorant.internal

import dev.kormorant.Children
import kotlinx.coroutines.CopyableThreadContextElement
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

internal class ScopeKey : CoroutineContext.Key<Scope>

/**
 * What a coroutine has to do with transactions, kept in its context under a key of its database, so two databases never meet.
 *
 * Each coroutine has an instance of its own, which is what tells a child from the block itself: `launch` and its kin copy it
 * ([copyForChild]), while `withContext`, `coroutineScope` and suspension keep it. It puts the [journal] on whatever thread the coroutine runs.
 */
@OptIn(DelicateCoroutinesApi::class, ExperimentalCoroutinesApi::class)
internal class Scope private constructor(
    key: ScopeKey,
    /** Where statements run; `null` outside every transaction. */
    val level: Level?,
    /** The innermost level that waits for this coroutine as far as structure goes, though it may be outside of it. */
    val ancestor: Level?,
    private val journal: ModelJournal?,
    private val refusal: String? = null,
    /** Not yet in a context: the first copy is the block itself. */
    private val fresh: Boolean = true,
    /** Where it left the transaction that it is outside of. */
    val left: Site? = null,
) : AbstractCoroutineContextElement(key), CopyableThreadContextElement<ModelJournal?> {
    constructor(level: Level, journal: ModelJournal?) : this(level.session.database.scopeKey, level, level, journal)

    private val scopeKey: ScopeKey get() = key as ScopeKey

    /** The level, for use by a statement or a nested block. */
    fun use(): Level? {
        refusal?.let { throw IllegalStateException(it) }
        return level
    }

    val ownJournal: ModelJournal? get() = journal

    private fun started() = if (fresh) Scope(scopeKey, level, ancestor, journal, refusal, fresh = false, left) else this

    override fun copyForChild(): Scope = when {
        fresh -> started()
        level == null || refusal != null -> Scope(scopeKey, level, ancestor, journal, refusal, fresh = false, left)
        else -> when (level.children) {
            Children.QUEUE -> Scope(scopeKey, level, ancestor, journal, fresh = false)
            Children.FAIL -> Scope(scopeKey, level, ancestor, journal, refusalOf(level), fresh = false)
            Children.DETACH -> Scope(scopeKey, null, level, null, fresh = false, left = Site.here())
        }
    }

    override fun mergeForChild(overwritingElement: CoroutineContext.Element): CoroutineContext = (overwritingElement as Scope).started()

    override fun updateThreadContext(context: CoroutineContext): ModelJournal? =
        if (journal == null) null else ModelJournal.current.get().also { ModelJournal.current.set(journal) }

    override fun restoreThreadContext(context: CoroutineContext, oldState: ModelJournal?) {
        if (journal == null) return
        if (oldState == null) ModelJournal.current.remove() else ModelJournal.current.set(oldState)
    }

    private fun refusalOf(level: Level) = "A coroutine started ${Site.here()} used the transaction ${level.origin}, " +
        "which lets no children in (Children.FAIL). Run its statements in independent { }, or in the block itself."

    companion object {
        /** Outside the transaction of [scope], but still part of the work that it waits for. */
        fun detached(scope: Scope): Scope = Scope(scope.scopeKey, null, scope.ancestor, scope.journal, left = scope.left ?: Site.here())

        /** Whether [job] is [ancestor] or part of it, so that [ancestor] cannot end before it. */
        fun isWithin(job: Job?, ancestor: Job?): Boolean = ancestor != null && generateSequence(job) { it.parent }.any { it === ancestor }
    }
}
