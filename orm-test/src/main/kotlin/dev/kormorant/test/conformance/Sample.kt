package dev.kormorant.test.conformance

import dev.kormorant.CompositeModel
import dev.kormorant.CompositeModelClass
import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.UUIDModel
import dev.kormorant.UUIDModelClass
import dev.kormorant.optionalReferencedOn
import dev.kormorant.referencedOn
import dev.kormorant.referrersOn
import dev.kormorant.via
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.CompositeIdTable
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.dao.id.java.UUIDTable
import org.jetbrains.exposed.v1.core.stringLiteral

// The tables and models the suites work on. `key` is a reserved word of MySQL.

internal object Pages : LongIdTable("page_block") {
    val key = varchar("key", 40).uniqueIndex()
    val text = text("text").default("")
}

internal class Page : LongModel() {
    var key by Pages.key
    var text by Pages.text

    companion object : LongModelClass<Page>(Pages, ::Page)
}

/** A model that names its own database. */
internal class HomePage : LongModel() {
    var key by Pages.key

    companion object : LongModelClass<HomePage>(Pages, ::HomePage) {
        var home: Database? = null
        override val database: Database? get() = home
    }
}

internal object Users : LongIdTable("users") {
    val name = varchar("name", 40).uniqueIndex()
}

internal object Tweets : LongIdTable("tweets") {
    val author = reference("author", Users)
    val editor = optReference("editor", Users)
    val text = varchar("text", 200)
}

internal object Tags : LongIdTable("tags") {
    val name = varchar("name", 40).uniqueIndex()
}

internal object TweetTags : Table("tweet_tags") {
    val tweet = reference("tweet", Tweets)
    val tag = reference("tag", Tags)
    override val primaryKey = PrimaryKey(tweet, tag)
}

internal class User : LongModel() {
    var name by Users.name
    val tweets by Tweet referrersOn Tweets.author

    companion object : LongModelClass<User>(Users, ::User)
}

internal class Tweet : LongModel() {
    var text by Tweets.text
    val user by User referencedOn Tweets.author
    val editor by User optionalReferencedOn Tweets.editor
    val tags by Tag via TweetTags

    companion object : LongModelClass<Tweet>(Tweets, ::Tweet)
}

internal class Tag : LongModel() {
    var name by Tags.name
    val tweets by Tweet via TweetTags

    companion object : LongModelClass<Tag>(Tags, ::Tag)
}

internal object Devices : UUIDTable("device") {
    val label = varchar("label", 40)
    val owner = varchar("owner", 40).nullable()
}

internal class Device : UUIDModel() {
    var label by Devices.label
    var owner by Devices.owner

    companion object : UUIDModelClass<Device>(Devices, ::Device)
}

internal object Seats : CompositeIdTable("seat") {
    val line = integer("line").entityId()
    val number = integer("number").entityId()
    val guest = varchar("guest", 40).nullable()
    override val primaryKey = PrimaryKey(line, number)
}

internal class Seat : CompositeModel() {
    var guest by Seats.guest

    companion object : CompositeModelClass<Seat>(Seats, ::Seat)
}

/** A value that only the database knows. */
internal object Tickets : LongIdTable("ticket") {
    val title = varchar("title", 40)
    val state = varchar("state", 10).defaultExpression(stringLiteral("open"))
}

internal class Ticket : LongModel() {
    var title by Tickets.title
    var state by Tickets.state

    companion object : LongModelClass<Ticket>(Tickets, ::Ticket)
}

/** A row that needs no value at all. */
internal object Blanks : LongIdTable("blank") {
    val note = varchar("note", 40).nullable()
}

internal class Blank : LongModel() {
    var note by Blanks.note

    companion object : LongModelClass<Blank>(Blanks, ::Blank)
}
