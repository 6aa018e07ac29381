package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.Model
import dev.kormorant.ModelClass
import dev.kormorant.Relation
import dev.kormorant.RepeatedLoadEvent
import dev.kormorant.RepeatedLoadException
import dev.kormorant.RepeatedLoads
import kotlinx.coroutines.currentCoroutineContext
import java.util.concurrent.ConcurrentHashMap

/** What the models of one result have in common: each other, where relations are loaded for all at once, and how often they are not. */
internal class Peers(private val models: List<Model<*>>, private val together: Boolean) {
    val loads = LoadCounts()

    /** The models to load [relation] for when it is called on one of them, or `null` if it is loaded for that one alone. */
    fun owners(relation: Relation<*>): List<Model<*>>? = if (together || relation.loadsPeers) models else null
}

/** How often each relation was loaded for one model alone. */
internal class LoadCounts {
    private val counts = ConcurrentHashMap<Relation<*>, Int>()

    fun next(relation: Relation<*>): Int = counts.merge(relation, 1, Int::plus) ?: 1
}

/** What [models], which came in one result, are to know of each other; `null` if nothing. */
internal fun Database.peersOf(type: ModelClass<*, *>, models: List<Model<*>>, together: Boolean): Peers? {
    val loadsPeers = together || type.relations.all.any { it.loadsPeers }
    return if (!loadsPeers && config.repeatedLoads == null) null else Peers(if (loadsPeers) models else emptyList(), together)
}

/** Counts the load of [relation] for [owner] alone, and reports it when it is one too many. */
internal suspend fun Database.countRepeated(owner: Model<*>, relation: Relation<*>) {
    val watch = currentCoroutineContext()[RepeatedLoads]
    val configured = config.repeatedLoads
    if (watch != null) report(watch, watch.counts.next(relation), owner, relation)
    else if (configured != null) owner.state.peers?.let { report(configured, it.loads.next(relation), owner, relation) }
}

private suspend fun Database.report(watch: RepeatedLoads, times: Int, owner: Model<*>, relation: Relation<*>) {
    if (times != watch.limit + 1) return
    val type = owner.state.modelClass
    val property = "${owner.javaClass.simpleName}${type.relations.spelling(relation)}"
    val event = RepeatedLoadEvent(property, times, callSite()?.let { "${it.fileName}:${it.lineNumber}" })
    tellRepeated(event)
    if (watch.fail) throw RepeatedLoadException("$event.", event.remedy)
}

private val WALKER: StackWalker = StackWalker.getInstance()

private val LIBRARY = listOf("dev.kormorant.internal.", "dev.kormorant.async.", "kotlinx.coroutines.", "kotlin.", "java.", "jdk.")

/** Where the running code of the user stands. */
private fun callSite(): StackWalker.StackFrame? = WALKER.walk { frames ->
    frames.filter { frame -> LIBRARY.none { frame.className.startsWith(it) } && !isCore(frame.className) }.findFirst().orElse(null)
}

/** Classes of the core stand in its package itself, those of programs do not. */
private fun isCore(name: String) = name.startsWith("dev.kormorant.") && '.' !in name.removePrefix("dev.kormorant.")
