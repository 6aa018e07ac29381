package dev.kormorant.test.conformance

import dev.kormorant.OrmException
import kotlinx.coroutines.CancellationException
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail

/** What [block] throws, which must be a [T] and not the end of the coroutine. */
internal suspend inline fun <reified T : Throwable> assertFails(noinline block: suspend () -> Any?): T {
    val error = try {
        block()
        null
    } catch (error: Throwable) {
        if (error is CancellationException && !CancellationException::class.java.isAssignableFrom(T::class.java)) throw AssertionError("cancelled", error)
        error
    }
    return when (error) {
        null -> fail("nothing was thrown, but ${T::class.simpleName} was expected")
        is T -> error
        else -> throw AssertionError("${error.javaClass.simpleName} instead of ${T::class.simpleName}: ${error.message}", error)
    }
}

/** That the error says what to do about it, in one of [words]. */
internal fun assertHint(error: OrmException, vararg words: String) {
    val hint = error.hint
    assertTrue(hint != null && words.all { it in hint }, "the hint of $error must say ${words.toList()}")
}
