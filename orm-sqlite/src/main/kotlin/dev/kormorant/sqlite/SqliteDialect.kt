package dev.kormorant.sqlite

import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.Folding
import dev.kormorant.driver.IdentifierRules
import dev.kormorant.driver.QueryClause
import dev.kormorant.driver.SchemaDialect
import dev.kormorant.driver.SqlSyntax
import org.jetbrains.exposed.v1.core.Version
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import org.jetbrains.exposed.v1.core.vendors.SQLiteDialect
import java.util.EnumSet

internal class SqliteDialect(override val version: Version, parameterLimit: Int) : Dialect {
    override val name: String get() = "SQLite"
    override val exposed: DatabaseDialect = SQLiteDialect()
    override val syntax: SqlSyntax get() = SqlSyntax.SQLITE
    override val identifiers: IdentifierRules get() = RULES

    /** The library may take more, but its limit for the text of a statement would then be reached first. */
    override val maxParameters: Int = minOf(parameterLimit, DEFAULT_PARAMETER_LIMIT)
    override val returning: Set<DmlKind> = DmlKind.entries.toSet()
    override val transactionalDdl: Boolean get() = true
    override val errorAbortsTransaction: Boolean get() = false
    override val supportsForUpdate: Boolean get() = false
    override val missingClauses: Set<QueryClause> get() = MISSING

    /**
     * Always serializable, so the level makes no difference. A transaction that may write takes the write lock at once: one that
     * has read first and then wants the lock fails without waiting if somebody else has written in between.
     */
    override fun begin(options: BeginOptions): List<String> {
        if (options.lockTimeout != null) {
            throw UnsupportedByDialectException("SQLite has no lock timeout of a transaction.", "Set busyTimeout in sqlite { }, or a timeout for the transaction.")
        }
        if (options.deferrable) throw UnsupportedByDialectException("SQLite has no deferrable transactions.", "Its readers never fail for a writer.")
        if (options.identified) throw UnsupportedByDialectException("SQLite has no transaction ids.", "There is no link that could be lost during COMMIT.")
        return if (options.readOnly) READ else WRITE
    }

    override val tableNames: String
        get() = "SELECT name FROM pragma_table_list " +
            "WHERE type IN ('table', 'virtual') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND schema = COALESCE(?, 'main')"

    override val schema: SchemaDialect get() = SqliteSchema

    companion object {
        /** Begins a transaction that refuses writes to its end, whatever the connection is for. */
        const val BEGIN_READ_ONLY = "BEGIN /* read-only */"

        private const val DEFAULT_PARAMETER_LIMIT = 32_766
        private val MISSING: Set<QueryClause> = EnumSet.of(
            QueryClause.DISTINCT_ON,
            QueryClause.LATERAL,
            QueryClause.QUANTIFIED_QUERY,
            QueryClause.TABLE_QUERY,
            QueryClause.QUANTIFIED_ARRAY,
            QueryClause.EXPLAIN_ANALYZE,
        )
        private val READ = listOf(BEGIN_READ_ONLY)
        private val WRITE = listOf("BEGIN IMMEDIATE")
        private val RULES = IdentifierRules(
            quote = "\"",
            folding = Folding.PRESERVE,
            maxLength = Int.MAX_VALUE,
            keywords = (
                "ABORT ACTION AFTER ANALYZE ATTACH AUTOINCREMENT BEFORE CASCADE CONFLICT DATABASE DEFERRABLE DEFERRED DESC DETACH " +
                    "ESCAPE EXCLUSIVE EXPLAIN FAIL GLOB IF IGNORE INDEX INDEXED INITIALLY INSTEAD ISNULL KEY LIMIT NOTHING NOTNULL " +
                    "OFFSET PLAN PRAGMA QUERY RAISE REGEXP REINDEX RENAME REPLACE RESTRICT RETURNING TEMP TEMPORARY TRANSACTION VACUUM VIEW VIRTUAL"
                ).split(' '),
        )
    }
}
