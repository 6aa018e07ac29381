package dev.kormorant.internal

import java.util.IdentityHashMap

/** What the models touched in a block were like before, so that the block can be run again. */
internal class ModelJournal {
    private val before = IdentityHashMap<ModelState, () -> Unit>()

    /** Whether work of the block is committed: it must not be run again then. */
    @Volatile
    var isCommitted: Boolean = false

    /** Remembers [state], unless it is known already. */
    fun keep(state: ModelState) {
        synchronized(before) { if (state !in before) before[state] = state.snapshot() }
    }

    /** Gives every model its state back. */
    fun restore() {
        synchronized(before) {
            before.values.forEach { it() }
            before.clear()
        }
    }

    companion object {
        /** The journal of the block that runs on this thread; a setter of a model has no other way to it. */
        val current: ThreadLocal<ModelJournal?> = ThreadLocal()
    }
}
