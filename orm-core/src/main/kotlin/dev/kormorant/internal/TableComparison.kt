package dev.kormorant.internal

import dev.kormorant.ChangeKind
import dev.kormorant.SchemaChange
import dev.kormorant.driver.ColumnAspect
import dev.kormorant.driver.ColumnChange
import dev.kormorant.driver.RebuiltTable
import dev.kormorant.driver.StoredCheck
import dev.kormorant.driver.StoredColumn
import dev.kormorant.driver.StoredForeignKey
import dev.kormorant.driver.StoredIndex
import dev.kormorant.driver.TablePart
import org.jetbrains.exposed.v1.core.LiteralOp

/** What one table needs to become what it is in code; its foreign keys apart, as they need the other tables. */
internal class TableChanges(
    val own: List<SchemaChange>,
    val foreignKeys: List<SchemaChange>,
    val excess: List<SchemaChange>,
    /** Columns that get another type, in lower case. */
    val retyped: Set<String>,
)

/** Compares [declared] with [stored]. Used inside [ExposedBridge.render]. */
internal class TableComparison(
    private val declared: DeclaredTable,
    private val stored: StoredTable,
    private val bridge: ExposedBridge,
    private val onlyMissing: Boolean,
) {
    private val facts = bridge.dialect.schema
    private val changes = ArrayList<Step>()
    private val keys = ArrayList<Step>()
    private val excess = ArrayList<Step>()

    private val retyped = HashSet<String>()

    // Added together with their column.
    private var primaryKeyDone = false
    private val addedChecks = HashSet<DeclaredCheck>()
    private val addedKeys = HashSet<DeclaredForeignKey>()

    fun compare(): TableChanges {
        columns()
        primaryKey()
        indices()
        checks()
        foreignKeys()
        if (onlyMissing) {
            listOf(changes, keys).forEach { steps -> steps.removeAll { !it.kind.adds } }
            retyped.clear()
        }
        if (facts.rebuild == null) return TableChanges(changes.map { it.change() }, keys.map { it.change() }, excess.map { it.change() }, retyped)
        val all = changes + keys
        val needed = if (all.all { it.inPlace }) all.map { it.change() } else listOf(rebuild(all, keepsExcess = true))
        val dropped = if (excess.all { it.inPlace }) excess.map { it.change() } else listOf(rebuild(excess, keepsExcess = false))
        return TableChanges(needed, emptyList(), dropped, retyped)
    }

    /** A change whose statements are made if they are needed; [inPlace] even where ALTER TABLE can do little. */
    private inner class Step(
        val kind: ChangeKind,
        val name: String?,
        val detail: String = "",
        val inPlace: Boolean = false,
        val statements: () -> List<String>,
    ) {
        fun change() = SchemaChange(kind, declared.name, name, detail, statements())

        fun part() = SchemaChange(kind, declared.name, name, detail, emptyList())
    }

    // ---- Columns

    private fun columns() {
        val present = stored.columns.associateBy { it.name.lowercase() }
        for (column in declared.columns) present[column.name.lowercase()]?.let { compare(column, it) } ?: add(column)
        for (column in stored.columns.filter { it.name.lowercase() !in declared.columnNames }) {
            excess += Step(ChangeKind.DROP_COLUMN, column.name) { listOf(facts.drop(TablePart.COLUMN, declared.identity, declared.quoted(column.name))) }
        }
    }

    private fun add(column: DeclaredColumn) {
        val isKey = declared.primaryKey.singleOrNull() == column.name && stored.primaryKey == null
        primaryKeyDone = primaryKeyDone || isKey
        if (facts.rebuild != null) return addTogether(column, isKey)
        changes += Step(ChangeKind.ADD_COLUMN, column.name) {
            val definition = if (isKey) column.column.descriptionDdl(modify = false) else column.definition
            listOf("ALTER TABLE ${declared.identity} ADD $definition") +
                declared.create.filter { it.startsWith("COMMENT ON COLUMN ${declared.identity}.${column.identity} ") }
        }
    }

    /** A column together with the constraints on nothing but it, which could be added later in a new table only. */
    private fun addTogether(column: DeclaredColumn, isKey: Boolean) {
        val name = column.name.lowercase()
        val checks = declared.checks.filter { columnsIn(it.expression, declared.columnNames) == setOf(name) }
        val keys = declared.foreignKeys.filter { name in it.columns }
        val fitsRows = if (column.default == null) column.nullable else column.column.defaultValueInDb() is LiteralOp<*>
        val inPlace = fitsRows && !isKey && !GENERATED.containsMatchIn(column.definition) && keys.all { it.columns.size == 1 && column.default == null }
        if (inPlace) {
            addedChecks += checks
            addedKeys += keys
        }
        changes += Step(ChangeKind.ADD_COLUMN, column.name, inPlace = inPlace) {
            val constraints = checks.map { " CONSTRAINT ${it.identity} CHECK (${it.expression})" } + keys.map { " ${it.inline}" }
            listOf("ALTER TABLE ${declared.identity} ADD ${column.definition}${constraints.joinToString("")}")
        }
    }

    private fun compare(column: DeclaredColumn, now: StoredColumn) {
        val inKey = column.name in declared.primaryKey
        val type = facts.canonicalType(now.type)
        val differences = LinkedHashMap<ColumnAspect, String>()
        fun note(aspect: ColumnAspect, from: Any?, to: Any?) {
            if (from != to) differences[aspect] = "${aspect.name.lowercase().replace('_', ' ')} $from -> $to"
        }
        note(ColumnAspect.TYPE, type, column.type)
        note(ColumnAspect.NULLABILITY, nullability(now.nullable && !inKey), nullability(column.nullable && !inKey))
        if (column.comparesDefault) {
            val default = if (now.autoIncrement) null else now.default
            val differs = if (now.hidesDefault) column.default == null else canonicalDefault(default, type) != canonicalDefault(column.default, column.type)
            if (differs) differences[ColumnAspect.DEFAULT] = "default ${if (now.hidesDefault) "unknown" else "$default"} -> ${column.default}"
        }
        note(ColumnAspect.AUTO_INCREMENT, now.autoIncrement, column.autoIncrement)
        if (column.comparesComment) note(ColumnAspect.COMMENT, now.comment?.ifEmpty { null }, column.comment)
        if (differences.isEmpty()) return
        if (ColumnAspect.TYPE in differences) retyped += column.name.lowercase()
        changes += Step(ChangeKind.ALTER_COLUMN, column.name, differences.values.joinToString()) {
            facts.alterColumn(
                ColumnChange(
                    declared.identity, column.identity, column.definition, column.sqlType, column.nullable, column.default, column.autoIncrement,
                    column.comment, differences.keys, now,
                ),
            )
        }
    }

    private fun nullability(nullable: Boolean) = if (nullable) "NULL" else "NOT NULL"

    // ---- Primary key

    private fun primaryKey() {
        val now = stored.primaryKey
        val same = now?.columns.orEmpty().map { it.lowercase() } == declared.primaryKey.map { it.lowercase() }
        if (same || primaryKeyDone) return
        fun drop() = facts.drop(TablePart.PRIMARY_KEY, declared.identity, now?.name?.let(declared::quoted).orEmpty())
        when {
            declared.primaryKey.isEmpty() -> excess += Step(ChangeKind.DROP_PRIMARY_KEY, now?.name) { listOf(drop()) }
            now == null -> changes += Step(ChangeKind.ADD_PRIMARY_KEY, null, declared.primaryKey.joinToString()) { listOf(declared.addPrimaryKey()) }
            else -> changes += Step(ChangeKind.REPLACE_PRIMARY_KEY, null, "${now.columns} -> ${declared.primaryKey}") {
                listOf(drop(), declared.addPrimaryKey())
            }
        }
    }

    // ---- Indices

    private fun indices() {
        val left = stored.indices.toMutableList()
        for (index in declared.indices) {
            val named = left.firstOrNull { it.name.equals(index.name, ignoreCase = true) }
            val match = named ?: left.firstOrNull { it.isLike(index) }
            left -= match ?: run {
                changes += Step(ChangeKind.CREATE_INDEX, index.name, inPlace = true) { index.create(bridge.dialect.name) }
                continue
            }
            when {
                !match.isLike(index) -> changes += Step(ChangeKind.REPLACE_INDEX, index.name, inPlace = !match.isConstraint) {
                    listOf(drop(match)) + index.create(bridge.dialect.name)
                }
                named == null && match.name != null -> changes += Step(ChangeKind.RENAME_INDEX, index.name, "was ${match.name}", inPlace = true) {
                    val part = if (match.isConstraint) TablePart.UNIQUE_CONSTRAINT else TablePart.INDEX
                    facts.rename(part, declared.identity, declared.quoted(match.name), declared.quoted(index.name))?.let(::listOf)
                        ?: (listOf(drop(match)) + index.create(bridge.dialect.name))
                }
            }
        }
        for (index in left.filterNot(::isOfForeignKey)) {
            excess += Step(ChangeKind.DROP_INDEX, index.name, inPlace = !index.isConstraint) { listOf(drop(index)) }
        }
    }

    private fun drop(index: StoredIndex): String {
        val part = if (index.isConstraint) TablePart.UNIQUE_CONSTRAINT else TablePart.INDEX
        return facts.drop(part, declared.identity, index.name?.let(declared::quoted).orEmpty())
    }

    /** An index that the database has made for a foreign key by itself. */
    private fun isOfForeignKey(index: StoredIndex): Boolean = facts.indexesForeignKeys && !index.unique &&
        stored.foreignKeys.any { key -> key.columns.map { it.lowercase() } == index.parts.map { it.column?.lowercase() } }

    private fun StoredIndex.isLike(index: DeclaredIndex): Boolean {
        val wanted = index.index.indexType?.lowercase()
        return unique == index.index.unique &&
            partsOf(this) == index.parts &&
            signatureOf(predicate, declared.columnNames) == index.predicate &&
            (wanted == null || method == null || wanted == method)
    }

    private fun partsOf(index: StoredIndex) = index.parts.map { it.column?.lowercase() ?: signatureOf(it.expression, declared.columnNames) }

    // ---- Checks

    private fun checks() {
        if (facts.checks == null) return
        val left = stored.checks.toMutableList()
        for (check in declared.checks - addedChecks) {
            fun create() = "ALTER TABLE ${declared.identity} ADD CONSTRAINT ${check.identity} CHECK (${check.expression})"
            val named = left.firstOrNull { it.name.equals(check.name, ignoreCase = true) }
            val match = named ?: left.firstOrNull { signatureOf(it.expression, declared.columnNames) == check.signature }
            left -= match ?: run {
                changes += Step(ChangeKind.ADD_CHECK, check.name, check.expression) { listOf(create()) }
                continue
            }
            fun drop() = facts.drop(TablePart.CHECK, declared.identity, declared.quoted(match.name.orEmpty()))
            when {
                signatureOf(match.expression, declared.columnNames) != check.signature ->
                    changes += Step(ChangeKind.REPLACE_CHECK, check.name, "${match.expression} -> ${check.expression}") { listOf(drop(), create()) }
                named == null && match.name != null -> changes += Step(ChangeKind.RENAME_CHECK, check.name, "was ${match.name}") {
                    facts.rename(TablePart.CHECK, declared.identity, declared.quoted(match.name), check.identity)?.let(::listOf) ?: listOf(drop(), create())
                }
            }
        }
        for (check in left) {
            val steps = if (isOfType(check)) changes else excess
            steps += Step(ChangeKind.DROP_CHECK, check.name, check.expression) {
                listOf(facts.drop(TablePart.CHECK, declared.identity, declared.quoted(check.name.orEmpty())))
            }
        }
    }

    /** A check of the range of a column's type, made by Exposed; if the code does not have it any more, that is because the type has changed. */
    private fun isOfType(check: StoredCheck): Boolean =
        check.name?.let(OF_TYPE::containsMatchIn) == true && columnsIn(check.expression, declared.columnNames).isNotEmpty()

    // ---- Foreign keys

    private fun foreignKeys() {
        val left = stored.foreignKeys.toMutableList()
        for (key in declared.foreignKeys - addedKeys) {
            val named = left.firstOrNull { it.name.equals(key.name, ignoreCase = true) }
            val match = named ?: left.firstOrNull { it.refersLike(key) }
            left -= match ?: run {
                keys += Step(ChangeKind.ADD_FOREIGN_KEY, key.name) { key.constraint.createStatement() }
                continue
            }
            fun drop() = facts.drop(TablePart.FOREIGN_KEY, declared.identity, declared.quoted(match.name.orEmpty()))
            val same = match.refersLike(key) && facts.canonicalAction(match.onUpdate) == key.onUpdate && facts.canonicalAction(match.onDelete) == key.onDelete
            when {
                !same -> keys += Step(ChangeKind.REPLACE_FOREIGN_KEY, key.name, match.text()) { listOf(drop()) + key.constraint.createStatement() }
                named == null && match.name != null -> keys += Step(ChangeKind.RENAME_FOREIGN_KEY, key.name, "was ${match.name}") {
                    facts.rename(TablePart.FOREIGN_KEY, declared.identity, declared.quoted(match.name), declared.quoted(key.name))?.let(::listOf)
                        ?: (listOf(drop()) + key.constraint.createStatement())
                }
            }
        }
        for (key in left) {
            excess += Step(ChangeKind.DROP_FOREIGN_KEY, key.name, key.text()) {
                listOf(facts.drop(TablePart.FOREIGN_KEY, declared.identity, declared.quoted(key.name.orEmpty())))
            }
        }
    }

    private fun StoredForeignKey.refersLike(key: DeclaredForeignKey) = columns.map { it.lowercase() } == key.columns &&
        targetTable.lowercase() == key.targetTable &&
        (targetColumns.isEmpty() || targetColumns.map { it.lowercase() } == key.targetColumns)

    private fun StoredForeignKey.text() = "was to $targetTable${targetColumns.joinToString(prefix = "(", postfix = ")")} ON UPDATE $onUpdate ON DELETE $onDelete"

    // ---- A new table in place of the old one

    private fun rebuild(parts: List<Step>, keepsExcess: Boolean): SchemaChange {
        val kept = if (keepsExcess) excess else emptyList()
        val keptNames = kept.groupBy({ it.kind }, { it.name })
        val keptColumns = keptNames[ChangeKind.DROP_COLUMN].orEmpty().filterNotNull().toSet()
        val before = stored.columns.associateBy { it.name.lowercase() }
        val copied = declared.columns.mapNotNull { column -> before[column.name.lowercase()]?.let { declared.quoted(it.name) to column.identity } }
        val rebuilt = RebuiltTable(
            identity = declared.identity,
            create = declared.create.first(),
            copied = (copied + keptColumns.map { declared.quoted(it) to declared.quoted(it) }).toMap(),
            keptColumns = keptColumns,
            keptConstraints = if (keepsExcess) constraintsOf(keptNames) else emptyList(),
            indices = declared.indices.flatMap { it.create(bridge.dialect.name) } +
                stored.indices.filter { it.definition != null && it.name in keptNames[ChangeKind.DROP_INDEX].orEmpty() }.map { checkNotNull(it.definition) },
            stored = checkNotNull(stored.definition) { "The table ${declared.name} has no definition." },
        )
        return SchemaChange(ChangeKind.REBUILD_TABLE, declared.name, null, "", checkNotNull(facts.rebuild).rebuild(rebuilt), parts.map { it.part() })
    }

    /** The constraints that the code does not have, as parts of a CREATE TABLE. */
    private fun constraintsOf(kept: Map<ChangeKind, List<String?>>): List<String> {
        fun named(name: String?) = name?.let { "CONSTRAINT ${declared.quoted(it)} " }.orEmpty()
        fun list(columns: List<String>) = if (columns.isEmpty()) "" else columns.joinToString(prefix = " (", postfix = ")", transform = declared::quoted)
        val key = listOfNotNull(stored.primaryKey).filter { ChangeKind.DROP_PRIMARY_KEY in kept }.map { "PRIMARY KEY${list(it.columns)}" }
        val uniques = stored.indices.filter { it.isConstraint && it.name in kept[ChangeKind.DROP_INDEX].orEmpty() }
            .filter { index -> declared.indices.none { index.isLike(it) } }
            .map { "UNIQUE${list(it.parts.mapNotNull { part -> part.column })}" }
        val checks = stored.checks.filter { it.name in kept[ChangeKind.DROP_CHECK].orEmpty() }.filter { check ->
            declared.checks.none { it.signature == signatureOf(check.expression, declared.columnNames) }
        }.map { "${named(it.name)}CHECK (${it.expression})" }
        val keys = stored.foreignKeys.filter { it.name in kept[ChangeKind.DROP_FOREIGN_KEY].orEmpty() }
            .filter { key -> declared.foreignKeys.none { key.refersLike(it) } }
            .map {
                "${named(it.name)}FOREIGN KEY${list(it.columns)} REFERENCES ${declared.quoted(it.targetTable)}${list(it.targetColumns)} " +
                    "ON UPDATE ${it.onUpdate} ON DELETE ${it.onDelete}"
            }
        return key + uniques + checks + keys
    }

    private companion object {
        val GENERATED = Regex("\\bGENERATED\\b", RegexOption.IGNORE_CASE)
        val OF_TYPE = Regex("^chk_.*_(?:un)?signed_(?:byte|short|integer|long)_", RegexOption.IGNORE_CASE)
    }
}
