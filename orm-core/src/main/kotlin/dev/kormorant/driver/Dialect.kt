package dev.kormorant.driver

import dev.kormorant.DatabaseException
import dev.kormorant.DeadlockException
import dev.kormorant.SerializationException
import org.jetbrains.exposed.v1.core.Version
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import kotlin.time.Duration

/** Facts about one kind of database: a capability is a property here, never a test for a class elsewhere. */
public interface Dialect {
    /** `PostgreSQL`, `MySQL`, `MariaDB`, `SQLite`. */
    public val name: String

    /** Version of the server that was asked. */
    public val version: Version

    /** Exposed's renderer for this database. */
    public val exposed: DatabaseDialect

    /** How texts and comments are told from the rest of a statement. */
    public val syntax: SqlSyntax

    /** How names are quoted and folded. */
    public val identifiers: IdentifierRules

    /** Parameters one statement may have; longer batches are split. */
    public val maxParameters: Int

    /** Statements that can answer with rows by `RETURNING`. */
    public val returning: Set<DmlKind>

    /** Whether DDL is part of a transaction; where not, it commits the transaction that is open. */
    public val transactionalDdl: Boolean

    /** Whether an error leaves the transaction unusable until a rollback to a savepoint or to its start. */
    public val errorAbortsTransaction: Boolean

    /**
     * Whether the server has rolled back the whole transaction together with [error], although the connection's status does not say
     * so. Nothing of the transaction runs after that, and it ends in an error.
     */
    public fun endsTransaction(error: DatabaseException): Boolean = false

    /** Whether rows can be locked by `SELECT … FOR UPDATE`; where not, the clause is left out. */
    public val supportsForUpdate: Boolean get() = true

    /** Whether UPDATE and DELETE on one table take a LIMIT. */
    public val supportsUpdateLimit: Boolean get() = false

    /** Whether there is a MERGE statement. */
    public val supportsMerge: Boolean get() = false

    /** Whether rows can be locked by [clause], such as `FOR UPDATE NOWAIT` or `FOR SHARE OF users`. */
    public fun supportsLock(clause: String): Boolean = supportsForUpdate

    /** Clauses that Exposed writes and this version of this database does not have; a statement with one is refused before it is sent. */
    public val missingClauses: Set<QueryClause> get() = emptySet()

    /**
     * Clause by which a query in a transaction reads what is committed by now and not what was when the transaction began to read;
     * `null` where there is none or no need of one.
     */
    public val latestCommitted: ForUpdateOption? get() = null

    /**
     * Distance between the ids of the rows of one multi-row insert when [returning] has no INSERT and the database reports
     * the first id only; `null` where that does not apply.
     */
    public val generatedIdStep: Long? get() = null

    /** Whether an upsert names the unique columns that decide; where not, every unique constraint of the table does. */
    public val upsertNamesKey: Boolean get() = true

    /**
     * A query for the names of the tables, without views. Its one parameter is the name of a schema; `NULL` stands for the schema
     * that names without one are in.
     */
    public val tableNames: String

    /** How it tells what is in it and changes that. */
    public val schema: SchemaDialect

    /**
     * Statements that open a transaction.
     *
     * @throws dev.kormorant.UnsupportedByDialectException if the database has no such transaction.
     */
    public fun begin(options: BeginOptions): List<String>

    /** Statements that put the session back into the state it had before a transaction opened with [options]; sent along with its end. */
    public fun restore(options: BeginOptions): List<String> = emptyList()

    /** Whether the transaction is to be run again after [error]: it lost against a concurrent one, and did nothing wrong itself. */
    public fun isRetryable(error: DatabaseException): Boolean = error is SerializationException || error is DeadlockException

    /**
     * A question for what became of a transaction, with its id, a `BIGINT`, as the one parameter; its answer is `committed`, `aborted`,
     * `in progress` or `NULL`. `null` where there is nobody to ask.
     */
    public val transactionOutcome: String? get() = null

    /** [statement] as a text that makes the server itself end it after [timeout]; itself where there is no such text. */
    public fun limited(statement: SqlStatement, timeout: Duration): SqlStatement = statement

    /**
     * What goes ahead of [statement] so that the server ends it and later ones of its transaction after [timeout]; `null` as [timeout]
     * is the session's own. Only for a driver that sends a [Prelude] in the transaction of the statement. `null` where there is none.
     */
    public fun limit(statement: SqlStatement, timeout: Duration?): String? = null
}

/** A clause that not every database has. */
public enum class QueryClause(
    /** Its name in SQL. */
    public val sql: String,
    /** How Exposed, or this library, writes it: any of these. */
    internal vararg val texts: String,
) {
    DISTINCT_ON("DISTINCT ON", "DISTINCT ON ("),
    FULL_JOIN("FULL JOIN", " FULL JOIN "),
    LATERAL("LATERAL", " JOIN LATERAL "),
    WITH("WITH", "WITH "),
    INTERSECT("INTERSECT", " INTERSECT "),
    EXCEPT("EXCEPT", " EXCEPT "),

    /** A comparison with ANY or ALL of the rows of a query. */
    QUANTIFIED_QUERY("ANY or ALL of a query", " ANY (SELECT ", " ALL (SELECT ", " ANY (WITH ", " ALL (WITH "),

    /** A table as a sub-query. */
    TABLE_QUERY("TABLE as a query", "(TABLE "),

    /** A comparison with ANY or ALL elements of an array. */
    QUANTIFIED_ARRAY("ANY or ALL of an array", " ANY (?", " ALL (?"),
    EXPLAIN_ANALYZE("EXPLAIN ANALYZE", "EXPLAIN ANALYZE "),
}

/** A kind of data change. */
public enum class DmlKind { INSERT, UPDATE, DELETE }

/** How a database treats names. */
public class IdentifierRules(
    /** Character around a quoted name. */
    public val quote: String,
    /** What becomes of an unquoted name. */
    public val folding: Folding,
    /** Characters of a name that are kept. */
    public val maxLength: Int,
    /** Words beyond SQL:2003 that cannot be unquoted names, in any case. */
    public val keywords: List<String>,
    /** Characters allowed in an unquoted name besides letters, digits and `_`. */
    public val extraCharacters: String = "",
)

/** What a database makes of the case of an unquoted name. */
public enum class Folding { LOWER, UPPER, PRESERVE }
