package dev.kormorant.test.conformance

import dev.kormorant.Cascade
import dev.kormorant.StaleModelException
import dev.kormorant.atlas.Area
import dev.kormorant.atlas.Areas
import dev.kormorant.atlas.Countries
import dev.kormorant.atlas.Country
import dev.kormorant.atlas.Currencies
import dev.kormorant.atlas.Currency
import dev.kormorant.atlas.Leg
import dev.kormorant.atlas.Legs
import dev.kormorant.atlas.Passport
import dev.kormorant.atlas.Passports
import dev.kormorant.atlas.Rate
import dev.kormorant.atlas.Rates
import dev.kormorant.atlas.Shift
import dev.kormorant.atlas.Shifts
import dev.kormorant.atlas.Traveller
import dev.kormorant.atlas.Travellers
import dev.kormorant.atlas.Trip
import dev.kormorant.atlas.Trips
import dev.kormorant.atlas.World
import dev.kormorant.atlas.Zone
import dev.kormorant.atlas.Zones
import dev.kormorant.atlas.atlasTables
import dev.kormorant.atlas.import
import dev.kormorant.atlas.importHistory
import dev.kormorant.delete
import dev.kormorant.save
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.runBlocking
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.isNotNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import java.time.LocalDateTime

/** Models at work on a schema as programs have it: twelve tables with thousands of rows. */
public abstract class AtlasSuite(backend: Backend) : Suite(backend, *atlasTables) {
    @BeforeEach
    public fun importAtlas() {
        runBlocking(db) {
            import(World()) { _, _, _ -> }
            importHistory(travellers = 40)
        }
        sent.clear()
    }

    @Test
    public fun `importing again adds nothing`(): Unit = test {
        val before = atlasTables.map { it.selectAll().count() }
        assertTrue(before.all { it > 0 }, "$before")
        import(World()) { _, _, added -> assertEquals(0, added) }
        assertEquals(before, atlasTables.map { it.selectAll().count() })
    }

    @Test
    public fun `a tree over seven tables takes one query per relation and level (N5)`(): Unit = test {
        assertQueries(7) {
            val countries = Country.all().orderBy(Countries.code)
                .with(Country::currency, Country::languages)
                .with(Country::zones) {
                    orderBy(Zones.code)
                    with(Zone::area) { with(Area::parent) }
                    with(Zone::shifts) { orderBy(Shifts.at, SortOrder.DESC); limitPerParent(2) }
                }.toList()
            val austria = countries.single { it.code == "AT" }
            assertEquals("EUR", austria.currency.value?.code)
            assertTrue("de" in austria.languages.value.map { it.code })
            val vienna = austria.zones.value.single()
            assertEquals("Europe" to null, vienna.area.value?.code to vienna.area.value?.parent?.value)
            assertEquals(listOf(60, 120), vienna.shifts.value.map { it.after })
            val argentina = countries.single { it.code == "AR" }.zones.value.first { it.code.startsWith("America/Argentina/") }
            assertEquals("America", argentina.area.value?.parent?.value?.code)
        }
    }

    @Test
    public fun `two keys to one table, from both sides`(): Unit = test {
        assertQueries(3) {
            val euro = Currency.find { Currencies.code eq "EUR" }.with(Currency::rates, Currency::quotes).single()
            assertEquals(20 to 20, euro.rates.value.size to euro.quotes.value.size)
            assertTrue(euro.rates.value.all { it.base.id == euro.id && it.quote.id != euro.id })
        }
        assertQueries(3) { assertTrue(Rate.all().with(Rate::base, Rate::quote).toList().all { it.base.value.code != it.quote.value.code }) }
        assertEquals(100, Rate.count { Rates.value.isNotNull() })
    }

    @Test
    public fun `keys of several columns, of which one is a reference`(): Unit = test {
        val leg = Leg.all().orderBy(Legs.trip).orderBy(Legs.number).first()
        assertEquals(1, leg.number.value)
        assertEquals(leg.departure, Leg.get(leg.id).departure)
        assertQueries(4) {
            val trip = Trip.find { Trips.id eq leg.trip.id }.with(Trip::legs) { with(Leg::origin, Leg::destination) }.single()
            val stops = trip.legs.value
            assertEquals((1..stops.size).toList(), stops.map { it.number.value })
            for ((from, to) in stops.zipWithNext()) assertEquals(from.destination.value.code, to.origin.value.code)
        }
        val shift = Shift.all().first()
        shift.before += 1
        assertTrue(shift.save())
        assertEquals(shift.before, Shift.get(shift.id).before)
    }

    @Test
    public fun `a cancelled trip is hidden, kept, and counted in its versions (N16)`(): Unit = test {
        val traveller = Trip.all().with(Trip::traveller).first().traveller.value
        val trips = traveller.trips()
        val stale = Trip.get(trips[0].id)
        trips[0].cancel(LocalDateTime.of(2024, 5, 1, 12, 0))
        traveller.trips.forget()
        assertEquals(trips.size - 1, traveller.trips().size)
        assertEquals(trips.size, Traveller.find { Travellers.id eq traveller.id }.with(Traveller::trips) { unscoped() }.single().trips.value.size)
        stale.title = "too late"
        assertFails<StaleModelException> { stale.save() }
    }

    @Test
    public fun `one to one, and what nobody is to see (U15)`(): Unit = test {
        val travellers = Traveller.all().with(Traveller::passport).toList()
        assertEquals(30, travellers.count { it.passport.value != null })
        val passport = checkNotNull(travellers.firstNotNullOfOrNull { it.passport.value })
        assertFalse(passport.number in "$passport")
        passport.number = "0".repeat(30).take(20)
        assertTrue(passport.save())
        assertNotEquals(0, Passport.count { Passports.number eq passport.number })
    }

    @Test
    public fun `deleting a part of the tree detaches what may be without and deletes the rest (M9)`(): Unit = test {
        val america = Area.get { Areas.code eq "America" }
        val zones = america.zones.query.count()
        transaction { tx ->
            assertEquals(1, america.delete(Cascade.NULLIFY))
            assertEquals(null, Area.get { Areas.code eq "America/Argentina" }.parent.id)
            assertTrue(Zone.count { Zones.area.isNotNull() } > 0)
            tx.setRollbackOnly()
        }
        assertEquals(zones, Area.get { Areas.code eq "America" }.zones.query.count())
        val traveller = Trip.all().with(Trip::traveller).first().traveller.value
        Trips.selectAll().where { Trips.traveller eq traveller.id }.toList().forEach { trip -> Leg.deleteWhere { Legs.trip eq trip[Trips.id] } }
        assertEquals(1, traveller.delete(Cascade.DELETE))
        assertEquals(0, Trip.count { Trips.traveller eq traveller.id })
    }

    @Test
    public fun `many rows of several tables change with one statement each (O9)`(): Unit = test {
        val legs = Leg.all().toList()
        legs.forEach { it.departure = it.departure.plusHours(1) }
        assertQueries(1) { assertEquals(legs.size, Leg.updateAll(legs, Legs.departure)) }
        assertEquals(legs.associate { it.id.value to it.departure }, Leg.all().toList().associate { it.id.value to it.departure })
    }
}
