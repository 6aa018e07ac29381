package dev.kormorant.test.conformance

import dev.kormorant.MappingException
import dev.kormorant.batchInsert
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.mapLazy
import dev.kormorant.mapTo
import dev.kormorant.select
import dev.kormorant.selectAll
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.SortOrder
import org.jetbrains.exposed.v1.core.VarCharColumnType
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.coalesce
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.max
import org.jetbrains.exposed.v1.core.stringLiteral
import org.jetbrains.exposed.v1.core.upperCase
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.uuid.Uuid

/** Rows as objects: data classes and records. */
public abstract class MappingSuite(backend: Backend) : Suite(backend, Pages, Users, Tweets, Devices, Seats, Parcels, Calls) {
    private data class PageRow(val id: Long, val key: String, val text: String)

    private data class KeyedPage(val id: EntityID<Long>, val key: String)

    private data class TweetRow(val author: Long, val body: String, val editor: Long?)

    private data class WithDefault(val key: String, val note: String = "none", val tags: List<String> = emptyList())

    private data class ParcelRow(val id: ParcelId, val sizeClass: Size, val formerSize: String, val weightInGrams: Long)

    private data class Demanding(val label: String, val owner: String)

    private data class SeatRow(val line: Int, val number: Int)

    @JvmInline
    internal value class ParcelId(val value: Long)

    private enum class Size { SMALL, LARGE }

    private object Parcels : LongIdTable("parcel") {
        val sizeClass = enumerationByName<Size>("size_class", 10)
        val before = varchar("former_size", 10)
        val weight = integer("weight_in_grams")
    }

    private class LoudText : VarCharColumnType(20) {
        override fun valueFromDB(value: Any): String = "$value!"
    }

    private object Calls : LongIdTable("calls") {
        val words = registerColumn("words", LoudText())
    }

    private data class Call(val words: String)

    @JvmInline
    internal value class Short(val text: String) {
        init {
            require(text.length < 3) { "too long" }
        }
    }

    private data class ShortCall(val words: Short)

    @Test
    public fun `a column type of the user's own reads the values, whatever it is derived from`(): Unit = test {
        Calls.insert { it[words] = "hey" }
        assertEquals("hey!", Calls.selectAll().single()[Calls.words])
        assertEquals(Call("hey!"), Calls.selectAll().mapTo<Call>().single())
    }

    @Test
    public fun `what a value class throws comes out as it is`(): Unit = test {
        Calls.insert { it[words] = "hey" }
        assertEquals("too long", assertFails<IllegalArgumentException> { Calls.selectAll().mapTo<ShortCall>().single() }.message)
    }

    @Test
    public fun `a data class is filled by the names of columns (Q4)`(): Unit = test {
        val id = Pages.insertAndGetId { it[key] = "a"; it[text] = "one" }.value
        assertEquals(PageRow(id, "a", "one"), Pages.selectAll().mapTo<PageRow>().single())
        assertEquals(listOf(PageRow(id, "a", "one")), Pages.selectAll().mapTo(PageRow::class).toList())
        assertEquals(id, Pages.selectAll().mapTo<KeyedPage>().first().id.value)
    }

    @Test
    public fun `a column goes by the name of its property too, and an alias by its own`(): Unit = test {
        val ann = Users.insertAndGetId { it[name] = "ann" }
        Tweets.insert { it[author] = ann; it[text] = "hello" }
        val query = Tweets.select(Tweets.author, Tweets.text.upperCase().alias("body"), Tweets.editor)
        assertEquals(TweetRow(ann.value, "HELLO", null), query.mapTo<TweetRow>().single())
        Parcels.insert { it[sizeClass] = Size.LARGE; it[before] = "SMALL"; it[weight] = 5 }
        data class ByProperty(val before: String, val weight: Int)
        assertEquals(ByProperty("SMALL", 5), Parcels.selectAll().mapTo<ByProperty>().single())
    }

    @Test
    public fun `value classes are wrapped, enums read, integers widened, and camel case is snake case`(): Unit = test {
        val id = Parcels.insertAndGetId { it[sizeClass] = Size.LARGE; it[before] = "SMALL"; it[weight] = 2_000 }.value
        assertEquals(ParcelRow(ParcelId(id), Size.LARGE, "SMALL", 2_000L), Parcels.selectAll().mapTo<ParcelRow>().single())
        data class ByName(val formerSize: Size)
        assertEquals(ByName(Size.SMALL), Parcels.selectAll().mapTo<ByName>().single())
        data class Narrow(val weightInGrams: Short)
        assertFails<MappingException> { Parcels.selectAll().mapTo<Narrow>().single() }
    }

    @Test
    public fun `a parameter with a default may be missing`(): Unit = test {
        Pages.insert { it[key] = "a" }
        assertEquals(WithDefault("a"), Pages.selectAll().mapTo<WithDefault>().single())
        assertEquals(WithDefault("a", "n"), Pages.select(Pages.key, stringLiteral("n").alias("note")).mapTo<WithDefault>().single())
    }

    @Test
    public fun `what does not fit is refused before anything is sent, and named`(): Unit = test {
        val sent = statementsOf {
            val missing = assertFails<MappingException> { Pages.select(Pages.key, Pages.id).mapTo<PageRow>() }
            assertTrue("'text'" in missing.problem && "page_block.key" in missing.problem, missing.problem)
            val nullable = assertFails<MappingException> { Devices.selectAll().mapTo<Demanding>() }
            assertTrue("'owner'" in nullable.problem && "device.owner" in nullable.problem, nullable.problem)
            val ambiguous = assertFails<MappingException> { Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id).select(Tweets.id, Users.id, Users.name.alias("key")).mapTo<KeyedPage>() }
            assertTrue("more than one" in ambiguous.problem, ambiguous.problem)
            assertFails<MappingException> { Pages.selectAll().mapTo<Comparable<*>>() }
        }
        assertEquals(emptyList<String>(), sent)
    }

    @Test
    public fun `a NULL that nobody could foresee names the parameter`(): Unit = test {
        data class Last(val lastKey: String)
        val last = Pages.select(Pages.key.max().alias("last_key"))
        val error = assertFails<MappingException> { last.mapTo<Last>().single() }
        assertTrue("'lastKey'" in error.problem && "NULL" in error.problem, error.problem)
        data class LastOrNone(val lastKey: String?)
        assertNull(last.mapTo<LastOrNone>().single().lastKey)
        Devices.insert { it[label] = "lamp" }
        assertEquals(
            Demanding("lamp", "nobody"),
            Devices.select(Devices.label, coalesce(Devices.owner, stringLiteral("nobody")).alias("owner")).mapTo<Demanding>().single(),
        )
    }

    @Test
    public fun `a UUID comes as the class that is asked for`(): Unit = test {
        Devices.insert { it[label] = "lamp" }
        data class JavaRow(val id: java.util.UUID)
        data class KotlinRow(val id: Uuid)
        val id = Devices.selectAll().mapTo<JavaRow>().single().id
        assertEquals(id.toString(), Devices.selectAll().mapTo<KotlinRow>().single().id.toString())
    }

    @Test
    public fun `the parts of a composite id are fields of their own`(): Unit = test {
        Seats.insert { it[line] = 3; it[number] = 7 }
        assertEquals(SeatRow(3, 7), Seats.selectAll().mapTo<SeatRow>().single())
    }

    @Test
    public fun `a mapped query can be sorted, limited and counted, and leaves its query alone (Q5)`(): Unit = test {
        Pages.batchInsert((1..5).toList()) { this[Pages.key] = "page$it" }
        val query = Pages.selectAll()
        val rows = query.mapTo<PageRow>().orderBy(Pages.id to SortOrder.DESC)
        assertEquals("page5", rows.first().key)
        assertTrue(statementsOf { rows.first() }.single().contains("LIMIT 1"))
        assertEquals(listOf("page4", "page3"), rows.limit(2).offset(1).toList().map { it.key })
        assertEquals(5, rows.count())
        assertEquals(false, rows.empty())
        query.where { Pages.key eq "page1" }
        assertEquals(5, rows.toList().size)
        assertEquals(1, query.toList().size)
    }

    @Test
    public fun `mapLazy makes something of each row of every run (M20)`(): Unit = test {
        Pages.batchInsert((1..3).toList()) { this[Pages.key] = "page$it" }
        val keys = Pages.selectAll().orderBy(Pages.id).mapLazy { it[Pages.key] }
        assertEquals(listOf("page1", "page2", "page3"), keys.toList())
        assertEquals(listOf("page2"), keys.limit(1).offset(1).mapLazy { it }.toList())
        assertEquals(3, keys.count())
        Pages.insert { it[key] = "page4" }
        assertEquals("page4", keys.toList().last())
        assertEquals(listOf(1, 2), Pages.selectAll().mapTo<PageRow>().mapLazy { it.key.last().digitToInt() }.limit(2).toList())
    }

    @Test
    public fun `rows are mapped while they are streamed`(): Unit = test {
        Pages.batchInsert((1..50).toList()) { this[Pages.key] = "page$it" }
        val rows = Pages.selectAll().orderBy(Pages.id).fetchSize(7).mapTo<PageRow>()
        assertEquals((1..50).map { "page$it" }, (rows as Flow<PageRow>).map { it.key }.toList())
    }

    @Test
    public fun `rows that are there already are mapped too`(): Unit = test {
        val inserted = Pages.batchInsert(listOf("a", "b")) { this[Pages.key] = it; this[Pages.text] = "" }
        assertEquals(listOf("a", "b"), inserted.mapTo<PageRow>().map { it.key })
        val flow: Flow<ResultRow> = Pages.selectAll().orderBy(Pages.id)
        assertEquals(listOf("a", "b"), flow.mapTo<PageRow>().toList().map { it.key })
        assertEquals(emptyList<PageRow>(), emptyList<ResultRow>().mapTo<PageRow>())
    }

    @Test
    public fun `groups are mapped by their aliases`(): Unit = test {
        Pages.batchInsert((1..7).toList()) { this[Pages.key] = "page$it"; this[Pages.text] = "text${it % 2}" }
        data class Group(val text: String, val number: Long)
        val groups = Pages.select(Pages.text, Pages.id.count().alias("number")).groupBy(Pages.text).orderBy(Pages.text).mapTo<Group>()
        assertEquals(listOf(Group("text0", 3), Group("text1", 4)), groups.toList())
    }
}
