package dev.kormorant.internal

import java.math.BigDecimal
import java.math.BigInteger
import java.nio.ByteBuffer
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.format.DateTimeParseException
import java.util.UUID

/**
 * A value that no column describes as a [wanted] class that can hold it without loss; `null` if there is none. Databases have fewer
 * types than programs: SQLite keeps a date as text and a boolean as a number.
 */
internal fun rawAs(value: Any, wanted: Class<*>): Any? = when (value) {
    is Number -> numberAs(value, wanted)
    is String -> textAs(value, wanted)
    is ByteArray -> if (wanted == UUID::class.java && value.size == 16) ByteBuffer.wrap(value).let { UUID(it.long, it.long) } else null
    is OffsetDateTime -> when (wanted) {
        Instant::class.java -> value.toInstant()
        LocalDateTime::class.java -> value.withOffsetSameInstant(ZoneOffset.UTC).toLocalDateTime()
        else -> null
    }
    is LocalDateTime -> when (wanted) {
        LocalDate::class.java -> value.toLocalDate().takeIf { value.toLocalTime() == LocalTime.MIDNIGHT }
        Instant::class.java -> value.toInstant(ZoneOffset.UTC)
        OffsetDateTime::class.java -> value.atOffset(ZoneOffset.UTC)
        else -> null
    }
    is UUID -> if (wanted == String::class.java) value.toString() else null
    else -> null
}

private fun numberAs(value: Number, wanted: Class<*>): Any? = try {
    when (wanted) {
        Boolean::class.javaObjectType -> if (exact(value) in BITS) exact(value) == BigDecimal.ONE else null
        Byte::class.javaObjectType -> exact(value).byteValueExact()
        Short::class.javaObjectType -> exact(value).shortValueExact()
        Int::class.javaObjectType -> exact(value).intValueExact()
        Long::class.javaObjectType -> exact(value).longValueExact()
        BigInteger::class.java -> exact(value).toBigIntegerExact()
        BigDecimal::class.java -> exact(value)
        Double::class.javaObjectType -> value.toDouble().takeIf { value !is Long || BigDecimal(it).compareTo(exact(value)) == 0 }
        Float::class.javaObjectType -> value.toFloat()
        else -> null
    }
} catch (_: ArithmeticException) {
    null
} catch (_: NumberFormatException) {
    null
}

private val BITS = setOf(BigDecimal.ZERO, BigDecimal.ONE)

private fun exact(value: Number): BigDecimal = value as? BigDecimal ?: BigDecimal(value.toString())

private fun textAs(value: String, wanted: Class<*>): Any? = try {
    when (wanted) {
        Char::class.javaObjectType -> value.singleOrNull()
        UUID::class.java -> UUID.fromString(value)
        BigDecimal::class.java -> BigDecimal(value)
        LocalDate::class.java -> LocalDate.parse(value)
        LocalTime::class.java -> LocalTime.parse(value)
        LocalDateTime::class.java -> LocalDateTime.parse(value.replace(' ', 'T'))
        OffsetDateTime::class.java -> OffsetDateTime.parse(value.replace(' ', 'T'))
        Instant::class.java -> OffsetDateTime.parse(value.replace(' ', 'T')).toInstant()
        else -> null
    }
} catch (_: DateTimeParseException) {
    null
} catch (_: IllegalArgumentException) {
    null
}
