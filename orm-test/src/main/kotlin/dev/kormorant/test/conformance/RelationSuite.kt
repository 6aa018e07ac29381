package dev.kormorant.test.conformance

import dev.kormorant.RecordNotFoundException
import dev.kormorant.Relation
import dev.kormorant.RelationNotLoadedException
import dev.kormorant.selectAll
import dev.kormorant.save
import dev.kormorant.transaction
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Relations of models, and the number of queries they take. */
public abstract class RelationSuite(backend: Backend) : Suite(backend, Users, Tweets, Tags, TweetTags) {
    private suspend fun user(userName: String) = User.create { name = userName }

    private suspend fun tweet(author: User, words: String, by: User? = null) = Tweet.create {
        user.value = author
        editor.value = by
        text = words
    }

    private suspend fun tag(tagName: String) = Tag.create { name = tagName }

    // ---- References

    @Test
    public fun `calling a reference loads it with one query and keeps it (O12)`(): Unit = test {
        val tweet = Tweet.get(tweet(user("ann"), "hello").id)
        assertFalse(tweet.user.isLoaded)
        assertQueries(1) { assertEquals("ann", tweet.user().name) }
        assertQueries(0) {
            assertEquals("ann", tweet.user().name)
            assertSame(tweet.user(), tweet.user.value)
        }
    }

    @Test
    public fun `a loaded reference needs no database (O12)`() {
        lateinit var tweet: Tweet
        test { tweet = tweet(user("ann"), "hello") }
        assertEquals("ann", tweet.user.value.name)
    }

    @Test
    public fun `reading a reference that is not loaded names the ways to load it (O13, P3)`(): Unit = test {
        val tweet = Tweet.get(tweet(user("ann"), "hello").id)
        val error = assertThrows(RelationNotLoadedException::class.java) { tweet.user.value }
        assertHint(error, "Call the relation", "with(", "wrapRow")
    }

    @Test
    public fun `the id of a reference is free (O14)`(): Unit = test {
        val ann = user("ann")
        val tweet = Tweet.get(tweet(ann, "hello").id)
        assertQueries(0) { assertEquals(ann.id, tweet.user.id) }
        assertFalse(tweet.user.isLoaded)
    }

    @Test
    public fun `an optional reference that is unset is null without a query (O12)`(): Unit = test {
        val ann = user("ann")
        val tweet = Tweet.get(tweet(ann, "hello").id)
        assertQueries(0) {
            assertNull(tweet.editor())
            assertNull(tweet.editor.value)
            assertNull(tweet.editor.id)
        }
        val edited = Tweet.get(tweet(ann, "again", by = ann).id)
        assertQueries(1) { assertEquals("ann", edited.editor()?.name) }
    }

    @Test
    public fun `setting a reference is one UPDATE of its column, and what was loaded is forgotten (O12)`(): Unit = test {
        val ann = user("ann")
        val bob = user("bob")
        val tweet = Tweet.get(tweet(ann, "hello").id)
        tweet.user()
        tweet.user.value = bob
        assertQueries(0) { assertEquals("bob", tweet.user().name) }
        assertQueries(1) { assertTrue(tweet.save()) }
        assertEquals(bob.id, Tweet.get(tweet.id).user.id)
        tweet[Tweets.author] = ann.id
        assertFalse(tweet.user.isLoaded)
        assertQueries(1) { assertEquals("ann", tweet.user().name) }
        tweet.user.forget()
        assertQueries(1) { tweet.user() }
    }

    @Test
    public fun `a parent that is not saved is an error that names it (O10)`(): Unit = test {
        val stranger = User.new { name = "ann" }
        val error = assertFails<IllegalArgumentException> { Tweet.create { user.value = stranger } }
        assertTrue("User" in error.message.orEmpty() && "saved" in error.message.orEmpty(), error.message)
    }

    @Test
    public fun `a reference whose row is missing is an error when it is loaded (O12)`(): Unit = test {
        val tweet = Tweet.new { text = "hello" }
        tweet[Tweets.author] = EntityID(4711L, Users)
        val error = assertFails<RecordNotFoundException> { tweet.user() }
        assertTrue("users" in error.problem, error.problem)
    }

    @Test
    public fun `a model read from a join has its columns, and the joined one its own (Q8)`(): Unit = test {
        tweet(user("ann"), "hello")
        val row = Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id).selectAll().single()
        val tweet = Tweet.wrapRow(row)
        assertEquals("hello", tweet.text)
        assertEquals("ann", User.wrapRow(row).name)
        assertEquals(User.wrapRow(row).id, tweet.user.id)
    }

    @Test
    public fun `a join that selects two models fills the reference between them (Q8)`(): Unit = test {
        tweet(user("ann"), "hello")
        val tweet = Tweet.wrapRow(Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id).selectAll().single())
        assertEquals("ann", tweet.user.value.name)
    }

    // ---- Referrers

    @Test
    public fun `calling referrers loads them with one query and keeps them (O15)`(): Unit = test {
        val ann = user("ann")
        listOf("one", "two").forEach { tweet(ann, it) }
        assertThrows(RelationNotLoadedException::class.java) { ann.tweets.value }
        assertQueries(1) { assertEquals(setOf("one", "two"), ann.tweets().map { it.text }.toSet()) }
        assertQueries(0) { assertEquals(2, ann.tweets.value.size) }
        tweet(ann, "three")
        assertEquals(2, ann.tweets().size)
        ann.tweets.forget()
        assertQueries(1) { assertEquals(3, ann.tweets().size) }
    }

    @Test
    public fun `referrers can be refined as a query (O15)`(): Unit = test {
        val ann = user("ann")
        listOf("one", "two", "three").forEach { tweet(ann, it) }
        tweet(user("bob"), "four")
        assertQueries(1) { assertEquals(listOf("two", "three"), ann.tweets.query.orderBy(Tweets.text, SortOrder.DESC).limit(2).toList().map { it.text }) }
        assertEquals(3, ann.tweets.query.count())
        assertFalse(ann.tweets.isLoaded)
    }

    // ---- Many to many

    @Test
    public fun `links are added, removed, set and cleared (O16)`(): Unit = test {
        val tweet = tweet(user("ann"), "hello")
        val (red, green, blue) = listOf("red", "green", "blue").map { tag(it) }
        assertQueries(1) { tweet.tags.add(red, green) }
        assertQueries(1) { assertEquals(setOf("red", "green"), tweet.tags().map { it.name }.toSet()) }
        assertQueries(0) { tweet.tags.value }
        assertQueries(1) { assertEquals(1, tweet.tags.remove(red)) }
        assertEquals(listOf("green"), tweet.tags().map { it.name })
        tweet.tags.set(listOf(blue, red))
        assertEquals(setOf("blue", "red"), tweet.tags().map { it.name }.toSet())
        assertEquals(listOf(tweet.id), blue.tweets().map { it.id })
        assertQueries(1) { assertEquals(2, tweet.tags.clear()) }
        assertEquals(0, tweet.tags().size)
        assertQueries(0) {
            tweet.tags.add()
            assertEquals(0, tweet.tags.remove())
        }
    }

    @Test
    public fun `set changes only what differs, in one transaction (O16)`(): Unit = test {
        val tweet = tweet(user("ann"), "hello")
        val (red, green, blue) = listOf("red", "green", "blue").map { tag(it) }
        tweet.tags.add(red, green)
        val changes = statementsOf { tweet.tags.set(listOf(green, blue)) }.map { it.substringBefore(' ') }
        assertEquals(1, changes.count { it == "INSERT" })
        assertEquals(1, changes.count { it == "DELETE" })
        assertEquals("COMMIT", changes.last())
        assertTrue(statementsOf { tweet.tags.set(listOf(blue, green)) }.none { it.startsWith("INSERT") || it.startsWith("DELETE") })
    }

    // ---- with

    @Test
    public fun `with takes exactly one query per relation (M13, Q11)`(): Unit = test {
        val (red, green) = listOf("red", "green").map { tag(it) }
        for (userName in listOf("ann", "bob", "cid")) {
            val author = user(userName)
            repeat(3) { tweet(author, "$userName $it", by = author).tags.add(red, green) }
        }
        assertQueries(3) {
            val users = User.all().orderBy(Users.name).with(User::tweets, Tweet::tags).toList()
            for (author in users) {
                assertEquals(setOf("${author.name} 0", "${author.name} 1", "${author.name} 2"), author.tweets.value.map { it.text }.toSet())
                for (tweet in author.tweets.value) assertEquals(setOf("red", "green"), tweet.tags.value.map { it.name }.toSet())
            }
        }
        assertQueries(2) { assertEquals(9, Tweet.all().with(Tweet::user).toList().count { it.user.value.name.isNotEmpty() }) }
        assertQueries(3) { Tweet.all().with(Tweet::user, Tweet::editor).toList().forEach { assertEquals(it.user.value.name, it.editor.value?.name) } }
    }

    @Test
    public fun `with is one query also where nothing is related (Q12)`(): Unit = test {
        repeat(3) { user("u$it") }
        assertQueries(2) { assertTrue(User.all().with(User::tweets).toList().all { it.tweets.value.isEmpty() }) }
    }

    @Test
    public fun `with loads nothing where there are no models (Q12)`(): Unit = test {
        assertQueries(1) { assertTrue(User.all().with(User::tweets, Tweet::tags).toList().isEmpty()) }
    }

    @Test
    public fun `with nothing is the query itself (Q11)`(): Unit = test {
        user("ann")
        assertQueries(1) { assertEquals(1, User.all().with(*emptyArray<Relation<*>>()).toList().size) }
    }

    @Test
    public fun `with respects the limit of its query (Q12)`(): Unit = test {
        for (userName in listOf("ann", "bob", "cid")) user(userName).also { tweet(it, userName) }
        assertQueries(2) {
            val users = User.all().orderBy(Users.name).limit(2).with(User::tweets).toList()
            assertEquals(listOf("ann", "bob"), users.flatMap { it.tweets.value }.map { it.text })
        }
        assertQueries(2) { assertEquals(1, User.all().orderBy(Users.name).with(User::tweets).first().tweets.value.size) }
    }

    @Test
    public fun `with and then a call is no further query (O12)`(): Unit = test {
        tweet(user("ann"), "hello")
        val tweet = Tweet.all().with(Tweet::user, Tweet::editor).single()
        assertQueries(0) {
            assertEquals("ann", tweet.user().name)
            assertNull(tweet.editor())
        }
    }

    @Test
    public fun `with of a relation nobody leads to is refused before any query (Q11)`(): Unit = test {
        assertFails<IllegalArgumentException> { User.all().with(Tweet::tags) }
    }

    @Test
    public fun `parents beyond the parameter limit are loaded in portions (Q12)`(): Unit = test {
        val count = 70_000
        val authors = User.createAll((1..count).map { User.new { name = "u$it" } })
        Tweet.createAll(listOf(authors.first(), authors.last()).map { author -> Tweet.new { user.value = author; text = "hello" } })
        val users = User.all().with(User::tweets).toList()
        assertEquals(count, users.size)
        assertEquals(2, users.sumOf { it.tweets.value.size })
    }

    @Test
    public fun `relations load inside the transaction of the caller`(): Unit = test {
        transaction {
            val tweet = Tweet.get(tweet(user("ann"), "hello").id)
            assertEquals("ann", tweet.user().name)
            assertEquals(1, User.all().with(User::tweets).single().tweets.value.size)
        }
    }
}
