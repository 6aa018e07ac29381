package dev.kormorant.test.conformance

import dev.kormorant.ChangeKind
import dev.kormorant.Schema
import kotlinx.coroutines.runBlocking
import org.jetbrains.exposed.v1.core.LowerCase
import org.jetbrains.exposed.v1.core.ReferenceOption
import org.jetbrains.exposed.v1.core.Sequence
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.greater
import org.jetbrains.exposed.v1.core.isNotNull
import org.jetbrains.exposed.v1.javatime.CurrentDateTime
import org.jetbrains.exposed.v1.javatime.datetime
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import java.math.BigDecimal

/**
 * A schema that evolves one change at a time: the difference is exactly the statements of the change, after which nothing differs and
 * the rows are what they were.
 */
public abstract class SchemaChangeSuite(backend: Backend) : Suite(backend) {
    private object Holders : Table("holder") {
        val id = long("id")
        override val primaryKey = PrimaryKey(id)
    }

    private class Item(private val key: Item.() -> PrimaryKey = { PrimaryKey(id) }, define: Item.() -> Unit) : Table("item") {
        val id = long("id")
        val title = varchar("title", 20)
        override val primaryKey: PrimaryKey get() = key()

        init {
            define()
        }
    }

    private class Change(
        val what: String,
        val kind: ChangeKind,
        val before: Array<Table>,
        val after: Array<Table>,
        /** A row by its columns, besides `id` and `name`. */
        val row: Map<String, String> = emptyMap(),
        /** The statements by product; one without is one that has no such thing. */
        val statements: Map<String, List<String>>,
    )

    @AfterEach
    public fun dropAll(): Unit = runBlocking(db) { dropTables() }

    private suspend fun dropTables() {
        Schema.drop(Item { reference("holder_id", Holders.id) }, Holders)
        if (Schema.listSequences().isNotEmpty()) Schema.dropSequence(NUMBERS)
    }

    @TestFactory
    public fun `a single change takes exactly its statements`(): List<DynamicTest> = changes().map { change ->
        DynamicTest.dynamicTest(change.what) {
            test {
                val expected = change.statements[backend.product]
                needs(expected != null, change.what)
                dropTables()
                Schema.create(Holders, *change.before)
                val columns = listOf("id", "title") + change.row.keys
                db.exec("INSERT INTO holder (id) VALUES (1)")
                db.exec("INSERT INTO item (${columns.joinToString()}) VALUES (${(listOf("1", "'one'") + change.row.values).joinToString()})")
                db.exec("INSERT INTO item (${columns.joinToString()}) VALUES (${(listOf("2", "'two'") + change.row.values).joinToString()})")
                suspend fun rows() = db.exec("SELECT ${columns.joinToString()} FROM item ORDER BY id").rows.map { row -> row.values.map { "$it".trimEnd('0') } }
                val rows = rows()

                val difference = Schema.difference(Holders, *change.after)
                assertEquals(expected?.joinToString("\n"), difference.statements.joinToString("\n"))
                assertTrue(change.kind in difference.changes.flatMap { step -> step.parts.ifEmpty { listOf(step) } }.map { it.kind }, "$difference")
                Schema.apply(difference)
                assertEquals("no difference", "${Schema.difference(Holders, *change.after)}")
                assertEquals(rows, rows())
            }
        }
    }

    private fun item(key: Item.() -> Table.PrimaryKey = { PrimaryKey(id) }, define: Item.() -> Unit = {}): Array<Table> = arrayOf(Item(key, define))

    /** The statements of a change; [rebuilt] are the columns and constraints of the table that takes the place of the old one on SQLite. */
    private fun statements(
        postgresql: String? = null,
        mysql: String? = null,
        mariadb: String? = mysql,
        sqlite: String? = null,
        rebuilt: String? = null,
        copied: String = "id, title",
    ): Map<String, List<String>> = buildMap {
        postgresql?.let { put("PostgreSQL", it.lines()) }
        mysql?.let { put("MySQL", it.lines()) }
        mariadb?.let { put("MariaDB", it.lines()) }
        sqlite?.let { put("SQLite", it.lines()) }
        rebuilt?.let { put("SQLite", rebuiltAs("id BIGINT NOT NULL PRIMARY KEY, $it", copied)) }
    }

    /** What puts a table with [columns] in the place of the old one. */
    private fun rebuiltAs(columns: String, copied: String = "id, title") = listOf(
        "CREATE TABLE \"kormorant_new_item\" ($columns)",
        "INSERT INTO \"kormorant_new_item\" ($copied) SELECT $copied FROM item",
        "DROP TABLE item",
        "ALTER TABLE \"kormorant_new_item\" RENAME TO item",
    )

    private fun changes(): List<Change> = listOf(
        Change(
            "a new column that may be NULL", ChangeKind.ADD_COLUMN, item(), item { varchar("note", 10).nullable() },
            statements = EVERYWHERE("ALTER TABLE item ADD note VARCHAR(10) NULL"),
        ),
        Change(
            "a new column with a default", ChangeKind.ADD_COLUMN, item(), item { long("amount").default(5) },
            statements = EVERYWHERE("ALTER TABLE item ADD amount BIGINT DEFAULT 5 NOT NULL"),
        ),
        Change(
            "a wider type", ChangeKind.ALTER_COLUMN, item { varchar("note", 10) }, item { varchar("note", 60) }, mapOf("note" to "'short'"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN note TYPE VARCHAR(60)",
                mysql = "ALTER TABLE item MODIFY COLUMN note VARCHAR(60) NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, note VARCHAR(60) NOT NULL", copied = "id, title, note",
            ),
        ),
        Change(
            "another type", ChangeKind.ALTER_COLUMN, item { varchar("note", 10).default("x") }, item { text("note").default("x") }, mapOf("note" to "'mine'"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN note DROP DEFAULT, ALTER COLUMN note TYPE TEXT USING note::TEXT, ALTER COLUMN note SET DEFAULT 'x'",
                mysql = "ALTER TABLE item MODIFY COLUMN note text DEFAULT ('x') NOT NULL",
                mariadb = "ALTER TABLE item MODIFY COLUMN note text DEFAULT 'x' NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, note TEXT DEFAULT 'x' NOT NULL", copied = "id, title, note",
            ),
        ),
        Change(
            "a longer number", ChangeKind.ALTER_COLUMN, item { integer("amount") }, item { long("amount") }, mapOf("amount" to "7"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN amount TYPE BIGINT USING amount::BIGINT",
                mysql = "ALTER TABLE item MODIFY COLUMN amount BIGINT NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, amount BIGINT NOT NULL", copied = "id, title, amount",
            ),
        ),
        Change(
            "a new column with a range", ChangeKind.ADD_COLUMN, item(), item { integer("amount").default(5) },
            statements = statements(
                postgresql = "ALTER TABLE item ADD amount INT DEFAULT 5 NOT NULL",
                mysql = "ALTER TABLE item ADD amount INT DEFAULT 5 NOT NULL",
                sqlite = "ALTER TABLE item ADD amount INT DEFAULT 5 NOT NULL " +
                    "CONSTRAINT chk_item_signed_integer_amount CHECK (amount BETWEEN -2147483648 AND 2147483647)",
            ),
        ),
        Change(
            "a new column that refers to a table", ChangeKind.ADD_COLUMN, item(), item { reference("holder_id", Holders.id, fkName = "held_by").nullable() },
            statements = statements(
                postgresql = "ALTER TABLE item ADD holder_id BIGINT NULL\n" +
                    "ALTER TABLE item ADD CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE RESTRICT ON UPDATE RESTRICT",
                mysql = "ALTER TABLE item ADD holder_id BIGINT NULL\n" +
                    "ALTER TABLE item ADD CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE RESTRICT ON UPDATE RESTRICT",
                sqlite = "ALTER TABLE item ADD holder_id BIGINT NULL CONSTRAINT held_by REFERENCES holder(id) ON DELETE RESTRICT ON UPDATE RESTRICT",
            ),
        ),
        Change(
            "more digits", ChangeKind.ALTER_COLUMN, item { decimal("price", 6, 2) }, item { decimal("price", 10, 4) }, mapOf("price" to "12.5"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN price TYPE DECIMAL(10, 4)",
                mysql = "ALTER TABLE item MODIFY COLUMN price DECIMAL(10, 4) NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, price DECIMAL(10, 4) NOT NULL", copied = "id, title, price",
            ),
        ),
        Change(
            "no NULL any more", ChangeKind.ALTER_COLUMN, item { long("amount").nullable() }, item { long("amount") }, mapOf("amount" to "7"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN amount SET NOT NULL",
                mysql = "ALTER TABLE item MODIFY COLUMN amount BIGINT NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, amount BIGINT NOT NULL", copied = "id, title, amount",
            ),
        ),
        Change(
            "NULL from now on", ChangeKind.ALTER_COLUMN, item { long("amount") }, item { long("amount").nullable() }, mapOf("amount" to "7"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN amount DROP NOT NULL",
                mysql = "ALTER TABLE item MODIFY COLUMN amount BIGINT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, amount BIGINT NULL", copied = "id, title, amount",
            ),
        ),
        Change(
            "a default", ChangeKind.ALTER_COLUMN, item { varchar("note", 10) }, item { varchar("note", 10).default("it's") }, mapOf("note" to "'mine'"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN note SET DEFAULT 'it''s'",
                mysql = "ALTER TABLE item MODIFY COLUMN note VARCHAR(10) DEFAULT 'it''s' NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, note VARCHAR(10) DEFAULT 'it''s' NOT NULL", copied = "id, title, note",
            ),
        ),
        Change(
            "another default", ChangeKind.ALTER_COLUMN,
            item { decimal("price", 6, 2).default(BigDecimal("1.50")) }, item { decimal("price", 6, 2).default(BigDecimal("-2")) }, mapOf("price" to "7"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN price SET DEFAULT -2",
                mysql = "ALTER TABLE item MODIFY COLUMN price DECIMAL(6, 2) DEFAULT -2 NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, price DECIMAL(6, 2) DEFAULT -2 NOT NULL", copied = "id, title, price",
            ),
        ),
        Change(
            "no default any more", ChangeKind.ALTER_COLUMN, item { bool("done").default(true) }, item { bool("done") }, mapOf("done" to "true"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN done DROP DEFAULT",
                mysql = "ALTER TABLE item MODIFY COLUMN done BOOLEAN NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, done BOOLEAN NOT NULL", copied = "id, title, done",
            ),
        ),
        Change(
            "a default that the database computes", ChangeKind.ALTER_COLUMN,
            item { datetime("made") }, item { datetime("made").defaultExpression(CurrentDateTime) }, mapOf("made" to "'2024-02-29 12:30:00'"),
            statements(
                postgresql = "ALTER TABLE item ALTER COLUMN made SET DEFAULT CURRENT_TIMESTAMP",
                mysql = "ALTER TABLE item MODIFY COLUMN made DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) NOT NULL",
                rebuilt = "title VARCHAR(20) NOT NULL, made TEXT DEFAULT CURRENT_TIMESTAMP NOT NULL", copied = "id, title, made",
            ),
        ),
        Change(
            "a comment", ChangeKind.ALTER_COLUMN, item { long("amount") }, item { long("amount").comment("what's there") }, mapOf("amount" to "7"),
            statements(
                postgresql = "COMMENT ON COLUMN item.amount IS 'what''s there'",
                mysql = "ALTER TABLE item MODIFY COLUMN amount BIGINT NOT NULL COMMENT 'what''s there'",
            ),
        ),
        Change(
            "an index", ChangeKind.CREATE_INDEX, item(), item { index("by_name", false, title) },
            statements = EVERYWHERE("CREATE INDEX by_name ON item (title)"),
        ),
        Change(
            "a unique index", ChangeKind.CREATE_INDEX, item(), item { uniqueIndex("one_name", title) },
            statements = statements(
                postgresql = "ALTER TABLE item ADD CONSTRAINT one_name UNIQUE (title)",
                mysql = "ALTER TABLE item ADD CONSTRAINT one_name UNIQUE (title)",
                sqlite = "CREATE UNIQUE INDEX one_name ON item (title)",
            ),
        ),
        Change(
            "another name of an index", ChangeKind.RENAME_INDEX, item { index("by_name", false, title) }, item { index("named", false, title) },
            statements = statements(
                postgresql = "ALTER INDEX by_name RENAME TO named",
                mysql = "ALTER TABLE item RENAME INDEX by_name TO named",
                sqlite = "DROP INDEX by_name\nCREATE INDEX named ON item (title)",
            ),
        ),
        Change(
            "one more column in an index", ChangeKind.REPLACE_INDEX, item { index("by_name", false, title) }, item { index("by_name", false, title, id) },
            statements = statements(
                postgresql = "DROP INDEX by_name\nCREATE INDEX by_name ON item (title, id)",
                mysql = "ALTER TABLE item DROP INDEX by_name\nCREATE INDEX by_name ON item (title, id)",
                sqlite = "DROP INDEX by_name\nCREATE INDEX by_name ON item (title, id)",
            ),
        ),
        Change(
            "an index of some rows", ChangeKind.CREATE_INDEX, item(), item { index("long_ones", false, title, filterCondition = { title.isNotNull() }) },
            statements = statements(
                postgresql = "CREATE INDEX long_ones ON item (title) WHERE item.title IS NOT NULL",
                sqlite = "CREATE INDEX long_ones ON item (title) WHERE item.title IS NOT NULL",
            ),
        ),
        Change(
            "an index on an expression", ChangeKind.CREATE_INDEX, item(), item { index("by_lower", false, functions = listOf(LowerCase(title))) },
            statements = statements(
                postgresql = "CREATE INDEX by_lower ON item (LOWER(item.title))",
                mysql = "CREATE INDEX by_lower ON item ((LOWER(item.title)))", mariadb = null,
                sqlite = "CREATE INDEX by_lower ON item (LOWER(title))",
            ),
        ),
        Change(
            "an index of a type", ChangeKind.CREATE_INDEX, item(), item { index("by_hash", false, title, indexType = "HASH") },
            statements = statements(postgresql = "CREATE INDEX by_hash ON item USING HASH (title)", mysql = "CREATE INDEX by_hash ON item (title) USING HASH"),
        ),
        Change(
            "a foreign key", ChangeKind.ADD_FOREIGN_KEY,
            item { long("holder_id") }, item { reference("holder_id", Holders.id, fkName = "held_by") }, mapOf("holder_id" to "1"),
            statements(
                postgresql = "ALTER TABLE item ADD CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE RESTRICT ON UPDATE RESTRICT",
                mysql = "ALTER TABLE item ADD CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE RESTRICT ON UPDATE RESTRICT",
                rebuilt = "title VARCHAR(20) NOT NULL, holder_id BIGINT NOT NULL, CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE RESTRICT ON UPDATE RESTRICT",
                copied = "id, title, holder_id",
            ),
        ),
        Change(
            "another name of a foreign key", ChangeKind.RENAME_FOREIGN_KEY,
            item { reference("holder_id", Holders.id, fkName = "belongs") }, item { reference("holder_id", Holders.id, fkName = "held_by") }, mapOf("holder_id" to "1"),
            statements(
                postgresql = "ALTER TABLE item RENAME CONSTRAINT belongs TO held_by",
                mysql = "ALTER TABLE item DROP FOREIGN KEY belongs\n" +
                    "ALTER TABLE item ADD CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE RESTRICT ON UPDATE RESTRICT",
                rebuilt = "title VARCHAR(20) NOT NULL, holder_id BIGINT NOT NULL, CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE RESTRICT ON UPDATE RESTRICT",
                copied = "id, title, holder_id",
            ),
        ),
        Change(
            "another action of a foreign key", ChangeKind.REPLACE_FOREIGN_KEY,
            item { reference("holder_id", Holders.id, fkName = "held_by") },
            item { reference("holder_id", Holders.id, fkName = "held_by", onDelete = ReferenceOption.CASCADE) },
            mapOf("holder_id" to "1"),
            statements(
                postgresql = "ALTER TABLE item DROP CONSTRAINT held_by\n" +
                    "ALTER TABLE item ADD CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE CASCADE ON UPDATE RESTRICT",
                mysql = "ALTER TABLE item DROP FOREIGN KEY held_by\n" +
                    "ALTER TABLE item ADD CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE CASCADE ON UPDATE RESTRICT",
                rebuilt = "title VARCHAR(20) NOT NULL, holder_id BIGINT NOT NULL, CONSTRAINT held_by FOREIGN KEY (holder_id) REFERENCES holder(id) ON DELETE CASCADE ON UPDATE RESTRICT",
                copied = "id, title, holder_id",
            ),
        ),
        Change(
            "a check", ChangeKind.ADD_CHECK, item(), item { check("positive") { id greater 0L } },
            statements = checked(
                postgresql = "ALTER TABLE item ADD CONSTRAINT positive CHECK (id > 0)",
                mysql = "ALTER TABLE item ADD CONSTRAINT positive CHECK (id > 0)",
                rebuilt = "title VARCHAR(20) NOT NULL, CONSTRAINT positive CHECK (id > 0)",
            ),
        ),
        Change(
            "another condition of a check", ChangeKind.REPLACE_CHECK, item { check("positive") { id greater 0L } }, item { check("positive") { id greater -10L } },
            statements = checked(
                postgresql = "ALTER TABLE item DROP CONSTRAINT positive\nALTER TABLE item ADD CONSTRAINT positive CHECK (id > -10)",
                mysql = "ALTER TABLE item DROP CHECK positive\nALTER TABLE item ADD CONSTRAINT positive CHECK (id > -10)",
                mariadb = "ALTER TABLE item DROP CONSTRAINT positive\nALTER TABLE item ADD CONSTRAINT positive CHECK (id > -10)",
                rebuilt = "title VARCHAR(20) NOT NULL, CONSTRAINT positive CHECK (id > -10)",
            ),
        ),
        Change(
            "another primary key", ChangeKind.REPLACE_PRIMARY_KEY, item(), item({ PrimaryKey(id, title) }),
            statements = statements(
                postgresql = "ALTER TABLE item DROP CONSTRAINT item_pkey\nALTER TABLE item ADD CONSTRAINT pk_item PRIMARY KEY (id, title)",
                mysql = "ALTER TABLE item DROP PRIMARY KEY\nALTER TABLE item ADD CONSTRAINT pk_item PRIMARY KEY (id, title)",
            ) + mapOf("SQLite" to rebuiltAs("id BIGINT NOT NULL, title VARCHAR(20) NOT NULL, CONSTRAINT pk_item PRIMARY KEY (id, title)")),
        ),
        Change(
            "a sequence", ChangeKind.CREATE_SEQUENCE, item { long("number") }, item { long("number").autoIncrement(NUMBERS) }, mapOf("number" to "1"),
            statements(
                postgresql = "CREATE SEQUENCE IF NOT EXISTS item_numbers START WITH 5",
                mysql = null, mariadb = "CREATE SEQUENCE IF NOT EXISTS item_numbers START WITH 5",
            ),
        ),
    )

    /** MySQL enforces checks from 8.0.16 on and tells nothing of them before. */
    private fun checked(postgresql: String, mysql: String, mariadb: String = mysql, rebuilt: String): Map<String, List<String>> =
        statements(postgresql, mysql = if (can.checks) mysql else null, mariadb = mariadb, rebuilt = rebuilt)

    private companion object {
        val NUMBERS = Sequence("item_numbers", startWith = 5)
        val EVERYWHERE = { sql: String -> listOf("PostgreSQL", "MySQL", "MariaDB", "SQLite").associateWith { listOf(sql) } }
    }
}
