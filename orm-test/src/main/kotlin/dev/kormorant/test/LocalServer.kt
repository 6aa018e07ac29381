package dev.kormorant.test

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import java.security.SecureRandom
import java.util.HexFormat
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import kotlin.concurrent.thread

private const val START_TIMEOUT_SECONDS = 180L
private const val PORT_ATTEMPTS = 3
private const val LOG_LINES_KEPT = 40

/** What a shell answers for a command that cannot be run, and the dynamic linker for a library that is missing. */
private val NOT_EXECUTABLE = setOf(126, 127)

/**
 * Runs the server and outlives the JVM: when standard input ends, it stops the server; when the server has ended, it removes the
 * directory. Arguments: signal, directory, command.
 *
 * Only the command writes to standard output: with the JVM gone, the shell's own "Killed" would end the shell by SIGPIPE.
 * Signals to the whole process group (Ctrl-C) must stop neither the script before its work is done nor the watcher.
 */
private const val SUPERVISOR = """
signal=${'$'}1 directory=${'$'}2
shift 2
trap : HUP INT TERM
exec 3<&0 </dev/null
"${'$'}@" 3<&- 2>&1 &
server=${'$'}!
(
    trap '' HUP INT TERM
    while read -r line <&3; do :; done
    kill -s "${'$'}signal" "${'$'}server"
) >/dev/null 2>&1 &
watcher=${'$'}!
exec 3<&- >/dev/null 2>&1
status=0
while kill -0 "${'$'}server" 2>/dev/null; do
    wait "${'$'}server"
    status=${'$'}?
done
kill -s KILL "${'$'}watcher" 2>/dev/null
attempts=0
until rm -rf "${'$'}directory" || [ "${'$'}attempts" -ge 50 ]; do
    attempts=${'$'}((attempts + 1))
    sleep 0.2
done
exit "${'$'}status"
"""

/**
 * Starts the recipe's server and waits until it accepts connections. It ends with this JVM.
 *
 * @throws ServerUnavailable if there are no binaries for this platform, or the machine cannot run them.
 * @throws IllegalStateException if the server does not become ready.
 */
internal fun startLocally(recipe: ServerRecipe): Endpoint {
    val binaries = recipe.binaries()
    repeat(PORT_ATTEMPTS - 1) {
        try {
            return attempt(recipe, binaries)
        } catch (_: PortTaken) {
            // Somebody else was faster between our look and the server's start: take another port.
        }
    }
    return attempt(recipe, binaries)
}

private class PortTaken(message: String) : IllegalStateException(message)

private fun attempt(recipe: ServerRecipe, binaries: Path): Endpoint {
    val certificate = TestCertificate.create()
    val account = Account("kormorant", randomPassword())
    val directory = Files.createTempDirectory("kormorant-${recipe.kind.scheme}-")
    val port = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
    val launched = try {
        val user = ServerUser.find(directory)
        val files = recipe.files(account) +
            mapOf("server.crt" to certificate.certificatePem, "server.key" to certificate.privateKeyPem, "server.pub" to certificate.publicKeyPem)
        files.forEach { (name, content) -> user.write(directory.resolve(name), content) }
        user.own(directory)
        launch(recipe, user, binaries, directory, port)
    } catch (e: Exception) {
        directory.toFile().deleteRecursively()
        throw e
    }
    launched.awaitReady()
    return Endpoint(
        recipe.kind.scheme,
        "127.0.0.1",
        port,
        account.user,
        account.password,
        recipe.database,
        certificate = directory.resolve("server.crt"),
        cachingSha2User = recipe.cachingSha2User(account),
    )
}

private fun randomPassword() = HexFormat.of().formatHex(ByteArray(12).also(SecureRandom()::nextBytes))

private fun launch(recipe: ServerRecipe, user: ServerUser, binaries: Path, directory: Path, port: Int): LaunchedServer {
    val command = listOf("/bin/sh", "-c", SUPERVISOR, "kormorant-test-server", recipe.stopSignal, directory.toString()) +
        user.command + listOf("/bin/sh", "-ec", recipe.script)
    val builder = ProcessBuilder(command).directory(directory.root.toFile()).redirectErrorStream(true)
    builder.environment().apply {
        val path = this["PATH"]
        clear()
        putAll(mapOf("LC_ALL" to "C", "TZ" to "UTC", "SERVER" to "$binaries", "DIR" to "$directory", "PORT" to "$port"))
        if (path != null) put("PATH", path)
    }
    return LaunchedServer(recipe, builder.start())
}

/** A server below its supervisor. The end of the pipe to [supervisor] is what keeps it alive. */
private class LaunchedServer(private val recipe: ServerRecipe, private val supervisor: Process) {
    private val ready = CompletableFuture<Unit>()
    private val log = ArrayDeque<String>()

    init {
        // Reads for as long as the server lives, so that the server never waits for room in the pipe.
        thread(isDaemon = true, name = "kormorant-test-${recipe.kind.scheme}-log") {
            supervisor.inputReader().forEachLine { line ->
                synchronized(log) {
                    if (log.size == LOG_LINES_KEPT) log.removeFirst()
                    log.addLast(line)
                }
                if (recipe.readyLine in line) ready.complete(Unit)
            }
            ready.completeExceptionally(failure(supervisor.waitFor()))
        }
    }

    fun awaitReady() {
        try {
            ready.get(START_TIMEOUT_SECONDS, TimeUnit.SECONDS)
        } catch (e: ExecutionException) {
            throw e.cause ?: e
        } catch (_: TimeoutException) {
            supervisor.outputStream.close()
            throw IllegalStateException("${recipe.kind.label} was not ready after $START_TIMEOUT_SECONDS seconds. Its log ends with:\n${logTail()}")
        }
    }

    private fun failure(status: Int): Exception {
        val tail = logTail()
        return when {
            status in NOT_EXECUTABLE -> ServerUnavailable("the server cannot be run here: ${tail.substringAfterLast('\n').substringAfter(": ")}")
            "already in use" in tail -> PortTaken("${recipe.kind.label} found its port taken. Its log ends with:\n$tail")
            else -> IllegalStateException("${recipe.kind.label} ended with status $status while starting. Its log ends with:\n$tail")
        }
    }

    private fun logTail(): String = synchronized(log) { log.joinToString("\n") }
}

/** The user a server runs as: ours, or an unprivileged one when we are root. */
private class ServerUser(val command: List<String>, private val uid: Int?) {
    fun write(file: Path, content: String) {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))
        Files.writeString(file, content)
        own(file)
    }

    fun own(file: Path) {
        if (uid != null) Files.setAttribute(file, "unix:uid", uid)
    }

    companion object {
        private const val NOBODY = 65534

        /** Looks at the owner of [ownFile], which this JVM has created. */
        fun find(ownFile: Path): ServerUser {
            if (Files.getAttribute(ownFile, "unix:uid") != 0) return ServerUser(emptyList(), null)
            return listOf(
                ServerUser(listOf("setpriv", "--reuid=$NOBODY", "--regid=$NOBODY", "--clear-groups", "--"), NOBODY),
                ServerUser(listOf("unshare", "--user", "--"), null),
            ).firstOrNull { it.works() }
                ?: throw ServerUnavailable("database servers refuse to run as root, and neither setpriv nor unshare can start one as another user")
        }
    }

    private fun works(): Boolean = try {
        val process = ProcessBuilder(command + listOf("/bin/sh", "-c", ":"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()
        process.waitFor() == 0
    } catch (_: IOException) {
        false
    }
}
