package dev.kormorant

/**
 * What [Schema.difference] found between the tables in code and those in the database: plain data, nothing of it has been run.
 *
 * Whatever is in the database and not in the code is [excess], apart from the [changes], so that nothing is dropped unasked.
 */
public class SchemaDifference internal constructor(
    /** What makes the database what the code says, in the order to do it. */
    public val changes: List<SchemaChange>,
    /** What would take out of the database what the code does not have, in the order to do it after [changes]. */
    public val excess: List<SchemaChange>,
) {
    /** Whether there is nothing to change; there may be an [excess]. */
    public val isEmpty: Boolean get() = changes.isEmpty()

    /** The statements of [changes], in order. */
    public val statements: List<String> get() = changes.flatMap { it.statements }

    /** The statements of [excess], in order. */
    public val excessStatements: List<String> get() = excess.flatMap { it.statements }

    /**
     * [statements] as the text of a migration script, each with what it is for in a comment before it; with [dropExcess] followed by
     * [excessStatements]. Empty where there are none.
     */
    public fun script(dropExcess: Boolean = false): String = (if (dropExcess) changes + excess else changes).joinToString("") { change ->
        change.statements.joinToString("", prefix = "-- ${change.toString().replace('\n', ' ')}\n") { "$it;\n" }
    }

    override fun toString(): String =
        if (changes.isEmpty() && excess.isEmpty()) "no difference" else (changes + excess.map { "excess: $it" }).joinToString("\n")
}

/** One step from the database as it is to the tables as they are in code. */
public class SchemaChange internal constructor(
    /** What is done. */
    public val kind: ChangeKind,
    /** The table it is done to, without quotes; `null` for sequences and types. */
    public val table: String?,
    /** Name of the column, index, constraint, sequence or type, without quotes; `null` where it is the table itself. */
    public val name: String?,
    /** What differs, for a reader: `type varchar(40) -> varchar(60)`; empty where [kind] says it all. */
    public val detail: String,
    /** The statements that do it, in order. */
    public val statements: List<String>,
    /** What a [ChangeKind.REBUILD_TABLE] brings about, each without statements of its own. */
    public val parts: List<SchemaChange> = emptyList(),
) {
    override fun toString(): String = buildString {
        append(kind.name.lowercase().replace('_', ' ')).append(' ').append(listOfNotNull(table, name).joinToString("."))
        if (detail.isNotEmpty()) append(" (").append(detail).append(')')
        if (parts.isNotEmpty()) append(parts.joinToString(prefix = ": "))
    }
}

/** What a [SchemaChange] does. */
public enum class ChangeKind {
    CREATE_TYPE,

    /** A label is added to an enum type. */
    EXTEND_TYPE,
    CREATE_SEQUENCE,

    /** The table with its indices and constraints. */
    CREATE_TABLE,
    ADD_COLUMN,

    /** Type, nullability, default, numbering or comment. */
    ALTER_COLUMN,
    ADD_PRIMARY_KEY,
    REPLACE_PRIMARY_KEY,
    CREATE_INDEX,
    RENAME_INDEX,
    REPLACE_INDEX,
    ADD_CHECK,
    RENAME_CHECK,
    REPLACE_CHECK,
    ADD_FOREIGN_KEY,
    RENAME_FOREIGN_KEY,
    REPLACE_FOREIGN_KEY,

    /** A new table takes the place of the old one and gets its rows, where the database cannot alter the table. */
    REBUILD_TABLE,
    DROP_FOREIGN_KEY,
    DROP_CHECK,
    DROP_INDEX,
    DROP_PRIMARY_KEY,
    DROP_COLUMN,
    DROP_SEQUENCE,

    /** A label of an enum type that the code does not have; no database can drop one, so there are no statements. */
    DROP_LABEL,
    ;

    /** Whether it only adds something. */
    internal val adds: Boolean get() = name.startsWith("CREATE_") || name.startsWith("ADD_") || this == EXTEND_TYPE
}
