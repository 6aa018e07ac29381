package dev.kormorant.test.conformance

import dev.kormorant.ConnectionException
import dev.kormorant.Database
import dev.kormorant.Notification
import dev.kormorant.PoolClosedException
import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.listen
import dev.kormorant.notify
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** LISTEN and NOTIFY. */
public abstract class NotificationSuite(backend: Backend) : Suite(backend) {
    /** Who hears what is sent on some channels; all of it is in [heard]. */
    private class Listener(val heard: ReceiveChannel<Notification>, private val job: Job) {
        suspend fun message(): Notification.Message = withoutHang("the wait for a message") { heard.receive() } as Notification.Message

        suspend fun stop(): Unit = job.cancelAndJoin()
    }

    private suspend fun CoroutineScope.listen(vararg channels: String): Listener {
        val heard = Channel<Notification>(Channel.UNLIMITED)
        val job = launch(Dispatchers.Default) { db.listen(*channels).collect { heard.send(it) } }
        assertSame(Notification.Begin, withoutHang("the begin") { heard.receive() })
        return Listener(heard, job)
    }

    private suspend fun listeners(): List<Long> = db.exec(backend.dialogue.listeners!!).rows.map { (it.values.single() as Number).toLong() }

    private fun supported() = needs(can.notifications, "notifications")

    @Test
    public fun `a database without notifications says so before anything is sent`(): Unit = test {
        needs(!can.notifications, "lack of notifications")
        val statements = statementsOf {
            assertFails<UnsupportedByDialectException> { db.listen("news") }
            assertFails<UnsupportedByDialectException> { db.notify("news", "text") }
        }
        assertEquals(emptyList<String>(), statements)
    }

    @Test
    public fun `messages arrive in order, with payload and sender, from the channels asked for (U14)`(): Unit = test {
        supported()
        val listener = listen("news", "Odd \"name\"")
        db.notify("elsewhere", "not heard")
        db.notify("news", "one")
        db.notify("Odd \"name\"", "zwei – 二")
        db.notify("news")
        val messages = List(3) { listener.message() }
        assertEquals(listOf("news" to "one", "Odd \"name\"" to "zwei – 二", "news" to ""), messages.map { it.channel to it.payload })
        assertTrue(messages.all { it.sender > 0 })
        assertFalse("one" in messages.first().toString())
        listener.stop()
    }

    @Test
    public fun `a message of a transaction arrives after its commit and not after a rollback (U14)`(): Unit = test {
        supported()
        val listener = listen("news")
        transaction { tx ->
            db.notify("news", "undone")
            tx.setRollbackOnly()
        }
        transaction {
            db.notify("news", "first")
            outside { db.notify("news", "before") }
        }
        assertEquals(listOf("before", "first"), List(2) { listener.message().payload })
        listener.stop()
    }

    @Test
    public fun `a listener whose session is ended hears of a gap, and then of what is sent (U14)`(): Unit = test {
        supported()
        val listener = listen("news")
        repeat(2) { round ->
            db.exec(backend.dialogue.killSession!!(listeners().single()))
            val gap = withoutHang("the gap") { listener.heard.receive() }
            assertTrue(gap is Notification.Gap && gap.cause is ConnectionException, "$gap")
            db.notify("news", "$round")
            assertEquals("$round", listener.message().payload)
        }
        listener.stop()
    }

    @Test
    public fun `a listener that is cancelled closes its connection, which was none of the pool's (U14)`(): Unit = test {
        supported()
        val listener = listen("news")
        assertEquals(0, db.pool.inUse)
        assertEquals(1, listeners().size)
        listener.stop()
        eventually("nobody listens") { listeners().isEmpty() }
        assertSame(Notification.Begin, db.listen("news").first())
        eventually("nobody listens again") { listeners().isEmpty() }
    }

    @Test
    public fun `a collector that is too slow hears of the gap where messages are missing (U14)`(): Unit = test {
        supported()
        val begun = CompletableDeferred<Unit>()
        val goOn = CompletableDeferred<Unit>()
        val heard = Channel<Notification>(Channel.UNLIMITED)
        val job = launch(Dispatchers.Default) {
            db.listen("news", "end").collect {
                begun.complete(Unit)
                goOn.await()
                heard.send(it)
            }
        }
        begun.await()
        val witness = listen("end")
        db.exec("SELECT count(pg_notify('news', n::text)) FROM generate_series(1, 20000) n")
        db.notify("end", "sent")
        witness.message()
        goOn.complete(Unit)
        var messages = 0
        withoutHang("the gap") {
            while (true) {
                val next = heard.receive()
                if (next is Notification.Message) assertEquals("${++messages}", next.payload)
                if (next is Notification.Gap) return@withoutHang assertNull(next.cause)
            }
        }
        assertTrue(messages in 8_000..<20_000, "$messages")
        db.notify("news", "after")
        withoutHang("the message after the gap") { while ((heard.receive() as? Notification.Message)?.payload != "after") continue }
        job.cancelAndJoin()
        witness.stop()
    }

    @Test
    public fun `closing the database ends a listener with PoolClosedException (U14)`(): Unit = runBlocking {
        supported()
        val other = open()
        val begun = CompletableDeferred<Unit>()
        val outcome = async(Dispatchers.Default) { runCatching { other.listen("news").collect { begun.complete(Unit) } } }
        begun.await()
        other.close()
        val error = withoutHang("the end") { outcome.await() }.exceptionOrNull()
        assertTrue(error is PoolClosedException, "$error")
        assertFails<PoolClosedException> { other.listen("news").toList() }
    }

    @Test
    public fun `a listener that cannot connect at first fails (U14)`(): Unit = runBlocking {
        supported()
        Database.open(backend.unreachableUrl).use { nowhere -> assertFails<ConnectionException> { nowhere.listen("news").toList() } }
    }

    @Test
    public fun `there is no listening through a pooler (U14)`(): Unit = runBlocking {
        supported()
        open { statementCacheSize = 0 }.use { pooled ->
            assertHint(assertFails<UnsupportedByDialectException> { pooled.listen("news") }, "second Database")
        }
    }

    @Test
    public fun `a channel has a name that the server can keep (U14)`(): Unit = test {
        supported()
        for (name in listOf("", "n".repeat(64), "a\u0000b")) {
            assertFails<IllegalArgumentException> { db.listen(name) }
            assertFails<IllegalArgumentException> { db.notify(name, "") }
        }
        assertFails<IllegalArgumentException> { db.listen() }
    }
}
