package dev.kormorant.jasync

import dev.kormorant.driver.QueryClause
import dev.kormorant.test.TestServers
import dev.kormorant.test.conformance.Capabilities
import dev.kormorant.test.conformance.Conformance
import dev.kormorant.test.conformance.CopySuite
import dev.kormorant.test.conformance.Dialogue
import dev.kormorant.test.conformance.FaultSuite
import dev.kormorant.test.conformance.NotificationSuite
import dev.kormorant.test.conformance.ServerBackend
import dev.kormorant.test.conformance.SoakSuite
import dev.kormorant.test.conformance.StreamMemorySuite

class PostgreSqlConformanceTest : Conformance(PostgreSql)

class MySqlConformanceTest : Conformance(MySql)

class MariaDbConformanceTest : Conformance(MariaDb)

class PostgreSqlFaultTest : FaultSuite(PostgreSql)

class MySqlFaultTest : FaultSuite(MySql)

class MariaDbFaultTest : FaultSuite(MariaDb)

class PostgreSqlSoakTest : SoakSuite(PostgreSql)

/**
 * Without TLS: MySQL 8.0.15 can fail to end an encrypted session that it is told to kill between two statements. Its thread then waits
 * on a socket that is closed already, and its row locks stay until `wait_timeout`, eight hours later.
 */
class MySqlSoakTest : SoakSuite(MySql, parameters = "sslmode=disable")

class MariaDbSoakTest : SoakSuite(MariaDb)

class PostgreSqlNotificationTest : NotificationSuite(PostgreSql)

class MySqlNotificationTest : NotificationSuite(MySql)

class PostgreSqlCopyTest : CopySuite(PostgreSql)

class MySqlCopyTest : CopySuite(MySql)

class PostgreSqlStreamMemoryTest : StreamMemorySuite(PostgreSql)

class MySqlStreamMemoryTest : StreamMemorySuite(MySql)

class MariaDbStreamMemoryTest : StreamMemorySuite(MariaDb)

private object PostgreSql : ServerBackend(
    "PostgreSQL",
    TestServers::postgresql,
    Capabilities(
        errorAbortsTransaction = true,
        unsigned64 = false,
        jsonb = true,
        statementsDuringStreams = true,
        notifications = true,
        copy = true,
        arrays = true,
        replace = false,
        merge = true,
        longBinary = "BYTEA",
        transactionIds = true,
        locks = listOf("FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE").flatMap { listOf(it, "$it NOWAIT", "$it SKIP LOCKED") }.toSet(),
    ),
    Dialogue(
        slowStatement = "SELECT pg_sleep(60)",
        sessionId = "SELECT pg_backend_pid()",
        slowStatementsRunning =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'",
        killSession = { "SELECT pg_terminate_backend($it)" },
        sessionsInTransaction = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'",
        listeners = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        diagnosis = listOf(
            "SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid)::text, (now() - xact_start)::text, (now() - state_change)::text, query " +
                "FROM pg_stat_activity WHERE datname = current_database()",
        ),
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
        timeouts = "SELECT current_setting('statement_timeout') AS s, current_setting('lock_timeout') AS l",
    ),
    dropOption = " WITH (FORCE)",
)

private fun mysqlDialogue(statementLimit: String) = Dialogue(
    slowStatement = "SELECT SLEEP(60)",
    sessionId = "SELECT CONNECTION_ID()",
    slowStatementsRunning = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT SLEEP%'",
    killSession = { "KILL $it" },
    sessionsInTransaction = "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p " +
        "ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND p.command = 'Sleep'",
    sessions = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()",
    diagnosis = listOf(
        "SELECT id, command, time, state, info FROM information_schema.processlist",
        "SELECT trx_id, trx_state, trx_started, trx_wait_started, trx_mysql_thread_id, trx_rows_locked, trx_query FROM information_schema.innodb_trx",
        "SHOW ENGINE INNODB STATUS",
    ),
    sleeping = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User sleep'",
    timeouts = "SELECT @@$statementLimit, @@innodb_lock_wait_timeout",
)

private object MySql : ServerBackend(
    "MySQL",
    TestServers::mysql,
    Capabilities(
        transactionalDdl = false,
        insertReturning = false,
        updateReturning = false,
        deleteReturning = false,
        upsertKeys = false,
        updateLimit = true,
        deleteIgnore = true,
        sequences = false,
        deferredConstraints = false,
        checks = false,
        timeMicroseconds = false,
        longBinary = "LONGBLOB",
        missingClauses = setOf(
            QueryClause.DISTINCT_ON,
            QueryClause.FULL_JOIN,
            QueryClause.INTERSECT,
            QueryClause.EXCEPT,
            QueryClause.TABLE_QUERY,
            QueryClause.QUANTIFIED_ARRAY,
            QueryClause.EXPLAIN_ANALYZE,
        ),
        locks = listOf("FOR UPDATE", "FOR SHARE").flatMap { listOf(it, "$it NOWAIT", "$it SKIP LOCKED") }.toSet() + "LOCK IN SHARE MODE",
    ),
    mysqlDialogue("max_execution_time"),
)

private object MariaDb : ServerBackend(
    "MariaDB",
    TestServers::mariadb,
    Capabilities(
        transactionalDdl = false,
        updateReturning = false,
        upsertKeys = false,
        updateLimit = true,
        deleteIgnore = true,
        deferredConstraints = false,
        zonedTimestamps = false,
        wideInstants = false,
        timeMicroseconds = false,
        longBinary = "LONGBLOB",
        missingClauses = setOf(
            QueryClause.DISTINCT_ON,
            QueryClause.FULL_JOIN,
            QueryClause.LATERAL,
            QueryClause.TABLE_QUERY,
            QueryClause.QUANTIFIED_ARRAY,
        ),
        locks = setOf("FOR UPDATE", "FOR UPDATE NOWAIT", "FOR UPDATE SKIP LOCKED", "FOR UPDATE WAIT 1", "LOCK IN SHARE MODE"),
    ),
    mysqlDialogue("max_statement_time"),
)
