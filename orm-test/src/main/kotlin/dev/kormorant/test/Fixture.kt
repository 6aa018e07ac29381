package dev.kormorant.test

import dev.kormorant.Database
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * Tables and rows that many tests start from: made and committed once for a [database], by whichever test asks first.
 *
 * ```
 * val authors = Fixture(db) { Schema.create(Authors); Author.createAll(sampleAuthors()) }
 *
 * @Test fun `an author can be renamed`() = databaseTest(authors) { rows -> rows.first()… }
 * ```
 *
 * If [create] fails, the test that asked fails with its error, and the next one tries again.
 */
public class Fixture<T>(public val database: Database, private val create: suspend () -> T) {
    private val once = Mutex()

    @Volatile
    private var made: Result<T>? = null

    /** What [create] returned, the same for all. To be called before a sandbox is entered, where it would be undone. */
    public suspend fun get(): T = (made ?: once.withLock { made ?: Result.success(withContext(database) { create() }).also { made = it } }).getOrThrow()
}
