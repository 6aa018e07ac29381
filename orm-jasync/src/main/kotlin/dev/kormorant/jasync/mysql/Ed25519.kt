package dev.kormorant.jasync.mysql

import java.math.BigInteger
import java.security.MessageDigest

/**
 * Signatures as MariaDB's `client_ed25519` wants them: Ed25519 whose private key is the password itself, of any length, which the
 * JDK's own implementation does not accept. Not hardened against timing: it signs once per log-in.
 */
internal object Ed25519 {
    private val P = BigInteger.TWO.pow(255) - BigInteger.valueOf(19)
    private val ORDER = BigInteger.TWO.pow(252) + BigInteger("27742317777372353535851937790883648493")
    private val D = BigInteger.valueOf(-121665).multiply(BigInteger.valueOf(121666).modInverse(P)).mod(P)
    private val BASE = run {
        val y = BigInteger.valueOf(4).multiply(BigInteger.valueOf(5).modInverse(P)).mod(P)
        val x = BigInteger("15112221349535400772501151409588531511454012693041857206046113283949847762202")
        Point(x, y, BigInteger.ONE, x.multiply(y).mod(P))
    }

    /** R and S, 64 bytes. */
    fun sign(password: ByteArray, message: ByteArray): ByteArray {
        val expanded = sha512(password)
        val scalarBytes = expanded.copyOf(32)
        scalarBytes[0] = (scalarBytes[0].toInt() and 0xF8).toByte()
        scalarBytes[31] = (scalarBytes[31].toInt() and 0x3F or 0x40).toByte()
        val scalar = number(scalarBytes)
        val publicKey = encode(BASE * scalar)
        val nonce = number(sha512(expanded.copyOfRange(32, 64), message)).mod(ORDER)
        val r = encode(BASE * nonce)
        val s = (nonce + number(sha512(r, publicKey, message)).mod(ORDER) * scalar).mod(ORDER)
        return r + littleEndian(s)
    }

    /** A point in extended twisted Edwards coordinates. */
    private class Point(val x: BigInteger, val y: BigInteger, val z: BigInteger, val t: BigInteger) {
        operator fun plus(o: Point): Point {
            val a = ((y - x) * (o.y - o.x)).mod(P)
            val b = ((y + x) * (o.y + o.x)).mod(P)
            val c = (BigInteger.TWO * t * o.t * D).mod(P)
            val d = (BigInteger.TWO * z * o.z).mod(P)
            val e = b - a
            val f = d - c
            val g = d + c
            val h = b + a
            return Point((e * f).mod(P), (g * h).mod(P), (f * g).mod(P), (e * h).mod(P))
        }

        operator fun times(factor: BigInteger): Point {
            var sum = Point(BigInteger.ZERO, BigInteger.ONE, BigInteger.ONE, BigInteger.ZERO)
            for (bit in factor.bitLength() - 1 downTo 0) {
                sum += sum
                if (factor.testBit(bit)) sum += this
            }
            return sum
        }
    }

    private fun encode(point: Point): ByteArray {
        val inverse = point.z.modInverse(P)
        val bytes = littleEndian((point.y * inverse).mod(P))
        if ((point.x * inverse).mod(P).testBit(0)) bytes[31] = (bytes[31].toInt() or 0x80).toByte()
        return bytes
    }

    private fun sha512(vararg parts: ByteArray): ByteArray = MessageDigest.getInstance("SHA-512").run {
        parts.forEach(::update)
        digest()
    }

    private fun number(littleEndian: ByteArray) = BigInteger(1, littleEndian.reversedArray())

    private fun littleEndian(value: BigInteger): ByteArray {
        val bytes = ByteArray(32)
        value.toByteArray().reversedArray().let { it.copyInto(bytes, 0, 0, minOf(it.size, 32)) }
        return bytes
    }
}
