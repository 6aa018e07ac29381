package dev.kormorant.jasync.golden

import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.CompositeIdTable
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

// The tables of the queries in Queries.kt, with names that need quotes somewhere.

internal enum class Genre { JAZZ, ROCK, FOLK }

internal object Artists : LongIdTable("artist") {
    val name = varchar("name", 50).uniqueIndex()
    val born = integer("born").nullable()
    val key = varchar("key", 10)
}

internal object Albums : LongIdTable("album") {
    val title = varchar("title", 100)
    val artist = reference("artist_id", Artists)
    val producer = optReference("producer", Artists)
    val price = decimal("price", 10, 2)
    val year = integer("year").nullable()
    val live = bool("live")
    val genre = enumerationByName<Genre>("genre", 10)
    val order = integer("order")
    val flags = integer("flags").default(0)
}

internal object Tracks : LongIdTable("TrackList") {
    val album = reference("album", Albums)
    val title = varchar("Title", 100)
    val length = double("length")
    val plays = long("plays")
}

internal object Charts : CompositeIdTable("group") {
    val week = integer("week").entityId()
    val place = integer("place").entityId()
    val album = reference("select", Albums)
    override val primaryKey = PrimaryKey(week, place)
}

internal object Names : Table("user") {
    val name = varchar("name", 50)
}
