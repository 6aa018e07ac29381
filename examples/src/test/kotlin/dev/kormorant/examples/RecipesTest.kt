package dev.kormorant.examples

import dev.kormorant.Database
import dev.kormorant.DatabaseListener
import dev.kormorant.StatementEvent
import dev.kormorant.examples.quickstart.JavaQuickstart
import dev.kormorant.examples.quickstart.main
import dev.kormorant.examples.recipes.JavaEagerLoading
import dev.kormorant.examples.recipes.JavaModels
import dev.kormorant.examples.recipes.JavaReading
import dev.kormorant.examples.recipes.JavaRollback
import dev.kormorant.examples.recipes.JavaWriting
import dev.kormorant.examples.recipes.collect
import dev.kormorant.examples.recipes.import
import dev.kormorant.examples.recipes.invite
import dev.kormorant.examples.recipes.payAll
import dev.kormorant.examples.recipes.printTweets
import dev.kormorant.examples.recipes.reading
import dev.kormorant.examples.recipes.rollback
import dev.kormorant.examples.recipes.theme
import dev.kormorant.examples.recipes.tour
import dev.kormorant.examples.recipes.writeTweets
import dev.kormorant.examples.recipes.writing
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource
import java.util.concurrent.atomic.AtomicInteger

class RecipesTest {
    @ParameterizedTest
    @EnumSource
    fun `the quickstart prints the text that was saved`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { assertEquals("Async is SUPER awesome\n", printed { main(arrayOf(it)) }) }
    }

    @ParameterizedTest
    @EnumSource
    fun `the Java programs print the same`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            assertEquals("Async is SUPER awesome\n", printed { JavaQuickstart.main(arrayOf(url)) })
            assertEquals("FOO\n", printed { JavaRollback.main(arrayOf(url)) })
            assertEquals("Lem: [Solaris, The Cyberiad]\n", printed { JavaEagerLoading.main(arrayOf(url)) })
            assertEquals("[WordCount[name=the, hits=2]]\n", printed { JavaWriting.main(arrayOf(url)) })
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `a failed transaction leaves FOO, not BAR`(place: Place) = assertPrints("FOO\n", place) { rollback(it) }

    @ParameterizedTest
    @EnumSource
    fun `a failed savepoint leaves the rest of its transaction`(place: Place) =
        assertPrints("Ada is invited already (UNIQUE)\n2 guests\n", place) { invite(it, listOf("Ada", "Grace", "Ada")) }

    @ParameterizedTest
    @EnumSource
    fun `queries of several kinds are read as objects`(place: Place) = assertPrints(
        "[KindCount(kind=wheel, parts=2)]\n[back wheel, bicycle, front wheel]\n" +
            "[(bicycle, 0), (back wheel, 1), (front wheel, 1), (spoke, 2)]\n[[bicycle, back wheel], [front wheel, spoke]]\nfront wheel\n",
        place,
    ) { reading(it) }

    @ParameterizedTest
    @EnumSource
    fun `Java reads the same as records`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            assertEquals(
                "[KindCount[kind=wheel, parts=2]]\n[back wheel, bicycle, front wheel]\nbicycle\nfront wheel\nback wheel\n",
                printed { JavaReading.main(arrayOf(url)) },
            )
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `children of a transaction are part of it`(place: Place) = assertPrints("8 readings\n", place) { collect(it) }

    @ParameterizedTest
    @EnumSource
    fun `payments at the same time are all made`(place: Place) = assertPrints("Ada 80, Grace 120\n", place) { payAll(it) }

    @ParameterizedTest
    @EnumSource
    fun `a transaction by hand keeps what it has committed`(place: Place) = assertPrints("2 wallets\n", place) { import(it, listOf("a", "b", "c")) }

    @ParameterizedTest
    @EnumSource
    fun `ten coroutines get the row that one of them creates`(place: Place) = assertPrints("1 created, 1 row\n", place) { theme(it) }

    @ParameterizedTest
    @EnumSource
    fun `words are counted, read by SQL, described and logged`(place: Place) = assertPrints(
        "5 words, 4 rows, 0 times 'and'\n[WordCount(name=the, hits=3)] the [3] 1\ncat is a noun\na statement\n",
        place,
    ) { writing(it) }

    @ParameterizedTest
    @EnumSource
    fun `the guide to models says what it does`(place: Place) = assertPrints(TOUR, place) { withContext(it) { tour() } }

    @ParameterizedTest
    @EnumSource
    fun `the Java program about models prints trees, a violation and counts`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            val expected = "bicycle: [bell!, chain!]\nPart(new) is not valid: name: must not be blank\nHint: Mend what is listed and save again.\n3 of 4\n0 left\n"
            assertEquals(expected, printed { JavaModels.main(arrayOf(url)) })
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `relations are loaded in one query each`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            val statements = AtomicInteger()
            val counter = object : DatabaseListener {
                override fun onStatement(event: StatementEvent) {
                    statements.incrementAndGet()
                }
            }
            Database.open(url) { listener(counter) }.use { db ->
                withContext(db) {
                    writeTweets()
                    statements.set(0)
                    assertEquals("huey\n  meow [cats]\n  hiss []\nzaizee\n  purr [cats, food]\n", printed { printTweets() })
                    assertEquals(3, statements.get())
                }
            }
        }
    }

    private fun assertPrints(expected: String, place: Place, example: suspend (Database) -> Unit) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            assertEquals(expected, printed { Database.open(url).use { example(it) } })
        }
    }
}

private val TOUR = """
    created true To the mountains
    changed true Dora true
    related Austria EUR 60
    tree true
    locked Changed meanwhile!
    hidden false 2024-05-01T12:00
    mapped Austria EUR true
    rows true Cormorant
    audited ada ben
    refused number: must have nine digits, must be of another country
    cascade 1 0
""".trimIndent() + "\n"
