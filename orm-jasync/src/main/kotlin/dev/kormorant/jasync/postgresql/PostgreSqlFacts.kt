package dev.kormorant.jasync.postgresql

import dev.kormorant.DatabaseException
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.Folding
import dev.kormorant.driver.IdentifierRules
import dev.kormorant.driver.SchemaDialect
import dev.kormorant.driver.SqlSyntax
import dev.kormorant.driver.SqlStatement
import org.jetbrains.exposed.v1.core.Version
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import org.jetbrains.exposed.v1.core.vendors.PostgreSQLDialect
import kotlin.time.Duration

/** PostgreSQL of one version, as ParameterStatus tells it: `18.4`, `16.2 (Debian 16.2-1)`, `19beta1`. */
internal class PostgreSqlFacts(serverVersion: String) : Dialect {
    override val name: String get() = "PostgreSQL"
    override val version: Version = Version.from(Regex("\\d+(\\.\\d+)*").find(serverVersion)?.value ?: "0")
    override val exposed: DatabaseDialect = PostgreSQLDialect()
    override val syntax: SqlSyntax get() = SqlSyntax.POSTGRESQL
    override val identifiers: IdentifierRules = IdentifierRules("\"", Folding.LOWER, MAX_NAME, keywords)
    override val maxParameters: Int get() = PreparedStatements.MAX_PARAMETERS
    override val returning: Set<DmlKind> = DmlKind.entries.toSet()
    override val transactionalDdl: Boolean get() = true
    override val errorAbortsTransaction: Boolean get() = true
    override val supportsMerge: Boolean = version.covers(15, 0)
    override val tableNames: String
        get() = "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema = COALESCE(?, CURRENT_SCHEMA)"

    override val schema: SchemaDialect get() = PostgreSqlSchema

    override fun supportsLock(clause: String): Boolean = LOCK.matches(clause)

    override fun begin(options: BeginOptions): List<String> {
        val level = options.isolation?.let { " ISOLATION LEVEL ${it.sql}" }.orEmpty()
        val begin = "BEGIN$level${if (options.readOnly) " READ ONLY" else ""}${if (options.deferrable) " DEFERRABLE" else ""}"
        return listOfNotNull(
            begin,
            options.statementTimeout?.let { "SET LOCAL statement_timeout = ${milliseconds(it)}" },
            options.lockTimeout?.let { "SET LOCAL lock_timeout = ${milliseconds(it)}" },
            if (options.identified) "SELECT txid_current()" else null,
        )
    }

    /** A lock that could not be had in time is one that the program did not want to wait for. */
    override fun isRetryable(error: DatabaseException): Boolean = super.isRetryable(error) && error.sqlState != LOCK_NOT_AVAILABLE

    override val transactionOutcome: String get() = "SELECT txid_status(?)"

    /** Some statements, such as VACUUM, refuse to run behind another one, so only those are told that surely do not. */
    override fun limit(statement: SqlStatement, timeout: Duration?): String? = when {
        !statement.reusable || !LIMITED.matchesAt(statement.sql, 0) -> null
        timeout == null -> "SET LOCAL statement_timeout TO DEFAULT"
        else -> "SELECT set_config('statement_timeout', '${milliseconds(timeout)}', true)"
    }

    private companion object {
        const val MAX_NAME = 63
        const val LOCK_NOT_AVAILABLE = "55P03"
        val LIMITED = Regex("""[\s(]*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b""", RegexOption.IGNORE_CASE)

        /** Rounded up, since 0 is no limit. */
        fun milliseconds(timeout: Duration): Long = timeout.inWholeMilliseconds.coerceIn(0, Int.MAX_VALUE - 1L) + 1
        val LOCK = Regex("FOR (NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)( OF .+?)?( NOWAIT| SKIP LOCKED)?")
    }
}

/** Key words of PostgreSQL beyond SQL:2003, reserved or not. */
private val keywords = """
        ABORT ABSENT ACCESS AGGREGATE ALSO ANALYSE ANALYZE ATTACH BACKWARD BIT CACHE CHECKPOINT CLASS CLUSTER COLUMNS COMMENT COMMENTS
        COMPRESSION CONCURRENTLY CONDITIONAL CONFIGURATION CONFLICT CONNECTION CONTENT CONVERSION COPY COST CSV CURRENT_CATALOG
        CURRENT_SCHEMA DATABASE DELIMITER DELIMITERS DEPENDS DETACH DICTIONARY DISABLE DISCARD DO DOCUMENT EMPTY ENABLE ENCODING
        ENCRYPTED ENFORCED ENUM ERROR ESCAPE EVENT EXCLUSIVE EXPLAIN EXPRESSION EXTENSION FAMILY FINALIZE FORCE FORMAT FORWARD FREEZE
        FUNCTIONS GENERATED GREATEST GROUPS HANDLER HEADER IF ILIKE IMMUTABLE IMPLICIT IMPORT INCLUDE INDENT INDEX INDEXES INHERIT
        INHERITS INLINE INSTEAD ISNULL JSON JSON_ARRAY JSON_ARRAYAGG JSON_EXISTS JSON_OBJECT JSON_OBJECTAGG JSON_QUERY JSON_SCALAR
        JSON_SERIALIZE JSON_TABLE JSON_VALUE KEEP KEYS LABEL LEAKPROOF LEAST LIMIT LISTEN LOAD LOCATION LOCK LOCKED LOGGED MAPPING
        MATERIALIZED MERGE_ACTION MODE MOVE NESTED NFC NFD NFKC NFKD NOTHING NOTIFY NOTNULL NOWAIT OBJECTS OFF OFFSET OIDS OMIT
        OPERATOR OWNED OWNER PARALLEL PARSER PASSING PASSWORD PERIOD PLAN PLANS POLICY PREPARED PROCEDURAL PROCEDURES PROGRAM
        PUBLICATION QUOTE QUOTES REASSIGN REFRESH REINDEX RENAME REPLACE REPLICA RESET RESTRICT RETURNING ROUTINES RULE SCALAR SCHEMAS
        SEQUENCES SERVER SETOF SHARE SHOW SKIP SNAPSHOT STABLE STANDALONE STATISTICS STDIN STDOUT STORAGE STORED STRICT STRING STRIP
        SUBSCRIPTION SUPPORT SYSID TABLES TABLESPACE TARGET TEMP TEMPLATE TEXT TRUNCATE TRUSTED TYPES UNCONDITIONAL UNENCRYPTED
        UNLISTEN UNLOGGED UNTIL VACUUM VALID VALIDATE VALIDATOR VARIADIC VERBOSE VERSION VIEWS VIRTUAL VOLATILE WHITESPACE WRAPPER XML
        XMLATTRIBUTES XMLCONCAT XMLELEMENT XMLEXISTS XMLFOREST XMLNAMESPACES XMLPARSE XMLPI XMLROOT XMLSERIALIZE XMLTABLE YES
""".trim().split(Regex("\\s+"))
