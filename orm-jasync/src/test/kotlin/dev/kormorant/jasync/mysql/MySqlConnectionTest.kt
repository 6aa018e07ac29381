package dev.kormorant.jasync.mysql

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionBusyException
import dev.kormorant.ConnectionException
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.DataException
import dev.kormorant.DatabaseException
import dev.kormorant.DeadlockException
import dev.kormorant.Isolation
import dev.kormorant.QueryTimeoutException
import dev.kormorant.SyntaxException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.driver.BeginOptions
import dev.kormorant.driver.Access
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.driver.DmlKind
import dev.kormorant.driver.Prelude
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.test.ServerKind
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.math.BigInteger
import kotlin.random.Random

class MySqlOnMySqlConnectionTest : MySqlConnectionTests(ServerKind.MYSQL)

class MySqlOnMariaDbConnectionTest : MySqlConnectionTests(ServerKind.MARIADB)

abstract class MySqlConnectionTests(kind: ServerKind) {
    private val fixture = MySqlFixture.of(kind)
    private val isMariaDb = kind == ServerKind.MARIADB

    private fun connected(parameters: String = "?sslmode=disable", cache: Int = 100, test: suspend (MySqlConnection) -> Unit) =
        fixture.connected(parameters, cache = cache, test = test)

    @Test
    fun `a new connection is idle and knows its session and the server`() = connected { db ->
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertEquals(db.serverId, (db.prepared("SELECT CONNECTION_ID()").single as Number).toLong())
        assertEquals(if (isMariaDb) "MariaDB" else "MySQL", db.dialect.name)
        assertEquals(db.dialect.name, db.dialect.exposed.name)
        assertTrue((db.prepared("SELECT VERSION()").single as String).startsWith(db.dialect.version.run { "$major.$minor.$patch" }))
        assertEquals(if (isMariaDb) setOf(DmlKind.INSERT, DmlKind.DELETE) else emptySet(), db.dialect.returning)
        assertEquals(if (isMariaDb) null else 1L, db.dialect.generatedIdStep)
    }

    @Test
    fun `the dialect is that of the server, whatever the scheme`() {
        val url = fixture.url("?sslmode=disable")
        fixture.connected(url = url.replaceBefore(':', if (isMariaDb) "mysql" else "mariadb")) { db ->
            assertEquals(if (isMariaDb) "MariaDB" else "MySQL", db.dialect.name)
        }
    }

    @Test
    fun `trap 22, the session is in UTC, in strict mode and in utf8mb4`() = connected("?sslmode=disable&application_name=a%20b") { db ->
        val (zone, mode, charset, autocommit) = db.prepared(
            "SELECT @@time_zone, @@sql_mode, @@character_set_client, @@autocommit",
        ).rows.single()
        assertEquals("+00:00", zone)
        assertTrue("STRICT_TRANS_TABLES" in mode.toString(), "$mode")
        assertFalse("ANSI_QUOTES" in mode.toString(), "$mode")
        assertEquals("utf8mb4", charset)
        assertEquals(1L, (autocommit as Number).toLong())
    }

    @Test
    fun `a query gives its columns with names and types, and its rows`() = connected { db ->
        db.run("CREATE TABLE IF NOT EXISTS numbers (number INT PRIMARY KEY, words VARCHAR(10))")
        db.run("REPLACE INTO numbers VALUES (1, '1!'), (2, '2!'), (3, '3!')")
        repeat(3) {
            val result = db.prepared("SELECT number, words AS w FROM numbers WHERE number > ? ORDER BY number", SqlType.INTEGER to 1)
            assertEquals(listOf("number" to "int", "w" to "varchar"), result.columns.map { it.name to it.type })
            assertEquals(listOf(listOf(2, "2!"), listOf(3, "3!")), result.rows.map { it.toList() })
            assertEquals(2, result.affected)
        }
    }

    @Test
    fun `a statement sent along with a BEGIN that fails commits by itself, so BEGIN has a round trip of its own`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE t (v INT)")
        val begin = listOf("START TRANSACTION READ")
        val insert = SqlStatement("INSERT INTO t VALUES (1)", reusable = false)
        assertThrows<SyntaxException> { db.execute(insert, Prelude(begin)) }
        assertEquals(0L, db.run("SELECT COUNT(*) FROM t").single)
        assertThrows<SyntaxException> { db.execute(insert, Prelude(begin, guards = false)) }
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertEquals(1L, db.run("SELECT COUNT(*) FROM t").single)
    }

    @Test
    fun `trap 14, an update reports the rows it matched, also where it changed nothing`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
        val inserted = db.prepared("INSERT INTO t (v) VALUES (?), (?), (?)", SqlType.INTEGER to 1, SqlType.INTEGER to 1, SqlType.INTEGER to 2)
        assertEquals(3, inserted.affected)
        assertEquals(1L, inserted.lastInsertId)
        assertEquals(4L, db.run("INSERT INTO t (v) VALUES (3)").lastInsertId)
        assertEquals(2, db.prepared("UPDATE t SET v = 1 WHERE v = ?", SqlType.INTEGER to 1).affected)
        assertEquals(2, db.run("UPDATE t SET v = 1 WHERE v = 1").affected)
        assertEquals(0, db.run("UPDATE t SET v = 1 WHERE v = 77").affected)
        assertEquals(2, db.run("DELETE FROM t WHERE v = 1").affected)
        assertNull(db.run("UPDATE t SET v = 1").lastInsertId)
        assertTrue(db.prepared("UPDATE t SET v = v").columns.isEmpty())
    }

    @Test
    fun `with useAffectedRows an update reports the rows it changed`() = connected("?sslmode=disable&useAffectedRows=true") { db ->
        db.run("CREATE TEMPORARY TABLE t (v INT)")
        db.run("INSERT INTO t VALUES (1), (1), (2)")
        assertEquals(1, db.prepared("UPDATE t SET v = ?", SqlType.INTEGER to 1).affected)
        assertEquals(0, db.run("UPDATE t SET v = 1").affected)
    }

    @Test
    fun `useAffectedRows is true or false`() {
        assertThrows<ConfigurationException> { fixture.connected("?useAffectedRows=yes") { } }
    }

    @Test
    fun `the ids of a multi-row insert follow the first one reported`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE ids (id BIGINT AUTO_INCREMENT PRIMARY KEY, v INT)")
        if (isMariaDb) {
            val result = db.prepared("INSERT INTO ids (v) VALUES (1), (2) RETURNING id, v")
            assertEquals(listOf(listOf<Any?>(1L, 1), listOf<Any?>(2L, 2)), result.rows.map { it.toList() })
            assertEquals(2, result.affected)
            assertEquals(listOf(1L), db.run("DELETE FROM ids WHERE id = 1 RETURNING id").rows.map { it[0] })
        } else {
            val first = checkNotNull(db.prepared("INSERT INTO ids (v) VALUES (1), (2), (3)").lastInsertId)
            val step = checkNotNull(db.dialect.generatedIdStep)
            assertEquals(List(3) { first + it * step }, db.prepared("SELECT id FROM ids ORDER BY id").rows.map { it[0] })
        }
    }

    @Test
    fun `the status follows the wire`() = connected { db ->
        for (sql in db.dialect.begin(BeginOptions(null, readOnly = false))) db.run(sql)
        assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        assertThrows<SyntaxException> { db.run("SELECT * FROM missing") }
        assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        db.run("ROLLBACK")
        assertEquals(ConnectionStatus.IDLE, db.status)
        db.run("BEGIN")
        db.run("CREATE TABLE IF NOT EXISTS implicit_commit (id INT)")
        assertEquals(ConnectionStatus.IDLE, db.status)
        db.run("SET autocommit = 0")
        assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        db.close()
        assertEquals(ConnectionStatus.CLOSED, db.status)
    }

    @Test
    fun `a transaction begins with its level and its access mode`() = connected { db ->
        db.run("CREATE TABLE IF NOT EXISTS read_only (id INT)")
        for (sql in db.dialect.begin(BeginOptions(Isolation.SERIALIZABLE, readOnly = true))) db.run(sql)
        val error = assertThrows<DatabaseException> { db.run("INSERT INTO read_only VALUES (1)") }
        assertEquals(1792, error.vendorCode)
        db.run("COMMIT")
        for (isolation in Isolation.entries + null) {
            for (sql in db.dialect.begin(BeginOptions(isolation, readOnly = false))) db.run(sql)
            assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
            db.run("ROLLBACK")
        }
    }

    @Test
    fun `a second statement while one is in progress is refused and nothing is sent`() = connected { db ->
        coroutineScope {
            val first = async { db.prepared("SELECT SLEEP(0.2)").single }
            while (db.status != ConnectionStatus.BUSY) yield()
            assertThrows<ConnectionBusyException> { db.run("SELECT 2") }
            assertThrows<ConnectionBusyException> { db.stream(SqlStatement("SELECT 2"), 10) }
            assertEquals(0L, (first.await() as Number).toLong())
        }
        assertEquals(3L, (db.prepared("SELECT 3").single as Number).toLong())
    }

    @Test
    fun `a wrong number of arguments is refused before anything is sent`() = connected { db ->
        val questions = db.questions()
        assertThrows<IllegalArgumentException> { db.run("SELECT ?", SqlType.INTEGER to 1, SqlType.INTEGER to 2) }
        assertThrows<IllegalArgumentException> { db.prepared("SELECT ?") }
        assertThrows<IllegalArgumentException> { db.run("SELECT ?") }
        assertThrows<IllegalArgumentException> { db.execute(SqlStatement("SELECT ?", listOf(SqlType.INTEGER))) }
        assertEquals(questions + 1, db.questions())
    }

    private suspend fun MySqlConnection.questions() = run("SHOW SESSION STATUS LIKE 'Questions'").rows.single()[1].toString().toLong()

    @Test
    fun `trap 18, a value that cannot be sent leaves the connection usable`() = connected { db ->
        assertThrows<IllegalArgumentException> { db.prepared("SELECT ?", SqlType.INTEGER to "one") }
        assertThrows<IllegalArgumentException> { db.prepared("SELECT ?", SqlType.DOUBLE to Double.NaN) }
        assertThrows<UnsupportedByDialectException> { db.prepared("SELECT ?", SqlType.ARRAY to "x") }
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertEquals("one", db.prepared("SELECT ?", SqlType.TEXT to "one").single)
    }

    @Test
    fun `trap 9, the largest number of parameters works and one more is refused before anything is sent`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE wide (v INT)")
        fun values(count: Int) = Array<Pair<SqlType, Any?>>(count) { SqlType.INTEGER to it }
        fun sql(count: Int) = "INSERT INTO wide VALUES ${(1..count).joinToString(",") { "(?)" }}"
        assertEquals(65_535, db.run(sql(65_535), *values(65_535)).affected)
        assertThrows<UnsupportedByDialectException> { db.run(sql(65_536), *values(65_536)) }
        assertEquals(65_535L, db.prepared("SELECT COUNT(*) FROM wide").single)
    }

    @Test
    fun `trap 8, question marks in literals, names and comments are no parameters`() = connected { db ->
        val row = db.prepared("SELECT '?', \"it''s ?\", '\\'?', ? AS `a?` /* ? */ -- ?\n # ?\n", SqlType.TEXT to "x")
        assertEquals(listOf("?", "it''s ?", "'?", "x"), row.rows.single().toList())
        assertEquals("a?", row.columns.last().name)
        assertEquals("?", db.run("SELECT '?'").single)
        assertThrows<SyntaxException> { db.prepared("SELECT 1 ?? 2") }
        assertEquals("y", db.prepared("SELECT ?", SqlType.TEXT to "y").single)
    }

    @Test
    fun `several statements in one text are refused`() = connected { db ->
        assertThrows<SyntaxException> { db.run("DO 1; DO 2") }
        assertEquals("z", db.run("SELECT 'z'").single)
    }

    @Test
    fun `trap 7, prepared statements are bounded and closed on the server`() = connected(cache = 3) { db ->
        val before = db.openStatements()
        repeat(20) { i -> repeat(2) { assertEquals("$i", db.prepared("SELECT '$i' AS v$i").single) } }
        assertEquals(3, db.openStatements() - before)
        assertEquals(17, db.statementCache.evictions)
        repeat(20) { db.run("SELECT ?", SqlType.TEXT to "once") }
        assertEquals(3, db.openStatements() - before)
        assertEquals(3, db.statements.size)
    }

    @Test
    fun `trap 7, without a cache every statement is closed after its use`() = connected(cache = 0) { db ->
        val before = db.openStatements()
        repeat(5) { assertEquals("v", db.prepared("SELECT ?", SqlType.TEXT to "v").single) }
        assertEquals(before, db.openStatements())
    }

    /** Of the whole server; other tests do not run at the same time. */
    private suspend fun MySqlConnection.openStatements() =
        run("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'").rows.single()[1].toString().toInt()

    @Test
    fun `trap 7, a failed execution keeps the statement for the next one`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE failing (id INT PRIMARY KEY)")
        val before = db.openStatements()
        repeat(5) { i ->
            if (i == 0) {
                db.prepared("INSERT INTO failing VALUES (?)", SqlType.INTEGER to 1)
            } else {
                assertThrows<ConstraintViolationException> { db.prepared("INSERT INTO failing VALUES (?)", SqlType.INTEGER to 1) }
            }
        }
        assertEquals(1, db.openStatements() - before)
    }

    @Test
    fun `trap 7, a statement is prepared anew when its table has changed or it is gone from the server`() = connected { db ->
        db.run("CREATE TABLE IF NOT EXISTS changing (a INT)")
        db.run("DELETE FROM changing")
        db.run("INSERT INTO changing VALUES (1)")
        assertEquals(listOf(1), db.prepared("SELECT * FROM changing").rows.single().toList())
        db.run("ALTER TABLE changing ADD COLUMN b VARCHAR(10) DEFAULT 'b'")
        repeat(2) {
            val result = db.prepared("SELECT * FROM changing")
            assertEquals(listOf(1, "b"), result.rows.single().toList())
            assertEquals(listOf("a", "b"), result.columns.map { it.name })
        }
        db.run("ALTER TABLE changing MODIFY COLUMN a DECIMAL(4, 1)")
        assertEquals(listOf("1.0".toBigDecimal(), "b"), db.prepared("SELECT * FROM changing").rows.single().toList())
        db.closeStatement(checkNotNull(db.statements["SELECT * FROM changing"]))
        assertEquals(2, db.prepared("SELECT * FROM changing").columns.size)
        db.run("DROP TABLE changing")
    }

    @Test
    fun `statements that cannot be prepared go as text`() = connected { db ->
        repeat(2) { assertEquals(0, db.prepared("SAVEPOINT s").affected) }
        db.run("CREATE TABLE IF NOT EXISTS locked (id INT)")
        repeat(2) { db.prepared("LOCK TABLES locked READ") }
        db.prepared("UNLOCK TABLES")
        db.prepared("BEGIN")
        assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        db.prepared("COMMIT")
        assertEquals(ConnectionStatus.IDLE, db.status)
    }

    @Test
    fun `of several results of a procedure the first one with rows is returned and the rest is read`() = connected { db ->
        db.run("DROP PROCEDURE IF EXISTS two_results")
        db.run("CREATE PROCEDURE two_results() BEGIN DO 1; SELECT 1 AS a; SELECT 'x' AS b, 'y' AS c; END")
        repeat(2) {
            assertEquals(1L, (db.prepared("call\n two_results()").single as Number).toLong())
            assertEquals(1L, (db.text("CALL two_results()").single as Number).toLong())
            assertEquals("next", db.prepared("SELECT 'next'").single)
        }
        db.run("DROP PROCEDURE IF EXISTS failing_later")
        db.run("CREATE PROCEDURE failing_later() BEGIN SELECT 1 AS a; SELECT * FROM not_there; END")
        assertThrows<SyntaxException> { db.prepared("CALL failing_later()") }
        db.run("DROP PROCEDURE IF EXISTS no_rows")
        db.run("CREATE PROCEDURE no_rows() BEGIN DO 1; END")
        assertTrue(db.prepared("CALL no_rows()").columns.isEmpty())
        assertEquals("next", db.prepared("SELECT 'next'").single)
    }

    @Test
    fun `a local file is refused and the connection goes on`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE loaded (a TEXT)")
        assertThrows<RuntimeException> { db.run("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE loaded") }
        assertEquals(0L, db.prepared("SELECT COUNT(*) FROM loaded").single)
    }

    @Test
    fun `traps 11 and 18, a row that cannot be decoded fails its statement and nothing else`() = connected { db ->
        db.run("SET sql_mode = ''")
        db.run("CREATE TEMPORARY TABLE odd (id INT, d DATE)")
        db.run("INSERT INTO odd VALUES (1, '2024-01-01'), (2, '2024-00-10'), (3, '2024-01-03')")
        for (sql in listOf<suspend (String) -> Unit>({ db.prepared(it) }, { db.text(it) })) {
            val error = assertThrows<dev.kormorant.DecodeException> { sql("SELECT id, d FROM odd ORDER BY id") }
            assertTrue("column d" in error.problem && "2024" !in error.problem, error.problem)
            assertEquals(ConnectionStatus.IDLE, db.status)
            assertEquals("right", db.prepared("SELECT 'right'").single)
        }
        assertEquals("2024-00-10", db.prepared("SELECT CAST(d AS CHAR) FROM odd WHERE id = 2").single)
    }

    // ---- Errors

    @Test
    fun `a violated constraint is named, and no value is repeated`() = connected { db ->
        db.run("DROP TABLE IF EXISTS child, parent")
        db.run("CREATE TABLE parent (id INT PRIMARY KEY, k VARCHAR(40) NOT NULL, n INT, UNIQUE KEY parent_k (k), CONSTRAINT positive CHECK (n > 0))")
        db.run("CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (id))")
        db.run("INSERT INTO parent VALUES (1, 'secret for key ''x''', 1)")
        db.run("INSERT INTO child VALUES (1, 1)")
        suspend fun violation(sql: String) = assertThrows<ConstraintViolationException> { db.run(sql) }
            .also { assertFalse("secret" in it.toString(), it.toString()) }

        violation("INSERT INTO parent VALUES (2, 'secret for key ''x''', 1)").let {
            assertEquals(ConstraintKind.UNIQUE, it.kind)
            assertEquals("parent_k", it.constraint)
            assertEquals("23000", it.sqlState)
            assertEquals(1062, it.vendorCode)
        }
        for (sql in listOf("INSERT INTO child VALUES (2, 7)", "DELETE FROM parent", "UPDATE parent SET id = 9")) violation(sql).let {
            assertEquals(ConstraintKind.FOREIGN_KEY, it.kind)
            assertEquals("child_p", it.constraint)
            assertEquals("child", it.table)
        }
        for (sql in listOf("INSERT INTO parent VALUES (3, NULL, 1)", "INSERT INTO parent (id) VALUES (4)")) violation(sql).let {
            assertEquals(ConstraintKind.NOT_NULL, it.kind)
            assertEquals("k", it.details.column)
        }
        if (isMariaDb || db.dialect.version.covers("8.0.16")) violation("INSERT INTO parent VALUES (5, 'k', -1)").let {
            assertEquals(ConstraintKind.CHECK, it.kind)
            assertEquals("positive", it.constraint)
        }
    }

    @Test
    fun `a value that does not fit is a DataException with its column and without the value`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE narrow (s VARCHAR(3), i TINYINT, d DATE, e ENUM('a'), j JSON)")
        for ((column, value) in listOf("s" to "secret", "i" to "4711", "i" to "secret", "d" to "secret", "e" to "secret")) {
            val error = assertThrows<DataException>(column) { db.prepared("INSERT INTO narrow ($column) VALUES (?)", SqlType.TEXT to value) }
            assertEquals(column, error.details.column)
            assertFalse(value in error.toString(), error.toString())
            assertFalse(generateSequence(error.cause) { it.cause }.any { value in it.toString() })
        }
        val error = assertThrows<DatabaseException> { db.prepared("INSERT INTO narrow (j) VALUES (?)", SqlType.TEXT to "secret") }
        assertFalse("secret" in error.toString(), error.toString())
    }

    @Test
    fun `a statement that is not understood is a SyntaxException, with a hint where a table is missing`() = connected { db ->
        assertThrows<SyntaxException> { db.run("SELEKT 1") }
        assertThrows<SyntaxException> { db.prepared("SELEKT 1") }
        assertThrows<SyntaxException> { db.run("SELECT nothing") }
        assertThrows<SyntaxException> { db.run("SELECT no_such_function(1)") }
        val missing = assertThrows<SyntaxException> { db.prepared("SELECT * FROM missing WHERE a = ?", SqlType.TEXT to "secret") }
        assertEquals(1146, missing.vendorCode)
        assertEquals("42S02", missing.sqlState)
        assertTrue(missing.hint != null && "missing" in missing.problem)
        assertEquals("SELECT * FROM missing WHERE a = ?", missing.sql)
    }

    @Test
    fun `errors without a class of their own repeat nothing in quotes`() = connected { db ->
        val error = assertThrows<DatabaseException> { db.run("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ''secret'' is out'") }
        assertEquals("45000", error.sqlState)
        assertFalse("secret" in error.problem, error.problem)
    }

    @Test
    fun `a deadlock and a lock that is not had in time may be tried again`() = connected { a ->
        fixture.connected { b ->
            a.run("DROP TABLE IF EXISTS locks")
            a.run("CREATE TABLE locks (id INT PRIMARY KEY, v INT)")
            a.run("INSERT INTO locks VALUES (1, 0), (2, 0)")
            for (db in listOf(a, b)) {
                db.run("SET innodb_lock_wait_timeout = 50")
                db.run("BEGIN")
            }
            a.run("UPDATE locks SET v = 1 WHERE id = 1")
            b.run("UPDATE locks SET v = 1 WHERE id = 2")
            supervisorScope {
                val outcomes = listOf(
                    async { runCatching { a.run("UPDATE locks SET v = 2 WHERE id = 2") }.also { a.run("ROLLBACK") } },
                    async { runCatching { b.run("UPDATE locks SET v = 2 WHERE id = 1") }.also { b.run("ROLLBACK") } },
                ).map { it.await() }
                val error = outcomes.single { it.isFailure }.exceptionOrNull()
                assertTrue(error is DeadlockException && error.isTransient && error.vendorCode == 1213, "$error")
            }
            a.run("BEGIN")
            a.run("UPDATE locks SET v = 1 WHERE id = 1")
            b.run("SET innodb_lock_wait_timeout = 1")
            val error = assertThrows<DeadlockException> { b.run("UPDATE locks SET v = 2 WHERE id = 1") }
            assertEquals(1205, error.vendorCode)
            assertTrue(error.isTransient)
        }
    }

    @Test
    fun `a statement stopped by the server's own time limit is a QueryTimeoutException`() = connected { db ->
        val sql = if (isMariaDb) "SET STATEMENT max_statement_time = 0.05 FOR SELECT SLEEP(20)" else "SELECT /*+ MAX_EXECUTION_TIME(50) */ COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c"
        assertThrows<QueryTimeoutException> { db.prepared(sql) }
        assertEquals(ConnectionStatus.IDLE, db.status)
    }

    // ---- Cancel and loss

    private val slow = "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c, information_schema.columns d"

    @Test
    fun `trap 4, a cancelled statement goes on until cancel stops it, and the connection is kept`() = connected { db ->
        val id = db.serverId
        for (sql in listOf(slow, "SELECT SLEEP(1000)", "DO SLEEP(1000)")) {
            coroutineScope {
                val job = launch(start = CoroutineStart.UNDISPATCHED) { db.prepared(sql) }
                awaitRunning(db)
                job.cancel()
                job.join()
                assertEquals(ConnectionStatus.BUSY, db.status)
                db.cancel()
                assertEquals(ConnectionStatus.IDLE, db.status)
            }
        }
        assertEquals(id, (db.prepared("SELECT CONNECTION_ID()").single as Number).toLong())
        db.cancel()
    }

    /** Returns once the server is at work on a statement of [db]. */
    private fun awaitRunning(db: MySqlConnection) = fixture.connected { other ->
        val sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ? AND command IN ('Query', 'Execute') AND info IS NOT NULL"
        while (other.prepared(sql, SqlType.BIGINT to db.serverId).single != 1L) yield()
    }

    @Test
    fun `a statement cancelled before it is sent is not sent at all`() = connected { db ->
        repeat(20) {
            coroutineScope {
                val job = launch(start = CoroutineStart.UNDISPATCHED) { db.prepared("SELECT SLEEP(0.01)") }
                job.cancel()
                job.join()
                db.cancel()
                assertEquals(ConnectionStatus.IDLE, db.status)
            }
        }
    }

    @Test
    fun `a statement cancelled by somebody else ends with QueryTimeoutException after the cancel is done`() = connected { db ->
        supervisorScope {
            val running = async(start = CoroutineStart.UNDISPATCHED) { db.prepared(slow) }
            val cancels = List(3) { launch { db.cancel() } }
            assertThrows<QueryTimeoutException> { running.await() }
            cancels.forEach { it.join() }
            assertEquals(1L, (db.prepared("SELECT 1").single as Number).toLong())
        }
    }

    @Test
    fun `a transaction survives the cancel of one of its statements`() = connected { db ->
        db.run("CREATE TEMPORARY TABLE kept (v INT)")
        db.run("BEGIN")
        db.run("INSERT INTO kept VALUES (1)")
        coroutineScope {
            val job = launch(start = CoroutineStart.UNDISPATCHED) { db.prepared(slow) }
            job.cancel()
            db.cancel()
        }
        assertEquals(ConnectionStatus.IN_TRANSACTION, db.status)
        db.run("COMMIT")
        assertEquals(1L, db.prepared("SELECT COUNT(*) FROM kept").single)
    }

    @Test
    fun `a connection killed on the server fails its statement at once`() = connected { db ->
        fixture.connected { other ->
            supervisorScope {
                val running = async(start = CoroutineStart.UNDISPATCHED) { db.prepared("SELECT SLEEP(1000)") }
                other.run("KILL ${db.serverId}")
                val error = assertThrows<ConnectionException> { running.await() }
                assertTrue(error.connectionLost)
                assertEquals(ConnectionStatus.CLOSED, db.status)
                assertThrows<ConnectionException> { db.prepared("SELECT 1") }
                db.cancel()
            }
        }
    }

    @Test
    fun `close fails the statement in progress and may be repeated`() = connected { db ->
        supervisorScope {
            val running = async(start = CoroutineStart.UNDISPATCHED) { db.prepared("SELECT SLEEP(1000)") }
            db.close()
            db.close()
            assertThrows<ConnectionException> { running.await() }
            assertEquals(ConnectionStatus.CLOSED, db.status)
            db.cancel()
        }
    }

    @Test
    fun `trap 1, no statement ever gets another one's answer, whatever is cancelled when`() = runBlocking(Dispatchers.Default) {
        val seed = System.nanoTime()
        repeat(4) { worker -> launch { fixture.driver("?sslmode=disable").connect(Access.WRITE).let { storm(it as MySqlConnection, seed + worker) } } }
    }

    private suspend fun storm(db: MySqlConnection, seed: Long) {
        val random = Random(seed)
        try {
            val id = db.serverId
            var cancelled = 0
            repeat(150) { i ->
                val marker = "marker $seed $i"
                coroutineScope {
                    val job = async {
                        when (i % 4) {
                            0 -> db.prepared("SELECT ?", SqlType.TEXT to marker).single
                            1 -> db.prepared("SELECT ?, SLEEP(0.003)", SqlType.TEXT to marker).rows.single()[0]
                            2 -> db.run("SELECT ? FROM information_schema.columns a LIMIT 1", SqlType.TEXT to marker).single
                            else -> db.text("SELECT '$marker'").single
                        }
                    }
                    if (random.nextInt(3) > 0) {
                        val until = System.nanoTime() + random.nextLong(4_000_000)
                        while (System.nanoTime() < until) yield()
                        job.cancel()
                        cancelled++
                    }
                    job.join()
                    if (job.isCancelled) db.cancel() else assertEquals(marker, job.await(), "seed $seed, round $i")
                }
                assertEquals(ConnectionStatus.IDLE, db.status, "seed $seed, round $i")
            }
            assertTrue(cancelled > 50)
            assertEquals(id, db.serverId)
            assertEquals(id, (db.prepared("SELECT CONNECTION_ID()").single as Number).toLong())
        } finally {
            db.close()
        }
    }

    // ---- Streams

    private suspend fun MySqlConnection.fillStream(rows: Int) {
        run("CREATE TABLE IF NOT EXISTS streamed (id INT PRIMARY KEY, filler VARCHAR(1000))")
        if (prepared("SELECT COUNT(*) FROM streamed").single as Long >= rows) return
        run("DELETE FROM streamed")
        (0 until rows).chunked(5_000).forEach { ids ->
            run("INSERT INTO streamed VALUES " + ids.joinToString(",") { "($it, REPEAT('x', 500))" })
        }
    }

    @Test
    fun `a stream gives all rows in portions and then frees the connection`() = connected { db ->
        db.fillStream(20_000)
        val stream = db.stream(SqlStatement("SELECT id, filler FROM streamed WHERE id < ? ORDER BY id", listOf(SqlType.INTEGER), listOf(10_000)), 100)
        assertEquals(listOf("id", "filler"), stream.columns.map { it.name })
        assertEquals(ConnectionStatus.BUSY, db.status)
        val ids = ArrayList<Any?>()
        while (true) {
            val rows = stream.next() ?: break
            assertTrue(rows.size in 1..400, "${rows.size}")
            rows.mapTo(ids) { it[0] }
        }
        assertEquals(List(10_000) { it }, ids)
        assertNull(stream.next())
        assertEquals(ConnectionStatus.IDLE, db.status)
        stream.close()
        assertEquals(20_000L, db.prepared("SELECT COUNT(*) FROM streamed").single)
    }

    @Test
    fun `a stream over TLS does not stall`() = connected("?sslmode=require") { db ->
        db.fillStream(20_000)
        for (fetchSize in listOf(1, 7, 5_000)) {
            val stream = db.stream(SqlStatement("SELECT id, filler FROM streamed ORDER BY id"), fetchSize)
            var next = 0
            while (true) for (row in stream.next() ?: break) assertEquals(next++, row[0])
            assertEquals(20_000, next)
            stream.close()
        }
    }

    @Test
    fun `a stream closed early leaves the connection clean`() = connected { db ->
        db.fillStream(20_000)
        val id = db.serverId
        repeat(5) { round ->
            val stream = db.stream(SqlStatement("SELECT a.id, a.filler FROM streamed a, streamed b"), 10)
            repeat(round) { assertTrue(checkNotNull(stream.next()).isNotEmpty()) }
            stream.close()
            stream.close()
            assertEquals(ConnectionStatus.IDLE, db.status)
            assertEquals("after", db.prepared("SELECT 'after'").single)
        }
        assertEquals(id, db.serverId)
    }

    @Test
    fun `a slow reader of a stream stops the server, not the heap`() = connected { db ->
        db.fillStream(20_000)
        val stream = db.stream(SqlStatement("SELECT a.id, a.filler FROM streamed a, streamed b"), 100)
        stream.next()
        fixture.connected { other ->
            // The rows would fill hundreds of GB; the server can only wait for the socket now.
            var state: String?
            do {
                state = other.prepared("SELECT state FROM information_schema.processlist WHERE id = ?", SqlType.BIGINT to db.serverId).single?.toString()
            } while (state != null && !state.contains("to net", ignoreCase = true) && !state.contains("to client", ignoreCase = true))
        }
        stream.close()
        assertEquals("after", db.prepared("SELECT 'after'").single)
    }

    @Test
    fun `a stream fails as a statement does`() = connected { db ->
        assertThrows<SyntaxException> { db.stream(SqlStatement("SELECT * FROM missing"), 10) }
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertThrows<IllegalArgumentException> { db.stream(SqlStatement("SELECT 1"), 0) }
        val none = db.stream(SqlStatement("DO 1"), 10)
        assertTrue(none.columns.isEmpty())
        assertNull(none.next())
        db.fillStream(20_000)
        val stopped = db.stream(SqlStatement("SELECT a.id, a.filler FROM streamed a, streamed b"), 10)
        stopped.next()
        db.cancel()
        assertThrows<QueryTimeoutException> { stopped.next() }
        assertEquals("after", db.prepared("SELECT 'after'").single)
    }

    @Test
    fun `a coroutine cancelled while it reads a stream leaves the connection to cancel`() = connected { db ->
        db.fillStream(20_000)
        coroutineScope {
            val job = launch(start = CoroutineStart.UNDISPATCHED) {
                val stream = db.stream(SqlStatement("SELECT a.id, a.filler FROM streamed a, streamed b"), 1_000)
                while (stream.next() != null) yield()
            }
            yield()
            job.cancel()
            job.join()
            db.cancel()
        }
        assertEquals(ConnectionStatus.IDLE, db.status)
        assertEquals("after", db.prepared("SELECT 'after'").single)
    }

    // ---- Size

    @Test
    fun `trap 10, packets of 16 MiB and more are split and joined`() {
        fixture.connected { admin -> admin.run("SET GLOBAL max_allowed_packet = 67108864") }
        connected { db ->
            db.run("CREATE TEMPORARY TABLE big (id INT PRIMARY KEY, b LONGBLOB, t LONGTEXT)")
            val edge = 0xFF_FF_FF
            for ((i, size) in listOf(10_000_000, 20_000_000, edge - 40, edge - 20, edge, edge * 2 - 30).withIndex()) {
                val bytes = ByteArray(size) { (it * 31 ushr 3).toByte() }
                db.prepared("INSERT INTO big (id, b) VALUES (?, ?)", SqlType.INTEGER to i, SqlType.BINARY to bytes)
                val read = db.prepared("SELECT b FROM big WHERE id = ?", SqlType.INTEGER to i).single as ByteArray
                assertTrue(bytes.contentEquals(read), "$size")
                assertTrue(bytes.contentEquals(db.text("SELECT b FROM big WHERE id = $i").single as ByteArray), "$size as text")
            }
            for (size in edge - 20..edge - 14) {
                assertEquals(size.toLong(), db.prepared("SELECT LENGTH(?)", SqlType.BINARY to ByteArray(size)).single.let { (it as Number).toLong() })
            }
            for (size in listOf(edge - 12, edge - 10, edge - 9, edge - 8, edge - 4, edge)) {
                assertEquals(size, (db.prepared("SELECT REPEAT('x', $size)").single as String).length)
            }
        }
    }

    @Test
    fun `a statement larger than the server takes is refused before anything is sent`() {
        fixture.connected { admin -> admin.run("SET GLOBAL max_allowed_packet = 67108864") }
        connected { db ->
            val error = assertThrows<DatabaseException> { db.prepared("SELECT LENGTH(?)", SqlType.BINARY to ByteArray(70_000_000)) }
            assertTrue("max_allowed_packet" in checkNotNull(error.hint))
            assertEquals("after", db.prepared("SELECT 'after'").single)
        }
    }

    @Test
    fun `many small statements in a row reuse one prepared statement`() = connected { db ->
        repeat(500) { i -> assertEquals(BigInteger.valueOf(i.toLong()), BigInteger(db.prepared("SELECT CAST(? AS CHAR)", SqlType.INTEGER to i).single as String)) }
        assertEquals(499, db.statementCache.hits)
        assertEquals(1, db.statementCache.misses)
    }
}
