package dev.kormorant.atlas

import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.util.Currency
import java.util.Locale

/** The world as this JDK knows it, with English names. */
class World {
    val currencies: List<Named> = Currency.getAvailableCurrencies()
        .map { Named(it.currencyCode, it.getDisplayName(Locale.ENGLISH)) }
        .sortedBy { it.code }

    val countries: List<CountryFacts> = run {
        val languages = Locale.getAvailableLocales().groupBy({ it.country }, { it.language })
        val zones = zonesByCountry()
        Locale.getISOCountries().sorted().map { code ->
            val locale = Locale.forLanguageTag("und-$code")
            CountryFacts(
                code,
                locale.getDisplayCountry(Locale.ENGLISH),
                Currency.getInstance(locale)?.currencyCode,
                languages[code].orEmpty().distinct().sorted(),
                zones[code].orEmpty(),
            )
        }
    }

    val languages: List<Named> = countries.flatMap { it.languages }.distinct().sorted()
        .map { Named(it, Locale.forLanguageTag(it).getDisplayLanguage(Locale.ENGLISH)) }

    /** What zones are named by, the whole before its parts. */
    val areas: List<AreaFacts> = countries.flatMap { it.zones }.flatMap { zone -> generateSequence(zone.area) { it.substringBeforeLast('/', "").ifEmpty { null } } }
        .distinct().sorted().map(::AreaFacts)

    private fun zonesByCountry(): Map<String, List<ZoneFacts>> {
        val lines = checkNotNull(World::class.java.getResource("time-zones.txt")).readText().lines()
        return lines.filter { it.isNotEmpty() && !it.startsWith('#') }.associate { line ->
            val (country, shortNames) = line.split(' ', limit = 2)
            country to shortNames.split(' ').mapNotNull(::zoneOf).map { ZoneFacts(it.id, it.standardOffset()) }
        }
    }

    /** The zone with a short Unicode name: a locale may ask for it, and a formatter for that locale has it. */
    private fun zoneOf(shortName: String): ZoneId? =
        DateTimeFormatter.ISO_TIME.localizedBy(Locale.forLanguageTag("und-u-tz-$shortName")).zone

    private fun ZoneId.standardOffset(): Int = rules.getStandardOffset(Instant.now()).totalSeconds / 60
}

class Named(val code: String, val name: String)

class CountryFacts(
    val code: String,
    val name: String,
    val currency: String?,
    val languages: List<String>,
    val zones: List<ZoneFacts>,
)

class ZoneFacts(val code: String, val utcOffset: Int) {
    /** Code of the area it is in, if its name tells one. */
    val area: String? get() = code.substringBeforeLast('/', "").ifEmpty { null }
}

class AreaFacts(val code: String) {
    val name: String get() = code.substringAfterLast('/')
    val parent: String? get() = code.substringBeforeLast('/', "").ifEmpty { null }
    val depth: Int get() = code.count { it == '/' }
}
