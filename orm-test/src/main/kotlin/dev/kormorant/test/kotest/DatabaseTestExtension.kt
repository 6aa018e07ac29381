package dev.kormorant.test.kotest

import dev.kormorant.Database
import dev.kormorant.test.Fixture
import dev.kormorant.test.rolledBack
import io.kotest.core.extensions.TestCaseExtension
import io.kotest.core.test.TestCase
import io.kotest.core.test.TestType
import io.kotest.engine.test.TestResult
import kotlin.time.Duration

/**
 * Runs each test of a Kotest spec in a sandbox on [database], as of [rolledBack], with it in the coroutine context:
 * `extension(DatabaseTestExtension(db) { Schema.create(Pages) })`.
 *
 * Containers run outside: what they write is committed. A test that leaves a connection or a transaction open fails.
 *
 * @param before runs once, before the first test, with the database in its context; what it commits stays.
 */
public class DatabaseTestExtension(private val database: Database, before: suspend () -> Unit = {}) : TestCaseExtension {
    private val fixture = Fixture(database, before)

    override suspend fun intercept(testCase: TestCase, execute: suspend (TestCase) -> TestResult): TestResult {
        if (testCase.type != TestType.Test) return execute(testCase)
        return try {
            fixture.get()
            rolledBack(database) { execute(testCase) }
        } catch (error: AssertionError) {
            TestResult.Failure(Duration.ZERO, error)
        }
    }
}
