package dev.kormorant.test.conformance

import dev.kormorant.Cascade
import dev.kormorant.ColumnNotLoadedException
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.Database
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.NoDatabaseException
import dev.kormorant.Model
import dev.kormorant.ModelClass
import dev.kormorant.RecordNotFoundException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.addLogger
import dev.kormorant.delete
import dev.kormorant.deleteAll
import dev.kormorant.explain
import dev.kormorant.isSensitive
import dev.kormorant.optionalBackReferencedOn
import dev.kormorant.refresh
import dev.kormorant.save
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.Json
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.SqlLogger
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.count
import org.jetbrains.exposed.v1.core.dao.id.CompositeID
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.dao.id.IdTable
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.inList
import org.jetbrains.exposed.v1.core.max
import org.jetbrains.exposed.v1.core.statements.StatementContext
import org.jetbrains.exposed.v1.core.statements.expandArgs
import org.jetbrains.exposed.v1.core.sum
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.util.UUID

/** Writing models in all the ways beyond create, save and delete, and asking for one value. */
public abstract class ModelWriteSuite(backend: Backend) : Suite(backend, Members, Cards, Lockers, Shelves, Values, Purses, Slots) {
    private suspend fun member(address: String, init: Member.() -> Unit = {}) = Member.create {
        email = address
        init()
    }

    private fun shelfId(hall: Int, level: Int) = CompositeID {
        it[Shelves.hall] = hall
        it[Shelves.level] = level
    }

    // ---- Create or get

    @Test
    public fun `createOrGet inserts first, and gets by the unique columns that were set (M11)`(): Unit = test {
        val (ann, created) = Member.createOrGet { email = "ann@x"; visits = 3 }
        assertTrue(created)
        val (again, createdAgain) = Member.createOrGet { email = "ann@x"; visits = 9 }
        assertFalse(createdAgain)
        assertEquals(ann.id to 3, again.id to again.visits)
        assertQueries(2) { Member.createOrGet { email = "ann@x" } }
    }

    @Test
    public fun `createOrGet looks by whichever unique key was broken, of several columns too (M11)`(): Unit = test {
        val bob = member("bob@x") { club = "chess"; number = 7 }
        val (found, created) = Member.createOrGet { email = "robert@x"; club = "chess"; number = 7 }
        assertFalse(created)
        assertEquals(bob.id, found.id)
    }

    @Test
    public fun `createOrGet without a row that has the same unique values is the original violation (M11)`(): Unit = test {
        assertEquals(ConstraintKind.NOT_NULL, assertFails<ConstraintViolationException> { Member.createOrGet { number = 1 } }.kind)
        assertTrue(Slot.createOrGet { note = "first" }.second)
        assertEquals(ConstraintKind.UNIQUE, assertFails<ConstraintViolationException> { Slot.createOrGet { note = "second" } }.kind)
        assertFalse(Slot.createOrGet { code = "only"; note = "third" }.second)
    }

    private fun Shelf.writeKey(hall: Int, level: Int) {
        this[Shelves.hall] = EntityID(hall, Shelves.asIds())
        this[Shelves.level] = EntityID(level, Shelves.asIds())
    }

    @Suppress("UNCHECKED_CAST")
    private fun IdTable<*>.asIds() = this as IdTable<Int>

    @Test
    public fun `of 50 concurrent callers of createOrGet exactly one creates (M11)`(): Unit = test {
        val results = (1..50).map { async(Dispatchers.Default) { Member.createOrGet { email = "race@x"; visits = it } } }.awaitAll()
        assertEquals(1, results.count { it.second })
        assertEquals(1, results.map { it.first.id to it.first.visits }.toSet().size)
        assertEquals(1, Member.count())
    }

    @Test
    public fun `createOrGet that finds the row leaves the transaction usable (M11)`(): Unit = test {
        member("ann@x")
        transaction {
            assertFalse(Member.createOrGet { email = "ann@x" }.second)
            assertTrue(Member.createOrGet { email = "bob@x" }.second)
        }
        assertEquals(2, Member.count())
    }

    // ---- Force insert

    @Test
    public fun `forceInsert inserts a loaded model again, and is refused by its key (O1, O10)`(): Unit = test {
        val ann = Member.get(member("ann@x").id)
        assertEquals(ConstraintKind.UNIQUE, assertFails<ConstraintViolationException> { ann.save(forceInsert = true) }.kind)
        val shelf = Shelf.getOrCreate(shelfId(1, 1)) { label = "first" }.first
        shelf[Shelves.level] = EntityID(2, Shelves.asIds())
        assertTrue(shelf.save(forceInsert = true))
        assertEquals(setOf("first"), Shelf.all().toList().map { it.label }.toSet())
        assertEquals(2, Shelf.count())
    }

    // ---- Upsert

    @Test
    public fun `upsert inserts, or changes what was set, and returns the row as stored`(): Unit = test {
        val first = Member.upsert { email = "ann@x"; visits = 1 }
        assertEquals("new", first.rank)
        assertFalse(first.isNew || first.isDirty)
        Members.update { it[rank] = "gold" }
        val second = Member.upsert(Members.email) { email = "ann@x"; visits = 5 }
        assertEquals(Triple(first.id, 5, "gold"), Triple(second.id, second.visits, second.rank))
        assertEquals(1, Member.count())
        assertQueries(if (can.insertReturning) 1 else 2) { Member.upsert { email = "bob@x" } }
    }

    @Test
    public fun `upsert does not reset columns to their defaults, and works with nothing else to set`(): Unit = test {
        val ann = member("ann@x") { visits = 7 }
        assertEquals(7 to ann.id, Member.upsert { email = "ann@x" }.let { it.visits to it.id })
        val seated = Member.upsert(Members.club, Members.number) { email = "bob@x"; club = "chess"; number = 1 }
        assertEquals(seated.id, Member.upsert(Members.club, Members.number) { email = "robert@x"; club = "chess"; number = 1 }.id)
        assertEquals("robert@x", Member.get(seated.id).email)
    }

    @Test
    public fun `upsert without a unique key is refused before any statement`(): Unit = test {
        assertQueries(0) {
            assertFails<IllegalArgumentException> { Member.upsert { visits = 1 } }
            assertFails<IllegalArgumentException> { Member.upsert(Members.email) { visits = 1 } }
        }
    }

    @Test
    public fun `upsert counts the version of a row it changes (N16)`(): Unit = test {
        assertEquals(0, Purse.upsert { owner = "ann"; balance = 1 }.version)
        assertEquals(1, Purse.upsert { owner = "ann"; balance = 2 }.version)
    }

    @Test
    public fun `upsert that meets another unique key than its own is refused, or returns the row it changed`(): Unit = test {
        val ann = member("ann@x") { club = "chess"; number = 1 }
        val outcome = runCatching { Member.upsert(Members.email) { email = "bob@x"; club = "chess"; number = 1; visits = 3 } }
        outcome.onSuccess { assertEquals(ann.id to 3, it.id to it.visits) }
            .onFailure { assertEquals(ConstraintKind.UNIQUE, (it as? ConstraintViolationException ?: throw it).kind) }
        assertEquals(1, Member.count())
    }

    @Test
    public fun `upsert by a unique key that is NULL is refused before any statement`(): Unit = test {
        assertQueries(0) {
            assertFails<IllegalArgumentException> { Member.upsert(Members.club, Members.number) { email = "ann@x"; club = "chess"; number = null } }
        }
    }

    @Test
    public fun `a key that only the database could make is refused where it does not tell it`(): Unit = test {
        needs(!can.insertReturning, "need to be asked for what it made")
        assertQueries(0) {
            assertFails<UnsupportedByDialectException> { Voucher.create { note = "x" } }
            assertFails<UnsupportedByDialectException> { Voucher.createAll(List(2) { Voucher.new { note = "x" } }) }
        }
    }

    // ---- Many at once

    @Test
    public fun `createAll reads what the database made with one query at most (O8)`(): Unit = test {
        val members = (1..20).map { Member.new { email = "m$it@x" } }
        assertQueries(if (can.insertReturning) 1 else 2) { Member.createAll(members) }
        assertEquals(setOf("new"), members.map { it.rank }.toSet())
        assertEquals(members.map { it.id to it.email }.toSet(), Member.all().toList().map { it.id to it.email }.toSet())
    }

    @Test
    public fun `updateAll gives each row its own values with one statement per batch (O9)`(): Unit = test {
        val members = Member.createAll((1..10).map { Member.new { email = "m$it@x" } })
        members.forEachIndexed { index, member ->
            member.visits = index
            member.club = if (index % 2 == 0) null else "club"
        }
        assertQueries(1) { assertEquals(10, Member.updateAll(members, Members.visits, Members.club)) }
        assertTrue(members.none { it.isDirty })
        assertEquals(members.associate { it.id to (it.visits to it.club) }, Member.all().toList().associate { it.id to (it.visits to it.club) })
        assertEquals(4, statementsOf { Member.updateAll(members, Members.visits, batchSize = 3) }.count { it.startsWith("UPDATE") })
        assertQueries(0) { assertEquals(0, Member.updateAll(emptyList(), Members.visits)) }
    }

    @Test
    public fun `updateAll leaves other dirty columns dirty, and counts the rows that are there (O9)`(): Unit = test {
        val members = Member.createAll((1..3).map { Member.new { email = "m$it@x" } })
        members[0].delete()
        members[1].visits = 5
        members[1].rank = "gold"
        assertEquals(1, Member.updateAll(listOf(members[1]), Members.visits))
        assertTrue(members[1].isDirty)
        assertEquals("new", Member.get(members[1].id).rank)
        Members.deleteAll()
        assertEquals(0, Member.updateAll(members.drop(1), Members.visits))
        assertFails<IllegalArgumentException> { Member.updateAll(members, Members.visits) }
        assertFails<IllegalArgumentException> { Member.updateAll(members.drop(1)) }
        assertFails<IllegalArgumentException> { Member.updateAll(members.drop(1), Members.id) }
    }

    @Test
    public fun `updateAll works with every column type and with NULL (O9)`(): Unit = test {
        val values = Value.createAll(List(3) { Value() })
        val filled: List<Pair<Column<*>, List<Any?>>> = listOf(
            Values.small to listOf<Short?>(1, null, -5),
            Values.number to listOf(1, null, -5),
            Values.big to listOf(1L shl 40, null, -5L),
            Values.real to listOf(1.5f, null, -5f),
            Values.double to listOf(1.25, null, -5.0),
            Values.exact to listOf(BigDecimal("123456.789"), null, BigDecimal("-5.000")),
            Values.flag to listOf(true, null, false),
            Values.words to listOf("it's ?", null, "日本語"),
            Values.text to listOf("a\nb", null, ""),
            Values.fixed to listOf("abc", null, "xyz"),
            Values.bytes to listOf(byteArrayOf(0, -1, 7), null, byteArrayOf(1)),
            Values.uuid to listOf(UUID.randomUUID(), null, UUID(1, 2)),
            Values.day to listOf(LocalDate.of(2024, 2, 29), null, LocalDate.of(1970, 1, 1)),
            Values.hour to listOf(LocalTime.of(23, 59, 58), null, LocalTime.MIDNIGHT),
            Values.moment to listOf(LocalDateTime.of(2024, 2, 29, 1, 2, 3), null, LocalDateTime.of(1999, 12, 31, 0, 0)),
            Values.document to listOf(Json.parseToJsonElement("""{"a":[1,"?"]}"""), null, Json.parseToJsonElement("[]")),
            Values.mood to listOf(Mood.SAD, null, Mood.GLAD),
            Values.named to listOf(Mood.SAD, null, Mood.GLAD),
        )
        assertEquals(Values.columns.size - 1, filled.size)
        for ((column, items) in filled) for ((index, value) in values.withIndex()) {
            @Suppress("UNCHECKED_CAST")
            value[column as Column<Any?>] = items[index]
        }
        assertQueries(1) { assertEquals(3, Value.updateAll(values, *filled.map { it.first }.toTypedArray())) }
        assertEquals(3, Value.updateAll(values, Values.document))
        val stored = Value.all().toList().associateBy { it.id }
        for ((column, items) in filled) for ((index, value) in values.withIndex()) {
            val read = stored.getValue(value.id)[column]
            if (read is ByteArray) assertArrayEquals(items[index] as ByteArray, read) else assertEquals(items[index], read, "${column.name} of row $index")
        }
    }

    @Test
    public fun `updateAll of one column at a time works with every column type (O9)`(): Unit = test {
        val value = Value.create {}
        for (column in Values.columns.drop(1)) assertEquals(1, Value.updateAll(listOf(value), column), column.name)
    }

    @Test
    public fun `updateAll works with composite keys and more rows than one expression may nest (O9)`(): Unit = test {
        val shelves = (1..1_500).map { Shelf.new { label = "x" }.also { shelf -> shelf.writeKey(it % 30, it) } }
        Shelf.createAll(shelves)
        shelves.forEachIndexed { index, shelf -> shelf.label = "label $index" }
        assertEquals(1_500, Shelf.updateAll(shelves, Shelves.label, batchSize = 1_500))
        assertEquals(shelves.associate { it.id.value to it.label }, Shelf.all().toList().associate { it.id.value to it.label })
    }

    @Test
    public fun `updateWhere and deleteWhere change rows by condition and count them (O6, O7)`(): Unit = test {
        val members = Member.createAll((1..4).map { Member.new { email = "m$it@x"; visits = it } })
        assertEquals(1, Member.updateWhere({ Members.id eq members[0].id }) { it[Members.visits] = 10 })
        assertEquals(10, Member.get(members[0].id).visits)
        assertEquals(1, Member.updateWhere({ Members.id eq members[0].id }) { it[Members.visits] = 10 })
        assertEquals(2, Member.deleteWhere { Members.visits inList listOf(2, 3) })
        assertEquals(0, Member.deleteWhere { Members.visits inList listOf(2, 3) })
        assertEquals(2, Member.count())
    }

    // ---- Reading again, and changing what is read

    @Test
    public fun `refresh takes the row as it is and forgets changes and relations`(): Unit = test {
        val ann = member("ann@x")
        Card.create { member.value = ann; pin = "1" }
        assertEquals("1", ann.card().pin)
        Members.update { it[visits] = 4 }
        ann.club = "unsaved"
        assertQueries(1) { assertSame(ann, ann.refresh()) }
        assertEquals(4 to null, ann.visits to ann.club)
        assertFalse(ann.isDirty || ann.card.isLoaded)
        Cards.deleteAll()
        Members.deleteAll()
        assertFails<RecordNotFoundException> { ann.refresh() }
        assertEquals(4, ann.visits)
        assertFails<IllegalStateException> { Member.new { email = "x" }.refresh() }
    }

    @Test
    public fun `findByIdAndUpdate changes the row it has locked`(): Unit = test {
        val ann = member("ann@x")
        assertEquals(1, Member.findByIdAndUpdate(ann.id.value) { visits += 1 }?.visits)
        assertEquals(1, Member.get(ann.id).visits)
        assertNull(Member.findByIdAndUpdate(0) { visits += 1 })
        (1..20).map { async(Dispatchers.Default) { Member.findByIdAndUpdate(ann.id.value) { visits += 1 } } }.awaitAll()
        assertEquals(21, Member.get(ann.id).visits)
    }

    // ---- Values over rows, and raw SQL

    @Test
    public fun `one value over all rows or some (M15, L1)`(): Unit = test {
        assertNull(Member.scalar(Members.visits.max()))
        Member.createAll((1..4).map { Member.new { email = "m$it@x"; visits = it } })
        assertEquals(4, Member.scalar(Members.visits.max()))
        assertEquals(7, Member.find { Members.visits greater 2 }.scalar(Members.visits.sum()))
        assertEquals(4L, Member.scalar(Members.id.count()))
        assertEquals("m3@x", Member.find { Members.visits eq 3 }.scalar(Members.email))
        assertNull(Member.find { Members.visits eq 9 }.scalarOrNull(Members.email))
        assertFails<RecordNotFoundException> { Member.find { Members.visits eq 9 }.scalar(Members.email) }
        assertTrue(Member.find { Members.visits eq 3 }.exists())
        assertTrue(Member.find { Members.visits eq 9 }.empty())
    }

    @Test
    public fun `raw SQL becomes models, columns found by their names (Q7)`(): Unit = test {
        Member.createAll((1..4).map { Member.new { email = "m$it@x"; visits = it } })
        val found = Member.findBySql("SELECT visits, email, id, 1 AS something FROM member WHERE visits > ? ORDER BY visits", 2)
        assertEquals(listOf("m3@x" to 3, "m4@x" to 4), found.map { it.email to it.visits })
        assertThrows(ColumnNotLoadedException::class.java) { found[0].club }
        found[0].visits = 30
        assertTrue(found[0].save())
        assertEquals(30, Member.get(found[0].id).visits)
    }

    // ---- Where the database comes from

    @Test
    public fun `an abstract model class names the database of its classes once, for all their functions (M2, O20)`() {
        HomeModels.home = db
        try {
            runBlocking {
                val ann = HomeMember.create { email = "ann@x" }
                assertEquals(ann.id, HomeMember.createOrGet { email = "ann@x" }.first.id)
                assertEquals(ann.id, HomeMember.upsert { email = "ann@x"; visits = 2 }.id)
                assertEquals(1, HomeMember.updateWhere({ Members.id eq ann.id }) { it[Members.visits] = 3 })
                assertEquals(1, HomeMember.updateAll(listOf(ann.refresh()), Members.visits))
                assertEquals(3, HomeMember.scalar(Members.visits.max()))
                assertTrue(HomeMember.exists { Members.email eq "ann@x" })
                assertEquals(1, HomeMember.findBySql("SELECT * FROM member").size)
                assertEquals(4, HomeMember.findByIdAndUpdate(ann.id.value) { visits += 1 }?.visits)
                HomeMember.afterSave { _, _ -> assertEquals(1, Member.count()) }.use { HomeMember.get(ann.id).also { it.visits = 5 }.save() }
                assertEquals(null, ann.locker()?.place)
                assertEquals(1, HomeMember.get(ann.id).delete(Cascade.DELETE))
                assertEquals(0, HomeMember.deleteWhere { Members.email eq "ann@x" })
            }
        } finally {
            HomeModels.home = null
        }
    }

    @Test
    public fun `without a database in reach every function says so (M1, O21, N4)`(): Unit = runBlocking {
        val member = Member.new { email = "ann@x" }
        val calls: List<suspend () -> Any?> = listOf(
            { member.save() }, { Member.get(1) }, { Member.all().toList() }, { Member.createAll(listOf(member)) }, { Member.createOrGet { email = "x" } },
            { Member.upsert { email = "x" } }, { Member.updateWhere({ Members.id eq 1L }) { it[Members.visits] = 1 } }, { Member.deleteWhere { Members.id eq 1L } },
            { Member.scalar(Members.id.max()) }, { Member.findBySql("SELECT 1") }, { Member.getForUpdate(1) }, { Member.deleteById(1) },
        )
        for (call in calls) assertHint(assertFails<NoDatabaseException> { call() }, "withContext", "transaction", "override")
    }

    @Test
    public fun `building a query sends nothing (O22)`(): Unit = test {
        assertQueries(0) {
            val query = Member.find { Members.visits greater 1 }.orderBy(Members.email).limit(3).with(Member::card, Member::locker)
            assertEquals(0, query.fetchSize(2).peers().let { Member.new { email = "x" }.visits })
        }
    }

    @Test
    public fun `the constructor of a model is its hook on construction (E3)`(): Unit = test {
        assertEquals("nobody@x", Greeter().email)
        Greeter.create { visits = 2 }
        assertEquals(setOf("nobody@x"), Greeter.all().toList().map { it.email }.toSet())
        assertFalse(Greeter.all().single().isDirty)
    }

    // ---- What is seen of a model

    @Test
    public fun `models are equal only to themselves, and hash while they change (N18)`(): Unit = test {
        val ann = member("ann@x")
        val other = Member.get(ann.id)
        assertNotEquals(ann, other)
        assertEquals(ann.id, other.id)
        val set = hashSetOf(ann)
        ann.visits = 99
        ann.save()
        assertTrue(ann in set)
    }

    @Test
    public fun `a sensitive column is in no text (U15)`(): Unit = test {
        val secret = "secret-${UUID.randomUUID()}"
        val ann = member("ann@x")
        val card = Card.create { member.value = ann; pin = secret.take(40) }
        assertTrue(Cards.pin.isSensitive)
        assertFalse(Members.email.isSensitive)
        val texts = listOf(
            "$card",
            assertFails<ConstraintViolationException> { Card.create { member.value = ann; pin = secret.take(40) } }.stackTraceToString(),
            assertFails<DataException> { card.pin = secret + secret }.stackTraceToString(),
            assertFails<RecordNotFoundException> { Card.get { Cards.pin eq secret } }.stackTraceToString(),
            statementsOf { card.save() }.joinToString(),
        )
        for (text in texts) assertFalse(secret.take(36) in text, text)
    }

    @Test
    public fun `loggers see a sign in place of what is sensitive (U15)`(): Unit = test {
        val logged = ArrayList<String>()
        val ann = member("ann@x")
        transaction { tx ->
            tx.addLogger(object : SqlLogger {
                override fun log(context: StatementContext, transaction: Transaction) {
                    logged += context.expandArgs(transaction)
                }
            })
            val card = Card.create { member.value = ann; pin = "secret-1" }
            card.pin = "secret-2"
            card.save()
            Cards.update({ Cards.pin eq "secret-2" }) { it[pin] = "secret-3" }
            assertEquals(1, Card.count { Cards.pin eq "secret-3" })
            explain { Cards.selectAll().where { Cards.pin eq "secret-3" } }.toList()
            member("bob@x")
        }
        assertTrue(logged.size >= 5 && logged.none { "secret" in it } && logged.any { "…" in it } && logged.any { "bob@x" in it }, "$logged")
    }

    @Test
    public fun `a model may be read by many coroutines at once`(): Unit = test {
        val ann = member("ann@x") { club = "chess" }
        Card.create { member.value = ann; pin = "1" }
        withContext(Dispatchers.Default) {
            (1..32).map { async { Triple(ann.email, ann.card().pin, ann.locker()) } }.awaitAll()
        }.forEach { assertEquals(Triple("ann@x", "1", null), it) }
    }
}

/** Classes of models that have one database in common. */
internal abstract class HomeModels<M : LongModel>(table: LongIdTable, factory: () -> M) : LongModelClass<M>(table, factory) {
    override val database: Database? get() = home

    companion object {
        var home: Database? = null
    }
}

internal class HomeMember : LongModel() {
    var email by Members.email
    var visits by Members.visits
    val locker by Locker optionalBackReferencedOn Lockers.member

    companion object : HomeModels<HomeMember>(Members, ::HomeMember)
}

/** Has an address from the start. */
internal class Greeter : LongModel() {
    var email by Members.email
    var visits by Members.visits

    init {
        email = "nobody@x"
    }

    companion object : LongModelClass<Greeter>(Members, ::Greeter)
}

private object Vouchers : IdTable<String>("voucher") {
    override val id = varchar("code", 36).entityId().databaseGenerated()
    val note = varchar("note", 10)
    override val primaryKey = PrimaryKey(id)
}

private class Voucher : Model<String>() {
    var note by Vouchers.note

    companion object : ModelClass<String, Voucher>(Vouchers, ::Voucher)
}
