package dev.kormorant.test

import java.io.DataInputStream
import java.net.Socket
import java.nio.file.Files
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource

class TestServersTest {
    @Test
    fun `PostgreSQL answers on its port and offers TLS`() {
        val server = TestServers.postgresql()
        Socket(server.host, server.port).use {
            val sslRequest = byteArrayOf(0, 0, 0, 8, 4, 0xd2.toByte(), 0x16, 0x2f)
            it.getOutputStream().write(sslRequest)
            val answer = it.getInputStream().read().toChar()
            if (server.certificate != null) assertEquals('S', answer) else assertTrue(answer in "SN")
        }
    }

    @ParameterizedTest
    @EnumSource(names = ["MYSQL", "MARIADB"])
    fun `MySQL and MariaDB greet on their port and offer TLS`(kind: ServerKind) {
        val server = TestServers.of(kind)
        Socket(server.host, server.port).use {
            val greeting = DataInputStream(it.getInputStream())
            greeting.skipNBytes(4)
            assertEquals(10, greeting.readByte(), "protocol version")
            val version = generateSequence { greeting.readByte().toInt().toChar().takeIf { char -> char != '\u0000' } }.joinToString("")
            assertEquals(kind == ServerKind.MARIADB, "MariaDB" in version, version)
            greeting.skipNBytes(4 + 8 + 1)
            val capabilities = greeting.readUnsignedByte() or (greeting.readUnsignedByte() shl 8)
            if (server.certificate != null) assertTrue(capabilities and 0x0800 != 0, "CLIENT_SSL in ${capabilities.toString(16)}")
        }
    }

    @ParameterizedTest
    @EnumSource
    fun `two calls give the same server`(kind: ServerKind) {
        assertSame(TestServers.of(kind), TestServers.of(kind))
    }

    @ParameterizedTest
    @EnumSource
    fun `the text of a server has no password`(kind: ServerKind) {
        val server = TestServers.of(kind).assumeAvailable()
        assertTrue(server.password in server.url)
        assertFalse(server.password in server.toString())
    }

    @ParameterizedTest
    @EnumSource
    fun `the certificate of a server started here is a readable PEM file`(kind: ServerKind) {
        val certificate = TestServers.of(kind).certificate ?: return
        assertTrue(Files.readString(certificate).startsWith("-----BEGIN CERTIFICATE-----"))
    }
}
