package dev.kormorant.sqlite

import dev.kormorant.driver.ColumnChange
import dev.kormorant.driver.MetadataQuery
import dev.kormorant.driver.RebuiltTable
import dev.kormorant.driver.SchemaDialect
import dev.kormorant.driver.SessionSetting
import dev.kormorant.driver.StoredCheck
import dev.kormorant.driver.StoredColumn
import dev.kormorant.driver.StoredDefinition
import dev.kormorant.driver.StoredForeignKey
import dev.kormorant.driver.StoredIndex
import dev.kormorant.driver.StoredPrimaryKey
import dev.kormorant.driver.TablePart
import dev.kormorant.driver.TableRebuilder
import dev.kormorant.driver.TruncatedTable

/** The pragmas of SQLite as tables, and the text of the statements that made its tables. */
internal object SqliteSchema : SchemaDialect {
    private const val TABLES = "pragma_table_list t LEFT JOIN sqlite_schema m ON t.schema = 'main' AND m.type = 'table' AND m.name = t.name"
    private const val OF_SCHEMA = "t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.schema = COALESCE(?, 'main')"

    override val columns = MetadataQuery(
        "SELECT t.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.hidden, c.pk, m.sql FROM $TABLES JOIN pragma_table_xinfo(t.name, t.schema) c " +
            "WHERE $OF_SCHEMA AND c.hidden <> 1 ORDER BY t.name, c.cid",
    ) { rows ->
        rows.groupBy { "${it[0]}" }.flatMap { (table, columns) ->
            val numbered = columns[0][7]?.let { Definition.of("$it") }?.isNumbered == true
            columns.map {
                val isKey = int(it[6]) > 0
                StoredColumn(table, "${it[1]}", "${it[2]}", int(it[3]) == 0, if (int(it[5]) == 0) it[4]?.toString() else null, numbered && isKey, null)
            }
        }
    }

    override val primaryKeys = MetadataQuery(
        "SELECT t.name, c.name FROM $TABLES JOIN pragma_table_xinfo(t.name, t.schema) c WHERE $OF_SCHEMA AND c.pk > 0 ORDER BY t.name, c.pk",
    ) { rows -> rows.groupBy({ "${it[0]}" }, { "${it[1]}" }).map { (table, key) -> StoredPrimaryKey(table, null, key) } }

    override val indices = MetadataQuery(
        "SELECT t.name, i.name, i.\"unique\", i.origin, p.name, s.sql FROM $TABLES JOIN pragma_index_list(t.name, t.schema) i " +
            "JOIN pragma_index_xinfo(i.name, t.schema) p LEFT JOIN sqlite_schema s ON t.schema = 'main' AND s.type = 'index' AND s.name = i.name " +
            "WHERE $OF_SCHEMA AND i.origin <> 'pk' AND p.key = 1 ORDER BY t.name, i.name, p.seqno",
    ) { rows ->
        rows.groupBy { it[0] to it[1] }.values.map { parts ->
            val (table, name, unique, origin) = parts.first()
            val sql = parts.first()[5]?.toString()
            val definition = sql?.let(Definition::of)
            val keys = parts.mapIndexed { index, part -> StoredIndex.Part(part[4]?.toString(), if (part[4] == null) definition?.pieces?.get(index)?.text else null) }
            StoredIndex("$table", "$name".takeIf { origin == "c" }, int(unique) == 1, origin == "u", null, keys, definition?.predicate, sql)
        }
    }

    override val foreignKeys = MetadataQuery(
        "SELECT t.name, f.id, f.\"from\", f.\"table\", f.\"to\", f.on_update, f.on_delete, m.sql FROM $TABLES JOIN pragma_foreign_key_list(t.name, t.schema) f " +
            "WHERE $OF_SCHEMA ORDER BY t.name, f.id DESC, f.seq",
    ) { rows ->
        rows.groupBy { it[0] to it[1] }.values.map { parts ->
            val first = parts.first()
            val columns = parts.map { "${it[2]}" }
            val name = first[7]?.let { Definition.of("$it") }?.foreignKeyNames?.get(columns.map { it.lowercase() })
            StoredForeignKey("${first[0]}", name, columns, "${first[3]}", parts.mapNotNull { it[4]?.toString() }, "${first[5]}", "${first[6]}")
        }
    }

    override val checks = MetadataQuery("SELECT t.name, m.sql FROM $TABLES WHERE $OF_SCHEMA AND m.sql IS NOT NULL ORDER BY t.name") { rows ->
        rows.flatMap { (table, sql) -> Definition.of("$sql")?.checks.orEmpty().map { (name, condition) -> StoredCheck("$table", name, condition) } }
    }

    override fun canonicalType(sql: String): String =
        sql.lowercase().replace(NO_PART_OF_TYPE, "").replace(SPACES, " ").replace(" (", "(").replace(", ", ",").trim()

    override fun alterColumn(change: ColumnChange): List<String> = error("SQLite cannot alter the column ${change.column}.")

    override fun drop(kind: TablePart, table: String, name: String): String {
        check(kind == TablePart.INDEX || kind == TablePart.UNIQUE_CONSTRAINT) { "SQLite cannot drop $kind $name." }
        return "DROP INDEX $name"
    }

    override fun rename(kind: TablePart, table: String, from: String, to: String): String? = null

    override fun truncate(tables: List<TruncatedTable>, restartIdentity: Boolean): List<String> {
        val numbered = if (restartIdentity) tables.filter { it.autoIncrement } else emptyList()
        return listOf(DEFER) + tables.map { "DELETE FROM ${it.identity}" } +
            if (numbered.isEmpty()) emptyList() else listOf("DELETE FROM sqlite_sequence WHERE name IN (${numbered.joinToString { literal(it.name) }})")
    }

    override fun dropCircle(tables: List<String>): List<String> = listOf(DEFER) + tables.map { "DROP TABLE IF EXISTS $it" }

    /** Without effect inside a transaction, where [DEFER] does for all references but those with RESTRICT. */
    override val keyChecks: SessionSetting get() = KEY_CHECKS

    override val rebuild: TableRebuilder get() = Rebuilder

    private fun int(value: Any?) = (value as Number).toInt()

    private val NO_PART_OF_TYPE = Regex("""\s+(?:primary key autoincrement|collate\s+\S+)""")
    private val SPACES = Regex("""\s+""")

    /** Up to the end of the transaction. */
    private const val DEFER = "PRAGMA defer_foreign_keys = ON"
}

/** The new table is made under a name of its own, gets the rows, and takes the name of the old one, which is dropped. */
private object Rebuilder : TableRebuilder {
    override val definitions = MetadataQuery(
        "SELECT t.name, t.sql, g.sql FROM sqlite_schema t LEFT JOIN sqlite_schema g ON g.type = 'trigger' AND g.tbl_name = t.name COLLATE NOCASE " +
            "WHERE t.type = 'table' AND COALESCE(?, 'main') = 'main' ORDER BY t.name, g.name",
    ) { rows -> rows.groupBy { "${it[0]}" }.map { (table, of) -> StoredDefinition(table, "${of[0][1]}", of.mapNotNull { it[2]?.toString() }) } }

    /**
     * While they are checked, dropping the old table would delete or change the rows that refer to it. The legacy way of renaming
     * leaves alone the views and triggers in which the table is named.
     */
    override val settings: List<SessionSetting> = listOf(
        KEY_CHECKS,
        SessionSetting("PRAGMA legacy_alter_table", needed = "1", usual = "0") { "PRAGMA legacy_alter_table = $it" },
    )

    override val brokenReferences: String get() = "PRAGMA foreign_key_check"

    override fun rebuild(table: RebuiltTable): List<String> {
        val old = checkNotNull(Definition.of(table.stored.sql))
        val new = checkNotNull(Definition.of(table.create))
        val name = "kormorant_new_${table.stored.table}"
        val kept = old.pieces.filter { it.column in table.keptColumns }
        val (columns, constraints) = new.pieces.partition { it.column != null }
        // What a kept column brings along is no constraint of the table as well.
        val hasKey = kept.any { piece -> piece.tokens.any { it.word == "PRIMARY" } }
        val keptConstraints = table.keptConstraints.filterNot { constraint ->
            kept.any { piece -> constraint.substringAfter('(') in piece.text } || hasKey && constraint.startsWith("PRIMARY KEY")
        }
        val pieces = columns.map { it.text } + kept.map { it.text } + constraints.map { it.text } + keptConstraints
        val generated = (columns + kept).filter { it.isGenerated }.mapTo(HashSet()) { "${it.column}".lowercase() }
        val copied = table.copied.filterValues { tokens(it).single().name.lowercase() !in generated }
        return listOf("CREATE TABLE \"$name\" (${pieces.joinToString()})${new.tail}") +
            (if (copied.isEmpty()) emptyList() else listOf("INSERT INTO \"$name\" (${copied.values.joinToString()}) SELECT ${copied.keys.joinToString()} FROM ${table.identity}")) +
            (if (old.isNumbered && new.isNumbered) numbering(name, table.stored.table) else emptyList()) +
            "DROP TABLE ${table.identity}" + "ALTER TABLE \"$name\" RENAME TO ${table.identity}" + table.indices + table.stored.triggers
    }

    /** The number of the last row, which may have been deleted. */
    private fun numbering(new: String, old: String) = listOf(
        "DELETE FROM sqlite_sequence WHERE name = ${literal(new)}",
        "INSERT INTO sqlite_sequence (name, seq) SELECT ${literal(new)}, seq FROM sqlite_sequence WHERE name = ${literal(old)}",
    )
}

private val KEY_CHECKS = SessionSetting("PRAGMA foreign_keys", needed = "0", usual = "1") { "PRAGMA foreign_keys = $it" }

private fun literal(text: String) = "'${text.replace("'", "''")}'"
