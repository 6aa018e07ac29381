package dev.kormorant.internal

import dev.kormorant.ChangeKind
import dev.kormorant.NativeEnumColumnType
import dev.kormorant.SchemaChange
import dev.kormorant.SchemaDifference
import dev.kormorant.driver.StoredForeignKey
import dev.kormorant.driver.TablePart
import org.jetbrains.exposed.v1.core.Sequence
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.Transaction

/**
 * Compares [tables] with the schemas they are in, read before; [stored] is by the name of the schema, `null` for that of names without
 * one. With [onlyMissing] what is there is not changed. Types and sequences come first, then what changes in the tables that are there,
 * then new tables, which may refer to it, and foreign keys at the end.
 */
internal fun ExposedBridge.difference(
    tables: List<Table>,
    stored: Map<String?, StoredSchema>,
    onlyMissing: Boolean,
): SchemaDifference = render { transaction ->
    val declared = inReferenceOrder(tables).map { DeclaredTable(it, this, transaction) }
    val (present, missing) = declared.partition { storedTable(it, stored) != null }
    val compared = present.map { TableComparison(it, checkNotNull(storedTable(it, stored)), this, onlyMissing).compare() }
    val sequences = SequenceComparison(this, transaction, stored)
    val keyChanges = compared.flatMap { it.foreignKeys }
    val freed = if (dialect.schema.fixesTypesOfKeys) keysOn(present.zip(compared), stored).filterNot { isChanged(it, keyChanges) } else emptyList()
    val changes = typeChanges(transaction, declared, stored) + sequences.missing(declared) +
        freed.map { it.drop(this, transaction) } + compared.flatMap { it.own } + freed.map { it.add(transaction) } +
        missing.map(::creation) + missing.flatMap(::laterKeys) + keyChanges
    val excess = compared.flatMap { it.excess } + labelsInExcess(declared, stored) + sequences.inExcess(declared)
    SchemaDifference(changes, excess.sortedBy { it.kind })
}

/** What creates those of [tables] that are not there, with the enum types that are not there. */
internal fun ExposedBridge.creation(
    tables: List<Table>,
    isThere: (DeclaredTable) -> Boolean,
    typeIsThere: (schema: String?, name: String) -> Boolean,
): List<String> = render { transaction ->
    val missing = inReferenceOrder(tables).map { DeclaredTable(it, this, transaction) }.filterNot(isThere)
    val types = typesOf(missing).filterNot { (schema, type) -> typeIsThere(schema, enumName(type)) }
    types.map { (_, type) -> createType(transaction, type) } +
        missing.flatMap { it.sequences }.distinctBy { it.name }.flatMap { it.createStatement() } +
        missing.flatMap { creation(it).statements } + missing.flatMap { it.laterKeys }
}

private fun storedTable(table: DeclaredTable, stored: Map<String?, StoredSchema>) = stored[table.table.schemaName]?.table(table.name)

private fun ExposedBridge.creation(table: DeclaredTable) =
    SchemaChange(ChangeKind.CREATE_TABLE, table.name, null, "", table.create + table.indices.flatMap { it.create(dialect.name) })

private fun laterKeys(table: DeclaredTable): List<SchemaChange> =
    if (table.laterKeys.isEmpty()) {
        emptyList()
    } else {
        table.foreignKeys.zip(table.laterKeys) { key, statement -> SchemaChange(ChangeKind.ADD_FOREIGN_KEY, table.name, key.name, "", listOf(statement)) }
    }

// ---- Foreign keys that have to go while their columns change

private class FreedKey(private val schema: String?, val key: StoredForeignKey) {
    fun drop(bridge: ExposedBridge, transaction: Transaction): SchemaChange {
        val statement = bridge.dialect.schema.drop(TablePart.FOREIGN_KEY, identity(transaction, key.table), quoted(transaction, key.name.orEmpty()))
        return SchemaChange(ChangeKind.DROP_FOREIGN_KEY, key.table, key.name, "while its columns change", listOf(statement))
    }

    fun add(transaction: Transaction): SchemaChange {
        fun list(columns: List<String>) = columns.joinToString(prefix = "(", postfix = ")") { quoted(transaction, it) }
        val statement = "ALTER TABLE ${identity(transaction, key.table)} ADD CONSTRAINT ${quoted(transaction, key.name.orEmpty())} FOREIGN KEY ${list(key.columns)} " +
            "REFERENCES ${identity(transaction, key.targetTable)}${list(key.targetColumns)} ON DELETE ${key.onDelete} ON UPDATE ${key.onUpdate}"
        return SchemaChange(ChangeKind.ADD_FOREIGN_KEY, key.table, key.name, "as it was", listOf(statement))
    }

    private fun identity(transaction: Transaction, table: String) = listOfNotNull(schema, table).joinToString(".") { quoted(transaction, it) }

    private fun quoted(transaction: Transaction, name: String) = transaction.db.identifierManager.quoteIfNecessary(name)
}

/** The foreign keys in which a column is that gets another type. */
private fun keysOn(compared: List<Pair<DeclaredTable, TableChanges>>, stored: Map<String?, StoredSchema>): List<FreedKey> {
    val retyped = compared.associate { (table, changes) -> (table.table.schemaName to table.name.lowercase()) to changes.retyped }
    return stored.flatMap { (schema, of) ->
        fun isRetyped(table: String, columns: List<String>) = columns.any { it.lowercase() in retyped[schema to table.lowercase()].orEmpty() }
        of.foreignKeys.values.flatten().filter { isRetyped(it.table, it.columns) || isRetyped(it.targetTable, it.targetColumns) }.map { FreedKey(schema, it) }
    }
}

private fun isChanged(freed: FreedKey, changes: List<SchemaChange>) = changes.any { change ->
    change.table.equals(freed.key.table, ignoreCase = true) && (change.name == freed.key.name || "was ${freed.key.name}" == change.detail)
}

// ---- Enum types

private fun ExposedBridge.typeChanges(transaction: Transaction, declared: List<DeclaredTable>, stored: Map<String?, StoredSchema>): List<SchemaChange> =
    typesOf(declared).flatMap { (schema, type) ->
        val labels = labelsOf(type, stored[schema])
        if (labels == null) {
            listOf(SchemaChange(ChangeKind.CREATE_TYPE, null, enumName(type), "", listOf(createType(transaction, type))))
        } else {
            type.labels.withIndex().filter { it.value !in labels }.map { (index, label) ->
                // Each after the one before it, which is there by then.
                val place = if (index == 0) labels.firstOrNull()?.let { " BEFORE ${literal(it)}" }.orEmpty() else " AFTER ${literal(type.labels[index - 1])}"
                val statement = "ALTER TYPE ${transaction.db.identifierManager.quoteIfNecessary(type.typeName)} ADD VALUE ${literal(label)}$place"
                SchemaChange(ChangeKind.EXTEND_TYPE, null, enumName(type), "'$label'", listOf(statement))
            }
        }
    }

private fun ExposedBridge.labelsInExcess(declared: List<DeclaredTable>, stored: Map<String?, StoredSchema>): List<SchemaChange> =
    typesOf(declared).flatMap { (schema, type) ->
        labelsOf(type, stored[schema]).orEmpty().filter { it !in type.labels }
            .map { SchemaChange(ChangeKind.DROP_LABEL, null, enumName(type), "'$it'", emptyList()) }
    }

private fun ExposedBridge.typesOf(declared: List<DeclaredTable>) =
    if (dialect.schema.enums == null) emptyList() else declared.flatMap { table -> table.enums.map { table.table.schemaName to it } }.distinctBy { it.second.typeName }

private fun ExposedBridge.labelsOf(type: NativeEnumColumnType<*>, stored: StoredSchema?): List<String>? =
    stored?.enums?.firstOrNull { it.name == enumName(type) }?.labels

private fun ExposedBridge.enumName(type: NativeEnumColumnType<*>) = unquoted(type.typeName.substringAfterLast('.'), dialect.identifiers)

private fun createType(transaction: Transaction, type: NativeEnumColumnType<*>): String =
    "CREATE TYPE ${transaction.db.identifierManager.quoteIfNecessary(type.typeName)} AS ENUM (${type.labels.joinToString(transform = ::literal)})"

// ---- Sequences

private class SequenceComparison(private val bridge: ExposedBridge, private val transaction: Transaction, private val stored: Map<String?, StoredSchema>) {
    private val stores = stored.values.flatMap { it.sequences }.mapTo(HashSet()) { it.lowercase() }

    fun missing(declared: List<DeclaredTable>): List<SchemaChange> = declared.flatMap { it.sequences }.distinctBy { it.name }
        .filter { nameOf(it) !in stores }
        .map { SchemaChange(ChangeKind.CREATE_SEQUENCE, null, nameOf(it), "", it.createStatement()) }

    /** A sequence belongs to no table, so one is in excess only beside all tables of the schema. */
    fun inExcess(declared: List<DeclaredTable>): List<SchemaChange> {
        val own = stored[null] ?: return emptyList()
        val names = declared.filter { it.table.schemaName == null }.mapTo(HashSet()) { it.name.lowercase() }
        if (!names.containsAll(own.tableNames)) return emptyList()
        val used = declared.flatMap { it.sequences }.mapTo(HashSet(), ::nameOf)
        return own.sequences.filter { it.lowercase() !in used }
            .map { SchemaChange(ChangeKind.DROP_SEQUENCE, null, it, "", Sequence(quoted(it)).dropStatement()) }
    }

    private fun quoted(name: String) = transaction.db.identifierManager.quoteIdentifierWhenWrongCaseOrNecessary(name)

    private fun nameOf(sequence: Sequence) = unquoted(sequence.identifier.substringAfterLast('.'), bridge.dialect.identifiers).lowercase()
}
