package dev.kormorant.jasync.postgresql

import dev.kormorant.DatabaseException
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.file.Path

class PostgreSqlSecrecyTest {
    @Test
    fun `at the finest log level neither the password nor an argument is written, by any library`() {
        val server = PostgreSqlFixture.server
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val classPath = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val process = ProcessBuilder(java, "-Dorg.slf4j.simpleLogger.defaultLogLevel=trace", "-cp", classPath, SecretUser::class.java.name)
            .redirectErrorStream(true)
            .apply {
                environment() += mapOf("TALKER_URL" to server.url, "TALKER_USER" to server.user, "TALKER_PASSWORD" to server.password)
            }
            .start()
        val log = process.inputStream.bufferedReader().readText()
        assertEquals(0, process.waitFor(), log)
        assertTrue("TRACE" in log || "DEBUG" in log, "Nothing was logged: $log")
        assertTrue("the work is done" in log)
        val dumped = ARGUMENT.encodeToByteArray().joinToString("") { "%02x".format(it) }
        for (secret in listOf(server.password, ARGUMENT, dumped)) assertFalse(secret in log, log)
    }

    companion object {
        const val ARGUMENT: String = "very-secret-argument"
    }
}

/** Does what could make a driver talkative; a process of its own, since loggers keep the level they were made with. */
internal object SecretUser {
    @JvmStatic
    fun main(arguments: Array<String>) = kotlinx.coroutines.runBlocking {
        val secret = PostgreSqlSecrecyTest.ARGUMENT
        val environment = System.getenv()
        val driver = PostgreSqlFixture.driver(
            url = environment.getValue("TALKER_URL"),
            user = environment.getValue("TALKER_USER"),
            password = environment.getValue("TALKER_PASSWORD"),
        )
        val db = driver.connect(dev.kormorant.driver.Access.WRITE)
        println("$driver $db")
        db.run("CREATE TEMP TABLE t (v text UNIQUE)")
        repeat(2) {
            try {
                db.prepared("INSERT INTO t VALUES (?)", SqlType.TEXT to secret)
            } catch (e: DatabaseException) {
                println(e.stackTraceToString())
            }
        }
        val statement = SqlStatement("SELECT ?::int", listOf(SqlType.TEXT), listOf(secret))
        println(statement)
        println(runCatching { db.execute(statement) })
        println(runCatching { db.execute(SqlStatement("SELECT ?", listOf(SqlType.INTEGER), listOf(secret))) })
        db.stream(SqlStatement("SELECT ?", listOf(SqlType.TEXT), listOf(secret)), 1).close()
        db.close()
        println("the work is done")
    }
}
