package dev.kormorant.test.conformance

import dev.kormorant.Database
import dev.kormorant.Propagation
import dev.kormorant.addLogger
import dev.kormorant.batchInsert
import dev.kormorant.insert
import dev.kormorant.registerInterceptor
import dev.kormorant.select
import dev.kormorant.selectAll
import dev.kormorant.transaction
import dev.kormorant.unregisterInterceptor
import dev.kormorant.update
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.jetbrains.exposed.v1.core.ColumnType
import org.jetbrains.exposed.v1.core.CustomFunction
import org.jetbrains.exposed.v1.core.CustomOperator
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.Key
import org.jetbrains.exposed.v1.core.LikePattern
import org.jetbrains.exposed.v1.core.SqlLogger
import org.jetbrains.exposed.v1.core.StdOutSqlLogger
import org.jetbrains.exposed.v1.core.TextColumnType
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.intLiteral
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.lowerCase
import org.jetbrains.exposed.v1.core.statements.StatementContext
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor
import org.jetbrains.exposed.v1.core.statements.StatementType
import org.jetbrains.exposed.v1.core.statements.UpdateStatement
import org.jetbrains.exposed.v1.core.statements.api.PreparedStatementApi
import org.jetbrains.exposed.v1.core.statements.expandArgs
import org.jetbrains.exposed.v1.core.stringLiteral
import org.jetbrains.exposed.v1.core.transactions.transactionScope
import org.jetbrains.exposed.v1.core.vendors.currentDialect
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import java.io.ByteArrayOutputStream
import java.io.PrintStream

/** Exposed's interceptors and loggers, and what its functions find on the thread inside a transaction. */
public abstract class InterceptorSuite(backend: Backend) : Suite(backend, Pages, Codes) {
    private val told = ArrayList<String>()

    @BeforeEach
    public fun forget(): Unit = told.clear()

    private val logger = object : SqlLogger {
        override fun log(context: StatementContext, transaction: Transaction) {
            told += context.expandArgs(transaction)
        }
    }

    private val interceptor = object : StatementInterceptor {
        override fun beforeExecution(transaction: Transaction, context: StatementContext) {
            told += "before ${context.statement.type}"
        }

        override fun afterExecution(transaction: Transaction, contexts: List<StatementContext>, executedStatement: PreparedStatementApi) {
            told += "after ${contexts.single().statement.type}"
        }

        override fun beforeCommit(transaction: Transaction) {
            told += "before COMMIT"
        }

        override fun afterCommit(transaction: Transaction) {
            told += "after COMMIT"
        }

        override fun beforeRollback(transaction: Transaction) {
            told += "before ROLLBACK"
        }

        override fun afterRollback(transaction: Transaction) {
            told += "after ROLLBACK"
        }
    }

    /** A database whose configuration has loggers or interceptors. */
    private suspend fun with(other: Database, block: suspend () -> Unit) = other.use { withContext(it) { block() } }

    // ---- Loggers

    @Test
    public fun `a logger shows the statements of its transaction with their values`(): Unit = test {
        transaction { tx ->
            Pages.insert { it[key] = "unseen" }
            tx.addLogger(logger)
            Pages.insert { it[key] = "it's" }
            Pages.selectAll().where { Pages.key eq "seen?" }.toList()
            transaction { Pages.update({ Pages.key eq "it's" }) { it[text] = "new" } }
            Page.get { Pages.key eq "it's" }
        }
        Pages.insert { it[key] = "after" }
        assertEquals(4, told.size)
        assertTrue(told[0].startsWith("INSERT INTO page_block") && "'it''s'" in told[0], told[0])
        assertTrue("= 'seen?'" in told[1], told[1])
        assertTrue("'new'" in told[2], told[2])
    }

    @Test
    public fun `Exposed's own logger prints to standard output`(): Unit = test {
        val out = System.out
        val printed = ByteArrayOutputStream()
        System.setOut(PrintStream(printed, true))
        try {
            transaction {
                addLogger(StdOutSqlLogger)
                Pages.insert { it[key] = "printed" }
            }
        } finally {
            System.setOut(out)
        }
        assertTrue("SQL: INSERT INTO page_block" in printed.toString() && "'printed'" in printed.toString(), printed.toString())
    }

    @Test
    public fun `a logger of the database shows every statement, models, raw SQL and streams included`(): Unit = test {
        needs(can.shared, "second view of one database")
        with(open { logger(logger) }) {
            Page.create { key = "model" }
            Pages.insert { it[key] = "row" }
            Pages.selectAll().fetchSize(1).collect { }
            transaction { Pages.selectAll().count() }
        }
        assertEquals(listOf("INSERT", "INSERT", "SELECT", "SELECT"), told.filter { "page_block" in it }.map { it.substringBefore(' ') })
        assertTrue(told.any { "'model'" in it })
    }

    // ---- Interceptors

    @Test
    public fun `an interceptor is told of each statement and of the end`(): Unit = test {
        transaction { tx ->
            tx.registerInterceptor(interceptor)
            Pages.insert { it[key] = "a" }
            transaction { Pages.selectAll().toList() }
        }
        val statements = listOf("before INSERT", "after INSERT", "before SELECT", "after SELECT")
        assertEquals(statements + listOf("before COMMIT", "after COMMIT"), told)
        told.clear()
        assertFails<IllegalStateException> {
            transaction {
                registerInterceptor(interceptor)
                Pages.insert { it[key] = "b" }
                error("stop")
            }
        }
        assertEquals(listOf("before INSERT", "after INSERT", "before ROLLBACK", "after ROLLBACK"), told)
    }

    @Test
    public fun `an interceptor sees Exposed's statement and is told nothing after a failure`(): Unit = test {
        var seen: Any? = null
        val watching = object : StatementInterceptor {
            override fun afterExecution(transaction: Transaction, contexts: List<StatementContext>, executedStatement: PreparedStatementApi) {
                seen = contexts.single().statement
            }
        }
        transaction { tx ->
            tx.registerInterceptor(watching)
            Pages.update { it[text] = "x" }
            val update = seen
            assertTrue(update is UpdateStatement && update.targets == listOf(Pages) && update.type == StatementType.UPDATE)
            seen = null
            assertFails<Exception> { transaction { db.exec("SELECT nonsense FROM nowhere") } }
            assertEquals(null, seen)
            assertTrue(unregisterInterceptor(watching))
            assertFalse(unregisterInterceptor(watching))
            Pages.update { it[text] = "y" }
            assertEquals(null, seen)
        }
    }

    @Test
    public fun `an interceptor that refuses the commit rolls the transaction back`(): Unit = test {
        val refusing = object : StatementInterceptor {
            override fun beforeCommit(transaction: Transaction): Unit = error("refused")
        }
        val error = assertFails<IllegalStateException> {
            transaction { tx ->
                tx.registerInterceptor(refusing)
                Pages.insert { it[key] = "a" }
            }
        }
        assertEquals("refused", error.message)
        assertEquals(0, Pages.selectAll().count())
    }

    @Test
    public fun `an interceptor keeps data with its transaction only`(): Unit = test {
        needs(can.shared, "second view of one database")
        val counter = Key<Int>()
        val counts = ArrayList<Int>()
        val counting = object : StatementInterceptor {
            override fun beforeExecution(transaction: Transaction, context: StatementContext) {
                transaction.putUserData(counter, (transaction.getUserData(counter) ?: 0) + 1)
                counts += transaction.getUserData(counter) ?: 0
            }
        }
        with(open { interceptor(counting) }) {
            repeat(2) { transaction { repeat(2) { Pages.selectAll().toList() } } }
            repeat(2) { Pages.selectAll().toList() }
        }
        assertEquals(listOf(1, 2, 1, 2, 1, 1), counts)
    }

    @Test
    public fun `loggers and interceptors belong to a transaction`(): Unit = test {
        assertFails<IllegalStateException> { addLogger(StdOutSqlLogger) }
        assertFails<IllegalStateException> { registerInterceptor(interceptor) }
    }

    // ---- What is on the thread

    @Test
    public fun `Exposed's functions know the dialect anywhere in a transaction`(): Unit = test {
        transaction {
            val dialect = currentDialect
            assertEquals(backend.product, dialect.name)
            for (dispatcher in listOf(Dispatchers.IO, Dispatchers.Default, Dispatchers.Unconfined)) {
                withContext(dispatcher) {
                    assertSame(dialect, currentDialect)
                    yield()
                    Pages.selectAll().toList()
                    assertSame(dialect, currentDialect)
                    launch { assertSame(dialect, currentDialect) }
                }
                delay(1)
                assertSame(dialect, currentDialect)
            }
            transaction { assertSame(dialect, currentDialect) }
            transaction(propagation = Propagation.REQUIRED) { assertSame(dialect, currentDialect) }
            assertFails<IllegalStateException> { transaction { error("inner") } }
            assertSame(dialect, currentDialect)
        }
    }

    @Test
    public fun `nothing is left on any thread outside of a transaction`(): Unit = test {
        val unknown = suspend { assertFails<IllegalStateException> { currentDialect } }
        unknown()
        transaction {
            Pages.selectAll().toList()
            outside { withContext(Dispatchers.IO) { unknown() } }
        }
        unknown()
        assertFails<IllegalStateException> { transaction { Pages.insert { it[key] = "a" }; error("stop") } }
        unknown()
        withContext(Dispatchers.Unconfined) {
            transaction { withContext(Dispatchers.IO) { Pages.selectAll().toList() } }
            unknown()
        }
        repeat(8) { withContext(Dispatchers.IO) { unknown() } }
        runBlocking(Dispatchers.IO) { unknown() }
    }

    @Test
    public fun `a query in a transaction is written with functions that need the dialect`(): Unit = test {
        Pages.batchInsert(listOf("50%", "505")) { this[Pages.key] = it }
        transaction {
            val pattern = LikePattern.ofLiteral("50%")
            assertEquals(listOf("50%"), Pages.selectAll().where { Pages.key like pattern }.toList().map { it[Pages.key] })
            assertTrue("LOWER(" in Pages.key.lowerCase().toString())
            val row = Pages.select(Pages.key.lowerCase()).first()
            assertEquals("50%", row[Pages.key.lowerCase()])
        }
    }

    @Test
    public fun `values kept by transactionScope are of one transaction`(): Unit = test {
        val first = transaction {
            Holder.value += "a"
            withContext(Dispatchers.IO) { Holder.value += "b" }
            transaction { Holder.value += "c" }
            Holder.value
        }
        assertEquals("abc", first)
        assertEquals("", transaction { Holder.value })
    }

    @Test
    public fun `functions, operators and column types of the user work as with Exposed`(): Unit = test {
        Codes.insert { it[code] = Code("x-1") }
        val length = CustomFunction("LENGTH", IntegerColumnType(), Codes.code)
        val joined = CustomOperator("||", TextColumnType(), stringLiteral("<"), stringLiteral(">"))
        val row = Codes.select(Codes.code, length).where { Codes.code eq Code("x-1") }.single()
        assertEquals(Code("x-1") to 3, row[Codes.code] to row[length])
        if (backend.product !in setOf("MySQL", "MariaDB")) assertEquals("<>", Codes.selectAll().scalar(joined))
        assertEquals(2, Codes.selectAll().scalar(CustomOperator("+", IntegerColumnType(), intLiteral(1), intLiteral(1))))
    }

    private object Holder {
        var value: String by transactionScope { "" }
    }

    private data class Code(val text: String)

    private class CodeType : ColumnType<Code>() {
        override fun sqlType(): String = "VARCHAR(20)"

        override fun valueFromDB(value: Any): Code = if (value is Code) value else Code(value.toString())

        override fun notNullValueToDB(value: Code): Any = value.text
    }

    private object Codes : LongIdTable("code_of_mine") {
        val code = registerColumn("code", CodeType())
    }
}
