package dev.kormorant.sqlite

import dev.kormorant.Isolation
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.Folding
import dev.kormorant.driver.IdentifierRules
import org.jetbrains.exposed.v1.core.Version
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import org.jetbrains.exposed.v1.core.vendors.SQLiteDialect

internal class SqliteDialect(override val version: Version, override val maxParameters: Int) : Dialect {
    override val name: String get() = "SQLite"
    override val exposed: DatabaseDialect = SQLiteDialect()
    override val identifiers: IdentifierRules get() = RULES
    override val returning: Set<DmlKind> = DmlKind.entries.toSet()
    override val transactionalDdl: Boolean get() = true
    override val errorAbortsTransaction: Boolean get() = false

    /**
     * Always serializable, so the level makes no difference. A transaction that may write takes the write lock at once: one that
     * has read first and then wants the lock fails without waiting if somebody else has written in between.
     */
    override fun begin(isolation: Isolation?, readOnly: Boolean): List<String> = if (readOnly) READ else WRITE

    private companion object {
        val READ = listOf("BEGIN")
        val WRITE = listOf("BEGIN IMMEDIATE")
        val RULES = IdentifierRules(
            quote = "\"",
            folding = Folding.PRESERVE,
            maxLength = Int.MAX_VALUE,
            keywords = (
                "ABORT ACTION AFTER ANALYZE ATTACH AUTOINCREMENT BEFORE CASCADE CONFLICT DATABASE DEFERRABLE DEFERRED DESC DETACH " +
                    "EXCLUSIVE EXPLAIN FAIL GLOB IGNORE INDEX INDEXED INITIALLY INSTEAD ISNULL KEY LIMIT NOTNULL OFFSET PLAN PRAGMA " +
                    "QUERY RAISE REGEXP REINDEX RENAME REPLACE RESTRICT TEMP TEMPORARY TRANSACTION VACUUM VIEW VIRTUAL"
                ).split(' '),
        )
    }
}
