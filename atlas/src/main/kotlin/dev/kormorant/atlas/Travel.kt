package dev.kormorant.atlas

import dev.kormorant.CompositeModel
import dev.kormorant.CompositeModelClass
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.UUIDModel
import dev.kormorant.UUIDModelClass
import dev.kormorant.optionalBackReferencedOn
import dev.kormorant.optionalReferencedOn
import dev.kormorant.referencedOn
import dev.kormorant.referrersOn
import dev.kormorant.save
import dev.kormorant.sensitive
import org.jetbrains.exposed.v1.core.dao.id.CompositeIdTable
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.dao.id.java.UUIDTable
import org.jetbrains.exposed.v1.core.isNull
import org.jetbrains.exposed.v1.javatime.date
import org.jetbrains.exposed.v1.javatime.datetime
import java.time.LocalDateTime

/** When the clocks of a zone were put forward or back; one of the two columns of the key refers to the zone. */
object Shifts : CompositeIdTable("atlas_shift") {
    val zone = reference("zone_id", Zones)

    /** Seconds since 1970. */
    val at = long("at_second").entityId()
    val before = integer("minutes_before")
    val after = integer("minutes_after")
    override val primaryKey = PrimaryKey(zone, at)

    init {
        addIdColumn(zone)
    }
}

/** What a unit of one currency cost in another. */
object Rates : LongIdTable("atlas_rate") {
    val base = reference("base_id", Currencies)
    val quote = reference("quote_id", Currencies)
    val day = date("day_of")
    val value = decimal("value_of", 18, 6)

    init {
        uniqueIndex(base, quote, day)
    }
}

object Travellers : UUIDTable("atlas_traveller") {
    val email = varchar("email", 100).uniqueIndex()
    val name = varchar("name", 100)
    val home = optReference("home_id", Countries)
}

object Passports : LongIdTable("atlas_passport") {
    val traveller = reference("traveller_id", Travellers).uniqueIndex()
    val country = reference("country_id", Countries)
    val number = varchar("number", 20).sensitive()
}

// region model-scope
object Trips : LongIdTable("atlas_trip") {
    val traveller = reference("traveller_id", Travellers)
    val title = varchar("title", 100)
    val version = integer("version")
    val cancelledAt = datetime("cancelled_at").nullable()
}

class Trip : LongModel() {
    val traveller by Traveller referencedOn Trips.traveller
    var title by Trips.title
    var version by Trips.version
    var cancelledAt by Trips.cancelledAt
    val legs by Leg referrersOn Legs.trip orderBy Legs.number

    /** The row stays, but only those who ask for `unscoped` trips see it. */
    suspend fun cancel(at: LocalDateTime) {
        cancelledAt = at
        save()
    }

    companion object : LongModelClass<Trip>(Trips, ::Trip) {
        override val version get() = Trips.version
        override val defaultScope get() = Trips.cancelledAt.isNull()
    }
}
// endregion

object Legs : CompositeIdTable("atlas_leg") {
    val trip = reference("trip_id", Trips)
    val number = integer("number").entityId()
    val origin = reference("origin_id", Zones)
    val destination = reference("destination_id", Zones)
    val departure = datetime("departure")
    override val primaryKey = PrimaryKey(trip, number)

    init {
        addIdColumn(trip)
    }
}

class Shift : CompositeModel() {
    val zone by Zone referencedOn Shifts.zone
    var at by Shifts.at
    var before by Shifts.before
    var after by Shifts.after

    companion object : CompositeModelClass<Shift>(Shifts, ::Shift)
}

class Rate : LongModel() {
    val base by Currency referencedOn Rates.base
    val quote by Currency referencedOn Rates.quote
    var day by Rates.day
    var value by Rates.value

    companion object : LongModelClass<Rate>(Rates, ::Rate)
}

class Traveller : UUIDModel() {
    var email by Travellers.email
    var name by Travellers.name
    val home by Country optionalReferencedOn Travellers.home
    val passport by Passport optionalBackReferencedOn Passports.traveller
    val trips by Trip referrersOn Trips.traveller

    companion object : UUIDModelClass<Traveller>(Travellers, ::Traveller)
}

class Passport : LongModel() {
    val traveller by Traveller referencedOn Passports.traveller
    val country by Country referencedOn Passports.country
    var number by Passports.number

    companion object : LongModelClass<Passport>(Passports, ::Passport)
}

class Leg : CompositeModel() {
    val trip by Trip referencedOn Legs.trip
    var number by Legs.number
    val origin by Zone referencedOn Legs.origin
    val destination by Zone referencedOn Legs.destination
    var departure by Legs.departure

    companion object : CompositeModelClass<Leg>(Legs, ::Leg)
}
