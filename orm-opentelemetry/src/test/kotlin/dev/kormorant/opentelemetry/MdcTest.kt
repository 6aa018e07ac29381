package dev.kormorant.opentelemetry

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.read.ListAppender
import dev.kormorant.Database
import dev.kormorant.logStatements
import dev.kormorant.transaction
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.slf4j.MDCContext
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.slf4j.LoggerFactory
import org.slf4j.MDC

class MdcTest {
    private val logger = LoggerFactory.getLogger("dev.kormorant.sql") as Logger
    private val lines = ListAppender<ILoggingEvent>().apply { start() }

    @AfterEach
    fun detach() {
        logger.detachAppender(lines)
        MDC.clear()
    }

    @Test
    fun `every line of a call has the MDC of that call, whatever the thread`() {
        logger.addAppender(lines)
        logger.level = Level.DEBUG
        runBlocking {
            Database.open("sqlite::memory:") { logStatements() }.use { db ->
                withContext(Dispatchers.Default) {
                    repeat(20) { n ->
                        launch(MDCContext(mapOf("call" to "$n"))) {
                            db.exec("SELECT 'plain', $n")
                            db.transaction { launch { db.exec("SELECT 'in a transaction', $n") } }
                        }
                    }
                }
            }
        }
        val byCall = lines.list.groupingBy { it.mdcPropertyMap["call"] }.eachCount()
        assertEquals((0 until 20).associate { "$it" to 4 }, byCall)
    }
}
