package dev.kormorant.examples.kit

import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.examples.pages.Page
import dev.kormorant.examples.pages.Pages
import dev.kormorant.test.kotest.DatabaseTestExtension
import dev.kormorant.transaction
import io.kotest.core.spec.style.StringSpec
import org.junit.jupiter.api.Assertions.assertEquals

// region kit-kotest
class PageKitSpec : StringSpec({
    val db = Database.open("sqlite::memory:")
    extension(DatabaseTestExtension(db) { Schema.create(Pages) })
    afterSpec { db.close() }

    "a page is kept for as long as its test" {
        transaction { Page.create { key = "title"; text = "first" } }
        assertEquals(1, Page.count())
    }

    "the next test does not see it" {
        assertEquals(0, Page.count())
    }
})
// endregion
