package dev.kormorant.atlas

import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.optionalReferencedOn
import dev.kormorant.optionalReferrersOn
import dev.kormorant.referencedOn
import dev.kormorant.referrersOn
import dev.kormorant.via
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

object Currencies : LongIdTable("atlas_currency") {
    val code = varchar("code", 3).uniqueIndex()
    val name = varchar("name", 100)
}

object Languages : LongIdTable("atlas_language") {
    val code = varchar("code", 8).uniqueIndex()
    val name = varchar("name", 100)
}

object Countries : LongIdTable("atlas_country") {
    val code = varchar("code", 2).uniqueIndex()
    val name = varchar("name", 100)
    val currency = optReference("currency_id", Currencies)
}

/** Parts of the world as time zones are named by them: `America` and, within it, `America/Argentina`. */
object Areas : LongIdTable("atlas_area") {
    val code = varchar("code", 50).uniqueIndex()
    val name = varchar("name", 50)
    val parent = optReference("parent_id", Areas)
}

object Zones : LongIdTable("atlas_zone") {
    val code = varchar("code", 50).uniqueIndex()
    val utcOffset = integer("utc_offset")
    val country = reference("country_id", Countries)
    val area = optReference("area_id", Areas)
}

object CountryLanguages : Table("atlas_country_language") {
    val country = reference("country_id", Countries)
    val language = reference("language_id", Languages)
    override val primaryKey = PrimaryKey(country, language)
}

class Currency : LongModel() {
    var code by Currencies.code
    var name by Currencies.name
    val countries by Country optionalReferrersOn Countries.currency
    val rates by Rate referrersOn Rates.base
    val quotes by Rate referrersOn Rates.quote

    companion object : LongModelClass<Currency>(Currencies, ::Currency)
}

class Language : LongModel() {
    var code by Languages.code
    var name by Languages.name
    val countries by Country via CountryLanguages

    companion object : LongModelClass<Language>(Languages, ::Language)
}

class Country : LongModel() {
    var code by Countries.code
    var name by Countries.name
    val currency by Currency optionalReferencedOn Countries.currency
    val languages by Language via CountryLanguages
    val zones by Zone referrersOn Zones.country

    companion object : LongModelClass<Country>(Countries, ::Country)
}

class Area : LongModel() {
    var code by Areas.code
    var name by Areas.name
    val parent by Area optionalReferencedOn Areas.parent
    val parts by Area optionalReferrersOn Areas.parent orderBy Areas.code
    val zones by Zone optionalReferrersOn Zones.area

    companion object : LongModelClass<Area>(Areas, ::Area)
}

class Zone : LongModel() {
    var code by Zones.code

    /** Minutes ahead of UTC, outside summer time. */
    var utcOffset by Zones.utcOffset
    val country by Country referencedOn Zones.country
    val area by Area optionalReferencedOn Zones.area
    val shifts by Shift referrersOn Shifts.zone orderBy Shifts.at

    companion object : LongModelClass<Zone>(Zones, ::Zone)
}
