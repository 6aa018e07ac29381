package dev.kormorant.test

import java.io.InputStream
import java.net.JarURLConnection
import java.net.URL
import java.nio.channels.FileChannel
import java.nio.file.FileAlreadyExistsException
import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.WRITE
import java.nio.file.attribute.PosixFilePermissions
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream

internal object Platform {
    val isWindows: Boolean = System.getProperty("os.name").startsWith("Windows")
    val isMac: Boolean = System.getProperty("os.name").startsWith("Mac")
    val isArm: Boolean = System.getProperty("os.arch") in setOf("aarch64", "arm64")
}

/** Server binaries that are resources of the class path, unpacked once per machine, version and user. */
internal object ServerBinaries {
    private val readable = PosixFilePermissions.fromString("rw-r--r--")
    private val executable = PosixFilePermissions.fromString("rwxr-xr-x")

    /** The tree in the archive (`.txz` or `.tar.gz`) of that resource name. */
    fun fromArchive(kind: ServerKind, resource: String): Path {
        val url = javaClass.classLoader.getResource(resource) ?: throw missing(kind)
        return unpackOnce(nameOf(url)) { target ->
            url.openStream().buffered().use { raw ->
                val tar = if (resource.endsWith("xz")) XZCompressorInputStream(raw) else GzipCompressorInputStream(raw)
                TarArchiveInputStream(tar).use { extract(it, target) }
            }
        }
    }

    /**
     * The [wanted] files of the first folder below [parent] whose whole name matches [folder], with names relative to it. Those in `bin/`
     * become executable.
     */
    fun fromFolder(kind: ServerKind, parent: String, folder: Regex, wanted: Regex): Path {
        for (url in javaClass.classLoader.getResources(parent)) {
            val connection = url.openConnection() as? JarURLConnection ?: continue
            connection.useCaches = false
            connection.jarFile.use { jar ->
                val root = jar.stream().map { it.name }.filter { folder matches it }.findFirst().orElse(null) ?: continue
                return unpackOnce(nameOf(url)) { target ->
                    jar.stream().filter { !it.isDirectory && it.name.startsWith(root) }.forEach { entry ->
                        val name = entry.name.removePrefix(root)
                        if (wanted matches name) jar.getInputStream(entry).use { write(it, inside(target, name), name.startsWith("bin/")) }
                    }
                }
            }
        }
        throw missing(kind)
    }

    private fun missing(kind: ServerKind) = ServerUnavailable(
        "no URL in ${kind.environmentVariable}, no Docker with Testcontainers, no server binaries for this platform on the class path",
    )

    /** Name and version, as the file name of a jar has them. */
    private fun nameOf(resource: URL): String {
        val jar = (resource.openConnection() as? JarURLConnection)?.jarFileURL ?: resource
        return jar.path.substringAfterLast('/').removeSuffix(".jar")
    }

    private fun unpackOnce(name: String, unpack: (Path) -> Unit): Path {
        val cache = cacheDirectory()
        val home = cache.resolve(name)
        if (Files.isDirectory(home)) return home
        FileChannel.open(cache.resolve("$name.lock"), CREATE, WRITE).use { channel ->
            channel.lock().use {
                if (Files.isDirectory(home)) return home
                val partial = Files.createTempDirectory(cache, "$name-", PosixFilePermissions.asFileAttribute(executable))
                try {
                    unpack(partial)
                    Files.setPosixFilePermissions(partial, executable)
                    Files.move(partial, home, StandardCopyOption.ATOMIC_MOVE)
                } finally {
                    partial.toFile().deleteRecursively()
                }
            }
        }
        return home
    }

    /** A directory of this user that others can read but not write, so that nobody else can put binaries there. */
    private fun cacheDirectory(): Path {
        val user = System.getProperty("user.name").replace(Regex("[^A-Za-z0-9._-]"), "_")
        val cache = Path.of(System.getProperty("java.io.tmpdir"), "kormorant-servers-$user")
        try {
            Files.createDirectory(cache)
            Files.setPosixFilePermissions(cache, executable)
        } catch (_: FileAlreadyExistsException) {
            val probe = Files.createTempFile("kormorant-", null)
            val ours = Files.getOwner(probe)
            Files.delete(probe)
            check(Files.isDirectory(cache, LinkOption.NOFOLLOW_LINKS) && Files.getOwner(cache) == ours) {
                "$cache belongs to another user; remove it or set java.io.tmpdir."
            }
        }
        return cache
    }

    private fun extract(tar: TarArchiveInputStream, target: Path) {
        generateSequence { tar.nextEntry }.forEach { entry ->
            val file = inside(target, entry.name)
            when {
                entry.isDirectory -> createDirectories(file)
                entry.isSymbolicLink -> {
                    inside(target, target.relativize(file.resolveSibling(entry.linkName).normalize()).toString())
                    createDirectories(file.parent)
                    Files.createSymbolicLink(file, Path.of(entry.linkName))
                }
                entry.isFile -> write(tar, file, entry.mode and 0b001_000_000 != 0)
            }
        }
    }

    private fun write(content: InputStream, file: Path, isExecutable: Boolean) {
        createDirectories(file.parent)
        Files.copy(content, file)
        Files.setPosixFilePermissions(file, if (isExecutable) executable else readable)
    }

    private fun createDirectories(directory: Path) {
        if (Files.isDirectory(directory)) return
        createDirectories(directory.parent)
        Files.createDirectory(directory)
        Files.setPosixFilePermissions(directory, executable)
    }

    private fun inside(target: Path, name: String): Path =
        target.resolve(name).normalize().also { require(it.startsWith(target)) { "The archive entry $name points out of its directory." } }
}
