package dev.kormorant.test.conformance

import dev.kormorant.Database
import dev.kormorant.batchInsert
import dev.kormorant.select
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.ColumnSet
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.crossJoin
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import java.nio.file.Path
import kotlin.time.measureTime

private object Digits : Table("digit") {
    val digit = integer("digit")
    val text = varchar("text", 200)
}

private const val URL = "KORMORANT_STREAM_URL"

/**
 * Streams that are longer than the heap: 300 000 rows in a program with 64 MB, or as many as the system property
 * `kormorant.stream.rows` says, up to a hundred million.
 */
@Timeout(60 * 60)
public abstract class StreamMemorySuite(backend: Backend) : Suite(backend, Digits) {
    @Test
    public fun `a stream of any length fits into a small heap (N11)`(): Unit = test {
        needs(can.shared, "second program that could see the same data")
        Digits.batchInsert(0..9) {
            this[Digits.digit] = it
            this[Digits.text] = "$it".repeat(150)
        }
        val rows = Integer.getInteger("kormorant.stream.rows", 300_000)
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val builder = ProcessBuilder(java, "-Xmx64m", "-cp", System.getProperty("java.class.path"), StreamReader::class.java.name, "$rows")
        builder.environment()[URL] = url
        val reader = builder.redirectErrorStream(true).start()
        try {
            val output = reader.inputReader().readText()
            assertEquals(0, reader.waitFor(), output)
            println("${backend.product}: $output".trim())
        } finally {
            reader.destroyForcibly()
        }
    }
}

/** A program of its own that streams as many rows as it is told and checks them. */
internal object StreamReader {
    private const val COLUMNS = 8

    @JvmStatic
    fun main(arguments: Array<String>) {
        val expected = arguments.single().toInt()
        val digits = (1..COLUMNS).map { Digits.alias("d$it") }
        val rows = digits.drop(1).fold(digits[0] as ColumnSet) { joined, next -> joined.crossJoin(next) }
            .select(listOf(digits[0][Digits.digit], digits[0][Digits.text]))
            .limit(expected)
            .fetchSize(500)
        var count = 0
        val time = measureTime {
            runBlocking {
                Database.open(System.getenv(URL)).use { db ->
                    withContext(db) {
                        rows.collect { row ->
                            count++
                            check(row[digits[0][Digits.text]][0].digitToInt() == row[digits[0][Digits.digit]])
                        }
                    }
                }
            }
        }
        check(count == expected) { "$count rows instead of $expected" }
        println("$count rows in ${time.inWholeMilliseconds} ms with ${Runtime.getRuntime().maxMemory() / (1 shl 20)} MB")
    }
}
