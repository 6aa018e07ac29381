package dev.kormorant.test.conformance

import dev.kormorant.MappingException
import dev.kormorant.RelationNotLoadedException
import dev.kormorant.mapTo
import dev.kormorant.mapped
import dev.kormorant.selectAll
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.UUID

/** Models as data classes, with the relations that are loaded. */
public abstract class ModelMappingSuite(backend: Backend) : Suite(backend, Users, Tweets, Tags, TweetTags, Members, Cards, Lockers, Shelves, Devices, Values) {
    private suspend fun people() {
        val red = Tag.create { name = "red" }
        for (userName in listOf("ann", "bob")) {
            val author = User.create { name = userName }
            repeat(2) { number -> Tweet.create { user.value = author; text = "$userName $number" }.tags.add(red) }
        }
    }

    @Test
    public fun `a model becomes a data class, without a query (N15)`(): Unit = test {
        val ann = User.create { name = "ann" }
        assertQueries(0) { assertEquals(UserNames(ann.id.value, "ann"), ann.mapTo<UserNames>()) }
    }

    @Test
    public fun `loaded relations become data classes within it, all levels down (N15)`(): Unit = test {
        people()
        assertQueries(3) {
            val users = User.all().with(User::tweets) { orderBy(Tweets.id); with(Tweet::tags) }.mapTo<UserTree>().toList()
            assertEquals(listOf("ann", "bob"), users.map { it.name }.sorted())
            assertEquals(listOf("ann 0", "ann 1"), users.single { it.name == "ann" }.tweets.map { it.text })
            assertTrue(users.all { user -> user.tweets.all { tweet -> tweet.tags.map { it.name } == listOf("red") } })
        }
        assertQueries(2) { assertEquals("ann", Tweet.all().with(Tweet::user).mapTo<TweetOfUser>().toList().first { it.text == "ann 0" }.user.name) }
        assertQueries(2) {
            val tweet = Tweet.all().orderBy(Tweets.id).limit(1).with(Tweet::user, Tweet::editor).mapTo<TweetOfUsers>().single()
            assertEquals("ann" to null, tweet.user.name to tweet.editor)
        }
    }

    @Test
    public fun `a relation that is not loaded is an error, and nothing is asked for it (N9, N15)`(): Unit = test {
        people()
        val user = User.all().first()
        assertQueries(0) { assertThrows(RelationNotLoadedException::class.java) { user.mapTo<UserTree>() } }
        assertFails<RelationNotLoadedException> { User.all().with(User::tweets).mapTo<UserTree>().toList() }
    }

    @Test
    public fun `what does not fit is an error before anything is sent (N15)`(): Unit = test {
        assertQueries(0) {
            val missing = assertThrows(MappingException::class.java) { User.all().mapTo<Misfit>() }
            assertTrue("shoes" in missing.problem && "Misfit" in missing.problem, missing.problem)
            val nullable = assertThrows(MappingException::class.java) { Member.all().mapTo<Clubbed>() }
            assertTrue("club" in nullable.problem, nullable.problem)
            val empty = assertThrows(MappingException::class.java) { Tweet.all().mapTo<AlwaysEdited>() }
            assertTrue("editor" in empty.problem, empty.problem)
        }
    }

    @Test
    public fun `one to one is mapped, and null where there is none (N15)`(): Unit = test {
        val ann = Member.create { email = "ann@x" }
        Locker.create { member.value = ann; place = "left" }
        Member.create { email = "bob@x" }
        val rows = Member.all().orderBy(Members.id).with(Member::locker).mapTo<MemberWithLocker>().toList()
        assertEquals(listOf("left", null), rows.map { it.locker?.place })
        assertNull(rows[1].locker)
    }

    @Test
    public fun `a mapped query asks for no more rows than it needs and streams (Q5, Q10)`(): Unit = test {
        people()
        assertTrue("LIMIT" in statementsOf { User.all().mapTo<UserNames>().first() }.single())
        assertEquals(2, User.all().fetchSize(1).mapTo<UserNames>().map { it.name }.toList().size)
    }

    // ---- Tables of immutable rows

    @Test
    public fun `immutable rows are inserted, read, changed and deleted`(): Unit = test {
        val members = Members.mapped<MemberRow>()
        val ann = members.insert(MemberRow(email = "ann@x"))
        assertEquals(MemberRow(ann.id, "ann@x", null, "new", 0), ann)
        assertEquals(Members.selectAll().single()[Members.id].value, ann.id)
        assertEquals(ann, members.select { Members.email eq "ann@x" }.single())
        val changed = ann.copy(club = "chess", visits = 3)
        assertQueries(1) { assertTrue(members.update(changed)) }
        assertEquals(changed, members.select().single())
        assertQueries(1) { assertTrue(members.delete(changed)) }
        assertFalse(members.delete(changed))
        assertFalse(members.update(changed))
    }

    @Test
    public fun `many immutable rows are inserted with one statement, and come back in their order`(): Unit = test {
        val members = Members.mapped<MemberRow>()
        val stored = members.insertAll((1..5).map { MemberRow(email = "m$it@x", rank = if (it == 1) "gold" else null) })
        assertEquals((1..5).map { "m$it@x" }, stored.map { it.email })
        assertEquals(listOf("gold", "new", "new", "new", "new"), stored.map { it.rank })
        assertEquals(stored, members.select().orderBy(Members.id to SortOrder.ASC).toList())
        assertQueries(0) { assertEquals(emptyList<MemberRow>(), members.insertAll(emptyList())) }
    }

    @Test
    public fun `immutable rows can have keys of several columns, UUIDs and enums`(): Unit = test {
        val shelves = Shelves.mapped<ShelfRow>()
        val shelf = shelves.insert(ShelfRow(1, 2, "upper"))
        assertTrue(shelves.update(shelf.copy(label = "top")))
        assertEquals(ShelfRow(1, 2, "top"), shelves.select().single())
        assertTrue(shelves.delete(shelf))
        val devices = Devices.mapped<DeviceRow>()
        val lamp = devices.insert(DeviceRow(label = "lamp"))
        assertEquals(lamp, devices.select { Devices.id eq lamp.id!! }.single())
        val own = DeviceRow(UUID(1, 2), "bell")
        assertEquals(own, devices.insert(own))
        val moods = Values.mapped<MoodRow>()
        assertEquals(Mood.SAD to Mood.GLAD, moods.insert(MoodRow(null, Mood.SAD, Mood.GLAD)).let { it.mood to it.named })
    }

    @Test
    public fun `a class without the key cannot be updated or deleted, and one that does not fit is refused`(): Unit = test {
        assertFails<IllegalArgumentException> { Members.mapped<MemberEmail>().update(MemberEmail("ann@x")) }
        assertFails<IllegalArgumentException> { Members.mapped<MemberEmail>().delete(MemberEmail("ann@x")) }
        assertThrows(MappingException::class.java) { Members.mapped<Clubbed>() }
    }
}

internal data class MemberRow(val id: Long? = null, val email: String, val club: String? = null, val rank: String? = null, val visits: Int = 0)

internal data class MemberEmail(val email: String)

internal data class ShelfRow(val hall: Int, val level: Int, val label: String)

internal data class DeviceRow(val id: UUID? = null, val label: String)

internal data class MoodRow(val id: Long?, val mood: Mood?, val named: Mood?)

internal data class UserNames(val id: Long, val name: String)

internal data class UserTree(val id: Long, val name: String, val tweets: List<TweetTree>)

internal data class TweetTree(val text: String, val tags: List<TagName>)

internal data class TagName(val name: String)

internal data class TweetOfUser(val text: String, val user: UserNames)

internal data class TweetOfUsers(val text: String, val user: UserNames, val editor: UserNames?)

internal data class AlwaysEdited(val text: String, val editor: UserNames)

internal data class Misfit(val name: String, val shoes: Int)

internal data class Clubbed(val email: String, val club: String)

internal data class MemberWithLocker(val email: String, val locker: LockerPlace?)

internal data class LockerPlace(val place: String)
