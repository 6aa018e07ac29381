package dev.kormorant.examples.recipes

import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Schema
import dev.kormorant.referencedOn
import dev.kormorant.referrersOn
import dev.kormorant.via
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

object Users : LongIdTable("user_account") {
    val name = varchar("name", 40).uniqueIndex()
}

object Tweets : LongIdTable("tweet") {
    val author = reference("author_id", Users)
    val text = text("text")
}

object Tags : LongIdTable("tag") {
    val name = varchar("name", 40).uniqueIndex()
}

object TweetTags : Table("tweet_tag") {
    val tweet = reference("tweet_id", Tweets)
    val tag = reference("tag_id", Tags)
    override val primaryKey = PrimaryKey(tweet, tag)
}

class User : LongModel() {
    var name by Users.name
    val tweets by Tweet referrersOn Tweets.author

    companion object : LongModelClass<User>(Users, ::User)
}

class Tweet : LongModel() {
    var text by Tweets.text
    val author by User referencedOn Tweets.author
    val tags by Tag via TweetTags

    companion object : LongModelClass<Tweet>(Tweets, ::Tweet)
}

class Tag : LongModel() {
    var name by Tags.name

    companion object : LongModelClass<Tag>(Tags, ::Tag)
}

/** Two users, three tweets and their tags; running it again changes nothing. */
suspend fun writeTweets() {
    Schema.create(Users, Tweets, Tags, TweetTags)
    if (Tweet.count() > 0) return
    val (huey, zaizee) = User.createAll(listOf("huey", "zaizee").map { User.new { name = it } })
    val (cats, food) = Tag.createAll(listOf("cats", "food").map { Tag.new { name = it } })
    Tweet.create { author.value = huey; text = "meow" }.tags.add(cats)
    Tweet.create { author.value = huey; text = "hiss" }
    Tweet.create { author.value = zaizee; text = "purr" }.tags.add(cats, food)
}

/** Three tables deep in three queries, however many rows there are; properties then do no I/O. */
// region prefetch
suspend fun printTweets() {
    for (user in User.all().orderBy(Users.name).with(User::tweets, Tweet::tags).toList()) {
        println(user.name)
        for (tweet in user.tweets.value) println("  ${tweet.text} ${tweet.tags.value.map { it.name }}")
    }
}
// endregion

suspend fun main() = Database.open("sqlite::memory:").use { db ->
    withContext(db) {
        writeTweets()
        printTweets()
    }
}
