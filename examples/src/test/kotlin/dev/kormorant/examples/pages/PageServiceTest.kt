package dev.kormorant.examples.pages

import dev.kormorant.examples.Place
import dev.kormorant.examples.serving
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

class PageServiceTest {
    @ParameterizedTest
    @EnumSource
    fun `pages are created, read, and created if missing`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            serving({ pageService(url) }) {
                assertEquals(404, get("/pages/title").statusCode())
                assertEquals(201, send("POST", "/pages/title", "Async is AWESOME").statusCode())
                assertEquals("Async is AWESOME", get("/pages/title").body())
                assertEquals(409, send("POST", "/pages/title", "again").statusCode())
                assertEquals("Async is AWESOME", send("POST", "/pages/title/create").body())
                val answers = coroutineScope { List(8) { async(Dispatchers.IO) { send("POST", "/pages/new/create").body() } }.awaitAll() }
                assertEquals(1, answers.count { it == "created" }, "$answers")
                assertTrue(""""status":"UP"""" in get("/health").body())
            }
        }
    }
}
