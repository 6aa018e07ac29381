package dev.kormorant.jasync.mysql

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.security.KeyFactory
import java.security.Signature
import java.security.spec.EdECPrivateKeySpec
import java.security.spec.NamedParameterSpec
import java.util.HexFormat
import kotlin.random.Random

class Ed25519Test {
    @Test
    fun `the first test vector of RFC 8032`() {
        val secret = HexFormat.of().parseHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        assertEquals(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            HexFormat.of().formatHex(Ed25519.sign(secret, ByteArray(0))),
        )
    }

    @Test
    fun `a secret of 32 bytes signs as in the JDK`() {
        val random = Random(7)
        repeat(50) { round ->
            val secret = random.nextBytes(32)
            val message = random.nextBytes(round)
            val key = KeyFactory.getInstance("Ed25519").generatePrivate(EdECPrivateKeySpec(NamedParameterSpec.ED25519, secret))
            val expected = Signature.getInstance("Ed25519").run {
                initSign(key)
                update(message)
                sign()
            }
            assertArrayEquals(expected, Ed25519.sign(secret, message))
        }
    }
}
