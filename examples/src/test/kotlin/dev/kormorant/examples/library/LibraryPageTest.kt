package dev.kormorant.examples.library

import dev.kormorant.examples.Place
import dev.kormorant.examples.serving
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

class LibraryPageTest {
    private fun Browser.names() = evaluate("[...document.querySelectorAll('#authors input')].map(it => it.value).join('|')")

    private fun Browser.waitForNames(names: String) =
        waitFor("[...document.querySelectorAll('#authors input')].map(it => it.value).join('|') === '$names'")

    private fun Browser.add(name: String) =
        evaluate("document.getElementById('new-name').value = '$name'; document.getElementById('add').requestSubmit()")

    private fun Browser.click(row: Int, button: String) =
        evaluate("[...document.querySelectorAll('#authors tr')[$row].querySelectorAll('button')].find(it => it.textContent === '$button').click()")

    @ParameterizedTest
    @EnumSource(names = ["SQLITE", "POSTGRESQL"])
    fun `the page lists, adds, renames and deletes authors`(place: Place) = runBlocking<Unit> {
        Browser.start().use { browser ->
            place.withEmptyDatabase { url ->
                serving({ libraryService { database(url) } }) {
                    send("POST", "/authors", """{"name":"Lem"}""")
                    send("POST", "/authors/1/books", """{"title":"Solaris","published":1961}""")
                    browser.open("${this.url}/index.html")
                    browser.waitForNames("Lem")
                    assertEquals("Solaris (1961)", browser.evaluate("document.querySelector('#authors td:nth-child(2)').textContent"))
                    browser.add("Dick")
                    browser.waitForNames("Dick|Lem")
                    browser.evaluate("document.querySelectorAll('#authors input')[0].value = 'Philip K. Dick'")
                    browser.click(0, "Save")
                    browser.waitFor("document.body.dataset.listed === '2' && document.getElementById('message').textContent === ''")
                    browser.add("Lem")
                    browser.waitFor("document.getElementById('message').textContent.includes('already')")
                    browser.waitForNames("Lem|Philip K. Dick")
                    browser.click(0, "Delete")
                    browser.waitForNames("Philip K. Dick")
                    assertEquals("Philip K. Dick", browser.names())
                }
            }
        }
    }
}
