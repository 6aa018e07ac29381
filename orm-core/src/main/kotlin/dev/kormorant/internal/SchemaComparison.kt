package dev.kormorant.internal

import dev.kormorant.ChangeKind
import dev.kormorant.NativeEnumColumnType
import dev.kormorant.SchemaChange
import dev.kormorant.SchemaDifference
import org.jetbrains.exposed.v1.core.Sequence
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.Transaction

/**
 * Compares [tables] with the schemas they are in, read before; [stored] is by the name of the schema, `null` for that of names without
 * one. With [onlyMissing] what is there is not changed. Types and sequences come first, then new tables, then what changes in those that are there, and foreign keys at the end.
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
    val changes = typeChanges(transaction, declared, stored) + sequences.missing(declared) + missing.map(::creation) +
        compared.flatMap { it.own } + missing.flatMap(::laterKeys) + compared.flatMap { it.foreignKeys }
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

// ---- Enum types

private fun ExposedBridge.typeChanges(transaction: Transaction, declared: List<DeclaredTable>, stored: Map<String?, StoredSchema>): List<SchemaChange> =
    typesOf(declared).flatMap { (schema, type) ->
        val labels = labelsOf(type, stored[schema])
        if (labels == null) {
            listOf(SchemaChange(ChangeKind.CREATE_TYPE, null, enumName(type), "", listOf(createType(transaction, type))))
        } else {
            type.labels.withIndex().filter { it.value !in labels }.map { (index, label) ->
                // Each after the one before it, which is there by then.
                val place = if (index == 0) labels.firstOrNull()?.let { " BEFORE '$it'" }.orEmpty() else " AFTER '${type.labels[index - 1]}'"
                val statement = "ALTER TYPE ${transaction.db.identifierManager.quoteIfNecessary(type.typeName)} ADD VALUE '$label'$place"
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
    "CREATE TYPE ${transaction.db.identifierManager.quoteIfNecessary(type.typeName)} AS ENUM (${type.labels.joinToString { "'$it'" }})"

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
