package dev.kormorant.sqlite

import dev.kormorant.ChangeKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.Database
import dev.kormorant.DatabaseListener
import dev.kormorant.Schema
import dev.kormorant.StatementEvent
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.connection
import dev.kormorant.transaction
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.ReferenceOption
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path

/** A new table in place of an old one, with everything that hung on the old one. */
class TableRebuildTest {
    @TempDir
    lateinit var directory: Path

    private val sent = ArrayList<String>()
    private var onStatement: (String) -> Unit = {}

    private class Pages(length: Int, define: Pages.() -> Unit = {}) : LongIdTable("page") {
        val title = varchar("title", length).uniqueIndex("page_title")

        init {
            define()
        }
    }

    private object Notes : LongIdTable("note") {
        val page = reference("page_id", Pages(20).id, onDelete = ReferenceOption.CASCADE)
    }

    @Test
    fun `the rows, the rows that refer to them, triggers, views, indices and the last number live on`() = withDatabase { db ->
        Schema.create(Pages(20), Notes)
        db.exec("INSERT INTO page (title) VALUES ('one'), ('two'), ('three')")
        db.exec("DELETE FROM page WHERE title = 'three'")
        db.exec("INSERT INTO note (page_id) VALUES (1), (2)")
        db.exec("CREATE TABLE log (entry TEXT)")
        db.exec("CREATE TRIGGER logged AFTER INSERT ON page BEGIN INSERT INTO log VALUES (new.title); END")
        db.exec("CREATE TRIGGER seen AFTER INSERT ON note BEGIN UPDATE page SET title = title WHERE id = new.page_id; END")
        db.exec("CREATE VIEW titles AS SELECT title FROM page")
        db.exec("CREATE INDEX of_an_expression ON page (lower(title)) WHERE id > 1")

        val difference = Schema.difference(Pages(60), Notes)
        assertEquals(listOf(ChangeKind.REBUILD_TABLE), difference.changes.map { it.kind })
        assertEquals(listOf("of_an_expression"), difference.excess.map { it.name })
        Schema.apply(difference)

        assertEquals(listOf("of_an_expression"), Schema.difference(Pages(60), Notes).excess.map { it.name })
        assertTrue(Schema.difference(Pages(60), Notes).isEmpty)
        assertEquals(2, db.exec("SELECT * FROM note").rows.size)
        assertEquals(listOf("one", "two"), db.exec("SELECT title FROM titles ORDER BY title").rows.map { it["title"] })
        db.exec("INSERT INTO page (title) VALUES ('four')")
        assertEquals(4L, (db.exec("SELECT id FROM page WHERE title = 'four'").scalar() as Number).toLong())
        assertEquals("four", db.exec("SELECT entry FROM log").scalar())
        db.exec("INSERT INTO note (page_id) VALUES (4)")
        assertThrows(ConstraintViolationException::class.java) { runBlocking { db.exec("INSERT INTO page (title) VALUES ('four')") } }
        assertThrows(ConstraintViolationException::class.java) { runBlocking { db.exec("INSERT INTO note (page_id) VALUES (99)") } }
        db.exec("DELETE FROM page WHERE id = 1")
        assertEquals(2, db.exec("SELECT * FROM note").rows.size)
    }

    @Test
    fun `a trigger that writes the name of its table in another case lives on`() = withDatabase { db ->
        Schema.create(Pages(20))
        db.exec("CREATE TABLE log (entry TEXT)")
        db.exec("CREATE TRIGGER logged AFTER INSERT ON PAGE BEGIN INSERT INTO log VALUES (new.title); END")
        Schema.apply(Schema.difference(Pages(60)))
        db.exec("INSERT INTO page (title) VALUES ('one')")
        assertEquals("one", db.exec("SELECT entry FROM log").scalar())
    }

    @Test
    fun `a primary key that the code does not have stays`() = withDatabase { db ->
        class Sized(length: Int) : Table("page") {
            val title = varchar("title", length)
        }
        for (columns in listOf("title VARCHAR(20) NOT NULL PRIMARY KEY, size INT", "size INTEGER PRIMARY KEY AUTOINCREMENT, title VARCHAR(20) NOT NULL")) {
            db.exec("DROP TABLE IF EXISTS page")
            db.exec("CREATE TABLE page ($columns)")
            db.exec("INSERT INTO page (size, title) VALUES (1, 'one')")
            Schema.apply(Schema.difference(Sized(40)))
            val after = Schema.difference(Sized(40))
            assertTrue(after.isEmpty, "$after")
            assertTrue(after.excess.flatMap { it.parts }.any { it.kind == ChangeKind.DROP_PRIMARY_KEY }, "$after")
            assertThrows(ConstraintViolationException::class.java, { runBlocking { db.exec("INSERT INTO page (size, title) VALUES (1, 'one')") } }, columns)
            Schema.apply(after, dropExcess = true)
            assertEquals("no difference", "${Schema.difference(Sized(40))}")
            assertEquals("{title=one}", "${db.exec("SELECT * FROM page").rows.single()}")
        }
    }

    @Test
    fun `truncating with cascade empties the referring tables of the schema that was named`() = withDatabase { db ->
        db.connection {
            db.exec("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
            db.exec("CREATE TABLE child (parent_id INT REFERENCES parent (id))")
            db.exec("CREATE TEMP TABLE child (note TEXT)")
            db.exec("INSERT INTO main.parent VALUES (1)")
            db.exec("INSERT INTO main.child VALUES (1)")
            db.exec("INSERT INTO temp.child VALUES ('of another schema')")
            Schema.truncate(Table("main.parent"), cascade = true)
            assertEquals(listOf(0L, 0L, 1L), listOf("main.parent", "main.child", "temp.child").map { (db.exec("SELECT count(*) FROM $it").scalar() as Number).toLong() })
            db.exec("DROP TABLE temp.child")
        }
    }

    @Test
    fun `columns and constraints that the code does not have stay`() = withDatabase { db ->
        db.exec(
            """
            CREATE TABLE page (
                id INTEGER PRIMARY KEY AUTOINCREMENT, -- the key, "so to speak"
                title VARCHAR(20) NOT NULL CHECK (length(title) > 1 /* not (one) */),
                "old, column" TEXT DEFAULT 'a,b)' CONSTRAINT long_enough CHECK (length("old, column") > 2),
                rank INT UNIQUE,
                next_id INT REFERENCES page (id) ON DELETE SET NULL,
                doubled INT GENERATED ALWAYS AS (rank * 2) STORED,
                CONSTRAINT by_rank UNIQUE (rank, title),
                CONSTRAINT positive CHECK (rank > 0 OR rank IN (-1, -2)),
                CONSTRAINT onwards FOREIGN KEY (next_id) REFERENCES page (id)
            )
            """.trimIndent(),
        )
        db.exec("INSERT INTO page (title, \"old, column\", rank) VALUES ('one', 'old', 3)")
        val wanted = Pages(40) { long("size").default(1) }
        val before = Schema.difference(wanted)
        Schema.apply(before)
        val after = Schema.difference(wanted)
        assertTrue(after.isEmpty, "$after")
        fun parts(difference: dev.kormorant.SchemaDifference) = difference.excess.flatMap { it.parts }.map { "${it.kind} ${it.name} ${it.detail}" }.sorted()
        assertEquals(parts(before).toSet(), parts(after).toSet())
        assertEquals("{title=one, old, column=old, rank=3, doubled=6, size=1}", "${db.exec("SELECT title, \"old, column\", rank, doubled, size FROM page").rows.single()}")
        for (bad in listOf("'x', 'old', 1", "'two', 'no', 2", "'two', 'old', -3", "'two', 'old', 3")) {
            assertThrows(ConstraintViolationException::class.java, { runBlocking { db.exec("INSERT INTO page (title, \"old, column\", rank) VALUES ($bad)") } }, bad)
        }
        Schema.apply(after, dropExcess = true)
        assertEquals("no difference", "${Schema.difference(wanted)}")
        assertEquals("{id=1, title=one, size=1}", "${db.exec("SELECT * FROM page").rows.single()}")
    }

    @Test
    fun `a reference to nowhere undoes everything and leaves the checks of references on`() = withDatabase { db ->
        val loose = object : Table("note") {
            val id = long("id")
            val page = long("page_id")
            override val primaryKey = PrimaryKey(id)
        }
        val bound = object : Table("note") {
            val id = long("id")
            val page = reference("page_id", Pages(20).id)
            override val primaryKey = PrimaryKey(id)
        }
        Schema.create(Pages(20), loose)
        db.exec("INSERT INTO note (id, page_id) VALUES (1, 99)")
        assertThrows(ConstraintViolationException::class.java) { runBlocking(db) { Schema.apply(Schema.difference(Pages(20), bound)) } }
        assertEquals("no difference", "${Schema.difference(Pages(20), loose)}")
        assertEquals("1 0", "${db.exec("PRAGMA foreign_keys").scalar()} ${db.exec("PRAGMA legacy_alter_table").scalar()}")
        db.exec("DELETE FROM note")
        Schema.apply(Schema.difference(Pages(20), bound))
        assertThrows(ConstraintViolationException::class.java) { runBlocking { db.exec("INSERT INTO note (id, page_id) VALUES (1, 99)") } }
    }

    @Test
    fun `cancelled on the way, it leaves everything as it was and the checks of references on`() = withDatabase { db ->
        Schema.create(Pages(20), Notes)
        db.exec("INSERT INTO page (title) VALUES ('one')")
        db.exec("INSERT INTO note (page_id) VALUES (1)")
        val difference = Schema.difference(Pages(60))
        coroutineScope {
            val change = launch(start = CoroutineStart.LAZY) { Schema.apply(difference) }
            onStatement = { if (it.startsWith("DROP TABLE page")) change.cancel() }
            change.join()
            assertTrue(change.isCancelled)
        }
        onStatement = {}
        assertEquals("no difference", "${Schema.difference(Pages(20), Notes)}")
        assertEquals("1 0", "${db.exec("PRAGMA foreign_keys").scalar()} ${db.exec("PRAGMA legacy_alter_table").scalar()}")
        assertEquals(1, db.exec("SELECT * FROM note").rows.size)
        Schema.apply(difference)
        assertEquals("no difference", "${Schema.difference(Pages(60), Notes)}")
    }

    @Test
    fun `inside a transaction it is refused before anything is sent`() = withDatabase { db ->
        Schema.create(Pages(20))
        val difference = Schema.difference(Pages(60))
        transaction {
            db.exec("SELECT 1")
            sent.clear()
            val error = assertThrows(UnsupportedByDialectException::class.java) { runBlocking(coroutineContext) { Schema.apply(difference) } }
            assertTrue(error.hint.orEmpty().contains("outside"))
            assertEquals(emptyList<String>(), sent)
            Schema.apply(Schema.difference(Pages(20) { varchar("note", 5).nullable() }))
        }
        Schema.apply(Schema.difference(Pages(60) { varchar("note", 5).nullable() }))
        assertEquals("no difference", "${Schema.difference(Pages(60) { varchar("note", 5).nullable() })}")
    }

    private fun withDatabase(test: suspend (Database) -> Unit) = runBlocking {
        val listener = object : DatabaseListener {
            override fun onStatement(event: StatementEvent) {
                sent += event.sql
                onStatement(event.sql)
            }
        }
        Database.open("sqlite:${directory.resolve("test.db")}") { listener(listener) }.use { db -> withContext(db) { test(db) } }
    }
}
