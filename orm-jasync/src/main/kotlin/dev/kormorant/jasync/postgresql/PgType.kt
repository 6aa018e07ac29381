package dev.kormorant.jasync.postgresql

import io.netty.buffer.ByteBuf
import io.netty.buffer.ByteBufUtil
import java.math.BigDecimal
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.OffsetTime
import java.time.ZoneOffset
import java.util.UUID

/** Makes a value from the [length] bytes of [bytes] that begin at [start]; moves no index. */
internal fun interface Decoder {
    fun decode(bytes: ByteBuf, start: Int, length: Int): Any
}

/** A type of the server and how its values are read. Text and binary form of a value give the same Java value. */
internal class PgType(
    val name: String,
    /** From the text form; also used for elements of arrays. */
    val parse: (String) -> Any,
    /** From the binary form; `null` if this type is always asked for as text. */
    val binary: Decoder? = null,
    /** From the text form where it lies in the buffer. */
    val text: Decoder = Decoder { bytes, start, length -> parse(string(bytes, start, length)) },
) {
    /** The type of arrays of this one. */
    fun array(delimiter: Char = ','): PgType = PgType("_$name", { parseArray(it, delimiter, parse) })

    companion object {
        /** A type that is passed on as the text the server writes. */
        fun textual(name: String): PgType = PgType(name, { it }, null, ::string)
    }
}

private fun string(bytes: ByteBuf, start: Int, length: Int): String = bytes.toString(start, length, Charsets.UTF_8)

/** Name, OID and OID of the array type. */
private val textualTypes = listOf(
    Triple("char", 18, 1002), Triple("name", 19, 1003), Triple("text", 25, 1009), Triple("bpchar", 1042, 1014),
    Triple("varchar", 1043, 1015), Triple("json", 114, 199), Triple("jsonb", 3802, 3807), Triple("jsonpath", 4072, 4073),
    Triple("xml", 142, 143), Triple("interval", 1186, 1187), Triple("money", 790, 791), Triple("bit", 1560, 1561),
    Triple("varbit", 1562, 1563), Triple("cidr", 650, 651), Triple("inet", 869, 1041), Triple("macaddr", 829, 1040),
    Triple("macaddr8", 774, 775), Triple("point", 600, 1017), Triple("lseg", 601, 1018), Triple("path", 602, 1019),
    Triple("polygon", 604, 1027), Triple("line", 628, 629), Triple("circle", 718, 719), Triple("tsvector", 3614, 3643),
    Triple("tsquery", 3615, 3645), Triple("int4range", 3904, 3905), Triple("numrange", 3906, 3907), Triple("tsrange", 3908, 3909),
    Triple("tstzrange", 3910, 3911), Triple("daterange", 3912, 3913), Triple("int8range", 3926, 3927),
    Triple("int4multirange", 4451, 6150), Triple("nummultirange", 4532, 6151), Triple("tsmultirange", 4533, 6152),
    Triple("tstzmultirange", 4534, 6153), Triple("datemultirange", 4535, 6155), Triple("int8multirange", 4536, 6157),
    Triple("tid", 27, 1010), Triple("xid", 28, 1011), Triple("cid", 29, 1012), Triple("xid8", 5069, 271), Triple("int2vector", 22, 1006),
    Triple("oidvector", 30, 1013), Triple("pg_lsn", 3220, 3221), Triple("refcursor", 1790, 2201), Triple("regproc", 24, 1008),
    Triple("regprocedure", 2202, 2207), Triple("regclass", 2205, 2210), Triple("regtype", 2206, 2211), Triple("regnamespace", 4089, 4090),
    Triple("regrole", 4096, 4097), Triple("record", 2249, 2287),
)

/** The types every server has, by OID. */
internal val builtinTypes: Map<Int, PgType> = buildMap {
    fun add(oid: Int, arrayOid: Int, type: PgType, delimiter: Char = ',') {
        put(oid, type)
        put(arrayOid, type.array(delimiter))
    }
    add(16, 1000, PgType("bool", { it == "t" }, { b, at, _ -> b.getByte(at) == 1.toByte() }, { b, at, _ -> b.getByte(at) == TRUE }))
    add(17, 1001, PgType("bytea", ::parseBytes, ::bytes))
    add(20, 1016, PgType("int8", String::toLong, { b, at, _ -> b.getLong(at) }, ::parseLong))
    add(21, 1005, PgType("int2", String::toShort, { b, at, _ -> b.getShort(at) }))
    add(23, 1007, PgType("int4", String::toInt, { b, at, _ -> b.getInt(at) }, { b, at, n -> parseLong(b, at, n).toInt() }))
    add(26, 1028, PgType("oid", String::toLong, { b, at, _ -> b.getUnsignedInt(at) }, ::parseLong))
    add(700, 1021, PgType("float4", String::toFloat, { b, at, _ -> b.getFloat(at) }))
    add(701, 1022, PgType("float8", String::toDouble, { b, at, _ -> b.getDouble(at) }))
    add(1700, 1231, PgType("numeric", ::parseNumeric))
    add(2950, 2951, PgType("uuid", UUID::fromString, { b, at, _ -> UUID(b.getLong(at), b.getLong(at + 8)) }))
    add(1082, 1182, PgType("date", ::parseDate, { b, at, _ -> date(b.getInt(at)) }))
    add(1083, 1183, PgType("time", ::parseTime, { b, at, _ -> time(b.getLong(at)) }))
    add(1266, 1270, PgType("timetz", ::parseOffsetTime, { b, at, _ -> offsetTime(b.getLong(at), b.getInt(at + 8)) }))
    add(1114, 1115, PgType("timestamp", ::parseDateTime, { b, at, _ -> dateTime(b.getLong(at)) }))
    add(1184, 1185, PgType("timestamptz", ::parseOffsetDateTime, { b, at, _ -> offsetDateTime(b.getLong(at)) }))
    add(603, 1020, PgType.textual("box"), ';')
    for ((name, oid, arrayOid) in textualTypes) add(oid, arrayOid, PgType.textual(name))
    put(2278, PgType.textual("void"))
    put(705, PgType.textual("unknown"))
}

// ---- Text

private const val TRUE = 't'.code.toByte()

private fun parseLong(bytes: ByteBuf, start: Int, length: Int): Long {
    val negative = bytes.getByte(start) == '-'.code.toByte()
    var value = 0L
    for (at in (if (negative) start + 1 else start) until start + length) value = value * 10 - (bytes.getByte(at) - '0'.code)
    return if (negative) value else -value
}

/** A numeric is a [BigDecimal]; what that class cannot hold, NaN and the infinities, is the [Double] of that name. */
private fun parseNumeric(text: String): Any = if (text.last() in '0'..'9') BigDecimal(text) else text.toDouble()

private fun parseBytes(text: String): ByteArray {
    if (text.startsWith("\\x")) return ByteBufUtil.decodeHexDump(text, 2, text.length - 2)
    val bytes = java.io.ByteArrayOutputStream(text.length)
    var at = 0
    while (at < text.length) {
        when {
            text[at] != '\\' -> bytes.write(text[at++].code)
            text[at + 1] == '\\' -> bytes.write('\\'.code).also { at += 2 }
            else -> bytes.write(text.substring(at + 1, at + 4).toInt(8)).also { at += 4 }
        }
    }
    return bytes.toByteArray()
}

// ---- Binary

/** Days and seconds from 1970 to 2000, where the server's count begins. */
private const val EPOCH_DAY = 10_957L
private const val EPOCH_SECOND = EPOCH_DAY * 86_400

private fun bytes(bytes: ByteBuf, start: Int, length: Int): Any = ByteArray(length).also { bytes.getBytes(start, it) }

private fun date(days: Int): LocalDate = when (days) {
    Int.MAX_VALUE -> LocalDate.MAX
    Int.MIN_VALUE -> LocalDate.MIN
    else -> LocalDate.ofEpochDay(days + EPOCH_DAY)
}

private fun time(micros: Long): LocalTime = if (micros == 86_400_000_000) LocalTime.MAX else LocalTime.ofNanoOfDay(micros * 1000)

/** The server counts seconds west of Greenwich. */
private fun offsetTime(micros: Long, west: Int): OffsetTime = OffsetTime.of(time(micros), ZoneOffset.ofTotalSeconds(-west))

private fun dateTime(micros: Long): LocalDateTime = when (micros) {
    Long.MAX_VALUE -> LocalDateTime.MAX
    Long.MIN_VALUE -> LocalDateTime.MIN
    else -> {
        val nanos = Math.floorMod(micros, 1_000_000L).toInt() * 1000
        LocalDateTime.ofEpochSecond(Math.floorDiv(micros, 1_000_000L) + EPOCH_SECOND, nanos, ZoneOffset.UTC)
    }
}

private fun offsetDateTime(micros: Long): OffsetDateTime = when (micros) {
    Long.MAX_VALUE -> OffsetDateTime.MAX
    Long.MIN_VALUE -> OffsetDateTime.MIN
    else -> dateTime(micros).atOffset(ZoneOffset.UTC)
}
