package dev.kormorant.internal

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Runnable
import kotlin.coroutines.CoroutineContext
import kotlin.random.Random

/** Runs what is dispatched when the test says so, one piece at a time if it likes: the moments in between are where races live. */
internal class StepDispatcher : CoroutineDispatcher() {
    private val tasks = ArrayDeque<Runnable>()

    val isIdle: Boolean get() = tasks.isEmpty()

    override fun dispatch(context: CoroutineContext, block: Runnable) {
        tasks += block
    }

    /** Runs one waiting piece, chosen by [random]. */
    fun runOne(random: Random) {
        if (tasks.isNotEmpty()) tasks.removeAt(random.nextInt(tasks.size)).run()
    }

    fun runAll() {
        while (true) (tasks.removeFirstOrNull() ?: return).run()
    }
}
