@file:OptIn(InternalApi::class)

package dev.kormorant.internal

import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Folding
import dev.kormorant.driver.IdentifierRules
import kotlinx.coroutines.ThreadContextElement
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.CompositeSqlLogger
import org.jetbrains.exposed.v1.core.DatabaseApi
import org.jetbrains.exposed.v1.core.DatabaseConfig
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.InternalApi
import org.jetbrains.exposed.v1.core.Key
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.SqlLogger
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.Version
import org.jetbrains.exposed.v1.core.statements.BatchDataInconsistentException
import org.jetbrains.exposed.v1.core.statements.BatchInsertStatement
import org.jetbrains.exposed.v1.core.statements.InsertStatement
import org.jetbrains.exposed.v1.core.statements.MultiRowValuesInsertStatement
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor
import org.jetbrains.exposed.v1.core.statements.api.IdentifierManagerApi
import org.jetbrains.exposed.v1.core.transactions.TransactionManagerApi
import org.jetbrains.exposed.v1.core.transactions.TransactionsHolderProvider
import org.jetbrains.exposed.v1.core.transactions.withThreadLocalTransaction
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import java.util.concurrent.ConcurrentHashMap
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import org.jetbrains.exposed.v1.exceptions.UnsupportedByDialectException as UnsupportedByExposedDialect

/**
 * One database as Exposed sees it, so that its expressions can be rendered and its columns decoded without a JDBC connection.
 *
 * Exposed finds the dialect through a transaction on the thread. [render] puts one there for the length of a synchronous block, which
 * must not suspend; the block of a transaction has its own there all the time ([ExposedContext]). This file is the only one that
 * opts in to Exposed's internal API.
 */
internal class ExposedBridge(val dialect: Dialect, url: String) {
    private val database: DatabaseApi = BridgedDatabase(dialect, url)

    /** For all that runs outside of transactions; it has no state. */
    private val shared = ExposedTransaction(this, database, readOnly = false)
    private val tables = ConcurrentHashMap<TableShape, TableSql>()

    /** The SQL of a model's table, made at its first use. */
    fun sqlOf(shape: TableShape): TableSql = tables[shape] ?: tables.getOrPut(shape) { TableSql(this, shape) }

    fun newTransaction(readOnly: Boolean): ExposedTransaction = ExposedTransaction(this, database, readOnly)

    fun <T> render(block: (Transaction) -> T): T = try {
        val present = TransactionsHolderProvider.holder.getTransactionOrNull()
        if (present is ExposedTransaction && present.bridge === this) block(present) else shared.onThread { block(shared) }
    } catch (error: UnsupportedByExposedDialect) {
        throw UnsupportedByDialectException("${error.message}", cause = error)
    }
}

internal fun InsertStatement<*>.setResult(rows: List<ResultRow>, count: Int) {
    resultedValues = rows
    insertedCount = count
}

/**
 * A row per element, in as few statements as hold them: of [maxRows] rows at most, all with values for the same columns as far as Exposed wants
 * that, and no two with the same values in the columns of [conflict], since a statement must not meet a row twice.
 */
internal fun <E, S : BatchInsertStatement> batchesOf(
    elements: Iterator<E>,
    maxRows: S.() -> Int,
    conflict: S.() -> List<Column<*>>,
    create: () -> S,
    body: S.(E) -> Unit,
): List<S> {
    val statements = ArrayList<S>()
    val met = HashSet<List<Any?>>()
    fun begin(): S {
        met.clear()
        return create().also { statements += it }
    }
    fun S.add(element: E) {
        addBatch()
        body(element)
        validateLastBatch()
    }
    for (element in elements) {
        val last = statements.lastOrNull()?.takeIf { it.data.size < it.maxRows() }
        val statement = last ?: begin()
        try {
            statement.add(element)
        } catch (error: BatchDataInconsistentException) {
            if (last == null) throw error
            statement.removeLastBatch()
            begin().add(element)
        }
        val taken = statements.last()
        val row = taken.values
        val key = taken.conflict().map { column -> row[column]?.takeIf { it !is Expression<*> }?.let(::plainKey) }
        val repeated = key.isNotEmpty() && null !in key && !met.add(key)
        val first = taken.data.first().keys
        val uneven = if (taken is MultiRowValuesInsertStatement) (row.keys - first).any { !it.canBeLeftOut() } else first != row.keys
        if (repeated || uneven) {
            val values = LinkedHashMap(row)
            taken.removeLastBatch()
            begin().apply {
                addBatch()
                this.values.putAll(values)
            }
            if (null !in key) met.add(key)
        }
    }
    return statements
}

/** Whether a statement that sets the column in one of its rows need not do so in the others. */
private fun Column<*>.canBeLeftOut() = columnType.nullable || defaultValueFun != null || defaultValueInDb() != null

/** A transaction as Exposed's functions, interceptors and loggers see it. It runs nothing itself. */
internal class ExposedTransaction(val bridge: ExposedBridge, override val db: DatabaseApi, override val readOnly: Boolean) : Transaction() {
    override val transactionManager: TransactionManagerApi get() = NoManager
    override val outerTransaction: Transaction? get() = null

    /** Who is told what happens in it; `null` until somebody wants to know. */
    @Volatile
    var interceptors: Interceptors? = null
        private set

    fun register(interceptor: StatementInterceptor): Boolean =
        (interceptors ?: synchronized(this) { interceptors ?: Interceptors(this).also { interceptors = it } }).add(interceptor)

    override fun addLogger(vararg logger: SqlLogger): CompositeSqlLogger = super.addLogger(*logger).also(::register)

    /** The data that code of the user keeps with the transaction, after [kept] is all that outlives a COMMIT. */
    fun keepUserData(kept: (Map<Key<*>, Any?>) -> Map<Key<*>, Any?>) {
        val remaining = kept(userdata)
        userdata.clear()
        userdata.putAll(remaining)
    }

    /** Runs [block], which must not suspend, with this transaction on the thread. */
    fun <T> onThread(block: () -> T): T =
        if (TransactionsHolderProvider.holder.getTransactionOrNull() === this) block() else withThreadLocalTransaction(this, block)

    /**
     * Takes this transaction from the thread for good after its block has ended: an unconfined coroutine goes on within the end of a
     * coroutine of the block.
     */
    fun leaveThread() {
        while (TransactionsHolderProvider.holder.getTransactionOrNull() === this) TransactionsHolderProvider.holder.removeTransaction()
    }

    /** Whoever runs in this context finds this transaction on the thread, whichever it is. */
    val context: CoroutineContext.Element = ExposedContext(this)
}

/**
 * Puts [transaction] on the thread whenever a coroutine of its block runs there, and takes it away when that stops. What is on the
 * thread is a stack, as a coroutine may be resumed from within another one.
 */
private class ExposedContext(private val transaction: ExposedTransaction) : AbstractCoroutineContextElement(Key), ThreadContextElement<Boolean> {
    override fun updateThreadContext(context: CoroutineContext): Boolean {
        val holder = TransactionsHolderProvider.holder
        if (holder.getTransactionOrNull() === transaction) return false
        holder.storeTransaction(transaction)
        return true
    }

    override fun restoreThreadContext(context: CoroutineContext, oldState: Boolean) {
        val holder = TransactionsHolderProvider.holder
        if (oldState && holder.getTransactionOrNull() === transaction) holder.removeTransaction()
    }

    private companion object Key : CoroutineContext.Key<ExposedContext>
}

private object NoManager : TransactionManagerApi {
    override var defaultReadOnly: Boolean = false
    override var defaultMaxAttempts: Int = 1
    override var defaultMinRetryDelay: Long = 0
    override var defaultMaxRetryDelay: Long = 0
}

private class BridgedDatabase(facts: Dialect, override val url: String) : DatabaseApi(facts.exposed.name, DatabaseConfig()) {
    override val vendor: String = facts.exposed.name
    override val dialect: DatabaseDialect = facts.exposed
    override val dialectMode: String? get() = null
    override val version: Version = facts.version
    override val fullVersion: String = facts.version.toString()
    override val supportsAlterTableWithAddColumn: Boolean get() = true
    override val supportsAlterTableWithDropColumn: Boolean get() = true
    override val supportsMultipleResultSets: Boolean get() = false
    override val supportsSelectForUpdate: Boolean = facts.supportsForUpdate
    override val identifierManager: IdentifierManagerApi = Identifiers(facts.identifiers)
}

private class Identifiers(private val rules: IdentifierRules) : IdentifierManagerApi() {
    override val quoteString: String get() = rules.quote
    override val isUpperCaseIdentifiers: Boolean get() = rules.folding == Folding.UPPER
    override val isUpperCaseQuotedIdentifiers: Boolean get() = false
    override val isLowerCaseIdentifiers: Boolean get() = rules.folding == Folding.LOWER
    override val isLowerCaseQuotedIdentifiers: Boolean get() = false
    override val supportsMixedIdentifiers: Boolean get() = rules.folding == Folding.PRESERVE
    override val supportsMixedQuotedIdentifiers: Boolean get() = true
    override val extraNameCharacters: String get() = rules.extraCharacters
    override val oracleVersion: OracleVersion get() = OracleVersion.NonOracle
    override val maxColumnNameLength: Int get() = rules.maxLength
    override fun dbKeywords(): List<String> = rules.keywords
}
