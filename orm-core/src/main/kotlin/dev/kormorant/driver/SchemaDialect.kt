package dev.kormorant.driver

/** How one kind of database tells what is in it, and how it changes that. Names in arguments are quoted where they need it. */
public interface SchemaDialect {
    /** The columns of all tables, views left out. */
    public val columns: MetadataQuery<StoredColumn>

    /** The primary keys. */
    public val primaryKeys: MetadataQuery<StoredPrimaryKey>

    /** The indices, those of primary keys left out. */
    public val indices: MetadataQuery<StoredIndex>

    /** The foreign keys. */
    public val foreignKeys: MetadataQuery<StoredForeignKey>

    /** The check constraints, the database's own left out; `null` where there are none. */
    public val checks: MetadataQuery<StoredCheck>? get() = null

    /** Names of the sequences, those a column owns left out; `null` where there are none. */
    public val sequences: MetadataQuery<String>? get() = null

    /** The enum types; `null` where an enum is part of its column. */
    public val enums: MetadataQuery<StoredEnum>? get() = null

    /** Whether a foreign key has an index without being asked. */
    public val indexesForeignKeys: Boolean get() = false

    /** Whether the type of a column cannot change while a foreign key is on it or refers to it. */
    public val fixesTypesOfKeys: Boolean get() = false

    /** Names of all databases of the server, one a row; `null` where there are no others. */
    public val databaseNames: String? get() = null

    /** One spelling of a type, whether it was written in DDL or told by the server: two types are the same if their spellings are. */
    public fun canonicalType(sql: String): String

    /** One spelling of a referential action: two actions are the same if their spellings are. */
    public fun canonicalAction(action: String): String = action

    /** Makes a column what the change says it is to be. Not called where there is a [rebuild]. */
    public fun alterColumn(change: ColumnChange): List<String>

    /** Drops a thing of a table. Where there is a [rebuild], called for indices only. */
    public fun drop(kind: TablePart, table: String, name: String): String

    /** Gives a thing of a table another name; `null` where it has to be dropped and made again. */
    public fun rename(kind: TablePart, table: String, from: String, to: String): String?

    /** Deletes all rows of [tables], which no table outside of them refers to; run with [keyChecks]. */
    public fun truncate(tables: List<TruncatedTable>, restartIdentity: Boolean): List<String>

    /** Drops [tables] if they are there, which refer to one another in a circle; run with [keyChecks]. */
    public fun dropCircle(tables: List<String>): List<String> = listOf("DROP TABLE IF EXISTS ${tables.joinToString()}")

    /** What the session must be set to while tables go that others still refer to; `null` where nothing has to be set. */
    public val keyChecks: SessionSetting? get() = null

    /** Makes names without a schema mean those of [schema] for as long as the connection lives; `null` where there are no schemas. */
    public fun setSchema(schema: String): String? = null

    /** Like [setSchema] up to the end of the transaction; `null` where it cannot be limited to that. */
    public fun setSchemaInTransaction(schema: String): String? = null

    /** The way to do what ALTER TABLE cannot: a new table in place of the old one. `null` where ALTER TABLE can. */
    public val rebuild: TableRebuilder? get() = null
}

/** A thing that belongs to a table. */
public enum class TablePart { COLUMN, PRIMARY_KEY, INDEX, UNIQUE_CONSTRAINT, FOREIGN_KEY, CHECK }

/** A table to truncate. */
public class TruncatedTable(
    /** Quoted if needed. */
    public val identity: String,
    /** Without quotes. */
    public val name: String,
    /** Whether the database numbers its rows. */
    public val autoIncrement: Boolean,
)

/** What a column is to become. */
public class ColumnChange(
    public val table: String,
    public val column: String,
    /** The column as in CREATE TABLE, without PRIMARY KEY. */
    public val definition: String,
    /** Its type, without anything about numbering. */
    public val type: String,
    public val nullable: Boolean,
    /** Its default as SQL text. */
    public val default: String?,
    public val autoIncrement: Boolean,
    public val comment: String?,
    /** What of it differs. */
    public val differs: Set<ColumnAspect>,
    /** What it is now. */
    public val stored: StoredColumn,
)

/** What can differ between a column as it is and as it is to be. */
public enum class ColumnAspect { TYPE, NULLABILITY, DEFAULT, AUTO_INCREMENT, COMMENT }

/** Puts a new table in the place of an old one, with the old one's rows. */
public interface TableRebuilder {
    /** How the tables were made. */
    public val definitions: MetadataQuery<StoredDefinition>

    /** What the session must be set to around the transaction of [rebuild]. */
    public val settings: List<SessionSetting>

    /** A query that has a row for each reference to nowhere, for the end of the transaction. */
    public val brokenReferences: String

    /** The statements, to be run in one transaction. */
    public fun rebuild(table: RebuiltTable): List<String>
}

/** The table to put in the place of [stored]. */
public class RebuiltTable(
    /** Quoted if needed. */
    public val identity: String,
    /** The CREATE TABLE statement of the new one, which calls it [identity]. */
    public val create: String,
    /** Columns whose values are kept, by their names in the old table and the new, quoted if needed. */
    public val copied: Map<String, String>,
    /** Names of columns of the old table that are to stay although [create] does not have them. */
    public val keptColumns: Set<String>,
    /** Constraints of the old table that are to stay although [create] does not have them. */
    public val keptConstraints: List<String>,
    /** Statements that make the indices. */
    public val indices: List<String>,
    public val stored: StoredDefinition,
)

/** A setting of a session. */
public class SessionSetting(
    /** A query for its value. */
    public val query: String,
    /** The value it must have. */
    public val needed: String,
    /** The value it has by default. */
    public val usual: String,
    /** The statement that gives it a value. */
    public val assignment: (value: String) -> String,
)
