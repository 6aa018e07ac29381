package dev.kormorant.sqlite

import dev.kormorant.driver.QueryClause
import dev.kormorant.test.conformance.Backend
import dev.kormorant.test.conformance.Capabilities
import dev.kormorant.test.conformance.Conformance
import dev.kormorant.test.conformance.CopySuite
import dev.kormorant.test.conformance.Dialogue
import dev.kormorant.test.conformance.NotificationSuite
import dev.kormorant.test.conformance.Place
import dev.kormorant.test.conformance.SoakSuite
import dev.kormorant.test.conformance.StreamMemorySuite
import java.nio.file.Files

class SqliteFileConformanceTest : Conformance(SqliteFile)

class SqliteMemoryConformanceTest : Conformance(SqliteMemory)

class SqliteFileSoakTest : SoakSuite(SqliteFile, coroutines = 100)

class SqliteNotificationTest : NotificationSuite(SqliteFile)

class SqliteCopyTest : CopySuite(SqliteFile)

class SqliteFileStreamMemoryTest : StreamMemorySuite(SqliteFile)

private val DIALOGUE = Dialogue(slowStatement = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")

private val MISSING = setOf(
    QueryClause.DISTINCT_ON,
    QueryClause.LATERAL,
    QueryClause.QUANTIFIED_QUERY,
    QueryClause.TABLE_QUERY,
    QueryClause.QUANTIFIED_ARRAY,
    QueryClause.EXPLAIN_ANALYZE,
)

private object SqliteFile : Backend("SQLite", Capabilities(
        concurrentWriters = false,
        joinChanges = false,
        sequences = false,
        isolationLevels = false,
        exactDecimals = false,
        unsigned64 = false,
        zonedMicroseconds = false,
        jsonb = true,
        missingClauses = MISSING,
        boundedOperands = false,
    ), DIALOGUE) {
    override val unreachableUrl: String get() = "sqlite:/no/such/directory/pages.db"

    override suspend fun create(): Place {
        val directory = Files.createTempDirectory("kormorant-conformance-")
        return Place("sqlite:${directory.resolve("test.db")}") { check(directory.toFile().deleteRecursively()) }
    }
}

private object SqliteMemory :
    Backend(
        "SQLite",
        Capabilities(shared = false, concurrentReads = false, concurrentWriters = false, joinChanges = false, sequences = false, isolationLevels = false, exactDecimals = false, unsigned64 = false, zonedMicroseconds = false, jsonb = true,
            missingClauses = MISSING, boundedOperands = false),
        DIALOGUE,
    ) {
    override val unreachableUrl: String get() = SqliteFile.unreachableUrl

    override suspend fun create(): Place = Place("sqlite::memory:")
}
