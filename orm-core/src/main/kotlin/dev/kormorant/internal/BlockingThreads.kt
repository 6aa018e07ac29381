package dev.kormorant.internal

import java.lang.invoke.MethodHandle
import java.lang.invoke.MethodHandles
import java.lang.invoke.MethodType

/** Which threads may wait. Found out by what the running JVM has: virtual threads came with Java 21. */
internal object BlockingThreads {
    private val virtual = find { findVirtual(Thread::class.java, "isVirtual", MethodType.methodType(Boolean::class.javaPrimitiveType)) }

    /** Of kotlinx.coroutines, made for tools that look for blocking calls: a thread of `Dispatchers.IO` may wait, the same thread at work for `Default` not. */
    private val schedulerForbids = find {
        findStatic(
            Class.forName("kotlinx.coroutines.scheduling.CoroutineSchedulerKt"),
            "mayNotBlock",
            MethodType.methodType(Boolean::class.javaPrimitiveType, Thread::class.java),
        )
    }

    private val shared = object : ClassValue<Boolean>() {
        override fun computeValue(type: Class<*>): Boolean = generateSequence(type) { it.superclass }
            .any { ancestor -> ancestor.simpleName in SHARED || ancestor.interfaces.any { it.simpleName in SHARED } }
    }

    fun isVirtual(thread: Thread): Boolean = virtual != null && virtual.invokeWithArguments(thread) as Boolean

    /** Whether others stall as long as [thread] waits. */
    fun mustNotWait(thread: Thread): Boolean =
        shared.get(thread.javaClass) || schedulerForbids != null && schedulerForbids.invokeWithArguments(thread) as Boolean

    private fun find(look: MethodHandles.Lookup.() -> MethodHandle): MethodHandle? = try {
        MethodHandles.publicLookup().look()
    } catch (_: ReflectiveOperationException) {
        null
    }

    /** Event loops of Netty and Reactor, by the names of their classes: not every program has them. */
    private val SHARED = setOf("FastThreadLocalThread", "NonBlocking")
}
