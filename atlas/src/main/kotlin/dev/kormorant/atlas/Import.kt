package dev.kormorant.atlas

import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import dev.kormorant.batchInsert
import dev.kormorant.selectAll
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.Column

/** Says how far the import is: so many of [what] are in the database, [added] of them since now. */
typealias Progress = (what: String, total: Int, added: Int) -> Unit

/**
 * Brings the database up to date with [world]: adds what is missing, leaves alone what is there, all of it or nothing.
 */
suspend fun import(world: World, progress: Progress) {
    Schema.create(Currencies, Languages, Countries, Areas, Zones, CountryLanguages)
    transaction {
        val currencies = Currency.addMissing("currencies", Currencies.code, world.currencies.associateBy { it.code }, progress) {
            name = it.name
        }
        val languages = Language.addMissing("languages", Languages.code, world.languages.associateBy { it.code }, progress) {
            name = it.name
        }
        val countries = Country.addMissing("countries", Countries.code, world.countries.associateBy { it.code }, progress) {
            name = it.name
            currency.value = currencies[it.currency]
        }
        val areas = HashMap<String, Area>()
        for (depth in world.areas.map { it.depth }.distinct().sorted()) {
            areas += Area.addMissing("areas, level $depth", Areas.code, world.areas.filter { it.depth == depth }.associateBy { it.code }, progress) {
                name = it.name
                parent.value = areas[it.parent]
            }
        }
        val zones = world.countries.flatMap { country -> country.zones.map { it to countries.getValue(country.code) } }
        Zone.addMissing("time zones", Zones.code, zones.associateBy { (zone, _) -> zone.code }, progress) { (zone, owner) ->
            utcOffset = zone.utcOffset
            country.value = owner
            area.value = areas[zone.area]
        }
        val links = world.countries.flatMap { country ->
            country.languages.map { countries.getValue(country.code).id to languages.getValue(it).id }
        }
        val present = CountryLanguages.selectAll().toList().mapTo(HashSet()) { it[CountryLanguages.country] to it[CountryLanguages.language] }
        val added = CountryLanguages.batchInsert(links - present, shouldReturnGeneratedValues = false) { (country, language) ->
            this[CountryLanguages.country] = country
            this[CountryLanguages.language] = language
        }
        progress("languages of countries", links.size, added.size)
    }
}

/** Creates a model for each of [facts], which are by code, that the table does not have; returns the models of all codes. */
private suspend fun <F, M : LongModel> LongModelClass<M>.addMissing(
    what: String,
    code: Column<String>,
    facts: Map<String, F>,
    progress: Progress,
    fill: M.(F) -> Unit,
): Map<String, M> {
    val present = all().toList()
    val known = present.mapTo(HashSet()) { it[code] }
    val missing = facts.filterKeys { it !in known }.map { (key, fact) ->
        new {
            this[code] = key
            fill(fact)
        }
    }
    val created = createAll(missing)
    progress(what, present.size + created.size, created.size)
    return (present + created).associateBy { it[code] }
}
