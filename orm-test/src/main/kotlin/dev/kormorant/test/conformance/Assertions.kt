package dev.kormorant.test.conformance

import dev.kormorant.OrmException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

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

/** Runs [block] with random numbers whose seed is told when it fails. */
internal suspend fun seeded(block: suspend CoroutineScope.(Random) -> Unit) {
    val seed = System.getProperty("kormorant.test.seed")?.toLong() ?: System.nanoTime()
    try {
        coroutineScope { block(Random(seed)) }
    } catch (error: Throwable) {
        throw AssertionError("Failed with -Dkormorant.test.seed=$seed", error)
    }
}

/** So long that only a hang is longer. */
internal val GUARD: Duration = 90.seconds

/** What [block] returns, which must be within [GUARD]. */
internal suspend fun <T : Any> withoutHang(what: String, block: suspend CoroutineScope.() -> T): T =
    withTimeoutOrNull(GUARD, block) ?: throw AssertionError("$what does not end")

/** Waits until [condition] holds, which must be within [GUARD]. */
internal suspend fun eventually(what: String, condition: suspend () -> Boolean) {
    withoutHang("the wait until $what") { while (!condition()) delay(10.milliseconds) }
}
