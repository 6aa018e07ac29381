package dev.kormorant.examples.atlas

import dev.kormorant.atlas.Countries
import dev.kormorant.atlas.Country
import dev.kormorant.atlas.CountryLanguages
import dev.kormorant.atlas.Currencies
import dev.kormorant.atlas.Currency
import dev.kormorant.atlas.Language
import dev.kormorant.atlas.Languages
import dev.kormorant.atlas.Zones
import dev.kormorant.save
import dev.kormorant.select
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.SortOrder.ASC
import org.jetbrains.exposed.v1.core.SortOrder.DESC
import org.jetbrains.exposed.v1.core.and
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.inList
import org.jetbrains.exposed.v1.core.inSubQuery
import org.jetbrains.exposed.v1.core.max
import org.jetbrains.exposed.v1.core.min
import org.jetbrains.exposed.v1.core.minus

/** The questions the atlas answers, and how. Each answer is read from the database of the calling coroutine. */
val questions: Map<String, suspend () -> TextTable> = linkedMapOf(
    "Which currencies are legal tender in the most countries?" to ::sharedCurrencies,
    "Which languages are spoken in the most countries?" to ::widespreadLanguages,
    "Which countries have clocks that are furthest apart?" to ::widestClocks,
    "Where do people speak German and pay in euros?" to ::germanAndEuro,
    "What if Czechia, Denmark and Sweden paid in euros?" to ::biggerEuroArea,
)

/** One GROUP BY over a join: rows, not models, because nothing but the figures is wanted. */
private suspend fun sharedCurrencies(): TextTable {
    val users = Countries.id.count()
    val rows = (Currencies innerJoin Countries)
        .select(Currencies.code, Currencies.name, users)
        .groupBy(Currencies.code, Currencies.name)
        .orderBy(users to DESC, Currencies.code to ASC)
        .limit(5)
        .toList()
    return rows.fold(TextTable("Code", "Currency", "Countries")) { table, row ->
        table.row(row[Currencies.code], row[Currencies.name], row[users])
    }
}

/** All languages with their countries, in two queries however many there are. */
private suspend fun widespreadLanguages(): TextTable {
    val languages = Language.all().with(Language::countries).toList()
    val table = TextTable("Language", "Countries", "Among them")
    for (language in languages.sortedWith(compareByDescending<Language> { it.countries.value.size }.thenBy { it.code }).take(5)) {
        val names = language.countries.value.map { it.name }.sorted()
        table.row(language.name, names.size, names.take(4).joinToString() + if (names.size > 4) ", …" else "")
    }
    return table
}

/** Aggregates that are compared with each other, and sorted by what comes out. */
private suspend fun widestClocks(): TextTable {
    val zones = Zones.id.count()
    val first = Zones.utcOffset.min()
    val last = Zones.utcOffset.max()
    val rows = (Countries innerJoin Zones)
        .select(Countries.code, Countries.name, zones, first, last)
        .groupBy(Countries.code, Countries.name)
        .orderBy(last - first to DESC, zones to DESC, Countries.code to ASC)
        .limit(5)
        .toList()
    return rows.fold(TextTable("Country", "Time zones", "From", "To")) { table, row ->
        table.row(row[Countries.name], row[zones], utc(row[first]), utc(row[last]))
    }
}

/** Conditions across a many-to-many relation and a reference; the relations that are printed come along. */
private suspend fun germanAndEuro(): TextTable {
    val german = CountryLanguages.innerJoin(Languages).select(CountryLanguages.country).where { Languages.code eq "de" }
    val euro = Currency.get { Currencies.code eq "EUR" }
    val countries = Country.find { (Countries.id inSubQuery german) and (Countries.currency eq euro.id) }
        .orderBy(Countries.name)
        .with(Country::languages, Country::zones)
        .toList()
    val table = TextTable("Country", "Languages", "Time zones")
    for (country in countries) {
        table.row(
            country.name,
            country.languages.value.map { it.name }.sorted().joinToString(),
            country.zones.value.map { it.code }.sorted().joinToString(),
        )
    }
    return table
}

/** Changes the database, looks at it, and takes everything back. */
private suspend fun biggerEuroArea(): TextTable {
    val euro = Currency.get { Currencies.code eq "EUR" }
    val table = TextTable("Moment", "Euro countries")
    table.row("before", euro.countries.query.count())
    transaction { tx ->
        for (country in Country.find { Countries.code inList listOf("CZ", "DK", "SE") }.toList()) {
            country.currency.value = euro
            country.save()
        }
        table.row("inside the transaction", euro.countries.query.count())
        tx.setRollbackOnly()
    }
    return table.row("after the rollback", euro.countries.query.count())
}

private fun utc(minutes: Int?): String {
    if (minutes == null) return ""
    val (sign, distance) = if (minutes < 0) "-" to -minutes else "+" to minutes
    return "UTC%s%d:%02d".format(sign, distance / 60, distance % 60)
}
