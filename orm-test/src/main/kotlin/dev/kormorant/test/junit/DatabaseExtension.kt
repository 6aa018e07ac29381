package dev.kormorant.test.junit

import dev.kormorant.Database
import dev.kormorant.Schema
import dev.kormorant.test.SandboxHolder
import dev.kormorant.test.StatementRecorder
import dev.kormorant.test.assertAllReturned
import kotlinx.coroutines.runBlocking
import org.jetbrains.exposed.v1.core.Table
import org.junit.jupiter.api.extension.AfterAllCallback
import org.junit.jupiter.api.extension.AfterEachCallback
import org.junit.jupiter.api.extension.BeforeAllCallback
import org.junit.jupiter.api.extension.BeforeEachCallback
import org.junit.jupiter.api.extension.ExtensionContext
import org.junit.jupiter.api.extension.ParameterContext
import org.junit.jupiter.api.extension.ParameterResolver
import java.util.function.Supplier

/**
 * Gives each JUnit 5 test a database of which nothing remains after it.
 *
 * ```java
 * @RegisterExtension
 * static final DatabaseExtension DATABASE = new DatabaseExtension(() -> TestServers.postgresql().getUrl()).create(PAGES);
 *
 * @Test
 * void aPageIsFound(Database database, StatementRecorder statements) { … AsyncDatabase.of(database, executor) … }
 * ```
 *
 * As a static field it opens the URL once for the class, creates what is missing of the tables, and closes it after the last test. Each test that
 * has a parameter of type [Database] gets an object of its own on a sandbox as of [dev.kormorant.test.rolledBack]: it may commit what it likes, on any
 * threads. A [StatementRecorder] parameter hears of its statements. A test that leaves a connection or a transaction open
 * fails. Tests may run in parallel; on SQLite they wait for each other.
 *
 * @param url asked once, before the first test; a `TestAbortedException` from it, such as of a server that is not there, skips the tests.
 */
public class DatabaseExtension(private val url: Supplier<String>) :
    BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback, ParameterResolver {
    /** For Kotlin and for fixed URLs. */
    public constructor(url: String) : this(Supplier { url })

    private val tables = ArrayList<Table>()
    private val setUp = ArrayList<suspend () -> Unit>()

    @Volatile
    private var opened: Database? = null

    /** The database that the sandboxes are on, with whatever was committed before the first test. */
    public val database: Database get() = checkNotNull(opened) { "The database is opened before the first test." }

    /** Creates what is missing of [tables] before the first test; they stay. */
    public fun create(vararg tables: Table): DatabaseExtension = apply { this.tables += tables }

    /** Runs [block] before the first test, with the database in its context; what it commits stays. */
    @JvmSynthetic
    public fun before(block: suspend () -> Unit): DatabaseExtension = apply { setUp += block }

    override fun beforeAll(context: ExtensionContext) {
        if (opened != null) return
        val database = Database.open(url.get())
        opened = database
        runBlocking(database) {
            if (tables.isNotEmpty()) Schema.create(*tables.toTypedArray())
            setUp.forEach { it() }
        }
    }

    override fun beforeEach(context: ExtensionContext) {
        if (opened == null) beforeAll(context)
    }

    override fun afterEach(context: ExtensionContext) {
        store(context).remove(SandboxHolder::class.java, SandboxHolder::class.java)?.close()
    }

    /** In nested classes the extension of the outer one is called as well. */
    override fun afterAll(context: ExtensionContext) {
        if (context.parent.flatMap { it.testClass }.isPresent) return
        val database = opened ?: return
        opened = null
        runBlocking {
            try {
                database.assertAllReturned()
            } finally {
                database.close()
            }
        }
    }

    override fun supportsParameter(parameter: ParameterContext, context: ExtensionContext): Boolean =
        context.testMethod.isPresent && (parameter.parameter.type == Database::class.java || parameter.parameter.type == StatementRecorder::class.java)

    override fun resolveParameter(parameter: ParameterContext, context: ExtensionContext): Any {
        val sandbox = store(context).getOrComputeIfAbsent(SandboxHolder::class.java, { SandboxHolder.open(database) }, SandboxHolder::class.java)
        return if (parameter.parameter.type == Database::class.java) sandbox.database else sandbox.recorder
    }

    private fun store(context: ExtensionContext) = context.getStore(ExtensionContext.Namespace.create(DatabaseExtension::class.java, this, context.uniqueId))
}
