package dev.kormorant.async.internal

import dev.kormorant.async.ContextCarrier
import kotlinx.coroutines.ThreadContextElement
import org.slf4j.MDC
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/** What the thread that makes a call has bound to itself, put on each thread on which the call goes on. */
internal class Carried private constructor(val carriers: List<ContextCarrier>, private val binders: List<ContextCarrier.Binder>) :
    AbstractCoroutineContextElement(Carried), ThreadContextElement<List<AutoCloseable>> {
    override fun updateThreadContext(context: CoroutineContext): List<AutoCloseable> = binders.map { it.bind() }

    override fun restoreThreadContext(context: CoroutineContext, oldState: List<AutoCloseable>) {
        oldState.asReversed().forEach { it.close() }
    }

    companion object Key : CoroutineContext.Key<Carried> {
        /** Of the calling thread. */
        fun here(carriers: List<ContextCarrier>): Carried = Carried(carriers, listOf(mdc()) + carriers.map { it.capture() })

        private fun mdc(): ContextCarrier.Binder {
            val captured = MDC.getCopyOfContextMap()
            return ContextCarrier.Binder {
                val before = MDC.getCopyOfContextMap()
                put(captured)
                AutoCloseable { put(before) }
            }
        }

        private fun put(map: Map<String, String>?) = if (map == null) MDC.clear() else MDC.setContextMap(map)
    }
}
