package dev.kormorant.test.conformance

import dev.kormorant.ConnectionBusyException
import dev.kormorant.DataException
import dev.kormorant.Database
import dev.kormorant.DatabaseException
import dev.kormorant.QueryTimeoutException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.copyIn
import dev.kormorant.copyOut
import dev.kormorant.transaction
import dev.kormorant.withStatementTimeout
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.Table
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds

private object Copied : Table("copied") {
    val number = integer("number")
    val words = text("words")
}

private const val IN = "COPY copied FROM STDIN"
private const val OUT = "COPY (SELECT * FROM copied ORDER BY number) TO STDOUT"

/** COPY from and to the program. */
public abstract class CopySuite(backend: Backend) : Suite(backend, Copied) {
    private class Stop : RuntimeException()

    private fun line(number: Int) = "$number\tWörter $number\n"

    private fun lines(numbers: IntRange): ByteArray = numbers.joinToString("", transform = ::line).encodeToByteArray()

    private suspend fun bytes(flow: Flow<ByteArray>): ByteArray = flow.toList().fold(ByteArray(0)) { all, piece -> all + piece }

    private suspend fun count() = (db.exec("SELECT count(*) FROM copied").scalar() as Number).toInt()

    /** Runs [block] on a database of one connection, which must be the same before and after. */
    private fun onOneConnection(block: suspend CoroutineScope.() -> Unit) = runBlocking {
        needs(can.copy, "COPY")
        open { pool { max = 1 } }.use { other ->
            withContext(other) {
                suspend fun session() = other.exec(backend.dialogue.sessionId!!).scalar()
                val session = session()
                block()
                assertEquals(0, other.pool.inUse)
                assertEquals(session, session())
            }
        }
    }

    private suspend fun other() = checkNotNull(currentCoroutineContext()[Database])

    @Test
    public fun `a database without COPY says so before anything is sent`(): Unit = test {
        needs(!can.copy, "lack of COPY")
        val statements = statementsOf {
            assertFails<UnsupportedByDialectException> { db.copyOut(OUT) }
            assertFails<UnsupportedByDialectException> { db.copyIn(IN, emptyFlow()) }
        }
        assertEquals(emptyList<String>(), statements)
    }

    @Test
    public fun `what is copied in comes out again, however it is cut`(): Unit = onOneConnection {
        val data = lines(1..10_000)
        for (size in listOf(1_000_000, 777)) {
            other().exec("DELETE FROM copied")
            val pieces = (0 until data.size step size).map { data.copyOfRange(it, minOf(it + size, data.size)) }
            assertEquals(10_000, other().copyIn(IN, pieces.asFlow()))
            assertTrue(data.contentEquals(bytes(other().copyOut(OUT))))
        }
        assertEquals(0, other().copyIn(IN, emptyFlow()))
        assertEquals(0, bytes(other().copyOut("COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT csv)")).size)
    }

    @Test
    public fun `a COPY in a transaction ends with it`(): Unit = onOneConnection {
        transaction { tx ->
            assertEquals(3, other().copyIn(IN, flowOf(lines(1..3))))
            assertEquals(lines(1..3).size, bytes(other().copyOut(OUT)).size)
            tx.setRollbackOnly()
        }
        assertEquals(0, count())
        transaction { other().copyIn(IN, flowOf(lines(1..3))) }
        assertEquals(3, count())
    }

    @Test
    public fun `a COPY to a collector that leaves or fails is stopped, and its connection kept`(): Unit = onOneConnection {
        val endless = "COPY (SELECT repeat('x', 1000) || generate_series(1, 100000000)) TO STDOUT"
        assertTrue(other().copyOut(endless).first().isNotEmpty())
        assertFails<Stop> { other().copyOut(endless).collect { throw Stop() } }
        val begun = CompletableDeferred<Unit>()
        val collecting = launch {
            other().copyOut(endless).collect {
                begun.complete(Unit)
                awaitCancellation()
            }
        }
        begun.await()
        collecting.cancelAndJoin()
        assertEquals(1, (other().exec("SELECT 1").scalar() as Number).toInt())
    }

    @Test
    public fun `a slow collector makes the server wait`(): Unit = onOneConnection {
        val rows = 40_000
        var size = 0L
        other().copyOut("COPY (SELECT repeat('x', 999) FROM generate_series(1, $rows)) TO STDOUT").collect {
            assertTrue(it.size < 4 * 1024 * 1024, "a piece of ${it.size} bytes")
            if (size == 0L) delay(300)
            size += it.size
        }
        assertEquals(rows * 1000L, size)
    }

    @Test
    public fun `data that fails or is cancelled leaves nothing behind, and the connection is kept`(): Unit = onOneConnection {
        assertFails<Stop> {
            other().copyIn(IN, flow {
                emit(lines(1..10))
                throw Stop()
            })
        }
        val begun = CompletableDeferred<Unit>()
        val copying = launch {
            other().copyIn(IN, flow {
                emit(lines(1..10))
                begun.complete(Unit)
                awaitCancellation()
            })
        }
        begun.await()
        copying.cancelAndJoin()
        assertFails<Stop> {
            transaction {
                other().copyIn(IN, flow { throw Stop() })
            }
        }
        assertEquals(0, count())
    }

    @Test
    public fun `data that the server refuses is an error of the data, also when more of it comes`(): Unit = onOneConnection {
        assertFails<DataException> { other().copyIn(IN, flowOf("no number\tx\n".encodeToByteArray())) }
        assertFails<DataException> {
            other().copyIn(IN, flow {
                emit("no number\tx\n".encodeToByteArray())
                repeat(1000) { emit(lines(1..1000)) }
            })
        }
        assertFails<DatabaseException> { other().copyIn("COPY nowhere FROM STDIN", flowOf(lines(1..3))) }
        assertFails<DatabaseException> { other().copyOut("COPY nowhere TO STDOUT").toList() }
        assertEquals(0, count())
    }

    @Test
    public fun `a COPY has the time that a statement has`(): Unit = onOneConnection {
        withStatementTimeout(100.milliseconds) {
            assertFails<QueryTimeoutException> { other().copyOut("COPY (${backend.dialogue.slowStatement}) TO STDOUT").toList() }
        }
    }

    @Test
    public fun `a statement of the coroutine that copies in the same transaction is an error at once`(): Unit = onOneConnection {
        transaction {
            other().copyIn(IN, flowOf(lines(1..10)))
            assertFails<ConnectionBusyException> { other().copyOut(OUT).collect { other().exec("SELECT 1") } }
        }
        assertEquals(10, count())
    }

    @Test
    public fun `other statements are refused before anything is sent`(): Unit = test {
        needs(can.copy, "COPY")
        val statements = statementsOf {
            assertFails<IllegalArgumentException> { db.copyOut("SELECT 1") }
            assertFails<IllegalArgumentException> { db.copyOut(IN) }
            assertFails<IllegalArgumentException> { db.copyIn(OUT, emptyFlow()) }
            assertFails<IllegalArgumentException> { db.copyOut("COPY (SELECT ?) TO STDOUT").toList() }
        }
        assertEquals(emptyList<String>(), statements)
        assertFails<DatabaseException> { db.copyOut("COPY copied FROM STDIN WHERE words <> ' to stdout '").toList() }
    }
}
