package dev.kormorant.internal

import dev.kormorant.NativeEnumColumnType
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.IdentifierRules
import org.jetbrains.exposed.v1.core.CheckConstraint
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.ForeignKeyConstraint
import org.jetbrains.exposed.v1.core.Index
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.ReferenceOption
import org.jetbrains.exposed.v1.core.Sequence
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.Transaction
import org.jetbrains.exposed.v1.core.autoIncColumnType
import org.jetbrains.exposed.v1.core.isAutoInc

/** A table as it is in code, in the words of one database. Made inside [ExposedBridge.render] and used there. */
internal class DeclaredTable(val table: Table, private val bridge: ExposedBridge, private val transaction: Transaction) {
    private val exposed = bridge.dialect.exposed
    private val rules = bridge.dialect.identifiers

    /** Name as it is written in SQL. */
    val identity: String = transaction.identity(table)

    /** Name without schema and quotes. */
    val name: String = bareName(if (table.schemaName == null) identity else identity.substringAfterLast('.'))

    val columns: List<DeclaredColumn> by lazy { table.columns.map(::column) }
    val columnNames: Set<String> by lazy { columns.mapTo(HashSet()) { it.name.lowercase() } }
    val primaryKey: List<String> = table.primaryKey?.columns?.map { bareName(transaction.identity(it)) }.orEmpty()
    val indices: List<DeclaredIndex> by lazy { table.indices.map(::index) }
    val foreignKeys: List<DeclaredForeignKey> by lazy { table.foreignKeys.map(::foreignKey) }
    val checks: List<DeclaredCheck> by lazy { table.checkConstraints().map(::check) }
    val sequences: List<Sequence> get() = table.columns.mapNotNull { it.autoIncColumnType?.sequence }
    val enums: List<NativeEnumColumnType<*>> get() = table.columns.mapNotNull { it.columnType as? NativeEnumColumnType<*> }

    /** CREATE TABLE, then its comments. Foreign keys of a circle are left out, see [laterKeys]. */
    val create: List<String> by lazy { statements.filter { it.startsWith("CREATE TABLE ") || it.startsWith("COMMENT ON ") } }

    /** The foreign keys to be added when all tables are there, because the tables refer to one another. */
    val laterKeys: List<String> by lazy { statements.filter { it.startsWith("ALTER TABLE ") } }

    private val statements: List<String> by lazy {
        table.foreignKeys.forEach(::checkActions)
        table.createStatement()
    }

    fun addPrimaryKey(): String =
        exposed.addPrimaryKey(table, bareName(checkNotNull(table.primaryKey).name).take(rules.maxLength), *checkNotNull(table.primaryKey).columns)

    fun bareName(identity: String): String = unquoted(identity, rules)

    fun quoted(name: String): String = transaction.db.identifierManager.cutIfNecessaryAndQuote(name)

    private fun column(column: Column<*>): DeclaredColumn {
        val expression = column.defaultValueInDb()
        val possible = expression != null && exposed.isAllowedAsColumnDefault(expression)
        val definition = column.descriptionDdl(modify = true)
        val default = if (expression != null && possible) exposed.dataTypeProvider.processForDefaultValue(expression) else null
        val ownWords = if (default == null) definition else definition.replace(default, "")
        val type = bridge.dialect.schema.canonicalType(column.columnType.sqlType())
        val numbered = column.columnType.isAutoInc && column.autoIncColumnType?.sequence == null
        val identity = transaction.identity(column)
        return DeclaredColumn(
            column = column,
            identity = identity,
            name = bareName(identity),
            definition = definition,
            type = type,
            sqlType = if (column.columnType.isAutoInc) type else column.columnType.sqlType(),
            nullable = column.columnType.nullable || (expression != null && column.defaultValueFun == null && !possible),
            default = default,
            comparesDefault = !column.isDatabaseGenerated() && !numbered && !GENERATED.containsMatchIn(ownWords) && (default != null || !DEFAULT.containsMatchIn(ownWords)),
            autoIncrement = numbered,
            comment = commentOf(column, definition),
            comparesComment = INLINE_COMMENT.containsMatchIn(definition) || !ANY_COMMENT.containsMatchIn(ownWords),
        )
    }

    private fun commentOf(column: Column<*>, definition: String): String? {
        INLINE_COMMENT.find(definition)?.let { return unescaped(it.groupValues[1]) }
        val start = "COMMENT ON COLUMN ${transaction.fullIdentity(column)} IS '"
        return statements.firstOrNull { it.startsWith(start) }?.let { unescaped(it.removePrefix(start).removeSuffix("'")) }
    }

    private fun unescaped(literal: String) = literal.replace("''", "'")

    fun index(index: Index): DeclaredIndex {
        val parts = index.columns.map { bareName(transaction.identity(it)).lowercase() } +
            index.functions.orEmpty().map { checkNotNull(signatureOf(it.toString(), columnNames)) }
        val predicate = index.filterCondition?.let { signatureOf(QueryBuilder(false).append(it).toString(), columnNames) }
        // Not every database gets the name that the index has in code.
        val name = index.createStatement().firstNotNullOfOrNull { NAME_OF_INDEX.find(it)?.groupValues?.get(1) } ?: quoted(index.indexName)
        return DeclaredIndex(index, bareName(name), parts, predicate)
    }

    private fun foreignKey(key: ForeignKeyConstraint): DeclaredForeignKey {
        checkActions(key)
        val target = transaction.identity(key.targetTable)
        return DeclaredForeignKey(
            key,
            bareName(key.fkName),
            key.from.map { bareName(transaction.identity(it)).lowercase() },
            bareName(if (key.targetTable.schemaName == null) target else target.substringAfterLast('.')).lowercase(),
            key.target.map { bareName(transaction.identity(it)).lowercase() },
            actionOf(key.updateRule),
            actionOf(key.deleteRule),
            inline(key),
        )
    }

    private fun inline(key: ForeignKeyConstraint): String {
        val actions = listOf("DELETE" to key.deleteRule, "UPDATE" to key.updateRule).filter { (_, rule) -> rule != null && rule != ReferenceOption.NO_ACTION }
        return "CONSTRAINT ${key.fkName} REFERENCES ${key.targetTableName}(${transaction.identity(key.target.first())})" +
            actions.joinToString("") { (event, rule) -> " ON $event $rule" }
    }

    private fun actionOf(rule: ReferenceOption?) = bridge.dialect.schema.canonicalAction("${rule ?: ReferenceOption.NO_ACTION}")

    /** Exposed would leave the action out. */
    private fun checkActions(key: ForeignKeyConstraint) {
        if (exposed.supportsSetDefaultReferenceOption || ReferenceOption.SET_DEFAULT !in listOf(key.deleteRule, key.updateRule)) return
        throw UnsupportedByDialectException("${bridge.dialect.name} has no SET DEFAULT for the foreign key ${key.fkName}.", "Choose another action for this database.")
    }

    private fun check(check: CheckConstraint) =
        DeclaredCheck(check.checkName, bareName(check.checkName), check.checkOp, checkNotNull(signatureOf(check.checkOp, columnNames)))

    private companion object {
        val NAME_OF_INDEX = Regex("""(?:INDEX|CONSTRAINT) ("(?:[^"]|"")+"|`(?:[^`]|``)+`|\S+) """)
        val INLINE_COMMENT = Regex(" COMMENT '((?:[^']|'')*)'$")
        val ANY_COMMENT = Regex("\\bCOMMENT\\b", RegexOption.IGNORE_CASE)
        val GENERATED = Regex("\\bGENERATED\\b", RegexOption.IGNORE_CASE)
        val DEFAULT = Regex("\\bDEFAULT\\b", RegexOption.IGNORE_CASE)
    }
}

internal class DeclaredColumn(
    val column: Column<*>,
    val identity: String,
    val name: String,
    /** As in CREATE TABLE, without PRIMARY KEY. */
    val definition: String,
    /** In the canonical spelling. */
    val type: String,
    val sqlType: String,
    val nullable: Boolean,
    val default: String?,
    /** Not if the database makes the value in a way of its own. */
    val comparesDefault: Boolean,
    val autoIncrement: Boolean,
    val comment: String?,
    val comparesComment: Boolean,
)

internal class DeclaredIndex(val index: Index, val name: String, val parts: List<String>, val predicate: String?) {
    /** Made by ADD CONSTRAINT … UNIQUE where the database has that. */
    val isConstraint: Boolean get() = index.unique && index.filterCondition == null && index.functions.isNullOrEmpty()

    /** @throws UnsupportedByDialectException where Exposed would leave the index out. */
    fun create(dialect: String): List<String> = index.createStatement().onEach { sql ->
        if (sql.isNotBlank()) return@onEach
        val kind = when {
            index.filterCondition != null -> "partial indices"
            index.functions != null -> "indices on expressions"
            else -> "indices of type ${index.indexType}"
        }
        throw UnsupportedByDialectException("$dialect has no $kind, as $name would be.", "Leave the index out of the table for this database.")
    }
}

internal class DeclaredForeignKey(
    val constraint: ForeignKeyConstraint,
    val name: String,
    val columns: List<String>,
    val targetTable: String,
    val targetColumns: List<String>,
    val onUpdate: String,
    val onDelete: String,
    /** As a part of its column, if it is of one only. */
    val inline: String,
)

internal class DeclaredCheck(val identity: String, val name: String, val expression: String, val signature: String)

/** A name without its quotes. */
internal fun unquoted(identity: String, rules: IdentifierRules): String {
    val quote = rules.quote
    return if (identity.length > 1 && identity.startsWith(quote) && identity.endsWith(quote)) {
        identity.substring(1, identity.length - 1).replace(quote + quote, quote)
    } else {
        identity.trim('"', '`', '\'')
    }
}

/** Referenced tables before those that refer to them; within a circle the order of the arguments. */
internal fun inReferenceOrder(tables: List<Table>): List<Table> {
    val wanted = tables.toSet()
    val ordered = LinkedHashSet<Table>()
    val visiting = HashSet<Table>()
    fun visit(table: Table) {
        if (table in ordered || !visiting.add(table)) return
        table.foreignKeys.map { it.targetTable }.filter { it in wanted }.forEach(::visit)
        ordered += table
    }
    tables.forEach(::visit)
    return ordered.toList()
}

/** Whether some of [tables] refer to one another in a circle, or one to itself. */
internal fun haveCircle(tables: List<Table>): Boolean {
    val before = HashSet<Table>()
    val wanted = tables.toSet()
    return inReferenceOrder(tables).any { table ->
        val refers = table.foreignKeys.any { it.targetTable in wanted && it.targetTable !in before }
        before += table
        refers
    }
}
