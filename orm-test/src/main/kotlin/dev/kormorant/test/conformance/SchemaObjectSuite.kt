package dev.kormorant.test.conformance

import dev.kormorant.ChangeKind
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DatabaseException
import dev.kormorant.Schema
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.atlas.atlasTables
import dev.kormorant.connection
import dev.kormorant.exists
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.nativeEnumeration
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.update
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.Index
import org.jetbrains.exposed.v1.core.LowerCase
import org.jetbrains.exposed.v1.core.ReferenceOption
import org.jetbrains.exposed.v1.core.Sequence
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.isNotNull
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.jetbrains.exposed.v1.core.Schema as DatabaseSchema

/** What [Schema] does besides comparing: rows, indices, sequences, schemas, databases, and what a database does not have. */
public abstract class SchemaObjectSuite(backend: Backend) : Suite(backend) {
    private object Parents : LongIdTable("parent") {
        val name = varchar("name", 20)
    }

    private object Children : LongIdTable("child") {
        val parent = reference("parent_id", Parents)
        val sibling = optReference("sibling_id", Children)
    }

    private enum class Shade { DARK, PALE }

    private enum class MoreShades { DARK, GREY, PALE }

    private object Shaded : LongIdTable("shaded") {
        val shade = nativeEnumeration<Shade>("shade")
        val other = nativeEnumeration<Shade>("other", "shade").nullable()
    }

    private object MoreShaded : LongIdTable("shaded") {
        val shade = nativeEnumeration<MoreShades>("shade", "shade").default(MoreShades.GREY)
        val other = nativeEnumeration<MoreShades>("other", "shade").nullable()
    }

    private enum class Quoted { PLAIN, `it's` }

    private object QuotedLabels : LongIdTable("shaded") {
        val label = nativeEnumeration<Quoted>("label", "shade").default(Quoted.`it's`)
    }

    private val hasServer get() = backend.product != "SQLite"

    @AfterEach
    public fun dropAll(): Unit = runBlocking(db) {
        Schema.drop(Children, Parents, Shaded)
        Schema.drop(*SHOP)
        if (backend.product == "PostgreSQL") db.exec("DROP TYPE IF EXISTS shade")
    }

    // ---- Tables

    @Test
    public fun `twelve tables are created in one call and dropped in one call, whatever refers to what and with rows in them (D17)`(): Unit = test {
        Schema.create(*SHOP)
        assertEquals(SHOP.map { it.tableName }.toSet(), Schema.listTables().toSet())
        val customer = Customers.insertAndGetId { it[email] = "ada@example.org"; it[name] = "Ada" }
        val address = Addresses.insertAndGetId { it[Addresses.customer] = customer; it[street] = "Lane 1"; it[postcode] = "1010" }
        Customers.update { it[billing] = address }
        val root = Categories.insertAndGetId { it[title] = "all" }
        Categories.insert { it[title] = "some"; it[parent] = root }
        Schema.drop(*SHOP)
        assertEquals(emptyList<String>(), Schema.listTables())
    }

    @Test
    public fun `the tables of the atlas differ in nothing once they are created`(): Unit = test {
        Schema.create(*atlasTables.reversedArray())
        assertEquals("no difference", "${Schema.difference(*atlasTables)}")
        Schema.drop(*atlasTables)
        assertEquals(emptyList<String>(), Schema.listTables())
    }

    @Test
    public fun `the statements of twelve tables, run one by one, make no difference`(): Unit = test {
        Schema.createStatements(*SHOP).forEach { db.exec(it) }
        assertEquals("no difference", "${Schema.difference(*SHOP)}")
        assertEquals(emptyList<String>(), Schema.createStatements(*SHOP))
        db.connection { Schema.dropStatements(*SHOP).forEach { if (backend.product != "SQLite" || "PRAGMA" !in it) db.exec(it) } }
    }

    @Test
    public fun `the columns of a table are told in their order`(): Unit = test {
        assertEquals(emptyList<String>(), Schema.columns(Customers).map { it.name })
        Schema.create(*SHOP)
        val columns = Schema.columns(Customers)
        assertEquals(listOf("id", "email", "name", "active", "billing_id", "since"), columns.map { it.name })
        assertTrue(columns[0].autoIncrement && !columns[1].autoIncrement)
        assertEquals(listOf(false, true), listOf(columns[1].nullable, columns[4].nullable))
        assertTrue(columns[1].type.contains("120") && columns[5].default != null)
    }

    // ---- Rows

    @Test
    public fun `truncating a table that another refers to is an error and deletes nothing (D20)`(): Unit = test {
        family()
        val error = assertFails<ConstraintViolationException> { Schema.truncate(Parents) }
        assertEquals(ConstraintKind.FOREIGN_KEY to "child", error.kind to error.table)
        assertHint(error, "cascade")
        assertEquals(1, Parents.selectAll().count())
    }

    @Test
    public fun `truncating empties the tables, in any order, and with cascade those that refer to them (D20, X3)`(): Unit = test {
        family()
        Schema.truncate(Parents, Children)
        assertEquals(0 to 0, Parents.selectAll().count().toInt() to Children.selectAll().count().toInt())
        family()
        Schema.truncate(Parents, cascade = true)
        assertEquals(0 to 0, Parents.selectAll().count().toInt() to Children.selectAll().count().toInt())
        Schema.truncate()
    }

    @Test
    public fun `the numbering goes on after truncating unless it is restarted (D20)`(): Unit = test {
        family()
        Schema.truncate(Parents, cascade = true)
        assertEquals(2L, Parents.insertAndGetId { it[name] = "second" }.value)
        Schema.truncate(Parents, restartIdentity = true, cascade = true)
        assertEquals(1L, Parents.insertAndGetId { it[name] = "first again" }.value)
        Children.insert { it[parent] = 1L }
        assertFails<ConstraintViolationException> { Children.insert { it[parent] = 99L } }
    }

    @Test
    public fun `a rollback brings truncated rows back`(): Unit = test {
        family()
        Children.update { it[sibling] = null }
        transaction {
            Schema.truncate(Children, Parents)
            assertEquals(0, Parents.selectAll().count())
            it.setRollbackOnly()
        }
        assertEquals(1 to 2, Parents.selectAll().count().toInt() to Children.selectAll().count().toInt())
    }

    private suspend fun family() {
        Schema.create(Children, Parents)
        val parent = Parents.insertAndGetId { it[name] = "first" }
        val child = Children.insertAndGetId { it[Children.parent] = parent }
        Children.insert { it[Children.parent] = parent; it[sibling] = child }
    }

    // ---- Indices, sequences, enums

    @Test
    public fun `an index is created and dropped by itself (D20)`(): Unit = test {
        Schema.create(Parents)
        for (unique in listOf(true, false)) {
            val index = Index(listOf(Parents.name), unique, "parent_by_name")
            Schema.createIndex(index)
            assertEquals(listOf("parent_by_name"), Schema.difference(Parents).excess.map { it.name })
            Schema.dropIndex(index)
            assertEquals("no difference", "${Schema.difference(Parents)}")
        }
    }

    @Test
    public fun `a sequence is created, found and dropped (D16, D20)`(): Unit = test {
        needs(can.sequences, "sequences")
        val sequence = Sequence("bill_numbers", startWith = 7)
        assertFalse(sequence.exists())
        Schema.createSequence(sequence)
        Schema.createSequence(sequence)
        assertTrue(sequence.exists() && Schema.sequenceExists("bill_numbers"))
        assertEquals(listOf("bill_numbers"), Schema.listSequences())
        assertFalse(Schema.sequenceExists("bill_numbers", schema = "no_such_schema"))
        assertFalse("bill_numbers" in Schema.listTables())
        Schema.create(Parents)
        assertEquals(listOf(ChangeKind.DROP_SEQUENCE to "bill_numbers"), Schema.difference(Parents).excess.map { it.kind to it.name })
        Schema.dropSequence(sequence)
        Schema.dropSequence(sequence)
        assertFalse(sequence.exists())
    }

    @Test
    public fun `a sequence is refused before anything is sent where there are none`(): Unit = test {
        needs(!can.sequences, "lack of sequences")
        val sent = statementsOf { assertFails<UnsupportedByDialectException> { Schema.createSequence(Sequence("bill_numbers")) } }
        assertEquals(emptyList<String>(), sent)
        assertEquals(emptyList<String>(), Schema.listSequences())
    }

    @Test
    public fun `an enum type keeps its constants and gets new ones`(): Unit = test {
        Schema.create(Shaded)
        Schema.create(Shaded)
        assertEquals("no difference", "${Schema.difference(Shaded)}")
        val id = Shaded.insertAndGetId { it[shade] = Shade.PALE; it[other] = null }
        Shaded.update({ Shaded.shade eq Shade.PALE }) { it[other] = Shade.DARK }
        val row = Shaded.selectAll().where { Shaded.id eq id }.single()
        assertEquals(Shade.PALE to Shade.DARK, row[Shaded.shade] to row[Shaded.other])

        Schema.apply(Schema.difference(MoreShaded))
        assertEquals("no difference", "${Schema.difference(MoreShaded)}")
        db.exec("INSERT INTO shaded (other) VALUES (NULL)")
        assertEquals(listOf(MoreShades.PALE, MoreShades.GREY), MoreShaded.selectAll().orderBy(MoreShaded.id).toList().map { it[MoreShaded.shade] })
    }

    @Test
    public fun `a constant of an enum with a quote in its name is a label like others`(): Unit = test {
        Schema.create(QuotedLabels)
        assertEquals("no difference", "${Schema.difference(QuotedLabels)}")
        QuotedLabels.insert { it[label] = Quoted.PLAIN }
        QuotedLabels.insert { }
        assertEquals(listOf(Quoted.PLAIN, Quoted.`it's`), QuotedLabels.selectAll().orderBy(QuotedLabels.id).toList().map { it[QuotedLabels.label] })
    }

    // ---- What a database does not have

    @Test
    public fun `an index that the database does not have is refused before anything is created`(): Unit = test {
        val wanted = listOf(
            "MySQL MariaDB" to refused { index("some", false, filterCondition = { name.isNotNull() }, columns = arrayOf(name)) },
            "MariaDB" to refused { index("lowered", false, functions = listOf(LowerCase(name))) },
            "SQLite" to refused { index("hashed", false, name, indexType = "HASH") },
        )
        for ((products, table) in wanted.filter { backend.product in it.first.split(' ') }) {
            assertHint(assertFails<UnsupportedByDialectException> { Schema.create(table) }, "Leave the index out")
            assertFalse(table.exists(), products)
        }
    }

    @Test
    public fun `an action that the database does not have is refused before anything is created`(): Unit = test {
        needs(backend.product in setOf("MySQL", "MariaDB"), "lack of SET DEFAULT")
        Schema.create(Parents)
        val table = refused { long("parent_id").default(1).references(Parents.id, onDelete = ReferenceOption.SET_DEFAULT) }
        assertFails<UnsupportedByDialectException> { Schema.create(table) }
        assertFalse(table.exists())
    }

    private class Refused : Table("refused") {
        val name = varchar("name", 20)
    }

    private fun refused(define: Refused.() -> Unit) = Refused().apply(define)

    @Test
    public fun `DDL in a transaction that it would commit is refused before anything is sent, unless that is allowed`(): Unit = test {
        needs(!can.transactionalDdl, "implicit commit")
        val sent = statementsOf {
            transaction {
                assertHint(assertFails<UnsupportedByDialectException> { Schema.create(Parents) }, "allowImplicitCommit")
                assertFails<UnsupportedByDialectException> { Schema.createIndex(Index(listOf(Parents.name), false)) }
                assertFails<UnsupportedByDialectException> { db.exec(" create table parent (id int)") }
            }
        }
        assertEquals(emptyList<String>(), sent)
        transaction { db.exec("CREATE TEMPORARY TABLE passing (id INT)") }
        open { allowImplicitCommit = true }.use { lenient ->
            withContext(lenient) {
                assertFails<IllegalStateException> {
                    transaction {
                        Schema.create(Parents)
                        Parents.insert { it[name] = "stays" }
                        error("stop")
                    }
                }
                assertEquals("stays", Parents.selectAll().single()[Parents.name])
            }
        }
    }

    // ---- Schemas and databases

    @Test
    public fun `names without a schema are those of the chosen one to the end of the block only`(): Unit = test {
        needs(hasServer, "schemas")
        val name = "other_${ProcessHandle.current().pid()}_${System.identityHashCode(this@SchemaObjectSuite)}"
        val other = DatabaseSchema(name)
        assertFails<IllegalStateException> { Schema.setSchema(other) }
        Schema.createSchema(other)
        Schema.createSchema(other)
        try {
            db.connection {
                Schema.setSchema(other)
                Schema.create(Parents)
                assertTrue(Parents.exists())
                Parents.insert { it[Parents.name] = "far" }
            }
            assertFalse(Parents.exists())
            assertEquals(listOf("parent"), Schema.listTables(name))
            transaction {
                Schema.setSchema(other)
                assertEquals(1, Parents.selectAll().count())
            }
            assertFails<DatabaseException> { Parents.selectAll().count() }

            val qualified = object : LongIdTable("$name.parent") {
                val name = varchar("name", 20).index("far_index")
            }
            assertTrue(qualified.exists())
            val difference = Schema.difference(qualified)
            assertEquals(listOf(ChangeKind.CREATE_INDEX), difference.changes.map { it.kind })
            Schema.apply(difference)
            assertEquals("no difference", "${Schema.difference(qualified)}")
            Schema.truncate(qualified)
            assertEquals(0, qualified.selectAll().count())
        } finally {
            Schema.dropSchema(other, cascade = true)
        }
        Schema.dropSchema(other)
    }

    @Test
    public fun `a database is created and dropped, twice is fine`(): Unit = test {
        if (!hasServer) {
            assertFails<UnsupportedByDialectException> { Schema.createDatabase("another") }
            assertFails<UnsupportedByDialectException> { Schema.createSchema(DatabaseSchema("another")) }
            assertFails<UnsupportedByDialectException> { transaction { Schema.setSchema(DatabaseSchema("another")) } }
            return@test
        }
        val name = "another_${ProcessHandle.current().pid()}_${System.identityHashCode(this@SchemaObjectSuite)}"
        Schema.createDatabase(name)
        Schema.createDatabase(name)
        assertTrue(name in Schema.listDatabases())
        transaction { assertFails<UnsupportedByDialectException> { Schema.dropDatabase(name) } }
        Schema.dropDatabase(name)
        Schema.dropDatabase(name)
        assertFalse(name in Schema.listDatabases())
    }
}
