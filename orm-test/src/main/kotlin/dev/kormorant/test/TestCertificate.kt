package dev.kormorant.test

import java.io.ByteArrayOutputStream
import java.math.BigInteger
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature
import java.time.Instant
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import java.time.temporal.ChronoUnit
import java.util.Base64
import java.util.HexFormat

/** A new RSA key with a certificate issued by itself to `localhost` and 127.0.0.1. */
internal class TestCertificate private constructor(certificate: ByteArray, keys: KeyPair) {
    /** PEM by file name. */
    val files: Map<String, String> = mapOf(
        "server.crt" to pem("CERTIFICATE", certificate),
        "server.key" to pem("PRIVATE KEY", keys.private.encoded),
        "server.pub" to pem("PUBLIC KEY", keys.public.encoded),
    )

    companion object {
        private const val KEY_BITS = 2048
        private val time = DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC)

        /** RSA because servers hand the same key to `caching_sha2_password`. Valid from yesterday for a year. */
        fun create(): TestCertificate {
            val keys = KeyPairGenerator.getInstance("RSA").apply { initialize(KEY_BITS) }.generateKeyPair()
            val body = certificateBody(keys.public.encoded)
            val signature = Signature.getInstance("SHA256withRSA").run {
                initSign(keys.private)
                update(body)
                sign()
            }
            return TestCertificate(sequence(body, sha256WithRsa, bitString(signature)), keys)
        }

        /** TBSCertificate of RFC 5280, section 4.1. */
        private fun certificateBody(publicKeyInfo: ByteArray): ByteArray {
            val name = sequence(der(SET, sequence(commonNameId, der(UTF8_STRING, "localhost".toByteArray()))))
            val now = Instant.now()
            val validity = sequence(utcTime(now.minus(1, ChronoUnit.DAYS)), utcTime(now.plus(365, ChronoUnit.DAYS)))
            val hosts = sequence(der(DNS_NAME, "localhost".toByteArray()), der(IP_ADDRESS, byteArrayOf(127, 0, 0, 1)))
            val extensions = sequence(
                sequence(subjectAltNameId, der(OCTET_STRING, hosts)),
                sequence(basicConstraintsId, yes, der(OCTET_STRING, sequence(yes))),
            )
            return sequence(
                der(EXPLICIT_0, der(INTEGER, byteArrayOf(2))),
                der(INTEGER, BigInteger.valueOf(now.toEpochMilli()).toByteArray()),
                sha256WithRsa,
                name,
                validity,
                name,
                publicKeyInfo,
                der(EXPLICIT_3, extensions),
            )
        }

        private val base64 = Base64.getMimeEncoder(64, "\n".toByteArray())

        private fun pem(label: String, content: ByteArray) =
            "-----BEGIN $label-----\n${base64.encodeToString(content)}\n-----END $label-----\n"

        private const val BOOLEAN = 0x01
        private const val INTEGER = 0x02
        private const val BIT_STRING = 0x03
        private const val OCTET_STRING = 0x04
        private const val OBJECT_ID = 0x06
        private const val UTF8_STRING = 0x0c
        private const val UTC_TIME = 0x17
        private const val SEQUENCE = 0x30
        private const val SET = 0x31
        private const val DNS_NAME = 0x82
        private const val IP_ADDRESS = 0x87
        private const val EXPLICIT_0 = 0xa0
        private const val EXPLICIT_3 = 0xa3

        private val commonNameId = der(OBJECT_ID, byteArrayOf(0x55, 4, 3))
        private val subjectAltNameId = der(OBJECT_ID, byteArrayOf(0x55, 0x1d, 17))
        private val yes = der(BOOLEAN, byteArrayOf(-1))
        private val basicConstraintsId = der(OBJECT_ID, byteArrayOf(0x55, 0x1d, 19))

        /** 1.2.840.113549.1.1.11, with its NULL parameter. */
        private val sha256WithRsa = sequence(der(OBJECT_ID, HexFormat.of().parseHex("2a864886f70d01010b")), byteArrayOf(5, 0))

        private fun utcTime(instant: Instant) = der(UTC_TIME, time.format(instant).toByteArray())

        private fun bitString(content: ByteArray) = der(BIT_STRING, byteArrayOf(0) + content)

        private fun sequence(vararg parts: ByteArray) = der(SEQUENCE, *parts)

        /** One element: tag, length, content. */
        private fun der(tag: Int, vararg parts: ByteArray): ByteArray {
            val length = parts.sumOf { it.size }
            val out = ByteArrayOutputStream()
            out.write(tag)
            if (length < 0x80) {
                out.write(length)
            } else {
                val bytes = BigInteger.valueOf(length.toLong()).toByteArray().dropWhile { it == 0.toByte() }
                out.write(0x80 or bytes.size)
                bytes.forEach { out.write(it.toInt()) }
            }
            parts.forEach(out::writeBytes)
            return out.toByteArray()
        }
    }
}
