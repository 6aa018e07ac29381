package dev.kormorant.jasync.mysql

import dev.kormorant.driver.ColumnChange
import dev.kormorant.driver.MetadataQuery
import dev.kormorant.driver.SchemaDialect
import dev.kormorant.driver.SessionSetting
import dev.kormorant.driver.StoredCheck
import dev.kormorant.driver.StoredColumn
import dev.kormorant.driver.StoredForeignKey
import dev.kormorant.driver.StoredIndex
import dev.kormorant.driver.StoredPrimaryKey
import dev.kormorant.driver.TablePart
import dev.kormorant.driver.TruncatedTable
import org.jetbrains.exposed.v1.core.Version

/** The information schema that MySQL and MariaDB share but for some columns, and their ALTER TABLE. */
internal sealed class MySqlFamilySchema(indexExpression: String) : SchemaDialect {
    override val columns = MetadataQuery(
        "SELECT c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE, c.COLUMN_DEFAULT, c.EXTRA, c.COLUMN_COMMENT, c.GENERATION_EXPRESSION " +
            "FROM information_schema.COLUMNS c JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME " +
            "WHERE t.TABLE_TYPE = 'BASE TABLE' AND c.TABLE_SCHEMA = COALESCE(?, DATABASE()) ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION",
    ) { rows ->
        rows.map {
            val extra = "${it[5]}".lowercase()
            // Old versions of MySQL 8 keep the default of a TEXT column to themselves.
            val hidden = it[4] == null && "default_generated" in extra
            val default = if (it[7]?.toString().isNullOrEmpty()) it[4]?.toString()?.let { text -> defaultOf(text, extra) } else null
            StoredColumn("${it[0]}", "${it[1]}", "${it[2]}", it[3] == "YES", default, "auto_increment" in extra, it[6]?.toString(), hidden)
        }
    }

    override val primaryKeys = MetadataQuery(
        "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS " +
            "WHERE INDEX_NAME = 'PRIMARY' AND TABLE_SCHEMA = COALESCE(?, DATABASE()) ORDER BY TABLE_NAME, SEQ_IN_INDEX",
    ) { rows -> rows.groupBy { "${it[0]}" }.map { (table, key) -> StoredPrimaryKey(table, null, key.map { "${it[2]}" }) } }

    override val indices = MetadataQuery(
        "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, $indexExpression FROM information_schema.STATISTICS " +
            "WHERE INDEX_NAME <> 'PRIMARY' AND TABLE_SCHEMA = COALESCE(?, DATABASE()) ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
    ) { rows ->
        rows.groupBy { it[0] to it[1] }.values.map { parts ->
            val (table, name, nonUnique) = parts.first()
            val keys = parts.map { StoredIndex.Part(it[3]?.toString(), it[4]?.toString()?.let(::plain)) }
            // InnoDB makes a B-tree of a HASH index.
            StoredIndex("$table", "$name", (nonUnique as Number).toInt() == 0, isConstraint = false, method = null, keys, predicate = null)
        }
    }

    override val foreignKeys = MetadataQuery(
        "SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.UPDATE_RULE, r.DELETE_RULE " +
            "FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r " +
            "ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME " +
            "WHERE k.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND k.REFERENCED_TABLE_NAME IS NOT NULL " +
            "ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION",
    ) { rows ->
        rows.groupBy { it[0] to it[1] }.values.map { parts ->
            val first = parts.first()
            StoredForeignKey("${first[0]}", "${first[1]}", parts.map { "${it[2]}" }, "${first[3]}", parts.map { "${it[4]}" }, "${first[5]}", "${first[6]}")
        }
    }

    override val indexesForeignKeys: Boolean get() = true

    override val fixesTypesOfKeys: Boolean get() = true

    override val databaseNames: String get() = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"

    /** A default as SQL text. */
    protected abstract fun defaultOf(text: String, extra: String): String?

    /** An expression without the escapes and character sets that the server adds to its literals. */
    protected fun plain(expression: String): String = expression.replace("\\'", "'").replace(INTRODUCER, "")

    override fun canonicalType(sql: String): String {
        val parts = sql.trim().split('\'')
        // What is in quotes are labels.
        val text = parts.mapIndexed { index, part -> if (index % 2 == 0) part.lowercase() else part }.joinToString("'")
        val plain = text.replace(NO_PART_OF_TYPE, "").replace(", ", ",").replace(SPACES, " ").trim()
        val name = plain.substringBefore('(').substringBefore(' ')
        val known = NAMES[name] ?: name
        val rest = plain.removePrefix(name).removePrefix(" precision")
        return when {
            plain == "tinyint(1)" || known == "boolean" -> "boolean"
            known in INTEGERS -> known + rest.replace(DIGITS, "")
            known == "decimal" -> known + if (rest.isEmpty()) "(10,0)" else if (',' in rest) rest else rest.replace(")", ",0)")
            known in ONE_CHARACTER -> known + rest.ifEmpty { "(1)" }
            else -> known + rest
        }
    }

    /** InnoDB checks both at once. */
    override fun canonicalAction(action: String): String = if (action == "NO ACTION") "RESTRICT" else action

    override fun alterColumn(change: ColumnChange): List<String> = listOf("ALTER TABLE ${change.table} MODIFY COLUMN ${change.definition}")

    override fun drop(kind: TablePart, table: String, name: String): String = "ALTER TABLE $table DROP " + when (kind) {
        TablePart.COLUMN -> "COLUMN $name"
        TablePart.PRIMARY_KEY -> "PRIMARY KEY"
        TablePart.INDEX, TablePart.UNIQUE_CONSTRAINT -> "INDEX $name"
        TablePart.FOREIGN_KEY -> "FOREIGN KEY $name"
        TablePart.CHECK -> "$checkWord $name"
    }

    /** What a check is called in ALTER TABLE. */
    protected abstract val checkWord: String

    override fun rename(kind: TablePart, table: String, from: String, to: String): String? =
        if (kind == TablePart.INDEX) "ALTER TABLE $table RENAME INDEX $from TO $to" else null

    /** TRUNCATE always numbers from 1 again and is no part of a transaction; DELETE is the other way round. */
    override fun truncate(tables: List<TruncatedTable>, restartIdentity: Boolean): List<String> =
        tables.map { if (restartIdentity) "TRUNCATE TABLE ${it.identity}" else "DELETE FROM ${it.identity}" }

    override val keyChecks: SessionSetting get() = KEY_CHECKS

    override fun setSchema(schema: String): String = "USE $schema"

    private companion object {
        val INTRODUCER = Regex("""\b_\w+(?=')""")
        val NO_PART_OF_TYPE = Regex("""\s+(?:auto_increment|zerofill|(?:character set|charset|collate)\s+\S+)""")
        val SPACES = Regex("""\s+""")
        val DIGITS = Regex("""\(\d+\)""")
        val NAMES = mapOf("integer" to "int", "dec" to "decimal", "numeric" to "decimal", "bool" to "boolean", "real" to "double", "character" to "char")
        val INTEGERS = setOf("tinyint", "smallint", "mediumint", "int", "bigint")
        val ONE_CHARACTER = setOf("char", "binary")
        val KEY_CHECKS = SessionSetting("SELECT @@foreign_key_checks", needed = "0", usual = "1") { "SET FOREIGN_KEY_CHECKS = $it" }
    }
}

/** MySQL: expressions in indices since 8.0.13, checks since 8.0.16. */
internal class MySqlSchema(version: Version) : MySqlFamilySchema(if (version.covers("8.0.13")) "EXPRESSION" else "NULL") {
    override val checks: MetadataQuery<StoredCheck>? = if (!version.covers("8.0.16")) {
        null
    } else {
        MetadataQuery(
            "SELECT t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t " +
                "ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME " +
                "WHERE t.CONSTRAINT_TYPE = 'CHECK' AND c.CONSTRAINT_SCHEMA = COALESCE(?, DATABASE()) ORDER BY t.TABLE_NAME, c.CONSTRAINT_NAME",
        ) { rows -> rows.map { StoredCheck("${it[0]}", "${it[1]}", plain("${it[2]}")) } }
    }

    override val checkWord: String get() = "CHECK"

    /** A literal comes without quotes, an expression is marked. */
    override fun defaultOf(text: String, extra: String): String =
        if ("default_generated" in extra || text.startsWith("CURRENT_TIMESTAMP") || text.startsWith("b'")) plain(text) else "'${text.replace("'", "''")}'"
}

/** MariaDB: JSON is text with a check of its own. */
internal object MariaDbSchema : MySqlFamilySchema("NULL") {
    override val checks = MetadataQuery(
        "SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS " +
            "WHERE CHECK_CLAUSE NOT LIKE 'json_valid(%' AND CONSTRAINT_SCHEMA = COALESCE(?, DATABASE()) ORDER BY TABLE_NAME, CONSTRAINT_NAME",
    ) { rows -> rows.map { StoredCheck("${it[0]}", "${it[1]}", plain("${it[2]}")) } }

    override val sequences = MetadataQuery(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'SEQUENCE' AND TABLE_SCHEMA = COALESCE(?, DATABASE()) ORDER BY TABLE_NAME",
    ) { rows -> rows.map { "${it[0]}" } }

    override val checkWord: String get() = "CONSTRAINT"

    override fun canonicalType(sql: String): String = super.canonicalType(sql).let { if (it == "json") "longtext" else it }

    override fun defaultOf(text: String, extra: String): String = plain(text)
}
