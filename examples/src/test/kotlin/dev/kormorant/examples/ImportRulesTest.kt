package dev.kormorant.examples

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.file.Path
import kotlin.io.path.extension
import kotlin.io.path.readText

/** Who may know whom, read off the sources of all modules. Fully qualified names in the code count as imports. */
class ImportRulesTest {
    @Test
    fun `the core knows no driver`() {
        assertNone("orm-core") { (name) -> FOREIGN_TO_CORE.any { name == it || name.startsWith("$it.") } }
    }

    @Test
    fun `a backend knows the driver interfaces, the errors, its settings and its figures only`() {
        val public = DRIVER_VOCABULARY + errorClasses()
        for ((module, own) in BACKENDS) {
            assertNone(module) { (name) ->
                name.startsWith("dev.kormorant.") &&
                    !name.startsWith("dev.kormorant.driver.") &&
                    !name.startsWith("$own.") &&
                    name.removePrefix("dev.kormorant.") !in public
            }
        }
    }

    @Test
    fun `the Java face knows the public API only`() {
        assertNone("java-interop") { (name) -> name.startsWith("dev.kormorant.internal") }
    }

    @Test
    fun `no module but the core knows its internals`() {
        for (module in MODULES - "orm-core") assertNone(module) { (name) -> name.startsWith("dev.kormorant.internal.") }
    }

    @Test
    fun `one file opts in to Exposed's internal API`() {
        val users = MODULES.flatMap { sources(it) }.filter { "InternalApi" in it.readText() }.map { "${ROOT.relativize(it)}" }
        assertEquals(listOf("orm-core/src/main/kotlin/dev/kormorant/internal/ExposedBridge.kt"), users)
    }

    @Test
    fun `the scan sees names`() {
        assertTrue(MODULES.any { usedNames(it).isNotEmpty() })
        assertTrue(usedNames("orm-core").any { (name) -> name.startsWith("org.jetbrains.exposed.v1.core.") })
        assertTrue("ConstraintViolationException" in errorClasses())
    }

    private fun assertNone(module: String, forbidden: (Use) -> Boolean) =
        assertEquals(emptyList<String>(), usedNames(module).filter(forbidden).map { "$module/${it.path.fileName}: ${it.name}" })

    private data class Use(val name: String, val path: Path)

    private fun usedNames(module: String): List<Use> = sources(module).flatMap { path ->
        val text = path.readText().lineSequence().filter { !it.startsWith("package ") }.joinToString("\n").replace(COMMENT, "")
        NAME.findAll(text).map { Use(it.value, path) }
    }

    private fun sources(module: String) =
        filesBelow(ROOT.resolve(module).resolve("src/main")) { it.extension == "kt" || it.extension == "java" }

    /** Names declared in the file of the error tree. */
    private fun errorClasses(): Set<String> = CLASS.findAll(ROOT.resolve("orm-core/src/main/kotlin/dev/kormorant/OrmException.kt").readText())
        .mapTo(HashSet()) { it.groupValues[1] }

    private companion object {
        val MODULES =
            listOf("orm-core", "atlas", "orm-jasync", "orm-sqlite", "java-interop", "orm-test", "orm-ktor", "orm-micrometer", "orm-opentelemetry", "examples")
        val BACKENDS = mapOf("orm-jasync" to "dev.kormorant.jasync", "orm-sqlite" to "dev.kormorant.sqlite")
        val DRIVER_VOCABULARY = setOf("Isolation", "DatabaseConfig", "StatementCacheStats")
        val FOREIGN_TO_CORE = listOf(
            "org.jetbrains.exposed.v1.jdbc", "org.jetbrains.exposed.v1.r2dbc", "org.jetbrains.exposed.v1.dao",
            "io.netty", "com.github.jasync", "java.sql.Connection", "org.sqlite",
        )
        val NAME = Regex("""\b(?:dev|org|io|com|java)(?:\.[A-Za-z_]\w*)+""")
        val CLASS = Regex("""^public (?:sealed |open |enum )*class (\w+)""", RegexOption.MULTILINE)
        val COMMENT = Regex("""/\*[\s\S]*?\*/|//.*""")
    }
}
