package dev.kormorant.examples.recipes

import dev.kormorant.Cascade
import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.MappedTable
import dev.kormorant.Schema
import dev.kormorant.StaleModelException
import dev.kormorant.ValidationException
import dev.kormorant.atlas.Area
import dev.kormorant.atlas.Areas
import dev.kormorant.atlas.Countries
import dev.kormorant.atlas.Country
import dev.kormorant.atlas.Currencies
import dev.kormorant.atlas.Currency
import dev.kormorant.atlas.Leg
import dev.kormorant.atlas.Passport
import dev.kormorant.atlas.Passports
import dev.kormorant.atlas.Shifts
import dev.kormorant.atlas.Traveller
import dev.kormorant.atlas.Travellers
import dev.kormorant.atlas.Trip
import dev.kormorant.atlas.Trips
import dev.kormorant.atlas.World
import dev.kormorant.atlas.Zone
import dev.kormorant.atlas.Zones
import dev.kormorant.atlas.import
import dev.kormorant.atlas.importHistory
import dev.kormorant.delete
import dev.kormorant.mapTo
import dev.kormorant.mapped
import dev.kormorant.refresh
import dev.kormorant.save
import dev.kormorant.transaction
import dev.kormorant.withoutRepeatedLoads
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.max
import java.time.LocalDateTime
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/** The guide to models, on the atlas: every block of it is a function here, and each says what came out. */
suspend fun tour() {
    import(World()) { _, _, _ -> }
    importHistory(travellers = 20)
    println("created ${create()}")
    println("changed ${many()}")
    println("related ${relations()}")
    println("tree ${tree()}")
    println("locked ${lock()}")
    println("hidden ${hide()}")
    println("mapped ${map()}")
    println("rows ${rows()}")
    println("audited ${audit()}")
    println("refused ${validate()}")
    println("cascade ${cascade()}")
    oneQueryForAll()
}

private suspend fun create(): String {
    // region model-create
    val (ada, isNew) = Traveller.getOrCreate({ email = "ada@example.org" }) { name = "Ada" }
    val trip = Trip.create { traveller.value = ada; title = "To the sea" }
    trip.title = "To the mountains"
    trip.save()                                                     // UPDATE of the dirty column only
    // endregion
    return "$isNew ${Trip.get(trip.id).title}"
}

private suspend fun many(): String {
    // region model-many
    val people = Traveller.createAll(listOf("Ben", "Cleo").map { Traveller.new { name = it; email = "$it@example.org" } })
    people.forEach { it.name = it.name.uppercase() }
    Traveller.updateAll(people, Travellers.name)                    // one UPDATE, each row its own value
    val dora = Traveller.upsert { email = "Ben@example.org"; name = "Dora" }
    Trip.updateWhere({ Trips.title eq "nowhere" }) { it[Trips.title] = "somewhere" }
    val youngest = Trip.scalar(Trips.id.max())
    // endregion
    return "${dora.id == people[0].id} ${dora.name} ${youngest != null}"
}

private suspend fun relations(): String {
    // region model-relations
    val vienna = Zone.get { Zones.code eq "Europe/Vienna" }
    val id = vienna.country.id                                      // free
    val austria = vienna.country()                                  // one query, kept
    val euro = Country.all().where { Countries.id eq id }.with(Country::currency).single().currency.value
    val late = vienna.shifts.query.orderBy(Shifts.at, SortOrder.DESC).limit(1).single()
    // endregion
    return "${austria.name} ${euro?.code} ${late.after}"
}

private suspend fun tree(): String {
    // region model-tree
    val countries = Country.all().orderBy(Countries.code)
        .with(Country::currency, Country::languages)
        .with(Country::zones) {
            orderBy(Zones.code)
            with(Zone::area) { with(Area::parent) }
            with(Zone::shifts) { orderBy(Shifts.at, SortOrder.DESC); limitPerParent(2) }
        }.toList()                                                  // seven queries, whatever the number of rows
    // endregion
    return "${countries.sumOf { country -> country.zones.value.sumOf { it.shifts.value.size } } > 100}"
}

private suspend fun lock(): String {
    val id = Trip.all().first().id
    // region model-version
    val mine = Trip.get(id)
    val theirs = Trip.get(id)
    theirs.title = "Changed meanwhile"
    theirs.save()
    mine.title = "Too late"
    try {
        mine.save()                                                 // UPDATE … WHERE id = ? AND version = ?
    } catch (_: StaleModelException) {
        mine.refresh()
    }
    transaction {
        val locked = Trip.getForUpdate(id.value)                    // others wait until the transaction ends
        locked.title += "!"
        locked.save()
    }
    // endregion
    return Trip.get(id).title
}

private suspend fun hide(): String {
    val trip = Trip.all().first()
    // region model-soft-delete
    trip.cancel(LocalDateTime.of(2024, 5, 1, 12, 0))
    val seen = Trip.exists { Trips.id eq trip.id }                  // false: so in every query and relation
    val kept = Trip.unscoped().where { Trips.id eq trip.id }.single()
    // endregion
    return "$seen ${kept.cancelledAt}"
}

// region model-map
data class CountryRow(val code: String, val name: String, val currency: CurrencyRow?, val languages: List<LanguageRow>)

data class CurrencyRow(val code: String)

data class LanguageRow(val name: String)

suspend fun describe(code: String): CountryRow =
    Country.find { Countries.code eq code }.with(Country::currency, Country::languages).mapTo<CountryRow>().single()
// endregion

private suspend fun map(): String = describe("AT").let { row -> "${row.name} ${row.currency?.code} ${row.languages.any { it.name == "German" }}" }

private suspend fun rows(): String {
    // region model-rows
    val currencies: MappedTable<NewCurrency> = Currencies.mapped()
    val stored = currencies.insert(NewCurrency(code = "XKO", name = "Kormoran"))
    currencies.update(stored.copy(name = "Cormorant"))
    val read = currencies.select { Currencies.code eq "XKO" }.single()
    currencies.delete(read)
    // endregion
    return "${stored.id == read.id} ${read.name}"
}

data class NewCurrency(val id: Long? = null, val code: String, val name: String)

// region model-audit
object Entries : LongIdTable("entry_audited") {
    val text = varchar("text_of_entry", 200)
    val createdBy = varchar("created_by", 50)
    val changedBy = varchar("changed_by", 50)
}

class Entry : LongModel() {
    var text by Entries.text
    var createdBy by Entries.createdBy
    var changedBy by Entries.changedBy

    companion object : LongModelClass<Entry>(Entries, ::Entry) {
        init {
            beforeSave { entry ->
                entry.changedBy = currentCoroutineContext()[Editor]?.name ?: "nobody"
                if (entry.isNew) entry.createdBy = entry.changedBy
            }
        }
    }
}

/** Who works in this coroutine and its children. */
class Editor(val name: String) : AbstractCoroutineContextElement(Editor) {
    companion object : CoroutineContext.Key<Editor>
}
// endregion

private suspend fun audit(): String {
    Schema.create(Entries)
    // region model-audit-use
    val entry = withContext(Editor("ada")) { Entry.create { text = "one" } }
    withContext(Editor("ben")) {
        entry.text = "two"
        entry.save()
    }
    // endregion
    return "${entry.createdBy} ${entry.changedBy}"
}

private suspend fun validate(): String {
    // region model-validation
    val registration = Passport.validate { passport ->
        check(passport.number.length == 9, Passports.number) { "must have nine digits" }
        if (passport.country.id == passport.traveller().home.id) reject("must be of another country")
    }
    // endregion
    val passport = Passport.all().with(Passport::traveller).toList().first { it.traveller.value.home.id != null }
    passport.number = "1"
    passport.country.value = Country.get(checkNotNull(passport.traveller.value.home.id))
    return registration.use {
        try {
            "${passport.save()}"
        } catch (error: ValidationException) {
            error.violations.joinToString()
        }
    }
}

private suspend fun cascade(): String {
    val europe = Area.get { Areas.code eq "Europe" }
    val owner = Trip.all().with(Trip::traveller).first().traveller.value
    // region model-cascade
    europe.delete(Cascade.NULLIFY)                                  // zones stay, without an area
    owner.trips().forEach { it.delete(Cascade.DELETE) }             // legs go with their trip
    // endregion
    return "${Zone.count { Zones.code eq "Europe/Vienna" }} ${owner.trips.query.count()}"
}

private suspend fun oneQueryForAll() {
    // region model-peers
    withoutRepeatedLoads {                                          // a query per row is an error here
        for (currency in Currency.all().peers().toList()) currency.countries()      // two queries
        for (leg in Leg.all().limit(50).with(Leg::origin).toList()) leg.origin()    // two queries
    }
    // endregion
}

suspend fun main(args: Array<String>) = Database.open(args.firstOrNull() ?: "sqlite::memory:").use { db -> withContext(db) { tour() } }
