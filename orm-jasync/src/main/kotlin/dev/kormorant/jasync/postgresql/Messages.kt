package dev.kormorant.jasync.postgresql

import dev.kormorant.driver.SqlStatement
import io.netty.buffer.ByteBuf

/*
 * What is sent once the session is set up. An empty name is the unnamed statement or portal.
 */

internal fun ByteBuf.query(sql: String): ByteBuf = message('Q') { writeText(sql) }

internal fun ByteBuf.parse(name: String, sql: String, oids: IntArray): ByteBuf = message('P') {
    writeText(name)
    writeText(sql)
    writeShort(oids.size)
    for (oid in oids) writeInt(oid)
}

/** @param resultFormats one per column, or empty for text */
internal fun ByteBuf.bind(name: String, statement: SqlStatement, resultFormats: IntArray, portal: String = ""): ByteBuf = message('B') {
    writeText(portal)
    writeText(name)
    val types = statement.types
    writeShort(types.size)
    for (type in types) writeShort(formatOf(type))
    writeShort(types.size)
    types.forEachIndexed { index, type ->
        try {
            writeParameter(type, statement.values[index])
        } catch (_: ClassCastException) {
            val kind = statement.values[index]?.javaClass?.name
            throw IllegalArgumentException("Parameter ${index + 1} is declared $type; its value is a $kind.")
        }
    }
    writeShort(resultFormats.size)
    for (format in resultFormats) writeShort(format)
}

internal fun ByteBuf.describeStatement(name: String): ByteBuf = message('D') {
    writeByte('S'.code)
    writeText(name)
}

internal fun ByteBuf.describePortal(portal: String = ""): ByteBuf = message('D') {
    writeByte('P'.code)
    writeText(portal)
}

/** @param maxRows 0 for all */
internal fun ByteBuf.execute(maxRows: Int, portal: String = ""): ByteBuf = message('E') {
    writeText(portal)
    writeInt(maxRows)
}

internal fun ByteBuf.closeStatement(name: String): ByteBuf = message('C') {
    writeByte('S'.code)
    writeText(name)
}

internal fun ByteBuf.closePortal(portal: String = ""): ByteBuf = message('C') {
    writeByte('P'.code)
    writeText(portal)
}

internal fun ByteBuf.sync(): ByteBuf = message('S') {}

internal fun ByteBuf.flush(): ByteBuf = message('H') {}

internal fun ByteBuf.copyData(bytes: ByteArray): ByteBuf = message('d') { writeBytes(bytes) }

internal fun ByteBuf.copyDone(): ByteBuf = message('c') {}

internal fun ByteBuf.copyFail(reason: String): ByteBuf = message('f') { writeText(reason) }

internal fun ByteBuf.terminate(): ByteBuf = message('X') {}

private inline fun ByteBuf.message(type: Char, body: ByteBuf.() -> Unit): ByteBuf {
    writeByte(type.code)
    val start = writerIndex()
    writeInt(0)
    body()
    return setInt(start, writerIndex() - start)
}

/** [body] after its length, which does not count itself. */
internal inline fun ByteBuf.writeSized(body: ByteBuf.() -> Unit) {
    val start = writerIndex()
    writeInt(0)
    body()
    setInt(start, writerIndex() - start - Int.SIZE_BYTES)
}

private fun ByteBuf.writeText(text: String) {
    require('\u0000' !in text) { "SQL must not contain the character NUL." }
    writeCharSequence(text, Charsets.UTF_8)
    writeByte(0)
}
