package dev.kormorant.internal

import dev.kormorant.driver.SqlStatement
import dev.kormorant.hidesValues
import org.jetbrains.exposed.v1.core.ArrayColumnType
import org.jetbrains.exposed.v1.core.ColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.statements.GlobalStatementInterceptor
import org.jetbrains.exposed.v1.core.statements.Statement
import org.jetbrains.exposed.v1.core.statements.StatementContext
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor
import org.jetbrains.exposed.v1.core.statements.StatementType
import org.jetbrains.exposed.v1.core.statements.api.PreparedStatementApi
import java.io.InputStream
import java.util.ServiceLoader
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit

/**
 * Tells Exposed's interceptors, and so its loggers, what happens in [transaction]; in the order they were registered, with the
 * transaction on the thread. What one of them throws fails the statement or the end of the transaction it was told of.
 */
internal class Interceptors(private val transaction: ExposedTransaction) {
    private val all = CopyOnWriteArrayList<StatementInterceptor>()

    fun add(interceptor: StatementInterceptor): Boolean = all.add(interceptor)

    fun remove(interceptor: StatementInterceptor): Boolean = all.remove(interceptor)

    /** Runs [block], which runs [statement], and tells before and, if it succeeds, after. */
    suspend fun <T> around(statement: SqlStatement, block: suspend () -> T): T {
        val context = contextOf(statement)
        tell {
            for (interceptor in all) interceptor.beforeExecution(transaction, context)
            for (interceptor in all) interceptor.afterStatementPrepared(transaction, SentStatement)
        }
        val start = System.nanoTime()
        val answer = block()
        transaction.statementCount++
        transaction.duration += TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)
        tell { for (interceptor in all) interceptor.afterExecution(transaction, listOf(context), SentStatement) }
        return answer
    }

    fun beforeCommit(): Unit = tell { for (interceptor in all) interceptor.beforeCommit(transaction) }

    fun afterCommit(): Unit = tell {
        transaction.keepUserData { data -> all.flatMap { it.keepUserDataInTransactionStoreOnCommit(data).entries }.associate { it.key to it.value } }
        for (interceptor in all) interceptor.afterCommit(transaction)
    }

    fun beforeRollback(): Unit = tell { for (interceptor in all) interceptor.beforeRollback(transaction) }

    fun afterRollback(): Unit = tell { for (interceptor in all) interceptor.afterRollback(transaction) }

    private fun tell(block: () -> Unit): Unit = transaction.onThread(block)

    private fun contextOf(statement: SqlStatement): StatementContext =
        if (statement is RenderedStatement) statement.rendered.let { StatementContext(it.source, shown(it.arguments)) }
        else {
            val hidden = (statement as? SecretiveStatement)?.hidden.orEmpty()
            StatementContext(TextStatement(statement.sql), statement.values.mapIndexed { index, value -> PlainType to if (index in hidden) HIDDEN else value })
        }

    private fun shown(arguments: Collection<Pair<IColumnType<*>, Any?>>) =
        if (arguments.none { (type, _) -> type.hidesValues }) arguments else arguments.map { if (it.first.hidesValues) PlainType to HIDDEN else it }

    companion object {
        private const val HIDDEN = "…"

        /**
         * Those that are services on the class path. Exposed's own belong to its JDBC and R2DBC modules and work on their transactions only.
         */
        val global: List<StatementInterceptor> by lazy {
            ServiceLoader.load(GlobalStatementInterceptor::class.java, GlobalStatementInterceptor::class.java.classLoader)
                .filterNot { it.javaClass.name.startsWith("org.jetbrains.exposed.") }
        }
    }
}

/** SQL that was not made by Exposed. */
private class TextStatement(private val sql: String) : Statement<Nothing>(typeOf(sql), emptyList()) {
    override fun prepareSQL(transaction: Transaction, prepared: Boolean): String = sql

    override fun arguments(): Iterable<Iterable<Pair<IColumnType<*>, Any?>>> = emptyList()

    private companion object {
        fun typeOf(sql: String): StatementType =
            sql.trimStart().let { text -> StatementType.entries.firstOrNull { text.startsWith(it.name, ignoreCase = true) } } ?: StatementType.OTHER
    }
}

/** A parameter that no column describes, as a logger shows it. */
private object PlainType : ColumnType<Any>(nullable = true) {
    override fun sqlType(): String = ""

    override fun valueFromDB(value: Any): Any = value

    override fun nonNullValueToString(value: Any): String = when (value) {
        is Number, is Boolean -> value.toString()
        is ByteArray -> value.joinToString("", "X'", "'") { "%02x".format(it) }
        else -> "'${value.toString().replace("'", "''")}'"
    }
}

/** Parameters are on the wire already when an interceptor sees the statement. */
private object SentStatement : PreparedStatementApi {
    override fun set(index: Int, value: Any, columnType: IColumnType<*>): Unit = refuse()

    override fun setNull(index: Int, columnType: IColumnType<*>): Unit = refuse()

    override fun setInputStream(index: Int, inputStream: InputStream, setAsBlobObject: Boolean): Unit = refuse()

    override fun setArray(index: Int, type: ArrayColumnType<*, *>, array: Array<*>): Unit = refuse()

    private fun refuse(): Nothing = throw UnsupportedOperationException("An interceptor cannot change the parameters of a statement.")
}
