package dev.kormorant.examples.atlas

import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.optionalReferencedOn
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

object Zones : LongIdTable("atlas_zone") {
    val code = varchar("code", 50).uniqueIndex()
    val utcOffset = integer("utc_offset")
    val country = reference("country_id", Countries)
}

object CountryLanguages : Table("atlas_country_language") {
    val country = reference("country_id", Countries)
    val language = reference("language_id", Languages)
    override val primaryKey = PrimaryKey(country, language)
}

class Currency : LongModel() {
    var code by Currencies.code
    var name by Currencies.name
    val countries by Country referrersOn Countries.currency

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

class Zone : LongModel() {
    var code by Zones.code

    /** Minutes ahead of UTC, outside summer time. */
    var utcOffset by Zones.utcOffset
    val country by Country referencedOn Zones.country

    companion object : LongModelClass<Zone>(Zones, ::Zone)
}
