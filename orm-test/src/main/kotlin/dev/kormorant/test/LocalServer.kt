package dev.kormorant.test

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import kotlin.concurrent.thread

private const val LOOPBACK = "127.0.0.1"
private const val START_TIMEOUT_SECONDS = 180L
private const val PORT_ATTEMPTS = 3
private const val LOG_LINES_KEPT = 40

/** What a shell answers for a command that cannot be run, and the dynamic linker for a library that is missing. */
private val NOT_EXECUTABLE = setOf(126, 127)

/**
 * Makes a directory, runs the server in it and outlives the JVM. Arguments: signal, template of the directory's name, command.
 *
 * It prints the directory and waits for a line, to give the JVM time to fill it, then runs the command. When standard input ends, it stops
 * the command with TERM and then the signal; at the end it removes the directory.
 *
 * Nothing but the command writes to standard output after that: with the JVM gone, the shell's own "Killed" would end the shell by SIGPIPE.
 * Signals to the whole process group (Ctrl-C) must stop neither the script before its work is done nor the watcher. The signal is
 * repeated, because a background command ignores QUIT until the server it becomes has installed its handler.
 */
private const val SUPERVISOR = $$"""
signal=$1 template=$2
shift 2
trap : HUP INT TERM
trap '' PIPE
DIR=$(mktemp -d "$template") || exit
export DIR
echo "$DIR"
exec 3<&0 </dev/null
status=0
if read -r line <&3; then
    trap - PIPE
    "$@" 3<&- 2>&1 &
    server=$!
    (
        trap '' HUP INT TERM
        while read -r line <&3; do :; done
        kill -s TERM "$server"
        while sleep 0.2; kill -s "$signal" "$server"; do :; done
    ) >/dev/null 2>&1 &
    watcher=$!
    exec 3<&- >/dev/null 2>&1
    while kill -0 "$server" 2>/dev/null; do
        wait "$server"
        status=$?
    done
    kill -s KILL "$watcher"
fi
attempts=0
until rm -rf "$DIR" || [ "$attempts" -ge 50 ]; do
    attempts=$((attempts + 1))
    sleep 0.2
done
exit "$status"
"""

/** Passes TERM on to what prepares the server; `exec` of the server undoes it. */
private const val STOP_PREPARATION = $$"""
trap 'kill -s KILL "$!"' TERM
"""

/**
 * Starts the recipe's server and waits until it accepts connections. It ends with this JVM.
 *
 * @throws ServerUnavailable if there are no binaries for this platform, or the machine cannot run them.
 * @throws IllegalStateException if the server does not become ready.
 */
internal fun startLocally(recipe: ServerRecipe): Endpoint {
    if (Platform.isWindows) throw ServerUnavailable("server binaries are started on Linux and macOS only")
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
    val account = Account.create()
    val files = recipe.files(account) + TestCertificate.create().files
    val port = ServerSocket(0, 1, InetAddress.getByName(LOOPBACK)).use { it.localPort }
    val server = LaunchedServer(recipe, ServerUser.find(binaries), binaries, port)
    server.start(files)
    return Endpoint(
        recipe.kind.scheme,
        LOOPBACK,
        port,
        account.user,
        account.password,
        recipe.database,
        certificate = server.directory.resolve("server.crt"),
        cachingSha2User = recipe.cachingSha2User(account),
    )
}

/** A server below its supervisor, alive until the pipe to that closes: with the JVM, if nothing else. */
private class LaunchedServer(private val recipe: ServerRecipe, private val user: ServerUser, binaries: Path, port: Int) {
    private val supervisor = supervise(binaries, port)
    private val output = supervisor.inputReader()
    private val ready = CompletableFuture<Unit>()
    private val log = ArrayDeque<String>()

    /** Gone when the server has ended. */
    val directory: Path = output.readLine().orEmpty().let { line ->
        Path.of(line).also { check(Files.isDirectory(it)) { "There is no directory for ${recipe.kind.label}: $line" } }
    }

    private fun supervise(binaries: Path, port: Int): Process {
        val scratch = Path.of(System.getProperty("java.io.tmpdir"))
        val template = scratch.resolve("kormorant-${recipe.kind.scheme}-XXXXXXXX").toString()
        val command = listOf("/bin/sh", "-c", SUPERVISOR, "kormorant-test-server", recipe.stopSignal, template) +
            user.command + listOf("/bin/sh", "-ec", STOP_PREPARATION + recipe.script)
        val builder = ProcessBuilder(command).directory(scratch.root.toFile()).redirectErrorStream(true)
        builder.environment().apply {
            val path = this["PATH"]
            clear()
            putAll(mapOf("LC_ALL" to "C", "TZ" to "UTC", "SERVER" to "$binaries", "PORT" to "$port"))
            if (path != null) put("PATH", path)
        }
        return builder.start()
    }

    /** Returns when the server accepts connections; stops it otherwise. */
    fun start(files: Map<String, String>) {
        try {
            files.forEach { (name, content) -> user.write(directory.resolve(name), content) }
            user.own(directory)
            supervisor.outputStream.apply { write('\n'.code) }.flush()
            // Reads for as long as the server lives, so that the server never waits for room in the pipe.
            thread(isDaemon = true, name = "kormorant-test-${recipe.kind.scheme}-log", block = ::readLog)
            ready.get(START_TIMEOUT_SECONDS, TimeUnit.SECONDS)
        } catch (e: ExecutionException) {
            throw e.cause ?: e
        } catch (_: TimeoutException) {
            throw IllegalStateException(
                "${recipe.kind.label} was not ready after $START_TIMEOUT_SECONDS seconds. Its log ends with:\n${logTail()}",
            )
        } finally {
            if (!ready.isDone || ready.isCompletedExceptionally) supervisor.outputStream.close()
        }
    }

    private fun readLog() {
        output.forEachLine { line ->
            synchronized(log) {
                if (log.size == LOG_LINES_KEPT) log.removeFirst()
                log.addLast(line)
            }
            if (recipe.readyLine in line) ready.complete(Unit)
        }
        ready.completeExceptionally(failure(supervisor.waitFor()))
    }

    private fun failure(status: Int): Exception {
        val tail = logTail()
        return when {
            status in NOT_EXECUTABLE ->
                ServerUnavailable("the server cannot be run here: ${tail.substringAfterLast('\n').substringAfter(": ")}")
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

        /** Looks at the owner of [binaries], who is ours. */
        fun find(binaries: Path): ServerUser {
            if (Files.getAttribute(binaries, "unix:uid") != 0) return ServerUser(emptyList(), null)
            return listOf(
                ServerUser(listOf("setpriv", "--reuid=$NOBODY", "--regid=$NOBODY", "--clear-groups", "--"), NOBODY),
                ServerUser(listOf("unshare", "--user", "--"), null),
            ).firstOrNull { it.works() }
                ?: throw ServerUnavailable("servers refuse to run as root, and neither setpriv nor unshare can start one as another user")
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
