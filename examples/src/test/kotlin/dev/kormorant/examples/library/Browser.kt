package dev.kormorant.examples.library

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject
import org.opentest4j.TestAbortedException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.net.http.WebSocket
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.io.path.exists
import kotlin.io.path.readLines

/** A headless Chromium with one page, driven by its debugging protocol; it ends with [close]. */
class Browser private constructor(private val process: Process, private val directory: Path) : AutoCloseable {
    private val client = HttpClient.newHttpClient()
    private val numbers = AtomicInteger()
    private val answers = ConcurrentHashMap<Int, CompletableFuture<JsonObject>>()
    private val socket = client.newWebSocketBuilder().buildAsync(URI(pageAddress()), Incoming()).get(PATIENCE, TimeUnit.SECONDS)

    fun open(url: String) {
        command("Page.navigate") { put("url", url) }
        waitFor("document.readyState === 'complete' && location.href.startsWith('$url')")
    }

    /** The value of an expression of JavaScript, as text; a promise is awaited. */
    fun evaluate(expression: String): String {
        val answer = command("Runtime.evaluate") {
            put("expression", expression)
            put("awaitPromise", true)
            put("returnByValue", true)
        }
        check("exceptionDetails" !in answer) { "$expression: ${answer["exceptionDetails"]}" }
        return (answer.getValue("result").jsonObject["value"] as? JsonPrimitive)?.content ?: "undefined"
    }

    /** Waits until [condition], an expression of JavaScript, holds. */
    fun waitFor(condition: String) {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE)
        while (evaluate("!!($condition)") != "true") {
            check(System.nanoTime() < end) { "$condition does not become true; the page says: ${evaluate("document.body.innerText")}" }
            Thread.sleep(20)
        }
    }

    private fun command(method: String, parameters: JsonObjectBuilder.() -> Unit): JsonObject {
        val number = numbers.incrementAndGet()
        val answer = CompletableFuture<JsonObject>()
        answers[number] = answer
        val message = buildJsonObject {
            put("id", number)
            put("method", method)
            putJsonObject("params", parameters)
        }
        socket.sendText(message.toString(), true).get(PATIENCE, TimeUnit.SECONDS)
        return answer.get(PATIENCE, TimeUnit.SECONDS).getValue("result").jsonObject
    }

    private inner class Incoming : WebSocket.Listener {
        private val text = StringBuilder()

        override fun onText(webSocket: WebSocket, data: CharSequence, last: Boolean): CompletionStage<*>? {
            text.append(data)
            if (last) {
                val message = Json.parseToJsonElement(text.toString()).jsonObject
                text.clear()
                message["id"]?.jsonPrimitive?.content?.toInt()?.let { answers.remove(it)?.complete(message) }
            }
            webSocket.request(1)
            return null
        }
    }

    /** The browser writes its port into a file when it is ready. */
    private fun pageAddress(): String {
        val file = directory.resolve("DevToolsActivePort")
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE)
        while (!file.exists() || file.readLines().size < 2) {
            check(process.isAlive && System.nanoTime() < end) { "The browser did not start: ${directory.resolve("log").toFile().readText().takeLast(2000)}" }
            Thread.sleep(50)
        }
        val list = client.send(HttpRequest.newBuilder(URI("http://127.0.0.1:${file.readLines()[0]}/json/list")).build(), HttpResponse.BodyHandlers.ofString())
        val page = Json.parseToJsonElement(list.body()).jsonArray.map { it.jsonObject }.first { it["type"]?.jsonPrimitive?.content == "page" }
        return page.getValue("webSocketDebuggerUrl").jsonPrimitive.content
    }

    override fun close() {
        process.descendants().forEach { it.destroyForcibly() }
        process.destroyForcibly().waitFor(PATIENCE, TimeUnit.SECONDS)
        directory.toFile().deleteRecursively()
    }

    companion object {
        private const val PATIENCE = 90L
        private val PLACES = listOf("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")

        /** @throws TestAbortedException if no browser is installed: the test is skipped. */
        fun start(): Browser {
            val program = (listOfNotNull(System.getenv("KORMORANT_TEST_BROWSER")) + PLACES).firstOrNull { Path.of(it).exists() }
            if (program == null) {
                val reason = "no Chromium at ${PLACES.joinToString()}, and KORMORANT_TEST_BROWSER names none"
                println("skipped: browser: $reason")
                throw TestAbortedException(reason)
            }
            val directory = Files.createTempDirectory("kormorant-browser-")
            val process = ProcessBuilder(
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--remote-debugging-port=0", "--remote-allow-origins=*", "--user-data-dir=$directory", "about:blank",
            ).redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile()).start()
            return try {
                Browser(process, directory)
            } catch (error: Throwable) {
                process.destroyForcibly()
                directory.toFile().deleteRecursively()
                throw error
            }
        }
    }
}
