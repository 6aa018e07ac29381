package dev.kormorant.jasync.mysql

import dev.kormorant.DatabaseException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.Dialect
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.Folding
import dev.kormorant.driver.IdentifierRules
import dev.kormorant.driver.QueryClause
import dev.kormorant.driver.SchemaDialect
import dev.kormorant.driver.SqlSyntax
import dev.kormorant.driver.SqlStatement
import org.jetbrains.exposed.v1.core.Version
import org.jetbrains.exposed.v1.core.vendors.DataTypeProvider
import org.jetbrains.exposed.v1.core.vendors.DatabaseDialect
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import org.jetbrains.exposed.v1.core.vendors.MariaDBDialect
import org.jetbrains.exposed.v1.core.vendors.MysqlDialect
import java.math.BigDecimal
import kotlin.time.Duration

/** What both databases have in common. */
internal sealed class MySqlFamily(
    override val name: String,
    override val version: Version,
    override val exposed: DatabaseDialect,
    override val returning: Set<DmlKind>,
    override val generatedIdStep: Long?,
    override val schema: SchemaDialect,
    private val locks: Regex,
    private val missing: Set<QueryClause>,
) : Dialect {
    override val syntax: SqlSyntax get() = SqlSyntax.MYSQL
    override val identifiers: IdentifierRules get() = IDENTIFIERS
    override val maxParameters: Int get() = MAX_PARAMETERS
    override val transactionalDdl: Boolean get() = false
    override val errorAbortsTransaction: Boolean get() = false
    override val upsertNamesKey: Boolean get() = false
    override val supportsUpdateLimit: Boolean get() = true

    override val missingClauses: Set<QueryClause> get() = missing

    override fun supportsLock(clause: String): Boolean = locks.matches(clause)

    /** Under REPEATABLE READ, which is the default. The shared lock does not wait for others who look for the same row. */
    override val latestCommitted: ForUpdateOption get() = ForUpdateOption.MySQL.LockInShareMode

    override fun endsTransaction(error: DatabaseException): Boolean = error.vendorCode == DEADLOCK || error.vendorCode == RECORD_CHANGED

    override fun begin(options: BeginOptions): List<String> {
        if (options.deferrable) throw UnsupportedByDialectException("$name has no deferrable transactions.")
        if (options.identified) throw UnsupportedByDialectException("$name does not tell how a transaction ended.", "Look for its effect instead.")
        return listOfNotNull(
            options.isolation?.let { "SET TRANSACTION ISOLATION LEVEL ${it.sql}" },
            settings(options).takeIf { it.isNotEmpty() }?.let { all ->
                all.joinToString(prefix = "SET ") { (variable, value) -> "@kormorant_$variable = @@$variable, $variable = $value" }
            },
            if (options.readOnly) "START TRANSACTION READ ONLY" else "START TRANSACTION",
        )
    }

    override fun restore(options: BeginOptions): List<String> =
        settings(options).takeIf { it.isNotEmpty() }?.let { all ->
            listOf(all.joinToString(prefix = "SET ") { (variable, _) -> "$variable = @kormorant_$variable" })
        }.orEmpty()

    private fun settings(options: BeginOptions): List<Pair<String, String>> = listOfNotNull(
        options.statementTimeout?.let(::statementLimit),
        // A statement that waits for a lock is not ended by the other limit.
        listOfNotNull(options.lockTimeout, options.statementTimeout).minOrNull()?.let { "innodb_lock_wait_timeout" to "${lockSeconds(it)}" },
    )

    /** The variable that bounds a statement, and its value. */
    protected abstract fun statementLimit(timeout: Duration): Pair<String, String>

    /** A lock that could not be had in time is one that the program did not want to wait for. */
    override fun isRetryable(error: DatabaseException): Boolean = super.isRetryable(error) && error.vendorCode !in LOCK_TIMEOUTS

    override val tableNames: String
        get() = "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema = COALESCE(?, DATABASE())"

    companion object {
        /** The count has two bytes on the wire. */
        const val MAX_PARAMETERS = 65_535

        private const val MOST_LOCK_SECONDS = 1_073_741_824L

        /** Rounded up. */
        private fun lockSeconds(timeout: Duration): Long = (timeout.inWholeMilliseconds.coerceIn(1, MOST_LOCK_SECONDS * 1000) + 999) / 1000

        /** Statements that may get a hint or a prefix. */
        val LIMITED = Regex("""\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE)\b""", RegexOption.IGNORE_CASE)

        /** Waited too long, and not waited at all. */
        private val LOCK_TIMEOUTS = setOf(1205, 3572)

        private const val DEADLOCK = 1213
        private const val RECORD_CHANGED = 1020

        private val IDENTIFIERS =
            IdentifierRules(quote = "`", folding = Folding.PRESERVE, maxLength = 64, keywords = RESERVED_WORDS, extraCharacters = "$")
    }
}

/** MySQL: no RETURNING, but the first id of an insert and the step to the next. */
internal class MySqlServer(version: Version, idStep: Long) :
    MySqlFamily("MySQL", version, Renderer(), emptySet(), idStep, MySqlSchema(version), LOCKS, missing(version)) {
    /** Of a SELECT only: nothing else can be bounded there. */
    override fun statementLimit(timeout: Duration): Pair<String, String> = "max_execution_time" to "${milliseconds(timeout)}"

    override fun limited(statement: SqlStatement, timeout: Duration): SqlStatement {
        val select = if (statement.reusable) SELECT.find(statement.sql) else null
        if (select == null) return statement
        val sql = "${select.value} /*+ MAX_EXECUTION_TIME(${milliseconds(timeout)}) */${statement.sql.drop(select.value.length)}"
        return SqlStatement(sql, statement.types, statement.values)
    }

    private class Renderer : MysqlDialect() {
        override val dataTypeProvider: DataTypeProvider = MySqlTypes()
    }

    private companion object {
        val SELECT = Regex("""^\s*SELECT(?=\s)(?!\s*/\*\+)""", RegexOption.IGNORE_CASE)

        fun milliseconds(timeout: Duration): Long = timeout.inWholeMilliseconds.coerceIn(0, 4_294_967_294) + 1

        val LOCKS = Regex("FOR (UPDATE|SHARE)( OF .+?)?( NOWAIT| SKIP LOCKED)?|LOCK IN SHARE MODE")

        fun missing(version: Version): Set<QueryClause> = buildSet {
            addAll(listOf(QueryClause.DISTINCT_ON, QueryClause.FULL_JOIN, QueryClause.QUANTIFIED_ARRAY))
            if (!version.covers("8.0.1")) add(QueryClause.WITH)
            if (!version.covers("8.0.14")) add(QueryClause.LATERAL)
            if (!version.covers("8.0.18")) add(QueryClause.EXPLAIN_ANALYZE)
            if (!version.covers("8.0.19")) add(QueryClause.TABLE_QUERY)
            if (!version.covers("8.0.31")) addAll(listOf(QueryClause.INTERSECT, QueryClause.EXCEPT))
        }
    }
}

/** MariaDB; RETURNING for DELETE and, since 10.5, for INSERT. */
internal class MariaDbServer(version: Version, idStep: Long) : MySqlFamily(
    "MariaDB",
    version,
    MariaDBDialect(),
    if (version.covers("10.5.0")) setOf(DmlKind.INSERT, DmlKind.DELETE) else setOf(DmlKind.DELETE),
    if (version.covers("10.5.0")) null else idStep,
    MariaDbSchema,
    Regex("FOR UPDATE( NOWAIT| SKIP LOCKED| WAIT \\d+)?|LOCK IN SHARE MODE"),
    setOf(QueryClause.DISTINCT_ON, QueryClause.FULL_JOIN, QueryClause.LATERAL, QueryClause.QUANTIFIED_ARRAY, QueryClause.TABLE_QUERY),
) {
    override fun statementLimit(timeout: Duration): Pair<String, String> = "max_statement_time" to seconds(timeout)

    override fun limited(statement: SqlStatement, timeout: Duration): SqlStatement {
        if (!statement.reusable || !LIMITED.matchesAt(statement.sql, 0)) return statement
        return SqlStatement("SET STATEMENT max_statement_time = ${seconds(timeout)} FOR ${statement.sql}", statement.types, statement.values)
    }

    private companion object {
        /** A year, in microseconds. */
        const val LONGEST = 31_536_000_000_000

        /** To the microsecond. */
        fun seconds(timeout: Duration): String = BigDecimal.valueOf(timeout.inWholeMicroseconds.coerceIn(1, LONGEST), 6).toPlainString()
    }
}

/** Reserved words of MySQL 8 and MariaDB 11. */
private val RESERVED_WORDS = (
    "ACCESSIBLE ADD ALL ALTER ANALYZE AND AS ASC ASENSITIVE BEFORE BETWEEN BIGINT BINARY BLOB BOTH BY CALL CASCADE CASE CHANGE CHAR " +
        "CHARACTER CHECK COLLATE COLUMN CONDITION CONSTRAINT CONTINUE CONVERT CREATE CROSS CUBE CUME_DIST CURRENT_DATE CURRENT_ROLE " +
        "CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DATABASES DAY_HOUR DAY_MICROSECOND DAY_MINUTE DAY_SECOND DEC " +
        "DECIMAL DECLARE DEFAULT DELAYED DELETE DELETE_DOMAIN_ID DENSE_RANK DESC DESCRIBE DETERMINISTIC DISTINCT DISTINCTROW DIV " +
        "DOUBLE DO_DOMAIN_IDS DROP DUAL EACH ELSE ELSEIF EMPTY ENCLOSED ESCAPED EXCEPT EXISTS EXIT EXPLAIN FALSE FETCH FIRST_VALUE " +
        "FLOAT FLOAT4 FLOAT8 FOR FORCE FOREIGN FROM FULLTEXT FUNCTION GENERAL GENERATED GET GRANT GROUP GROUPING GROUPS HAVING " +
        "HIGH_PRIORITY HOUR_MICROSECOND HOUR_MINUTE HOUR_SECOND IF IGNORE IGNORE_DOMAIN_IDS IGNORE_SERVER_IDS IN INDEX INFILE INNER " +
        "INOUT INSENSITIVE INSERT INT INT1 INT2 INT3 INT4 INT8 INTEGER INTERSECT INTERVAL INTO IO_AFTER_GTIDS IO_BEFORE_GTIDS IS " +
        "ITERATE JOIN JSON_TABLE KEY KEYS KILL LAG LAST_VALUE LATERAL LEAD LEADING LEAVE LEFT LIKE LIMIT LINEAR LINES LOAD LOCALTIME " +
        "LOCALTIMESTAMP LOCK LONG LONGBLOB LONGTEXT LOOP LOW_PRIORITY MANUAL MASTER_BIND MASTER_HEARTBEAT_PERIOD " +
        "MASTER_SSL_VERIFY_SERVER_CERT MATCH MAXVALUE MEDIUMBLOB MEDIUMINT MEDIUMTEXT MIDDLEINT MINUTE_MICROSECOND MINUTE_SECOND MOD " +
        "MODIFIES NATURAL NOT NO_WRITE_TO_BINLOG NTH_VALUE NTILE NULL NUMERIC OF OFFSET ON OPTIMIZE OPTIMIZER_COSTS OPTION OPTIONALLY " +
        "OR ORDER OUT OUTER OUTFILE OVER PAGE_CHECKSUM PARALLEL PARSE_VCOL_EXPR PARTITION PERCENT_RANK PORTION PRECISION PRIMARY " +
        "PROCEDURE PURGE QUALIFY RANGE RANK READ READS READ_WRITE REAL RECURSIVE REF_SYSTEM_ID REFERENCES REGEXP RELEASE RENAME REPEAT " +
        "REPLACE REQUIRE RESIGNAL RESTRICT RETURN RETURNING REVOKE RIGHT RLIKE ROW ROWNUM ROWS ROW_NUMBER SCHEMA SCHEMAS " +
        "SECOND_MICROSECOND SELECT SENSITIVE SEPARATOR SET SHOW SIGNAL SLOW SMALLINT SPATIAL SPECIFIC SQL SQLEXCEPTION SQLSTATE " +
        "SQLWARNING SQL_BIG_RESULT SQL_CALC_FOUND_ROWS SQL_SMALL_RESULT SSL STARTING STATS_AUTO_RECALC STATS_PERSISTENT " +
        "STATS_SAMPLE_PAGES STORED STRAIGHT_JOIN SYSTEM TABLE TABLESAMPLE TERMINATED THEN TINYBLOB TINYINT TINYTEXT TO TRAILING TRIGGER " +
        "TRUE UNDO UNION UNIQUE UNLOCK UNSIGNED UPDATE USAGE USE USING UTC_DATE UTC_TIME UTC_TIMESTAMP VALUES VARBINARY VARCHAR " +
        "VARCHARACTER VARYING VECTOR VIRTUAL WHEN WHERE WHILE WINDOW WITH WRITE XOR YEAR_MONTH ZEROFILL"
    ).split(' ')
