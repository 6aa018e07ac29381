package dev.kormorant.driver

// What a database says its tables are. Names are bare: without quotes and without the schema.

/** One kind of metadata, read for all tables of a schema at once. */
public class MetadataQuery<out T>(
    /** A query with one parameter, the name of a schema; `NULL` stands for the schema that names without one are in. */
    public val sql: String,
    /** Makes the metadata of the rows of [sql], which come in the order of the query. */
    public val read: (rows: List<Array<Any?>>) -> List<T>,
)

/** A column of a table, in the order of the table. */
public class StoredColumn(
    public val table: String,
    public val name: String,
    /** The type as the server writes it. */
    public val type: String,
    public val nullable: Boolean,
    /** The default as SQL text, a literal in quotes; `null` where there is none, and for columns the database computes. */
    public val default: String?,
    /** Whether the database numbers the rows by this column. */
    public val autoIncrement: Boolean,
    public val comment: String?,
    /** Whether there is a default that the database does not tell; [default] is `null` then. */
    public val hidesDefault: Boolean = false,
)

/** The primary key of a table. */
public class StoredPrimaryKey(public val table: String, public val name: String?, public val columns: List<String>)

/** An index, that of a primary key excepted. */
public class StoredIndex(
    public val table: String,
    /** `null` for that of a UNIQUE constraint without a name. */
    public val name: String?,
    public val unique: Boolean,
    /** Whether it belongs to a UNIQUE constraint and goes only with that. */
    public val isConstraint: Boolean,
    /** `btree`, `hash`, `gin`, …, in lower case; `null` where the choice makes no difference. */
    public val method: String?,
    public val parts: List<Part>,
    /** Condition of a partial index. */
    public val predicate: String?,
    /** The statement that made it, where the database keeps it. */
    public val definition: String? = null,
) {
    /** What is indexed: a column by its name, or an expression. */
    public class Part(public val column: String?, public val expression: String?)
}

/** A foreign key. */
public class StoredForeignKey(
    public val table: String,
    /** `null` where it was made without. */
    public val name: String?,
    public val columns: List<String>,
    public val targetTable: String,
    /** As many as [columns]; empty where the key refers to the primary key without naming it. */
    public val targetColumns: List<String>,
    /** `NO ACTION`, `CASCADE`, … */
    public val onUpdate: String,
    /** `NO ACTION`, `CASCADE`, … */
    public val onDelete: String,
)

/** A check constraint. */
public class StoredCheck(public val table: String, public val name: String?, public val expression: String)

/** An enum type of its own and its labels in order. */
public class StoredEnum(public val name: String, public val labels: List<String>)

/** How a table was made, for a database that keeps the text. */
public class StoredDefinition(
    public val table: String,
    /** The CREATE TABLE statement. */
    public val sql: String,
    /** The statements that make its triggers. */
    public val triggers: List<String>,
)
