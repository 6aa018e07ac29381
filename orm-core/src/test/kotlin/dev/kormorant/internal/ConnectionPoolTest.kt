package dev.kormorant.internal

import dev.kormorant.ConfigurationException
import dev.kormorant.ConnectionException
import dev.kormorant.PoolClosedException
import dev.kormorant.PoolConfig
import dev.kormorant.PoolTimeoutException
import dev.kormorant.driver.ConnectionStatus
import dev.kormorant.internal.FakeConnection.Link
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotSame
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class ConnectionPoolTest {
    private val timer = ManualTimer()
    private val steps = StepDispatcher()
    private val scope = CoroutineScope(Job() + steps)
    private val opened = ArrayList<FakeConnection>()
    private var connectError: Throwable? = null
    private var connectGate = CompletableDeferred(Unit)

    private fun pool(configure: PoolConfig.() -> Unit = {}) = ConnectionPool(PoolConfig().apply(configure), timer, steps) {
        connectGate.await()
        connectError?.let { throw it }
        FakeConnection(opened.size + 1L).also { opened += it }
    }

    private inner class Call<T>(block: suspend () -> T) {
        var value: T? = null
        var error: Throwable? = null
        val job: Job = scope.launch {
            try {
                value = block()
            } catch (e: Throwable) {
                error = e
            }
        }

        init {
            steps.runAll()
        }

        val isDone get() = job.isCompleted
    }

    private fun ConnectionPool.lend(): PooledConnection = Call { acquire() }.run { value ?: throw AssertionError("nothing lent", error) }

    private fun ConnectionPool.failure(): Throwable? = Call { acquire() }.error

    private fun pass(duration: Duration) {
        timer.advance(duration, steps::runAll)
        steps.runAll()
    }

    private val PooledConnection.number get() = connection.serverId

    private fun alive() = opened.filter { it.status != ConnectionStatus.CLOSED }.map { it.serverId }

    private fun ConnectionPool.figures() = stats.run { "inUse=$inUse idle=$idle connecting=$connecting waiting=$waiting" }

    // ---- What is kept

    @Test
    fun `an idle connection is kept and lent again`() {
        val pool = pool()
        val first = pool.lend()
        pool.release(first)
        assertEquals("inUse=0 idle=1 connecting=0 waiting=0", pool.figures())
        assertEquals(1, pool.lend().number)
        assertEquals(0, opened.single().asked)
    }

    @Test
    fun `a connection that is not idle when released is closed (P15)`() {
        for (status in ConnectionStatus.entries - ConnectionStatus.IDLE) {
            val pool = pool()
            val pooled = pool.lend()
            opened.last().status = status
            pool.release(pooled)
            assertEquals(ConnectionStatus.CLOSED, opened.last().status)
            assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures(), "$status")
        }
    }

    @Test
    fun `releasing twice is an error`() {
        val pool = pool()
        val pooled = pool.lend()
        pool.release(pooled)
        assertThrows(IllegalStateException::class.java) { pool.release(pooled) }
        assertEquals("inUse=0 idle=1 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `a connection older than maxLifetime is closed when released, never while lent`() {
        val pool = pool { maxLifetime = 10.minutes }
        val pooled = pool.lend()
        pass(10.minutes)
        assertEquals(listOf(1L), alive())
        pool.release(pooled)
        assertEquals(emptyList<Long>(), alive())
    }

    @Test
    fun `connections opened together do not all end together`() {
        val pool = pool { max = 20; maxLifetime = 100.minutes; idleTimeout = 10.hours; keepalive = null }
        List(20) { pool.lend() }.forEach(pool::release)
        pass(90.minutes - 1.milliseconds)
        assertEquals(20, alive().size)
        val left = List(11) { alive().size.also { pass(1.minutes) } }
        assertTrue(left.toSet().size > 3, "$left")
        assertEquals(0, alive().size)
    }

    // ---- What is lent

    @Test
    fun `a connection found closed is replaced without asking`() {
        val pool = pool()
        pool.release(pool.lend())
        opened[0].close()
        assertEquals(2, pool.lend().number)
        assertEquals("inUse=1 idle=0 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `a connection silent for validateAfter is asked before it is lent`() {
        val pool = pool { validateAfter = 30.seconds }
        pool.release(pool.lend())
        pass(29.seconds)
        pool.release(pool.lend())
        assertEquals(0, opened[0].asked)
        pass(30.seconds)
        assertEquals(1, pool.lend().number)
        assertEquals(1, opened[0].asked)
    }

    @Test
    fun `after one broken link all idle connections are replaced`() {
        val pool = pool()
        List(3) { pool.lend() }.forEach(pool::release)
        opened.forEach { it.link = Link.BROKEN }
        pass(1.minutes)
        assertEquals(4, pool.lend().number)
        assertEquals(listOf(4L), alive())
        assertEquals(1, opened.sumOf { it.asked })
    }

    @Test
    fun `a link that died silently costs 5 s once, then the pool recovers`() {
        val pool = pool()
        List(3) { pool.lend() }.forEach(pool::release)
        opened.forEach { it.link = Link.SILENT }
        pass(1.minutes)
        val call = Call { pool.acquire() }
        assertFalse(call.isDone)
        pass(5.seconds)
        assertEquals(4, call.value?.number)
        assertEquals(listOf(4L), alive())
    }

    @Test
    fun `a caller cancelled while its connection is asked leaves nothing behind`() {
        val pool = pool()
        pool.release(pool.lend())
        opened[0].link = Link.SILENT
        pass(1.minutes)
        val call = Call { pool.acquire() }
        call.job.cancel()
        steps.runAll()
        assertInstanceOf(CancellationException::class.java, call.error)
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures())
        assertEquals(emptyList<Long>(), alive())
    }

    @Test
    fun `evictIdle closes idle connections and leaves lent ones`() {
        val pool = pool()
        val lent = pool.lend()
        pool.release(pool.lend())
        pool.evictIdle()
        assertEquals(listOf(1L), alive())
        pool.release(lent)
        assertEquals("inUse=0 idle=1 connecting=0 waiting=0", pool.figures())
    }

    // ---- When there is none

    @Test
    fun `a caller who waits too long gets the figures and a hint, and is not cancelled`() {
        val pool = pool { max = 1; acquireTimeout = 3.seconds }
        pool.lend()
        val call = Call { pool.acquire() }
        pass(3.seconds)
        val error = assertInstanceOf(PoolTimeoutException::class.java, call.error)
        assertEquals("No connection became free within 3s (max=1 inUse=1 idle=0 connecting=0 waiting=0).", error.problem)
        assertEquals(1, error.stats.inUse)
        assertTrue(error.hint!!.contains("leakThreshold"))
        assertFalse(call.job.isCancelled)
    }

    @Test
    fun `the last connect error is the cause of a timeout`() {
        val pool = pool { max = 2; acquireTimeout = 3.seconds }
        pool.lend()
        connectError = ConnectionException("Too many clients.", null, null)
        val call = Call { pool.acquire() }
        pass(3.seconds)
        val error = assertInstanceOf(PoolTimeoutException::class.java, call.error)
        assertEquals("Too many clients.", (error.cause as ConnectionException).problem)
    }

    @Test
    fun `a server that refuses is told to every waiter at once, with an exception of its own`() {
        val pool = pool { max = 2 }
        connectGate = CompletableDeferred()
        val calls = List(5) { Call { pool.acquire() } }
        assertEquals("inUse=0 idle=0 connecting=2 waiting=5", pool.figures())
        connectError = ConnectionException("The password is wrong.", "Check it.", null, isTransient = false)
        connectGate.complete(Unit)
        steps.runAll()
        val errors = calls.map { assertInstanceOf(ConnectionException::class.java, it.error) }
        for (error in errors) {
            assertEquals("The password is wrong.", error.problem)
            assertEquals("Check it.", error.hint)
            assertFalse(error.isTransient)
        }
        assertNotSame(errors[0], errors[1])
    }

    @Test
    fun `a server that does not answer is a ConnectionException, not a busy pool`() {
        val pool = pool { acquireTimeout = 3.seconds }
        connectGate = CompletableDeferred()
        val call = Call { pool.acquire() }
        pass(3.seconds)
        val error = assertInstanceOf(ConnectionException::class.java, call.error)
        assertTrue(error.isTransient)
        assertTrue(error.problem.startsWith("No connection could be opened within 3s"), error.problem)
    }

    @Test
    fun `a driver that ends an attempt by a cancellation does not cancel the waiter`() {
        val pool = pool()
        connectError = CancellationException("given up")
        assertInstanceOf(ConnectionException::class.java, pool.failure())
    }

    @Test
    fun `a stalled connect blocks nobody who can be served by another connection (P7)`() {
        val pool = pool { max = 2 }
        val lent = pool.lend()
        connectGate = CompletableDeferred()
        val call = Call { pool.acquire() }
        pool.release(lent)
        steps.runAll()
        assertEquals(1, call.value?.number)
    }

    @Test
    fun `the pool recovers when the server comes back`() {
        val pool = pool()
        connectError = ConnectionException("Connection refused.", null, null)
        assertInstanceOf(ConnectionException::class.java, pool.failure())
        connectError = null
        val call = Call { pool.acquire() }
        pass(2.seconds)
        assertEquals(1, call.value?.number)
    }

    @Test
    fun `the wait is real time under virtual time`() = runTest {
        val pool = ConnectionPool(PoolConfig().apply { max = 1; acquireTimeout = 1.hours }) { FakeConnection(1) }
        val lent = pool.acquire()
        val waiter = launch { pool.release(pool.acquire()) }
        delay(100.hours)
        assertTrue(waiter.isActive)
        pool.release(lent)
        waiter.join()
        pool.close(Duration.ZERO)
    }

    // ---- Upkeep

    @Test
    fun `connections idle for long are closed down to min, the one used last stays`() {
        val pool = pool { min = 1; idleTimeout = 10.minutes; keepalive = null }
        val lent = List(3) { pool.lend() }
        lent.reversed().forEach(pool::release) // 1 is used last
        pass(11.minutes)
        assertEquals(listOf(1L), alive())
        assertEquals("inUse=0 idle=1 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `min is opened after the first use and kept`() {
        val pool = pool { min = 3 }
        assertEquals(0, opened.size)
        val lent = pool.lend()
        assertEquals("inUse=1 idle=2 connecting=0 waiting=0", pool.figures())
        opened[1].close()
        opened[2].close()
        pass(1.minutes)
        assertEquals("inUse=1 idle=2 connecting=0 waiting=0", pool.figures())
        assertEquals(5, opened.size)
        pool.release(lent)
    }

    @Test
    fun `idle connections are asked for a sign of life before the link is forgotten`() {
        val pool = pool { keepalive = 2.minutes }
        List(2) { pool.lend() }.forEach(pool::release)
        pass(9.minutes)
        for (connection in opened) assertTrue(connection.asked in 2..4, "${connection.asked}")
        assertEquals(listOf(1L, 2L), alive())
        pass(2.minutes)
        assertEquals(emptyList<Long>(), alive(), "a sign of life is not a use")
    }

    @Test
    fun `a connection being asked for a sign of life counts as idle, and its silence ends all idle ones`() {
        val pool = pool()
        List(2) { pool.lend() }.forEach(pool::release)
        opened.forEach { it.link = Link.SILENT }
        while (opened.none { it.asked > 0 }) pass(1.seconds)
        assertEquals("inUse=0 idle=2 connecting=0 waiting=0", pool.figures())
        pass(5.seconds)
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures())
        assertEquals(emptyList<Long>(), alive())
    }

    @Test
    fun `an empty pool sets no alarms, and upkeep starts again with the next connection`() {
        val pool = pool { idleTimeout = 1.minutes }
        repeat(2) {
            pool.release(pool.lend())
            assertEquals(1, timer.pending)
            pass(10.minutes)
            assertEquals(emptyList<Long>(), alive())
            assertEquals(0, timer.pending)
        }
    }

    @Test
    fun `a connection lent for longer than leakThreshold is reported with the stack of who acquired it`() {
        val pool = pool { leakThreshold = 10.seconds }
        val err = System.err
        val log = ByteArrayOutputStream()
        System.setErr(PrintStream(log, true))
        try {
            pool.release(pool.lend())
            pass(1.minutes)
            assertEquals("", log.toString())
            Call { forgetful(pool) }
            pass(10.seconds)
        } finally {
            System.setErr(err)
        }
        assertTrue(log.toString().contains("lent for more than 10s"), log.toString())
        assertTrue(log.toString().contains("forgetful"), log.toString())
    }

    private suspend fun forgetful(pool: ConnectionPool): String = pool.acquire().connection.toString()

    // ---- Closing and opening again

    @Test
    fun `close waits for lent connections and closes them`() {
        val pool = pool()
        val lent = pool.lend()
        pool.release(pool.lend())
        val close = Call { pool.close(10.seconds) }
        assertFalse(close.isDone)
        assertEquals(listOf(1L), alive())
        assertInstanceOf(PoolClosedException::class.java, pool.failure())
        pool.release(lent)
        steps.runAll()
        assertTrue(close.isDone)
        assertEquals(emptyList<Long>(), alive())
    }

    @Test
    fun `after the grace connections are closed under their borrowers`() {
        val pool = pool()
        val lent = pool.lend()
        val close = Call { pool.close(10.seconds) }
        pass(10.seconds)
        assertTrue(close.isDone)
        assertNull(close.error)
        assertEquals(emptyList<Long>(), alive())
        pool.release(lent)
        assertEquals("inUse=0 idle=0 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `a cancelled close ends the grace`() {
        val pool = pool()
        pool.lend()
        val close = Call { pool.close(10.seconds) }
        close.job.cancel()
        steps.runAll()
        assertEquals(emptyList<Long>(), alive())
    }

    @Test
    fun `close may be repeated, also before the first use and at the same time`() {
        val pool = pool()
        assertTrue(Call { pool.close(1.seconds) }.isDone)
        assertTrue(Call { pool.close(1.seconds) }.isDone)
        val used = pool()
        val lent = used.lend()
        val closes = List(2) { Call { used.close(10.seconds) } }
        used.release(lent)
        steps.runAll()
        for (close in closes) assertTrue(close.isDone && close.error == null)
    }

    @Test
    fun `a connect in progress is not awaited by close and its waiters are told`() {
        val pool = pool()
        connectGate = CompletableDeferred()
        val waiter = Call { pool.acquire() }
        assertTrue(Call { pool.close(1.hours) }.isDone)
        assertInstanceOf(PoolClosedException::class.java, waiter.error)
    }

    @Test
    fun `a closed pool stays closed until it is opened again, and takes no connection of its former life (P11)`() {
        val pool = pool { min = 2 }
        val old = pool.lend()
        Call { pool.close(Duration.ZERO) }
        pass(Duration.ZERO)
        assertInstanceOf(PoolClosedException::class.java, pool.failure())
        assertTrue(pool.isClosed)
        val before = opened.size
        assertNull(Call { pool.open() }.error)
        assertFalse(pool.isClosed)
        assertEquals("inUse=0 idle=2 connecting=0 waiting=0", pool.figures())
        opened[0].status = ConnectionStatus.IDLE
        pool.release(old)
        assertEquals(ConnectionStatus.CLOSED, opened[0].status)
        assertEquals(before + 2, opened.size)
        assertEquals("inUse=0 idle=2 connecting=0 waiting=0", pool.figures())
    }

    @Test
    fun `open tells why there is no connection and may be repeated`() {
        val pool = pool()
        connectError = ConnectionException("Connection refused.", null, null)
        assertInstanceOf(ConnectionException::class.java, Call { pool.open() }.error)
        connectError = null
        repeat(2) {
            val open = Call { pool.open() }
            pass(2.seconds)
            assertTrue(open.isDone)
            assertNull(open.error)
        }
        assertEquals(1, opened.size)
    }

    // ---- Configuration, and everything at once

    @Test
    fun `values that make no sense are told before anything is opened`() {
        val nonsense = listOf<PoolConfig.() -> Unit>(
            { max = 0 },
            { min = -1 },
            { min = 11 },
            { acquireTimeout = Duration.ZERO },
            { maxLifetime = -(1.seconds) },
            { idleTimeout = Duration.ZERO },
            { keepalive = Duration.ZERO },
            { validateAfter = -(1.seconds) },
            { leakThreshold = Duration.ZERO },
        )
        for (configure in nonsense) assertThrows(ConfigurationException::class.java) { pool(configure) }
        pool { min = 1; max = 20; validateAfter = Duration.ZERO }
        pool { acquireTimeout = Duration.INFINITE; maxLifetime = Duration.INFINITE; idleTimeout = Duration.INFINITE; keepalive = null }
            .apply { release(lend()) }
        pass(1_000.hours)
        assertEquals(listOf(1L), alive())
    }

    @Test
    fun `changing the configuration afterwards changes nothing`() {
        lateinit var config: PoolConfig
        val pool = pool { config = this }
        config.max = 0
        assertEquals(10, pool.stats.max)
    }

    @Test
    fun `ten thousand random cancels leave no connection lent`() = runBlocking(Dispatchers.Default) {
        val seed = 7
        val pool = ConnectionPool(PoolConfig().apply { max = 4 }) { FakeConnection(1) }
        List(100) { worker ->
            launch {
                val random = Random(seed + worker)
                repeat(100) {
                    withTimeoutOrNull(random.nextInt(3).milliseconds) {
                        val pooled = pool.acquire()
                        try {
                            delay(random.nextInt(3).milliseconds)
                        } finally {
                            pool.release(pooled)
                        }
                    }
                }
            }
        }.joinAll()
        assertEquals(0, pool.stats.inUse, "seed $seed: ${pool.stats}")
        assertEquals(0, pool.stats.waiting)
        pool.close(1.seconds)
        assertEquals(0, pool.stats.idle)
    }
}
