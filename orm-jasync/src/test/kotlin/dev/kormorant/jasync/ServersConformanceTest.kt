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
    Capabilities(errorAbortsTransaction = true, unsigned64 = false, jsonb = true, arrays = true, replace = false, merge = true, longBinary = "BYTEA"),
    Dialogue(
        slowStatement = "SELECT pg_sleep(60)",
        sessionId = "SELECT pg_backend_pid()",
        slowStatementsRunning =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'",
        killSession = { "SELECT pg_terminate_backend($it)" },
        sessionsInTransaction = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    ),
    dropOption = " WITH (FORCE)",
)

private val MYSQL_DIALOGUE = Dialogue(
    slowStatement = "SELECT SLEEP(60)",
    sessionId = "SELECT CONNECTION_ID()",
    slowStatementsRunning = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT SLEEP%'",
    killSession = { "KILL $it" },
    sessionsInTransaction = "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p " +
        "ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND p.command = 'Sleep'",
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
        timeMicroseconds = false,
        longBinary = "LONGBLOB",
    ),
    MYSQL_DIALOGUE,
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
    ),
    MYSQL_DIALOGUE,
)
