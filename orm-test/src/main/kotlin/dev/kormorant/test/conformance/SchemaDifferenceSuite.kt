package dev.kormorant.test.conformance

import dev.kormorant.ChangeKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DatabaseException
import dev.kormorant.Schema
import dev.kormorant.SchemaDifference
import dev.kormorant.insertAndGetId
import dev.kormorant.nativeEnumeration
import dev.kormorant.postgresql.dateRange
import dev.kormorant.postgresql.interval
import dev.kormorant.postgresql.numRange
import dev.kormorant.postgresql.tsRange
import dev.kormorant.postgresql.tsVector
import dev.kormorant.postgresql.tstzRange
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.yield
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ReferenceOption
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.CompositeIdTable
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.dao.id.java.UUIDTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.java.javaUUID
import org.jetbrains.exposed.v1.core.neq
import org.jetbrains.exposed.v1.core.stringLiteral
import org.jetbrains.exposed.v1.datetime.date as kotlinDate
import org.jetbrains.exposed.v1.datetime.datetime as kotlinDatetime
import org.jetbrains.exposed.v1.datetime.time as kotlinTime
import org.jetbrains.exposed.v1.datetime.timestamp as kotlinTimestamp
import org.jetbrains.exposed.v1.javatime.CurrentDateTime
import org.jetbrains.exposed.v1.javatime.date
import org.jetbrains.exposed.v1.javatime.datetime
import org.jetbrains.exposed.v1.javatime.duration
import org.jetbrains.exposed.v1.javatime.time
import org.jetbrains.exposed.v1.javatime.timestamp
import org.jetbrains.exposed.v1.javatime.timestampWithTimeZone
import org.jetbrains.exposed.v1.json.json
import org.jetbrains.exposed.v1.json.jsonb
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalDateTime

/** What [Schema.difference] finds is what differs, and after it is applied nothing does. */
public abstract class SchemaDifferenceSuite(backend: Backend) : Suite(backend) {
    private enum class Mood { GOOD, BAD }

    private inner class Wide : LongIdTable("wide") {
        init {
            byte("a_byte").default(-5)
            ubyte("a_ubyte").default(200u)
            short("a_short").nullable()
            ushort("a_ushort")
            integer("an_int").default(-1)
            if (backend.product != "MariaDB") integer("twice").withDefinition("GENERATED ALWAYS AS (an_int * 2) STORED").databaseGenerated()
            uinteger("a_uint")
            long("a_long").default(1L shl 40)
            ulong("a_ulong")
            float("a_float")
            double("a_double").default(1.5)
            decimal("a_decimal", 10, 3).default(BigDecimal("12.5"))
            bool("a_bool").default(false)
            bool("another_bool").default(true)
            char("a_char").default('x')
            char("a_code", 3)
            varchar("a_varchar", 40).default("it's (5) 'CURRENT_DATE'")
            text("a_text").nullable()
            mediumText("a_medium_text").nullable()
            largeText("a_large_text").nullable()
            binary("a_binary", 16)
            blob("a_blob")
            javaUUID("a_uuid")
            enumeration<Mood>("an_enum").default(Mood.BAD)
            enumerationByName<Mood>("a_named_enum", 10).default(Mood.GOOD)
            nativeEnumeration<Mood>("a_native_enum").default(Mood.BAD)
            date("a_date").default(LocalDate.of(2024, 2, 29))
            time("a_time")
            datetime("a_datetime").default(LocalDateTime.of(2024, 2, 29, 12, 30, 0))
            datetime("created").defaultExpression(CurrentDateTime)
            timestamp("a_timestamp").nullable()
            duration("a_duration")
            if (can.zonedTimestamps) timestampWithTimeZone("a_zoned")
            json<JsonElement>("a_json", Json)
            if (can.jsonb) jsonb<JsonElement>("a_jsonb", Json)
            if (can.arrays) array<Int>("some_ints")
            if (can.arrays) array<String>("some_texts").nullable()
            if (can.arrays) array<Long, List<List<Long>>>("nested", dimensions = 2)
            if (backend.product == "PostgreSQL") {
                interval("an_interval")
                tsVector("a_ts_vector")
                numRange("a_num_range")
                dateRange("a_date_range")
                tsRange("a_ts_range")
                tstzRange("a_tstz_range")
            }
            uuid("a_kotlin_uuid")
            kotlinDate("a_kotlin_date")
            kotlinTime("a_kotlin_time")
            kotlinDatetime("a_kotlin_datetime")
            kotlinTimestamp("a_kotlin_timestamp")
            varchar("collated", 20, collate = COLLATIONS.getValue(backend.product))
            integer("commented").comment("5 > 4, isn't it")
            varchar("an_expression", 20).defaultExpression(stringLiteral("made"))
            varchar("two words", 10).default("NULL")
            varchar("order", 10).nullable().default(null)
            varchar("MixedCase", 10)
        }
    }

    private object Composite : CompositeIdTable("composite_thing") {
        val first = integer("first").entityId()
        val second = varchar("second", 20).entityId()
        override val primaryKey = PrimaryKey(first, second, name = "key_of_two")
    }

    private object Universal : UUIDTable("universal")

    private object Plain : Table("plain") {
        val number = integer("number")
    }

    /** A table that the tests change: its columns are `id`, `name` and whatever a test gives it. */
    private class Item(define: Item.() -> Unit) : Table("item") {
        val id = integer("id")
        val name = varchar("name", 20)
        override val primaryKey = PrimaryKey(id)

        init {
            define()
        }
    }

    private fun item(define: Item.() -> Unit = {}) = Item(define)

    @AfterEach
    public fun dropAll(): Unit = runBlocking(db) {
        Schema.drop(item(), Wide(), Composite, Universal, Plain)
        Schema.drop(*SHOP)
        if (backend.product == "PostgreSQL") db.exec("DROP TYPE IF EXISTS mood")
    }

    @Test
    public fun `a table of every type differs in nothing once it is created`(): Unit = test {
        Schema.create(Wide(), Composite, Universal, Plain)
        assertNoDifference(Schema.difference(Wide(), Composite, Universal, Plain))
    }

    @Test
    public fun `a difference from tables that are not there creates them`(): Unit = test {
        val difference = Schema.difference(*SHOP)
        assertEquals(SHOP.size, difference.changes.count { it.kind == ChangeKind.CREATE_TABLE })
        Schema.apply(difference)
        assertNoDifference(Schema.difference(*SHOP))
    }

    @Test
    public fun `the metadata is read in as many queries for twelve tables as for one`(): Unit = test {
        Schema.create(*SHOP)
        val ofOne = statementsOf { Schema.difference(Labels) }
        assertEquals(ofOne, statementsOf { assertNoDifference(Schema.difference(*SHOP)) })
        assertTrue(ofOne.size in 4..8, "$ofOne")
    }

    @Test
    public fun `what the code does not have is told and stays, unless it is asked to go`(): Unit = test {
        Schema.create(
            Labels,
            item {
                val extra = integer("extra").default(7).index()
                val label = reference("label_id", Labels.id).nullable()
                check("positive") { extra eq 7 }
                index("by_label_and_name", false, label, name)
            },
        )
        db.exec("INSERT INTO item (id, name) VALUES (1, 'one')")
        val slim = item { varchar("note", 10).nullable() }

        val difference = Schema.difference(slim)
        assertEquals(listOf(ChangeKind.ADD_COLUMN), difference.changes.map { it.kind })
        Schema.apply(difference)
        assertEquals(listOf("7"), db.exec("SELECT extra FROM item").rows.map { "${it["extra"]}" })

        val excess = Schema.difference(slim)
        assertTrue(excess.isEmpty)
        val parts = excess.excess.flatMap { it.parts.ifEmpty { listOf(it) } }.map { "${it.kind} ${it.name}" }
        assertTrue(parts.containsAll(listOf("DROP_COLUMN extra", "DROP_COLUMN label_id", "DROP_INDEX item_extra")), "$parts")
        Schema.apply(excess, dropExcess = true)
        assertNoDifference(Schema.difference(slim))
        assertEquals(listOf("one"), db.exec("SELECT name FROM item").rows.map { it["name"] })
    }

    @Test
    public fun `what is missing is created and what differs is left`(): Unit = test {
        Schema.create(item { varchar("kind", 5) })
        val wanted = item {
            val kind = varchar("kind", 9)
            varchar("note", 10).nullable()
            index("by_kind", false, kind)
        }
        Schema.createMissing(Plain, wanted)
        assertEquals(setOf("item", "plain"), Schema.listTables().toSet())
        assertEquals(listOf(ChangeKind.ALTER_COLUMN), Schema.difference(Plain, wanted).changes.map { change -> change.parts.singleOrNull()?.kind ?: change.kind })
        assertEquals(listOf("id", "name", "kind", "note"), Schema.columns(wanted).map { it.name })
        Schema.createMissing(Plain, wanted)
    }

    @Test
    public fun `a key gets a longer type together with all that refer to it`(): Unit = test {
        class Parents<T : Number>(id: Table.() -> Column<T>) : Table("mother") {
            val id = id()
            override val primaryKey = PrimaryKey(this.id)
        }

        class Children<T : Number>(parent: Column<T>) : Table("infant") {
            val name = varchar("name", 20)
            val mother = reference("mother_id", parent, onDelete = ReferenceOption.CASCADE)
        }
        val before = Parents { integer("id") }.let { arrayOf(it, Children(it.id)) }
        val after = Parents { long("id") }.let { arrayOf(it, Children(it.id)) }
        try {
            Schema.create(*before)
            db.exec("INSERT INTO mother (id) VALUES (1)")
            db.exec("INSERT INTO infant (name, mother_id) VALUES ('one', 1)")
            Schema.apply(Schema.difference(*after))
            assertNoDifference(Schema.difference(*after))
            db.exec("INSERT INTO mother (id) VALUES (5000000000)")
            db.exec("INSERT INTO infant (name, mother_id) VALUES ('two', 5000000000)")
            assertFails<ConstraintViolationException> { db.exec("INSERT INTO infant (name, mother_id) VALUES ('three', 3)") }
            db.exec("DELETE FROM mother WHERE id = 1")
            assertEquals(listOf("two"), db.exec("SELECT name FROM infant").rows.map { it["name"] })
        } finally {
            Schema.drop(*after)
        }
    }

    @Test
    public fun `names that need quotes get them`(): Unit = test {
        class Odd(define: Odd.() -> Unit) : Table("select") {
            val from = integer("from")
            val spaced = integer("two words")
            val mixed = varchar("MixedCase", 10).nullable()
            val other = integer("to").references(from, fkName = "references").nullable()
            override val primaryKey = PrimaryKey(from, name = "primary key")

            init {
                define()
            }
        }
        val plain = Odd { index("by the words", false, spaced, mixed) }
        val changed = Odd {
            index("index", false, spaced, mixed)
            uniqueIndex("unique", from, mixed)
            val more = varchar("order", 10).default("group")
            check("check it") { more neq "x" }
        }
        try {
            Schema.create(plain)
            assertNoDifference(Schema.difference(plain))
            db.exec("INSERT INTO ${quoted("select")} (${quoted("from")}, ${quoted("two words")}) VALUES (1, 2)")
            Schema.apply(Schema.difference(changed))
            assertNoDifference(Schema.difference(changed))
            Schema.apply(Schema.difference(plain), dropExcess = true)
            assertNoDifference(Schema.difference(plain))
            assertEquals(2, plain.selectAll().single()[plain.spaced])
            Schema.truncate(plain)
        } finally {
            Schema.drop(plain)
        }
    }

    private fun quoted(name: String) = if (backend.product in setOf("MySQL", "MariaDB")) "`$name`" else "\"$name\""

    @Test
    public fun `a difference can be had as a script`(): Unit = test {
        Schema.create(item())
        val script = Schema.difference(item { varchar("note", 10).nullable() }).script()
        assertEquals("-- add column item.note\nALTER TABLE item ADD note VARCHAR(10) NULL;\n", script)
        assertEquals("", Schema.difference(item()).script())
    }

    @Test
    public fun `a change that the rows do not allow changes nothing`(): Unit = test {
        Schema.create(item { varchar("note", 20).nullable() })
        db.exec("INSERT INTO item (id, name) VALUES (1, 'one')")
        val wanted = item { varchar("note", 20) }
        assertFails<DatabaseException> { Schema.apply(Schema.difference(wanted)) }
        assertTrue(Schema.columns(wanted).single { it.name == "note" }.nullable)
        assertEquals(1, Schema.difference(wanted).changes.size)
        assertEquals("1", "${db.exec("SELECT COUNT(*) AS n FROM item").scalar()}")
    }

    @Test
    public fun `rows of twelve tables live through a change of each`(): Unit = test {
        Schema.create(*SHOP)
        val customer = Customers.insertAndGetId { it[email] = "ada@example.org"; it[name] = "Ada" }
        val address = Addresses.insertAndGetId { it[Addresses.customer] = customer; it[street] = "Lane 1"; it[postcode] = "1010" }
        Customers.update { it[billing] = address }
        Orders.insertAndGetId { it[Orders.customer] = customer; it[shipTo] = address }
        val wider = object : LongIdTable("customer") {
            init {
                varchar("email", 200).uniqueIndex()
                varchar("name", 100).index()
                bool("active").default(true)
                optReference("billing_id", Addresses, onDelete = ReferenceOption.SET_NULL)
                datetime("since").defaultExpression(CurrentDateTime)
            }
        }
        Schema.apply(Schema.difference(wider))
        assertNoDifference(Schema.difference(wider))
        assertEquals(listOf("Lane 1"), Addresses.selectAll().toList().map { it[Addresses.street] })
        assertEquals(address, Customers.selectAll().single()[Customers.billing])
        assertEquals(1, Orders.selectAll().count())
    }

    @Test
    public fun `a cancelled change leaves the table as it was and the connection usable`(): Unit = test {
        needs(can.shared && can.concurrentWriters && can.transactionalDdl, "transactional DDL beside another writer")
        Schema.create(item())
        db.exec("INSERT INTO item (id, name) VALUES (1, 'one')")
        val wanted = item { integer("amount").default(5) }
        val difference = Schema.difference(wanted)
        open().use { other ->
            val locked = CompletableDeferred<Unit>()
            val holder = launch {
                other.transaction {
                    other.exec("UPDATE item SET name = 'locked'")
                    locked.complete(Unit)
                    CompletableDeferred<Unit>().await()
                }
            }
            locked.await()
            val change = launch { Schema.apply(difference) }
            repeat(100) { yield() }
            change.cancelAndJoin()
            holder.cancelAndJoin()
        }
        assertEquals(difference.statements, Schema.difference(wanted).statements)
        Schema.apply(difference)
        assertNoDifference(Schema.difference(wanted))
    }

    private fun assertNoDifference(difference: SchemaDifference) = assertEquals("no difference", "$difference")

    private companion object {
        val COLLATIONS = mapOf("PostgreSQL" to "C", "MySQL" to "utf8mb4_bin", "MariaDB" to "utf8mb4_bin", "SQLite" to "NOCASE")
    }
}
