@file:OptIn(InternalApi::class)

package dev.kormorant.internal

import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.Folding
import dev.kormorant.driver.IdentifierRules
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.DatabaseApi
import org.jetbrains.exposed.v1.core.DatabaseConfig
import org.jetbrains.exposed.v1.core.InternalApi
import org.jetbrains.exposed.v1.core.ResultRow
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.Version
import org.jetbrains.exposed.v1.core.statements.BatchDataInconsistentException
import org.jetbrains.exposed.v1.core.statements.BatchInsertStatement
import org.jetbrains.exposed.v1.core.statements.InsertStatement
import org.jetbrains.exposed.v1.core.statements.MultiRowValuesInsertStatement
import org.jetbrains.exposed.v1.core.statements.UpdateBuilder
import org.jetbrains.exposed.v1.core.statements.api.IdentifierManagerApi
import org.jetbrains.exposed.v1.core.transactions.TransactionManagerApi
import org.jetbrains.exposed.v1.core.transactions.withThreadLocalTransaction
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import java.util.concurrent.ConcurrentHashMap
import org.jetbrains.exposed.v1.exceptions.UnsupportedByDialectException as UnsupportedByExposedDialect

/**
 * One database as Exposed sees it, so that its expressions can be rendered and its columns decoded without a JDBC connection.
 *
 * Exposed finds the dialect through a transaction on the thread. [render] puts one inert transaction there for the length of a
 * synchronous block; it must not suspend. This file is the only one that opts in to Exposed's internal API.
 */
internal class ExposedBridge(val dialect: Dialect, url: String) {
    private val transaction: Transaction = InertTransaction(BridgedDatabase(dialect, url))
    private val tables = ConcurrentHashMap<TableShape, TableSql>()

    /** The SQL of a model's table, made at its first use. */
    fun sqlOf(shape: TableShape): TableSql = tables[shape] ?: tables.getOrPut(shape) { TableSql(this, shape) }

    fun <T> render(block: (Transaction) -> T): T = try {
        withThreadLocalTransaction(transaction) { block(transaction) }
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
        val uneven = taken !is MultiRowValuesInsertStatement && taken.data.first().keys != row.keys
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

private class InertTransaction(override val db: DatabaseApi) : Transaction() {
    override val transactionManager: TransactionManagerApi get() = NoManager
    override val readOnly: Boolean get() = false
    override val outerTransaction: Transaction? get() = null
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
