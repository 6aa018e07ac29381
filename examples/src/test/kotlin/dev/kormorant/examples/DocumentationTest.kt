package dev.kormorant.examples

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.extension
import kotlin.io.path.isRegularFile
import kotlin.io.path.name
import kotlin.io.path.readLines
import kotlin.io.path.readText

/** Code in the documentation is a region of a file that compiles and runs: `<!-- region: name -->` stands on the line before the block. */
class DocumentationTest {
    private val pages = listOf("README.md", "CONTRIBUTING.md", "CHANGELOG.md").map(ROOT::resolve) + filesBelow(ROOT.resolve("docs")) { it.extension == "md" }

    @TestFactory
    fun `every block of Kotlin and Java is the region it names`(): List<DynamicTest> {
        val regions = regions()
        return pages.flatMap(::codeBlocks).map { block ->
            DynamicTest.dynamicTest("${block.page.name}:${block.line} ${block.region}") {
                assertEquals(regions[block.region], block.code, "the region '${block.region}'")
            }
        }
    }

    @Test
    fun `links between the pages lead to files`() {
        val broken = pages.flatMap { page ->
            LINK.findAll(page.readText()).map { it.groupValues[1] }
                .filter { !it.startsWith("http") && !page.resolveSibling(it).exists() }
                .map { "${page.name}: $it" }
        }
        assertEquals(emptyList<String>(), broken)
    }

    @Test
    fun `the page about errors shows every one of them`() {
        val declared = Regex("""class (\w+Exception)\b""").findAll(ROOT.resolve("orm-core/src/main/kotlin/dev/kormorant/OrmException.kt").readText())
        val page = ROOT.resolve("docs/errors.md").readText()
        assertEquals(emptyList<String>(), declared.map { it.groupValues[1] }.filter { "$it " !in page && "$it\n" !in page }.toList())
    }

    @Test
    fun `the README is short and says how to run and to test`() {
        val readme = ROOT.resolve("README.md").readText()
        assertTrue(readme.lines().size < 200)
        assertEquals("mvn -q -Pdemo", firstBlockOf(readme, "Run"))
        assertEquals("mvn -B verify", firstBlockOf(readme, "Test"))
    }

    private fun firstBlockOf(page: String, section: String) =
        page.substringAfter("\n## $section\n").substringAfter("```").substringAfter('\n').substringBefore("\n```")

    private class Block(val page: Path, val line: Int, val region: String?, val code: String)

    private fun codeBlocks(page: Path): List<Block> {
        val lines = page.readLines()
        return lines.indices.filter { lines[it].startsWith("```kotlin") || lines[it].startsWith("```java") }.map { start ->
            val code = lines.drop(start + 1).takeWhile { it != "```" }
            Block(page, start + 1, lines.getOrNull(start - 1)?.let { MARK.matchEntire(it)?.groupValues?.get(1) }, code.joinToString("\n"))
        }
    }

    /** Regions by name, without the indentation they have in common. */
    private fun regions(): Map<String, String> {
        val found = HashMap<String, String>()
        val folders = listOf("atlas/src/main", "examples/src")
        for (file in folders.flatMap { folder -> filesBelow(ROOT.resolve(folder)) { it.extension == "kt" || it.extension == "java" } }) {
            val lines = file.readLines()
            for (start in lines.indices.filter { lines[it].trim().startsWith("// region ") }) {
                val name = lines[start].trim().removePrefix("// region ")
                val body = lines.drop(start + 1).takeWhile { it.trim() != "// endregion" }.joinToString("\n").trimIndent()
                assertEquals(null, found.put(name, body), "Two regions are called $name.")
            }
        }
        return found
    }

    private companion object {
        val MARK = Regex("<!-- region: (\\S+) -->")
        val LINK = Regex("]\\(([^)#\\s]+)[^)]*\\)")
    }
}

/** Root of the source tree. */
internal val ROOT: Path = generateSequence(Path.of("").toAbsolutePath()) { it.parent }.first { it.resolve("orm-core").exists() }

internal fun filesBelow(directory: Path, wanted: (Path) -> Boolean): List<Path> =
    if (!directory.exists()) emptyList() else Files.walk(directory).use { files -> files.filter { it.isRegularFile() && wanted(it) }.sorted().toList() }
