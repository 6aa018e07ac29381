package dev.kormorant.jasync.postgresql

import dev.kormorant.driver.ColumnAspect
import dev.kormorant.driver.ColumnChange
import dev.kormorant.driver.MetadataQuery
import dev.kormorant.driver.SchemaDialect
import dev.kormorant.driver.StoredCheck
import dev.kormorant.driver.StoredColumn
import dev.kormorant.driver.StoredEnum
import dev.kormorant.driver.StoredForeignKey
import dev.kormorant.driver.StoredIndex
import dev.kormorant.driver.StoredPrimaryKey
import dev.kormorant.driver.TablePart
import dev.kormorant.driver.TruncatedTable

/** The catalogs of PostgreSQL, and its ALTER TABLE. */
internal object PostgreSqlSchema : SchemaDialect {
    override val columns = MetadataQuery(
        """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
          CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END, a.attidentity <> '', col_description(c.oid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = COALESCE(?, CURRENT_SCHEMA)
        ORDER BY c.relname, a.attnum
        """.trimIndent(),
    ) { rows ->
        rows.map {
            val default = it[4]?.toString()
            val serial = default != null && default.startsWith("nextval(")
            StoredColumn("${it[0]}", "${it[1]}", "${it[2]}", it[3] as Boolean, default.takeUnless { serial }, serial || it[5] as Boolean, it[6]?.toString())
        }
    }

    override val primaryKeys = MetadataQuery(
        """
        SELECT c.relname, k.conname, a.attname
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS part(attnum, position) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = part.attnum
        WHERE k.contype = 'p' AND n.nspname = COALESCE(?, CURRENT_SCHEMA)
        ORDER BY c.relname, part.position
        """.trimIndent(),
    ) { rows -> rows.groupBy { "${it[0]}" }.map { (table, key) -> StoredPrimaryKey(table, "${key[0][1]}", key.map { "${it[2]}" }) } }

    override val indices = MetadataQuery(
        """
        SELECT c.relname, i.relname, x.indisunique, EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype = 'u'), m.amname,
          a.attname, CASE WHEN x.indkey[part - 1] = 0 THEN pg_get_indexdef(i.oid, part, true) END, pg_get_expr(x.indpred, x.indrelid)
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
          CROSS JOIN LATERAL generate_series(1, x.indnkeyatts::int) AS part
          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[part - 1] AND a.attnum <> 0
        WHERE NOT x.indisprimary AND NOT x.indisexclusion AND c.relkind IN ('r', 'p') AND n.nspname = COALESCE(?, CURRENT_SCHEMA)
        ORDER BY c.relname, i.relname, part
        """.trimIndent(),
    ) { rows ->
        rows.groupBy { it[0] to it[1] }.values.map { parts ->
            val (table, name, unique, constraint, method) = parts.first()
            StoredIndex(
                "$table", "$name", unique as Boolean, constraint as Boolean, "$method",
                parts.map { StoredIndex.Part(it[5]?.toString(), it[6]?.toString()) }, parts.first()[7]?.toString(),
            )
        }
    }

    override val foreignKeys = MetadataQuery(
        """
        SELECT c.relname, k.conname, t.relname, a.attname, b.attname, k.confupdtype::text, k.confdeltype::text
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS part(own, other, position)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = part.own JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = part.other
        WHERE k.contype = 'f' AND n.nspname = COALESCE(?, CURRENT_SCHEMA)
        ORDER BY c.relname, k.conname, part.position
        """.trimIndent(),
    ) { rows ->
        rows.groupBy { it[0] to it[1] }.values.map { parts ->
            val first = parts.first()
            StoredForeignKey(
                "${first[0]}", "${first[1]}", parts.map { "${it[3]}" }, "${first[2]}", parts.map { "${it[4]}" },
                ACTIONS.getValue("${first[5]}"), ACTIONS.getValue("${first[6]}"),
            )
        }
    }

    override val checks = MetadataQuery(
        """
        SELECT c.relname, k.conname, pg_get_expr(k.conbin, k.conrelid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'c' AND n.nspname = COALESCE(?, CURRENT_SCHEMA)
        ORDER BY c.relname, k.conname
        """.trimIndent(),
    ) { rows -> rows.map { StoredCheck("${it[0]}", "${it[1]}", "${it[2]}") } }

    override val sequences = MetadataQuery(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'S' AND n.nspname = COALESCE(?, CURRENT_SCHEMA)
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
        ORDER BY c.relname
        """.trimIndent(),
    ) { rows -> rows.map { "${it[0]}" } }

    override val enums = MetadataQuery(
        """
        SELECT t.typname, e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = COALESCE(?, CURRENT_SCHEMA) ORDER BY t.typname, e.enumsortorder
        """.trimIndent(),
    ) { rows -> rows.groupBy({ "${it[0]}" }, { "${it[1]}" }).map { (name, labels) -> StoredEnum(name, labels) } }

    override val databaseNames: String get() = "SELECT datname FROM pg_database WHERE NOT datistemplate"

    override fun canonicalType(sql: String): String {
        val text = sql.lowercase().replace(COLLATION, "").replace("\"", "").trim()
        val array = text.indexOf('[')
        if (array >= 0) return canonicalType(text.substring(0, array)) + "[]"
        val digits = DIGITS.find(text)?.value.orEmpty().replace(" ", "")
        val name = text.replace(DIGITS, "").replace(SPACES, " ").trim()
        return when (val known = NAMES[name] ?: name) {
            "numeric" -> known + if (digits.isEmpty() || ',' in digits) digits else digits.dropLast(1) + ",0)"
            "character" -> known + digits.ifEmpty { "(1)" }
            else -> known.replaceFirst(ZONE, "$1$digits$2")
        }
    }

    override fun alterColumn(change: ColumnChange): List<String> = with(change) {
        val numbers = ColumnAspect.AUTO_INCREMENT in differs && autoIncrement
        val parts = ArrayList<String>()
        val sequence = besides(table, "\"${"${table.substringAfterLast('.')}_${column}_seq".replace("\"", "")}\"")
        if (ColumnAspect.TYPE in differs) {
            if (stored.default != null && base(type) != base(stored.type)) parts += "ALTER COLUMN $column DROP DEFAULT"
            parts += "ALTER COLUMN $column TYPE $type" + if (base(type) == base(stored.type)) "" else " USING $column::$type"
        }
        if (ColumnAspect.NULLABILITY in differs) parts += "ALTER COLUMN $column ${if (nullable) "DROP" else "SET"} NOT NULL"
        when {
            numbers -> parts += "ALTER COLUMN $column SET DEFAULT nextval('$sequence')"
            default != null && (ColumnAspect.DEFAULT in differs || parts.any { it.endsWith(" DROP DEFAULT") }) -> parts += "ALTER COLUMN $column SET DEFAULT $default"
            ColumnAspect.DEFAULT in differs || ColumnAspect.AUTO_INCREMENT in differs -> parts += "ALTER COLUMN $column DROP DEFAULT"
        }
        buildList {
            if (numbers) {
                add("CREATE SEQUENCE IF NOT EXISTS $sequence OWNED BY $table.$column")
                add("SELECT setval('$sequence', COALESCE((SELECT MAX($column) FROM $table), 0) + 1, false)")
            }
            if (parts.isNotEmpty()) add("ALTER TABLE $table ${parts.distinct().joinToString()}")
            if (ColumnAspect.COMMENT in differs) add("COMMENT ON COLUMN $table.$column IS ${comment?.let { "'${it.replace("'", "''")}'" } ?: "NULL"}")
        }
    }

    private fun base(type: String) = canonicalType(type).replace(DIGITS, "")

    override fun drop(kind: TablePart, table: String, name: String): String = when (kind) {
        TablePart.COLUMN -> "ALTER TABLE $table DROP COLUMN $name"
        TablePart.INDEX -> "DROP INDEX ${besides(table, name)}"
        else -> "ALTER TABLE $table DROP CONSTRAINT $name"
    }

    override fun rename(kind: TablePart, table: String, from: String, to: String): String =
        if (kind == TablePart.INDEX) "ALTER INDEX ${besides(table, from)} RENAME TO $to" else "ALTER TABLE $table RENAME CONSTRAINT $from TO $to"

    /** [name] in the schema of [table]. */
    private fun besides(table: String, name: String) = table.substringBeforeLast('.', "").let { if (it.isEmpty()) name else "$it.$name" }

    override fun truncate(tables: List<TruncatedTable>, restartIdentity: Boolean): List<String> =
        listOf("TRUNCATE TABLE ${tables.joinToString { it.identity }}${if (restartIdentity) " RESTART IDENTITY" else ""}")

    override fun setSchema(schema: String): String = "SET search_path TO $schema"

    override fun setSchemaInTransaction(schema: String): String = "SET LOCAL search_path TO $schema"

    private val COLLATION = Regex("""\s+collate\s+\S+""")
    private val DIGITS = Regex("""\s*\(\s*\d+(?:\s*,\s*\d+)?\s*\)""")
    private val SPACES = Regex("""\s+""")

    /** The digits of `timestamp(6) without time zone` stand in the middle. */
    private val ZONE = Regex("""^(timestamp|time|.*)((?: with(?:out)? time zone)?)$""")
    private val ACTIONS = mapOf("a" to "NO ACTION", "r" to "RESTRICT", "c" to "CASCADE", "n" to "SET NULL", "d" to "SET DEFAULT")
    private val NAMES = mapOf(
        "varchar" to "character varying", "char" to "character", "bpchar" to "character", "int" to "integer", "int4" to "integer", "serial" to "integer",
        "int8" to "bigint", "bigserial" to "bigint", "int2" to "smallint", "smallserial" to "smallint", "decimal" to "numeric", "float" to "double precision",
        "float8" to "double precision", "float4" to "real", "bool" to "boolean", "timestamp" to "timestamp without time zone",
        "timestamptz" to "timestamp with time zone", "time" to "time without time zone", "timetz" to "time with time zone",
    )
}
