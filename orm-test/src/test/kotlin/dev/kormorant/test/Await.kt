package dev.kormorant.test

import java.time.Duration
import java.time.Instant

/** Returns when the condition holds; fails after two minutes, which is a bound for a hang and not an expectation. */
internal fun awaitUntil(condition: () -> Boolean) {
    val deadline = Instant.now() + Duration.ofMinutes(2)
    while (!condition()) {
        check(Instant.now() < deadline) { "The condition did not come true." }
        Thread.sleep(10)
    }
}
