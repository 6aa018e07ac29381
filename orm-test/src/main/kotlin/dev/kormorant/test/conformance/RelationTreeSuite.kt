package dev.kormorant.test.conformance

import dev.kormorant.DatabaseListener
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.RecordNotFoundException
import dev.kormorant.RelationNotLoadedException
import dev.kormorant.RepeatedLoadEvent
import dev.kormorant.RepeatedLoadException
import dev.kormorant.batchInsert
import dev.kormorant.optionalReferrersOn
import dev.kormorant.referrersOn
import dev.kormorant.save
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.update
import dev.kormorant.withoutRepeatedLoads
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.neq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotSame
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.Collections
import java.util.IdentityHashMap

/** All kinds of relations, trees of them loaded along with a query, and how many queries they take. */
public abstract class RelationTreeSuite(backend: Backend) :
    Suite(backend, Users, Tweets, Tags, TweetTags, Nodes, Leaves, Stamps, NodeStamps, Members, Cards, Lockers, Shelves, Books, Boxes, Cities, Flights) {
    /** Each user has [tweets] tweets, each with the tags red and green. */
    private suspend fun people(vararg names: String, tweets: Int = 3) {
        val tags = listOf("red", "green").map { Tag.create { name = it } }
        for (userName in names) {
            val author = User.create { name = userName }
            val written = Tweet.createAll(List(tweets) { number -> Tweet.new { user.value = author; editor.value = author; text = "$userName $number" } })
            for (tweet in written) tweet.tags.add(*tags.toTypedArray())
        }
    }

    private suspend fun node(nodeName: String, above: Node? = null) = Node.create {
        name = nodeName
        parent.value = above
    }

    // ---- Trees

    @Test
    public fun `a tree takes one query per relation and level, whatever the rows (M13, Q12, N5)`(): Unit = test {
        people("ann", "bob", "cid", tweets = 5)
        assertQueries(4) {
            val users = User.all().with(User::tweets) {
                with(Tweet::tags)
                with(Tweet::editor)
            }.toList()
            for (user in users) for (tweet in user.tweets.value) {
                assertEquals(setOf("red", "green"), tweet.tags.value.map { it.name }.toSet())
                assertEquals(user.id, tweet.editor.value?.id)
            }
        }
    }

    @Test
    public fun `two ways to one relation of a level are one query (N5)`(): Unit = test {
        people("ann", "bob")
        assertQueries(4) {
            val tweets = Tweet.all().with(Tweet::user, Tweet::editor, User::tweets).toList()
            assertTrue(tweets.all { it.user.value.tweets.value.size == 3 && it.editor.value!!.tweets.value.size == 3 })
        }
    }

    @Test
    public fun `a self reference is loaded as deep as the tree says (Q12)`(): Unit = test {
        val root = node("root")
        val children = listOf("b", "a").map { node(it, root) }
        for (child in children) node("under ${child.name}", child)
        assertQueries(3) {
            val read = Node.find { Nodes.id eq root.id }.with(Node::children) { with(Node::children) }.single()
            assertEquals(listOf("a", "b"), read.children.value.map { it.name })
            assertEquals(listOf("under a", "under b"), read.children.value.flatMap { it.children.value }.map { it.name })
            assertThrows(RelationNotLoadedException::class.java) { read.children.value[0].children.value[0].children.value }
        }
        assertQueries(2) { assertEquals(listOf(null, "root", "root"), Node.all().orderBy(Nodes.id).limit(3).with(Node::parent).toList().map { it.parent.value?.name }) }
    }

    @Test
    public fun `rows that several parents share are one model (Q12)`(): Unit = test {
        people("ann", "bob")
        val tweets = Tweet.all().with(Tweet::user, Tweet::tags).toList()
        val (first, second) = tweets.filter { it.text.startsWith("ann") }
        assertSame(first.user.value, second.user.value)
        assertEquals(2, tweets.flatMap { it.tags.value }.toCollection(Collections.newSetFromMap(IdentityHashMap())).size)
        assertNotSame(first.user.value, tweets.first { it.text.startsWith("bob") }.user.value)
    }

    @Test
    public fun `a relation can be filtered and sorted (Q12)`(): Unit = test {
        people("ann", "bob")
        assertQueries(2) {
            val users = User.all().orderBy(Users.name).with(User::tweets) {
                where { Tweets.text neq "ann 1" }
                where { Tweets.text like "% _" }
                orderBy(Tweets.text, SortOrder.DESC)
            }.toList()
            assertEquals(listOf("ann 2", "ann 0", "bob 2", "bob 1", "bob 0"), users.flatMap { it.tweets.value }.map { it.text })
        }
        assertQueries(2) {
            val tweets = Tweet.find { Tweets.text eq "ann 0" }.with(Tweet::tags) { orderBy(Tags.name) }.single()
            assertEquals(listOf("green", "red"), tweets.tags.value.map { it.name })
        }
    }

    @Test
    public fun `limitPerParent keeps the first ones of each parent, in one query (Q12)`(): Unit = test {
        people("ann", "bob", tweets = 4)
        assertQueries(2) {
            val users = User.all().orderBy(Users.name).with(User::tweets) {
                orderBy(Tweets.text to SortOrder.DESC)
                limitPerParent(2)
            }.toList()
            assertEquals(listOf("ann 3", "ann 2", "bob 3", "bob 2"), users.flatMap { it.tweets.value }.map { it.text })
        }
        assertQueries(2) {
            val tweets = Tweet.all().with(Tweet::tags) { orderBy(Tags.name, SortOrder.DESC); limitPerParent(1) }.toList()
            assertEquals(setOf(listOf("red")), tweets.map { tweet -> tweet.tags.value.map { it.name } }.toSet())
        }
        assertQueries(3) {
            val tree = User.all().with(User::tweets) { orderBy(Tweets.id); limitPerParent(1); with(Tweet::tags) }.toList()
            assertEquals(listOf(2, 2), tree.map { it.tweets.value.single().tags.value.size })
        }
    }

    @Test
    public fun `a limit of a relation is for all parents together (Q12)`(): Unit = test {
        people("ann", "bob", tweets = 4)
        val users = User.all().orderBy(Users.name).with(User::tweets) { orderBy(Tweets.text); limit(5) }.toList()
        assertEquals(listOf(4, 1), users.map { it.tweets.value.size })
        assertFails<IllegalArgumentException> { User.all().with(User::tweets) { limitPerParent(0) } }
    }

    @Test
    public fun `what is loaded already is not asked again, unless other models are wanted (O12)`(): Unit = test {
        people("ann")
        val user = User.all().with(User::tweets) { limitPerParent(1) }.single()
        assertQueries(0) { assertEquals(1, user.tweets().size) }
        user.tweets.forget()
        assertQueries(1) { assertEquals(3, user.tweets().size) }
    }

    @Test
    public fun `a hundred thousand parents are loaded in portions (Q12)`(): Unit = test {
        val count = 100_000
        val authors = User.createAll((1..count).map { User.new { name = "u$it" } })
        Tweet.createAll(listOf(authors.first(), authors[count / 2], authors.last()).map { author -> Tweet.new { user.value = author; text = "hello" } })
        val statements = statementsOf {
            val users = User.all().with(User::tweets) { where { Tweets.text eq "hello" }; limitPerParent(3) }.toList()
            assertEquals(count, users.size)
            assertEquals(3, users.sumOf { it.tweets.value.size })
        }
        assertTrue(statements.size in 3..6, "${statements.size} statements")
    }

    @Test
    public fun `ten thousand rows of three levels take three queries (N5)`(): Unit = test {
        val users = User.createAll((1..100).map { User.new { name = "u$it" } })
        val tags = Tag.createAll((1..10).map { Tag.new { name = "t$it" } })
        val tweets = Tweet.createAll(users.flatMap { author -> List(100) { Tweet.new { user.value = author; text = "hello" } } })
        TweetTags.batchInsert(tweets.flatMap { tweet -> tags.take(2).map { tweet to it } }, shouldReturnGeneratedValues = false) { (tweet, tag) ->
            this[TweetTags.tweet] = tweet.id
            this[TweetTags.tag] = tag.id
        }
        assertQueries(3) { assertEquals(20_000, User.all().with(User::tweets, Tweet::tags).toList().sumOf { user -> user.tweets.value.sumOf { it.tags.value.size } }) }
    }

    @Test
    public fun `relations are loaded along with each portion of a stream (Q10, Q12)`(): Unit = test {
        needs(can.concurrentReads, "second connection beside a stream")
        people("ann", "bob", "cid", "dan")
        val beside = statementsOf {
            val users = User.all().orderBy(Users.name).fetchSize(2).with(User::tweets, Tweet::tags).map { it }.toList()
            assertEquals(listOf("ann", "bob", "cid", "dan"), users.map { it.name })
            assertTrue(users.all { user -> user.tweets.value.size == 3 && user.tweets.value.all { it.tags.value.size == 2 } })
        }.filterNot { "FROM users" in it }
        val (tweets, tags) = beside.partition { it.contains("FROM tweets") }
        assertTrue(tweets.size == tags.size && tweets.size in 1..4, "$beside")
        assertEquals(listOf("ann"), User.all().orderBy(Users.name).fetchSize(2).with(User::tweets).take(1).toList().map { it.name })
    }

    @Test
    public fun `in a transaction relations are loaded between the portions of a stream, on the same connection (Q10, Q12)`(): Unit = test {
        needs(can.statementsDuringStreams, "statements during a stream")
        people("ann", "bob", "cid", "dan")
        transaction {
            User.create { name = "eve" }
            val users = User.all().orderBy(Users.name).fetchSize(2).with(User::tweets, Tweet::tags).map { it }.toList()
            assertEquals(listOf(3, 3, 3, 3, 0), users.map { it.tweets.value.size })
            assertEquals(1, db.pool.inUse)
        }
    }

    // ---- Peers

    @Test
    public fun `peers mode loads a relation for all rows of a result when it is called on one (U5)`(): Unit = test {
        people("ann", "bob", "cid")
        assertQueries(2) { for (user in User.all().peers().toList()) assertEquals(3, user.tweets().size) }
        assertQueries(2) { for (tweet in Tweet.all().peers().toList()) assertTrue(tweet.text.startsWith(tweet.user().name)) }
        assertQueries(4) { for (user in User.all().with(User::tweets) { peers() }.toList()) for (tweet in user.tweets.value) { tweet.user(); tweet.tags() } }
        assertQueries(1 + 3) { for (user in User.all().toList()) user.tweets() }
    }

    @Test
    public fun `a relation can ask for peers mode itself (U5)`(): Unit = test {
        people("ann", "bob", "cid")
        assertQueries(2) { for (user in Person.all().toList()) assertEquals(3, user.tweets().size) }
    }

    @Test
    public fun `a hundred rows of a loop are two queries (U5)`(): Unit = test {
        val authors = User.createAll((1..100).map { User.new { name = "u$it" } })
        Tweet.createAll(authors.map { author -> Tweet.new { user.value = author; text = "hello" } })
        assertQueries(2) { Tweet.all().peers().toList().forEach { it.user() } }
    }

    // ---- A query for each row

    @Test
    public fun `a query for each row fails a test, with its place and what to add (U5, N17)`(): Unit = test {
        people("ann", "bob", "cid", "dan")
        val error = assertFails<RepeatedLoadException> {
            withoutRepeatedLoads(limit = 3) { for (user in User.all().toList()) user.tweets() }
        }
        assertTrue("User::tweets" in error.problem && "RelationTreeSuite.kt:" in error.problem, error.problem)
        assertHint(error, "with(User::tweets)")
        withoutRepeatedLoads(limit = 3) { for (user in User.all().with(User::tweets).toList()) user.tweets() }
        withoutRepeatedLoads(limit = 3) { for (user in User.all().peers().toList()) user.tweets() }
        withoutRepeatedLoads(limit = 4) { for (user in User.all().toList()) user.tweets() }
    }

    @Test
    public fun `models read one by one count as well in a test (U5)`(): Unit = test {
        people("ann", "bob", "cid", "dan")
        val ids = User.all().toList().map { it.id }
        assertFails<RepeatedLoadException> { withoutRepeatedLoads { for (id in ids) User.get(id).tweets() } }
    }

    @Test
    public fun `in development it is told once for each result (U5)`(): Unit = test {
        needs(can.shared, "second Database")
        val told = ArrayList<RepeatedLoadEvent>()
        val listener = object : DatabaseListener {
            override fun onRepeatedLoad(event: RepeatedLoadEvent) {
                told += event
            }
        }
        people("ann", "bob", "cid", "dan")
        open { repeatedLoads(limit = 2); listener(listener) }.use { watched ->
            withContext(watched) {
                repeat(2) { for (user in User.all().toList()) user.tweets() }
                for (user in User.all().limit(2).toList()) user.tweets()
            }
        }
        assertEquals(listOf("User::tweets" to 3, "User::tweets" to 3), told.map { it.relation to it.times })
        open { repeatedLoads(limit = 2, fail = true) }.use { watched ->
            withContext(watched) { assertFails<RepeatedLoadException> { for (user in User.all().toList()) user.tweets() } }
        }
    }

    // ---- One to one

    @Test
    public fun `a back reference is the one row that refers to a model (O15)`(): Unit = test {
        val ann = Member.create { email = "ann@x" }
        val error = assertFails<RecordNotFoundException> { ann.card() }
        assertTrue("card" in error.problem, error.problem)
        assertNull(ann.locker())
        assertNull(ann.locker.value)
        Card.create { member.value = ann; pin = "1" }
        Locker.create { member.value = ann; place = "left" }
        Member.create { email = "bob@x" }
        assertQueries(3) {
            val (first, second) = Member.all().orderBy(Members.id).with(Member::card, Member::locker).toList()
            assertEquals("1" to "left", first.card.value.pin to first.locker.value?.place)
            assertNull(second.locker.value)
            assertThrows(RecordNotFoundException::class.java) { second.card.value }
        }
        val read = Member.get(ann.id)
        assertThrows(RelationNotLoadedException::class.java) { read.locker.value }
        assertQueries(1) { assertEquals("left", read.locker()?.place) }
    }

    // ---- Keys

    @Test
    public fun `a foreign key of several columns leads there and back (O17)`(): Unit = test {
        fun id(hall: Int, level: Int) = CompositeID { it[Shelves.hall] = hall; it[Shelves.level] = level }
        val upper = Shelf.getOrCreate(id(1, 2)) { label = "upper" }.first
        val lower = Shelf.getOrCreate(id(1, 1)) { label = "lower" }.first
        val book = Book.create { shelf.value = upper; title = "Emma" }
        Book.create { shelf.value = lower; before.value = upper; title = "Persuasion" }
        assertEquals(id(1, 2), book.shelf.id.value)
        val read = Book.get(book.id)
        assertQueries(0) { assertEquals(id(1, 2), read.shelf.id.value) }
        assertNull(read.before.id)
        assertQueries(1) { assertEquals("upper", read.shelf().label) }
        assertQueries(0) { assertNull(read.before()) }
        assertQueries(3) {
            val books = Book.all().orderBy(Books.title).with(Book::shelf, Book::before).toList()
            assertEquals(listOf("upper" to null, "lower" to "upper"), books.map { it.shelf.value.label to it.before.value?.label })
        }
        assertQueries(2) { assertEquals(mapOf("upper" to 1, "lower" to 1), Shelf.all().with(Shelf::books).toList().associate { it.label to it.books.value.size }) }
        assertQueries(2) { assertEquals(2, Shelf.all().with(Shelf::books) { orderBy(Books.title); limitPerParent(1) }.toList().sumOf { it.books.value.size }) }
        assertEquals(1, lower.books.query.count())
        read.shelf.value = lower
        assertTrue(read.save())
        assertEquals(2, Shelf.get(id(1, 1)).books().size)
    }

    @Test
    public fun `changing one column of a key forgets what it led to (O12, O17)`(): Unit = test {
        fun id(hall: Int, level: Int) = CompositeID { it[Shelves.hall] = hall; it[Shelves.level] = level }
        val upper = Shelf.getOrCreate(id(1, 2)) { label = "upper" }.first
        Shelf.getOrCreate(id(1, 1)) { label = "lower" }
        val book = Book.create { shelf.value = upper; title = "Emma" }
        book[Books.level] = 1
        assertFalse(book.shelf.isLoaded)
        assertEquals("lower", book.shelf().label)
    }

    @Test
    public fun `relations go by other unique columns, and by two keys to one table`(): Unit = test {
        val (oslo, rome) = listOf("OSL" to "Oslo", "ROM" to "Rome").map { (short, long) -> City.create { code = short; name = long } }
        val flight = Flight.create { this[Flights.id] = EntityID("KO 1", Flights); origin.value = oslo; destination.value = rome }
        assertEquals("OSL", flight[Flights.origin])
        val read = Flight.get("KO 1")
        assertQueries(2) { assertEquals("Oslo" to "Rome", read.origin().name to read.destination().name) }
        assertEquals(oslo.id, read.origin.id)
        assertThrows(RelationNotLoadedException::class.java) { Flight.new { this[Flights.origin] = "OSL" }.origin.id }
        assertQueries(3) {
            val cities = City.all().orderBy(Cities.name).with(City::departures, City::arrivals).toList()
            assertEquals(listOf(1 to 0, 0 to 1), cities.map { it.departures.value.size to it.arrivals.value.size })
        }
    }

    @Test
    public fun `many-to-many of UUID ids goes both ways (O16, O18)`(): Unit = test {
        val root = node("root")
        val (red, blue) = listOf("red", "blue").map { Stamp.create { name = it } }
        root.stamps.set(listOf(red, blue))
        assertQueries(1) { assertEquals(listOf("root"), red.nodes().map { it.name }) }
        assertQueries(2) { assertEquals(2, Node.all().with(Node::stamps).single().stamps.value.size) }
        root.stamps.remove(red)
        assertEquals(listOf("blue"), root.stamps().map { it.name })
    }

    // ---- Joins

    @Test
    public fun `forgetting one relation of a joined row keeps the others`(): Unit = test {
        people("ann", tweets = 1)
        val tweet = Tweet.wrapRow(Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id).selectAll().single())
        assertEquals("ann" to "ann", tweet.user.value.name to tweet.editor.value?.name)
        tweet.editor.forget()
        assertFalse(tweet.editor.isLoaded)
        assertTrue(tweet.user.isLoaded)
        Users.update { it[name] = "anna" }
        assertQueries(1) { assertEquals("anna", tweet.editor()?.name) }
        assertQueries(0) { assertEquals("ann", tweet.user().name) }
        tweet.user.forget()
        assertQueries(1) { assertEquals("anna", tweet.user().name) }
    }

    @Test
    public fun `the key of a joined row decides whether the joined model belongs to it (Q8)`(): Unit = test {
        people("ann", tweets = 1)
        val bob = User.create { name = "bob" }
        val tweet = Tweet.wrapRow(Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id).selectAll().single())
        tweet[Tweets.author] = bob.id
        assertFalse(tweet.user.isLoaded)
        assertQueries(1) { assertEquals("bob", tweet.user().name) }
    }

    @Test
    public fun `relations by the same columns in another order, or to another class, are loaded apart`(): Unit = test {
        val root = node("root")
        for (child in listOf("a", "b")) node(child, root)
        val tree = Tree.get(root.id)
        assertEquals(listOf("a", "b"), tree.children().map { it.name })
        assertFalse(tree.backwards.isLoaded)
        assertEquals(listOf("b", "a"), tree.backwards().map { it.name })
        assertEquals(listOf("a", "b"), tree.nodes().map { it.name }.sorted())
        val loaded = Tree.find { Nodes.id eq root.id }.with(Tree::children, Tree::backwards).single()
        assertEquals(listOf("a", "b") to listOf("b", "a"), loaded.children.value.map { it.name } to loaded.backwards.value.map { it.name })
    }

    @Test
    public fun `emptying a reference by several columns leaves alone those that cannot be NULL (O17)`(): Unit = test {
        val upper = Shelf.getOrCreate(CompositeID { it[Shelves.hall] = 1; it[Shelves.level] = 2 }) { label = "upper" }.first
        val box = Box.create { shelf.value = upper }
        box.shelf.value = null
        assertEquals(1 to null, box.hall to box.shelf.id)
        assertTrue(box.save())
        assertNull(Box.get(box.id).shelf())
    }

    // ---- Links

    @Test
    public fun `links change inside the transaction of the caller (O16)`(): Unit = test {
        people("ann", tweets = 1)
        val tweet = Tweet.all().single()
        transaction { tx ->
            tweet.tags.clear()
            assertEquals(0, tweet.tags().size)
            tx.setRollbackOnly()
        }
        tweet.tags.forget()
        assertEquals(2, tweet.tags().size)
    }
}

/** A node whose children are asked for in several ways. */
internal class Tree : LongModel() {
    var name by Nodes.name
    val children by Tree optionalReferrersOn Nodes.parent orderBy Nodes.name
    val backwards by Tree.optionalReferrersOn(Nodes.parent).orderBy(Nodes.name, SortOrder.DESC)
    val nodes by Node optionalReferrersOn Nodes.parent orderBy Nodes.name

    companion object : LongModelClass<Tree>(Nodes, ::Tree)
}

/** A user whose tweets are loaded for all users of a result. */
internal class Person : LongModel() {
    var name by Users.name
    val tweets by (Tweet referrersOn Tweets.author).peers()

    companion object : LongModelClass<Person>(Users, ::Person)
}
