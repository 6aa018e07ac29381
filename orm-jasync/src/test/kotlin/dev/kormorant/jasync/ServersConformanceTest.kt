package dev.kormorant.jasync

import dev.kormorant.test.TestServers
import dev.kormorant.test.conformance.Capabilities
import dev.kormorant.test.conformance.Conformance
import dev.kormorant.test.conformance.Dialogue
import dev.kormorant.test.conformance.FaultSuite
import dev.kormorant.test.conformance.ServerBackend
import dev.kormorant.test.conformance.SoakSuite

class PostgreSqlConformanceTest : Conformance(PostgreSql)

class MySqlConformanceTest : Conformance(MySql)

class MariaDbConformanceTest : Conformance(MariaDb)

class PostgreSqlFaultTest : FaultSuite(PostgreSql)

class MySqlFaultTest : FaultSuite(MySql)

class MariaDbFaultTest : FaultSuite(MariaDb)

class PostgreSqlSoakTest : SoakSuite(PostgreSql)

class MySqlSoakTest : SoakSuite(MySql)

class MariaDbSoakTest : SoakSuite(MariaDb)

private object PostgreSql : ServerBackend(
    "PostgreSQL",
    TestServers::postgresql,
    Capabilities(errorAbortsTransaction = true, unsigned64 = false, jsonb = true, arrays = true, longBinary = "BYTEA", transactionIds = true),
    Dialogue(
        slowStatement = "SELECT pg_sleep(60)",
        sessionId = "SELECT pg_backend_pid()",
        slowStatementsRunning =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'",
        killSession = { "SELECT pg_terminate_backend($it)" },
        sessionsInTransaction = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
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
    sleeping = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User sleep'",
    timeouts = "SELECT @@$statementLimit, @@innodb_lock_wait_timeout",
)

private object MySql : ServerBackend(
    "MySQL",
    TestServers::mysql,
    Capabilities(transactionalDdl = false, insertReturning = false, deferredConstraints = false, timeMicroseconds = false, longBinary = "LONGBLOB"),
    mysqlDialogue("max_execution_time"),
)

private object MariaDb : ServerBackend(
    "MariaDB",
    TestServers::mariadb,
    Capabilities(
        transactionalDdl = false,
        deferredConstraints = false,
        zonedTimestamps = false,
        wideInstants = false,
        timeMicroseconds = false,
        longBinary = "LONGBLOB",
    ),
    mysqlDialogue("max_statement_time"),
)
