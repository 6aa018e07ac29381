package dev.kormorant.test

import java.nio.file.Files
import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

@Timeout(600)
class KilledJvmTest {
    @ParameterizedTest
    @EnumSource
    fun `a killed JVM leaves neither a server process nor a directory`(kind: ServerKind) {
        assumeTrue(TestServers.of(kind).certificate != null, "The server was not started here.")
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val child = ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), "dev.kormorant.test.ServerHolder", kind.name)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
        try {
            val directory = Path.of(child.inputReader().readLine())
            val processes = child.descendants().toList()
            assertTrue(Files.isDirectory(directory))
            assertTrue(processes.isNotEmpty())
            child.destroyForcibly()
            awaitUntil { processes.none { it.isAlive } && Files.notExists(directory) }
        } finally {
            child.destroyForcibly()
        }
    }
}

/** A JVM that starts the server of the given kind, prints its directory and does nothing until it is killed. */
object ServerHolder {
    @JvmStatic
    fun main(arguments: Array<String>) {
        println(TestServers.of(ServerKind.valueOf(arguments.single())).certificate?.parent)
        Thread.currentThread().join()
    }
}
