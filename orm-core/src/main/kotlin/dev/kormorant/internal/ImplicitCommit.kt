package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.currentLevel

/** [refuseImplicitCommit], if [sql] is a change of the schema. */
internal suspend fun Database.refuseImplicitCommit(bridge: ExposedBridge, sql: String) {
    if (!bridge.dialect.transactionalDdl && DDL.containsMatchIn(sql)) refuseImplicitCommit(bridge)
}

/**
 * Refuses a change of the schema inside a transaction if the database would commit the transaction first, unless the configuration
 * allows that.
 *
 * @throws UnsupportedByDialectException before anything is sent.
 */
internal suspend fun Database.refuseImplicitCommit(bridge: ExposedBridge) {
    if (bridge.dialect.transactionalDdl || config.allowImplicitCommit || !isInTransaction()) return
    throw UnsupportedByDialectException(
        "${bridge.dialect.name} would commit the open transaction before this change of the schema.",
        "Change the schema outside of transactions; or set allowImplicitCommit, if what was done before may stay whatever happens after.",
    )
}

internal suspend fun Database.isInTransaction(): Boolean = currentLevel()?.let { it.kind != LevelKind.CONNECTION } == true

/** What ends a transaction on MySQL and MariaDB; temporary tables do not. */
private val DDL = Regex("^\\s*(?:(?:CREATE|DROP)\\s+(?!TEMPORARY\\s)|(?:ALTER|TRUNCATE|RENAME|GRANT|REVOKE|LOCK|UNLOCK|OPTIMIZE|REPAIR)\\s)", RegexOption.IGNORE_CASE)
