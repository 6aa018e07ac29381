package dev.kormorant.examples.library

import dev.kormorant.Database
import dev.kormorant.examples.Place
import dev.kormorant.examples.load.LoadGenerator
import dev.kormorant.examples.serving
import dev.kormorant.ktor.database
import dev.kormorant.test.FaultProxy
import dev.kormorant.test.TestServers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The service at work for clients in another process while its database restarts. */
class LibraryUnderLoadTest {
    private class Answer(val sent: Long, val answered: Long, val status: Int)

    /** Clients in a process of their own. */
    private class Clients(service: String) : AutoCloseable {
        private val process = ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m", "-cp", classPath(),
            LoadGenerator::class.java.name, service, "8", "200000",
        ).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        private val progress = AtomicInteger()
        private val answers = ArrayList<Answer>()
        private val reader = thread(isDaemon = true) {
            process.inputStream.bufferedReader().forEachLine { line ->
                val words = line.split(' ')
                when {
                    words[0] == "progress" -> progress.accumulateAndGet(words[1].toInt(), ::maxOf)
                    words.size == 3 -> answers += Answer(words[0].toLong(), words[1].toLong(), words[2].toInt())
                }
            }
        }

        /** Waits until [count] more requests are answered. */
        suspend fun awaitMore(count: Int) {
            val goal = progress.get() + count
            withTimeout(120.seconds) {
                while (progress.get() < goal) {
                    check(process.isAlive) { "The clients have ended." }
                    delay(10.milliseconds)
                }
            }
        }

        fun finish(): List<Answer> {
            process.outputStream.close()
            reader.join(60_000)
            return answers
        }

        override fun close() {
            process.destroyForcibly()
        }

        private companion object {
            /** The generator is on its own in the class path: it shares nothing with the service. */
            fun classPath(): String = File(LoadGenerator::class.java.protectionDomain.codeSource.location.toURI()).path
        }
    }

    @Test
    fun `a restart of the database is an outage for as long as it lasts, and no longer`() = runBlocking<Unit> {
        val server = TestServers.postgresql().assumeAvailable()
        Place.POSTGRESQL.withEmptyDatabase { url ->
            FaultProxy(server.host, server.port).use { proxy ->
                lateinit var database: Database
                serving({
                    libraryService {
                        database(url.replace("@${server.host}:${server.port}/", "@${proxy.host}:${proxy.port}/")) { pool { max = 4; acquireTimeout = 2.seconds } }
                    }
                    database = database()
                }) {
                    Clients(this.url).use { clients ->
                        clients.awaitMore(400)
                        val down = System.currentTimeMillis()
                        proxy.refuse()
                        restart(server.url)
                        proxy.closeConnections()
                        clients.awaitMore(50)
                        awaitServer(server.url)
                        proxy.accept()
                        val up = System.currentTimeMillis()
                        awaitHealth { get("/health").statusCode() == 200 }
                        val healthy = System.currentTimeMillis()
                        clients.awaitMore(400)
                        check(down, up, healthy, clients.finish())
                    }
                    withTimeout(30.seconds) { while (database.pool.inUse > 0) delay(10.milliseconds) }
                    assertEquals(0, database.pool.waiting)
                }
            }
        }
    }

    private fun check(down: Long, up: Long, healthy: Long, answers: List<Answer>) {
        val good = answers.filter { it.status == 200 || it.status == 201 }
        val bad = answers - good.toSet()
        val before = good.filter { it.answered < down }
        val after = good.filter { it.sent > healthy }
        println(
            "load: ${answers.size} requests, ${before.size} answered before the outage, ${after.size} sent after it; outage ${up - down} ms, " +
                "healthy ${healthy - up} ms later; failed: ${bad.groupingBy { it.status }.eachCount()}; " +
                "median ${median(before)} ms before, ${median(after)} ms after",
        )
        assertTrue(before.size >= 300 && after.size >= 200, "before ${before.size}, after ${after.size}")
        assertTrue(bad.isNotEmpty(), "the outage was not noticed")
        assertEquals(emptyList<String>(), bad.filter { it.answered < down || it.sent > healthy }.map { "${it.sent - down} ms after the start: ${it.status}" })
        assertEquals(emptySet<Int>(), bad.map { it.status }.toSet() - UNAVAILABLE)
    }

    private fun median(answers: List<Answer>) = answers.map { it.answered - it.sent }.sorted().let { if (it.isEmpty()) 0 else it[it.size / 2] }

    /** A server process that dies makes PostgreSQL end all others, recover from its log and start anew. */
    private suspend fun restart(url: String) {
        Database.open(url).use { runCatching { it.exec("COPY (SELECT 1) TO PROGRAM 'kill -9 \$PPID'") } }
    }

    private suspend fun awaitServer(url: String) = awaitHealth { runCatching { Database.open(url).use { it.exec("SELECT 1") } }.isSuccess }

    private suspend fun awaitHealth(isHealthy: suspend () -> Boolean) = withTimeout(60.seconds) { while (!isHealthy()) delay(20.milliseconds) }

    private companion object {
        /** Without a connection 503; a commit whose outcome nobody knows 500. */
        val UNAVAILABLE = setOf(503, 500)
    }
}
