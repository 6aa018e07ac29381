package dev.kormorant.internal

import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.Database
import dev.kormorant.ErrorDetails
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.connection
import dev.kormorant.currentLevel
import dev.kormorant.driver.SessionSetting
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.TableRebuilder
import dev.kormorant.transaction

/**
 * Runs DDL in order on one connection, and where the database has transactional DDL in one transaction: all of it or nothing, also if
 * the caller is cancelled.
 *
 * @throws UnsupportedByDialectException before anything is sent, if the caller's transaction would be committed by it.
 */
internal suspend fun Database.runSchema(bridge: ExposedBridge, statements: List<String>, setting: SessionSetting? = null) {
    suspend fun runEach() = statements.forEach { run(ddl(it)) }
    suspend fun runAll() = when {
        statements.size < 2 -> runEach()
        bridge.dialect.transactionalDdl -> transaction { runEach() }
        else -> connection { runEach() }
    }
    statements.forEach { refuseImplicitCommit(bridge, it) }
    if (setting == null) runAll() else connection { withSettings(listOf(setting)) { runAll() } }
}

/**
 * Runs DDL that puts new tables in the place of old ones: one transaction on one connection, whose settings are what they were
 * afterwards, else the connection is closed.
 *
 * @throws UnsupportedByDialectException inside a transaction, where the settings cannot be changed; nothing is sent.
 * @throws ConstraintViolationException if a row refers to nothing afterwards; all is undone.
 */
internal suspend fun Database.runRebuild(bridge: ExposedBridge, rebuilder: TableRebuilder, statements: List<String>) {
    if (isInTransaction()) {
        throw UnsupportedByDialectException(
            "${bridge.dialect.name} cannot replace a table by another inside a transaction.",
            "Apply the difference outside of a transaction; it runs in one of its own.",
        )
    }
    connection {
        withSettings(rebuilder.settings) {
            transaction {
                statements.forEach { run(ddl(it)) }
                val broken = run(ddl(rebuilder.brokenReferences)).rows
                if (broken.isNotEmpty()) throw brokenReference("${broken.first()[0]}")
            }
        }
    }
}

private suspend fun Database.withSettings(settings: List<SessionSetting>, block: suspend () -> Unit) {
    val session = checkNotNull(currentLevel()).session
    val restore = ArrayList<String>()
    try {
        for (setting in settings) {
            val before = "${run(ddl(setting.query)).rows.first()[0]}"
            if (before == setting.needed) continue
            restore += setting.assignment(before)
            run(ddl(setting.assignment(setting.needed)))
        }
        block()
    } finally {
        val done = uncancellable { restore.asReversed().forEach { run(ddl(it)) } }
        if (done == null) session.connection?.close()
    }
}

private fun brokenReference(table: String) = ConstraintViolationException(
    ConstraintKind.FOREIGN_KEY,
    "A row of $table would refer to a row that is not there.",
    ErrorDetails(table = table),
    null,
    "Mend the rows first; nothing was changed.",
)

internal fun ddl(sql: String): SqlStatement = SqlStatement(sql, reusable = false)
