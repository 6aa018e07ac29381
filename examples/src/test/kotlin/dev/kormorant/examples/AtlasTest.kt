package dev.kormorant.examples

import dev.kormorant.Database
import dev.kormorant.deleteWhere
import dev.kormorant.atlas.Countries
import dev.kormorant.atlas.Country
import dev.kormorant.atlas.CountryLanguages
import dev.kormorant.atlas.Currencies
import dev.kormorant.atlas.Currency
import dev.kormorant.atlas.Languages
import dev.kormorant.atlas.Zone
import dev.kormorant.atlas.Zones
import dev.kormorant.examples.atlas.main
import dev.kormorant.examples.atlas.questions
import dev.kormorant.select
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

class AtlasTest {
    @ParameterizedTest
    @EnumSource
    fun `the program imports the world and answers five questions`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            val output = printed { main(arrayOf(url)) }
            assertEquals(5, questions.size)
            val answers = questions.keys.mapIndexed { index, question ->
                output.substringAfter("${index + 1}. $question\n\n", "").substringBefore("\n\n").trimEnd()
            }
            assertTrue(answers.all { it.lines().size >= 5 }, output)
            assertTrue("\n   EUR   Euro " in answers[0], answers[0])
            assertTrue("\n   English " in answers[1], answers[1])
            assertTrue("\n   Russia " in answers[2], answers[2])
            assertTrue("\n   Austria " in answers[3], answers[3])
            val (before, inside, after) = answers[4].lines().takeLast(3).map { it.trim().substringAfterLast(' ').toInt() }
            assertEquals(before + 3, inside)
            assertEquals(before, after)
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `a second run adds nothing and gives the same answers`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            val first = printed { main(arrayOf(url)) }
            val second = printed { main(arrayOf(url)) }
            assertEquals(answersOf(first), answersOf(second))
            assertEquals(7, Regex(""", 0 new\n""").findAll(second).count(), second)
            inDatabase(url) {
                for (code in listOf(Currencies.code, Languages.code, Countries.code, Zones.code)) assertEquals(0, duplicatesOf(code), "$code")
                assertEquals(java.util.Locale.getISOCountries().size.toLong(), Country.count())
                assertEquals(java.util.Currency.getAvailableCurrencies().size.toLong(), Currency.count())
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `a run after rows were lost brings back those only`(place: Place) = runBlocking<Unit> {
        place.withEmptyDatabase { url ->
            val first = printed { main(arrayOf(url)) }
            inDatabase(url) {
                val austria = Country.get { Countries.code eq "AT" }
                Zones.deleteWhere { Zones.country eq austria.id }
                CountryLanguages.deleteWhere { CountryLanguages.country eq austria.id }
            }
            val second = printed { main(arrayOf(url)) }
            assertEquals(answersOf(first), answersOf(second))
            assertTrue(Regex("""time zones +\d+, 1 new\n""") in second, second)
            assertTrue(Regex("""countries +\d+, 0 new\n""") in second, second)
            inDatabase(url) { assertEquals(1, Zone.count { Zones.code eq "Europe/Vienna" }) }
        }
    }

    private fun answersOf(output: String) = output.substringAfter("\n\n")

    private suspend fun inDatabase(url: String, block: suspend () -> Unit) = Database.open(url).use { withContext(it) { block() } }

    private suspend fun duplicatesOf(code: Column<String>): Int =
        code.table.select(code).groupBy(code).having { code.count() greater 1L }.toList().size
}
