package dev.kormorant.atlas

import dev.kormorant.Schema
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import java.math.BigDecimal
import java.time.LocalDate
import java.time.ZoneId
import java.util.UUID
import kotlin.random.Random

/** All twelve tables, those that others refer to first. */
val atlasTables: Array<Table> = arrayOf(
    Currencies, Languages, Countries, CountryLanguages, Areas, Zones, Shifts, Rates, Travellers, Passports, Trips, Legs,
)

/**
 * Adds a history to an atlas that has been imported: the clock changes of every zone as the JDK knows them from [since] to the day
 * before [until], and travellers, trips and exchange rates that are made up, the same ones for the same [seed]. The tables for it must be
 * empty; all of it or nothing.
 */
suspend fun importHistory(
    since: LocalDate = LocalDate.of(2000, 1, 1),
    until: LocalDate = LocalDate.of(2020, 1, 1),
    travellers: Int = 100,
    seed: Int = 1,
) {
    Schema.create(*atlasTables)
    val random = Random(seed)
    transaction {
        val zones = Zone.all().orderBy(Zones.code).toList()
        Shift.createAll(zones.flatMap { shiftsOf(it, since, until) })
        val currencies = Currency.all().orderBy(Currencies.code).toList().filter { it.code in TRADED }
        Rate.createAll(currencies.flatMap { base -> (currencies - base).flatMap { quote -> List(5) { rate(base, quote, since.plusMonths(it.toLong()), random) } } })
        val countries = Country.all().orderBy(Countries.code).toList()
        val people = Traveller.createAll(List(travellers) { number -> traveller(number, countries.random(random), random) })
        Passport.createAll(people.filterIndexed { number, _ -> number % 4 != 0 }.map { passport(it, countries.random(random), random) })
        val trips = Trip.createAll(people.flatMap { owner -> List(random.nextInt(4)) { trip(owner, it) } })
        Leg.createAll(trips.flatMap { trip -> legs(trip, random.nextInt(1, 5), zones, since, random) })
    }
}

private val TRADED = setOf("CHF", "EUR", "GBP", "JPY", "USD")

private fun shiftsOf(zone: Zone, since: LocalDate, until: LocalDate): List<Shift> {
    val id = ZoneId.of(zone.code)
    val end = until.atStartOfDay(id).toInstant()
    return generateSequence(id.rules.nextTransition(since.atStartOfDay(id).toInstant())) { id.rules.nextTransition(it.instant) }
        .takeWhile { it.instant < end }
        .map { transition ->
            Shift.new {
                this.zone.value = zone
                at = part(transition.instant.epochSecond, Shifts)
                before = transition.offsetBefore.totalSeconds / 60
                after = transition.offsetAfter.totalSeconds / 60
            }
        }
        .toList()
}

private fun rate(from: Currency, to: Currency, date: LocalDate, random: Random) = Rate.new {
    base.value = from
    quote.value = to
    day = date
    value = BigDecimal.valueOf(random.nextLong(1, 200_000_000), 6)
}

private fun traveller(number: Int, country: Country, random: Random) = Traveller.new {
    this[Travellers.id] = EntityID(UUID(random.nextLong(), random.nextLong()), Travellers)
    email = "traveller$number@example.org"
    name = "Traveller $number"
    home.value = country.takeIf { number % 10 != 0 }
}

private fun passport(owner: Traveller, issuer: Country, random: Random) = Passport.new {
    traveller.value = owner
    country.value = issuer
    number = List(9) { random.nextInt(10) }.joinToString("")
}

private fun trip(owner: Traveller, number: Int) = Trip.new {
    traveller.value = owner
    title = "Trip ${number + 1} of ${owner.name}"
}

private fun legs(of: Trip, count: Int, zones: List<Zone>, since: LocalDate, random: Random): List<Leg> {
    val stops = List(count + 1) { zones.random(random) }
    return List(count) { index ->
        Leg.new {
            trip.value = of
            number = part(index + 1, Legs)
            origin.value = stops[index]
            destination.value = stops[index + 1]
            departure = since.plusDays(random.nextLong(7000)).atStartOfDay()
        }
    }
}

/** A column of a key that has several, as Exposed types it. */
@Suppress("UNCHECKED_CAST")
private fun <T : Any> part(value: T, table: IdTable<*>): EntityID<T> = EntityID(value, table as IdTable<T>)
