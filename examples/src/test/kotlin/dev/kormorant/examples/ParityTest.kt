package dev.kormorant.examples

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.io.path.exists
import kotlin.io.path.readLines
import kotlin.io.path.readText

/** The table of Exposed's functions has a row for each, and each row a test that is there. */
class ParityTest {
    private class Row(val exposed: String, val here: String, val test: String)

    private val rows: List<Row> = ROOT.resolve("docs/parity.md").readLines().filter { it.startsWith("| `") }.map { line ->
        val cells = line.removePrefix("|").removeSuffix("|").split("|").map { it.trim() }
        assertEquals(3, cells.size, line)
        Row(cells[0].trim('`'), cells[1], cells[2])
    }

    @Test
    fun `every function of the DSL has one row`() {
        val listed = rows.map { it.exposed }
        assertEquals(listed.distinct(), listed)
        val names = listed.map { it.substringBefore('(').substringAfterLast('.') }.toSet()
        assertEquals(emptyList<String>(), FUNCTIONS.filter { it !in names })
    }

    @Test
    fun `no cell is empty, and what is not the same is explained`() {
        for (row in rows) assertTrue(row.here.isNotEmpty() && row.here != "none", row.exposed)
    }

    @Test
    fun `every row names a rule of a suite`() {
        for (row in rows) {
            val (suite, rule) = row.test.split(": ", limit = 2).also { assertEquals(2, it.size, row.exposed) }
            val file = ROOT.resolve("orm-test/src/main/kotlin/dev/kormorant/test/conformance/${suite}Suite.kt")
            assertTrue(file.exists(), "${row.exposed}: $suite")
            assertTrue("fun `$rule" in file.readText(), "${row.exposed}: $rule")
        }
    }

    @Test
    fun `every suite runs on every backend`() {
        val conformance = ROOT.resolve("orm-test/src/main/kotlin/dev/kormorant/test/conformance/Conformance.kt").readText()
        for (suite in rows.map { it.test.substringBefore(": ") }.distinct()) assertTrue(" : ${suite}Suite(backend)" in conformance, suite)
    }

    private companion object {
        /** Public functions of Exposed's module for r2dbc and of its transactions, by their names. */
        val FUNCTIONS = (
            "selectAll select deleteWhere deleteIgnoreWhere deleteAll deleteReturning delete insert insertAndGetId insertIgnore " +
                "insertIgnoreAndGetId insertReturning batchInsert replace batchReplace update updateReturning upsert upsertReturning batchUpsert " +
                "mergeFrom copy forUpdate notForUpdate limit offset orderBy withDistinct withDistinctOn adjustSelect adjustColumnSet adjustWhere " +
                "where fetchBatchedResults count empty collect andHaving orHaving andWhere orWhere groupBy having adjustHaving comment " +
                "adjustComments fetchSize isForUpdate hasCustomForUpdateState prepareSQL union unionAll intersect except explain mapLazy " +
                "emptySized wrapper isLoaded exists sortTablesByReferences checkCycle createStatements createFKey addMissingColumnsStatements " +
                "createSequence dropSequence createIndex createSchema dropSchema setSchema createDatabase dropDatabase listDatabases " +
                "create createMissingTablesAndColumns statementsRequiredToActualizeScheme checkMappingConsistence checkExcessiveIndices " +
                "checkExcessiveForeignKeyConstraints withDataBaseLock listTables listTablesInAllSchemas drop commit rollback close connection " +
                "registerInterceptor unregisterInterceptor exec execInBatch execQuery clearExecutedStatements withTransactionContext " +
                "suspendTransaction inTopLevelSuspendTransaction current newTransaction connect name causedByQueries getSQLState " +
                "getSpecificErrorCode addLogger"
            ).split(' ')
    }
}
