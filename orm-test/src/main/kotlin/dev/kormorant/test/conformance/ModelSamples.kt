package dev.kormorant.test.conformance

import dev.kormorant.CompositeModel
import dev.kormorant.CompositeModelClass
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Model
import dev.kormorant.ModelClass
import dev.kormorant.UUIDModel
import dev.kormorant.UUIDModelClass
import dev.kormorant.backReferencedOn
import dev.kormorant.optionalBackReferencedOn
import dev.kormorant.optionalReferencedOn
import dev.kormorant.optionalReferrersOn
import dev.kormorant.referencedOn
import dev.kormorant.referrersOn
import dev.kormorant.sensitive
import dev.kormorant.via
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.CompositeIdTable
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.dao.id.java.UUIDTable
import org.jetbrains.exposed.v1.core.isNull
import org.jetbrains.exposed.v1.core.java.javaUUID
import org.jetbrains.exposed.v1.core.stringLiteral
import org.jetbrains.exposed.v1.javatime.date
import org.jetbrains.exposed.v1.javatime.datetime
import org.jetbrains.exposed.v1.javatime.time
import org.jetbrains.exposed.v1.json.json
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement

// Tables and models for the rules about writing, locking and relations that the first sample has no use for.

/** Two unique keys, and a value that only the database knows. */
internal object Members : LongIdTable("member") {
    val email = varchar("email", 60).uniqueIndex()
    val club = varchar("club", 20).nullable()
    val number = integer("number").nullable()
    val rank = varchar("rank_name", 10).defaultExpression(stringLiteral("new"))
    val visits = integer("visits").default(0)

    init {
        uniqueIndex(club, number)
    }
}

internal class Member : LongModel() {
    var email by Members.email
    var club by Members.club
    var number by Members.number
    var rank by Members.rank
    var visits by Members.visits
    val card by Card backReferencedOn Cards.member
    val locker by Locker optionalBackReferencedOn Lockers.member

    companion object : LongModelClass<Member>(Members, ::Member)
}

internal object Cards : LongIdTable("card") {
    val member = reference("member", Members).uniqueIndex()
    val pin = varchar("pin", 40).sensitive()
}

internal class Card : LongModel() {
    val member by Member referencedOn Cards.member
    var pin by Cards.pin

    companion object : LongModelClass<Card>(Cards, ::Card)
}

internal object Lockers : LongIdTable("locker") {
    val member = optReference("member", Members).uniqueIndex()
    val place = varchar("place", 20)
}

internal class Locker : LongModel() {
    var place by Lockers.place
    val member by Member optionalReferencedOn Lockers.member

    companion object : LongModelClass<Locker>(Lockers, ::Locker)
}

/** A unique column that the client fills if nobody else does. */
internal object Slots : LongIdTable("slot") {
    val code = varchar("code", 10).default("only").uniqueIndex()
    val note = varchar("note", 10)
}

internal class Slot : LongModel() {
    var code by Slots.code
    var note by Slots.note

    companion object : LongModelClass<Slot>(Slots, ::Slot)
}

/** The changes of a row are counted. */
internal object Purses : LongIdTable("purse") {
    val owner = varchar("owner", 40).uniqueIndex()
    val balance = integer("balance").default(0)
    val version = integer("version")
}

internal class Purse : LongModel() {
    var owner by Purses.owner
    var balance by Purses.balance
    var version by Purses.version

    companion object : LongModelClass<Purse>(Purses, ::Purse) {
        override val version get() = Purses.version
    }
}

/** Rows that refer to rows of the same table. */
internal object Nodes : LongIdTable("node") {
    val parent = optReference("parent", Nodes)
    val name = varchar("name", 40)
}

internal class Node : LongModel() {
    var name by Nodes.name
    val parent by Node optionalReferencedOn Nodes.parent
    val children by Node optionalReferrersOn Nodes.parent orderBy Nodes.name
    val leaves by Leaf referrersOn Leaves.node
    val stamps by Stamp via NodeStamps

    companion object : LongModelClass<Node>(Nodes, ::Node)
}

/** Cannot be without its node. */
internal object Leaves : LongIdTable("leaf") {
    val node = reference("node", Nodes)
    val name = varchar("name", 40)
}

internal class Leaf : LongModel() {
    var name by Leaves.name
    val node by Node referencedOn Leaves.node

    companion object : LongModelClass<Leaf>(Leaves, ::Leaf)
}

internal object Stamps : UUIDTable("stamp") {
    val name = varchar("name", 40)
}

internal class Stamp : UUIDModel() {
    var name by Stamps.name
    val nodes by Node via NodeStamps

    companion object : UUIDModelClass<Stamp>(Stamps, ::Stamp)
}

internal object NodeStamps : Table("node_stamp") {
    val node = reference("node", Nodes)
    val stamp = reference("stamp", Stamps)
    override val primaryKey = PrimaryKey(node, stamp)
}

/** Rows that are deleted by saying when. */
internal object Papers : LongIdTable("paper") {
    val node = reference("node", Nodes)
    val title = varchar("title", 40)
    val deleted = long("deleted_at").nullable()
}

internal class Paper : LongModel() {
    var title by Papers.title
    var deleted by Papers.deleted
    val node by Folder referencedOn Papers.node

    companion object : LongModelClass<Paper>(Papers, ::Paper) {
        override val defaultScope get() = Papers.deleted.isNull()
    }
}

/** A node as the place of papers. */
internal class Folder : LongModel() {
    var name by Nodes.name
    val papers by Paper referrersOn Papers.node

    companion object : LongModelClass<Folder>(Nodes, ::Folder)
}

/** A key of two columns, and a key of two columns that refers to it. */
internal object Shelves : CompositeIdTable("shelf") {
    val hall = integer("hall").entityId()
    val level = integer("level_no").entityId()
    val label = varchar("label", 40)
    override val primaryKey = PrimaryKey(hall, level)
}

internal class Shelf : CompositeModel() {
    var label by Shelves.label
    val books by Book.referrersOn(Books.hall, Books.level)

    companion object : CompositeModelClass<Shelf>(Shelves, ::Shelf)
}

internal object Books : LongIdTable("book") {
    val hall = integer("hall")
    val level = integer("level_no")
    val oldHall = integer("old_hall").nullable()
    val oldLevel = integer("old_level").nullable()
    val title = varchar("title", 40)

    init {
        foreignKey(hall, level, target = Shelves.primaryKey)
        foreignKey(oldHall, oldLevel, target = Shelves.primaryKey)
    }
}

internal class Book : LongModel() {
    var title by Books.title
    val shelf by Shelf.referencedOn(Books.hall, Books.level)
    val before by Shelf.optionalReferencedOn(Books.oldHall, Books.oldLevel)

    companion object : LongModelClass<Book>(Books, ::Book)
}

/** Of the key of two columns that it refers to, one is always there. */
internal object Boxes : LongIdTable("box") {
    val hall = integer("hall")
    val level = integer("level_no").nullable()

    init {
        foreignKey(hall, level, target = Shelves.primaryKey)
    }
}

internal class Box : LongModel() {
    var hall by Boxes.hall
    val shelf by Shelf.optionalReferencedOn(Boxes.hall, Boxes.level)

    companion object : LongModelClass<Box>(Boxes, ::Box)
}

/** Referred to by another unique column than the id. */
internal object Cities : LongIdTable("city") {
    val code = varchar("code", 3).uniqueIndex()
    val name = varchar("name", 40)
}

internal class City : LongModel() {
    var code by Cities.code
    var name by Cities.name
    val departures by Flight referrersOn Flights.origin
    val arrivals by Flight referrersOn Flights.destination

    companion object : LongModelClass<City>(Cities, ::City)
}

/** Two keys to one table. */
internal object Flights : IdTable<String>("flight") {
    override val id = varchar("number", 8).entityId()
    val origin = reference("origin", Cities.code)
    val destination = reference("destination", Cities.code)
    override val primaryKey = PrimaryKey(id)
}

internal class Flight : Model<String>() {
    val origin by City referencedOn Flights.origin
    val destination by City referencedOn Flights.destination

    companion object : ModelClass<String, Flight>(Flights, ::Flight)
}

/** A column of each type that needs to be told to the database. */
internal object Values : LongIdTable("typed_value") {
    val small = short("a_short").nullable()
    val number = integer("an_int").nullable()
    val big = long("a_long").nullable()
    val real = float("a_float").nullable()
    val double = double("a_double").nullable()
    val exact = decimal("a_decimal", 12, 3).nullable()
    val flag = bool("a_bool").nullable()
    val words = varchar("a_varchar", 40).nullable()
    val text = text("a_text").nullable()
    val fixed = char("a_char", 3).nullable()
    val bytes = binary("some_bytes", 20).nullable()
    val uuid = javaUUID("a_uuid").nullable()
    val day = date("a_date").nullable()
    val hour = time("a_time").nullable()
    val moment = datetime("a_datetime").nullable()
    val document = json<JsonElement>("a_json", Json.Default).nullable()
    val mood = enumeration("an_ordinal", Mood::class).nullable()
    val named = enumerationByName("a_name", 10, Mood::class).nullable()
}

internal enum class Mood { GLAD, SAD }

internal class Value : LongModel() {
    companion object : LongModelClass<Value>(Values, ::Value)
}
