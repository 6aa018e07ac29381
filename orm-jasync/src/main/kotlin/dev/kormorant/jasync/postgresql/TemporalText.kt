package dev.kormorant.jasync.postgresql

import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.OffsetTime
import java.time.ZoneOffset
import java.time.temporal.ChronoField.YEAR_OF_ERA

/*
 * Dates and times as PostgreSQL writes them with DateStyle ISO: `0044-03-15 BC`, `12345-01-01 24:00:00`, `infinity`.
 * `infinity` is the MAX of a class and `-infinity` its MIN; the time 24:00 is LocalTime.MAX. Digits beyond microseconds are cut off.
 */

private const val FOREVER = "infinity"
private const val EVER = "-infinity"

internal fun parseDate(text: String): LocalDate = when (text) {
    FOREVER -> LocalDate.MAX
    EVER -> LocalDate.MIN
    else -> TemporalReader(text).run { date().also { end() } }
}

internal fun parseTime(text: String): LocalTime = TemporalReader(text).run { clock().also { end() } }

internal fun parseOffsetTime(text: String): OffsetTime = TemporalReader(text).run { OffsetTime.of(clock(), offset()).also { end() } }

internal fun parseDateTime(text: String): LocalDateTime = when (text) {
    FOREVER -> LocalDateTime.MAX
    EVER -> LocalDateTime.MIN
    else -> TemporalReader(text).run { dateTime().also { end() } }
}

internal fun parseOffsetDateTime(text: String): OffsetDateTime = when (text) {
    FOREVER -> OffsetDateTime.MAX
    EVER -> OffsetDateTime.MIN
    else -> TemporalReader(text).run {
        val local = dateTime()
        OffsetDateTime.of(local, offset()).also { end() }.withOffsetSameInstant(ZoneOffset.UTC)
    }
}

/** Reads from left to right; the era, which is written last, is looked at first. */
private class TemporalReader(private val text: String) {
    private var at = 0
    private val beforeChrist = text.endsWith(" BC")
    private val end = if (beforeChrist) text.length - 3 else text.length

    fun date(): LocalDate {
        val year = number()
        expect('-')
        val month = number()
        expect('-')
        return LocalDate.of(if (beforeChrist) 1 - year else year, month, number())
    }

    fun dateTime(): LocalDateTime {
        val date = date()
        expect(' ')
        return LocalDateTime.of(date, clock())
    }

    fun clock(): LocalTime {
        val hour = number()
        expect(':')
        val minute = number()
        val second = if (skip(':')) number() else 0
        val nano = if (skip('.')) fraction() else 0
        return if (hour == 24) LocalTime.MAX else LocalTime.of(hour, minute, second, nano)
    }

    fun offset(): ZoneOffset {
        val sign = if (skip('-')) -1 else 1.also { expect('+') }
        val hours = number()
        val minutes = if (skip(':')) number() else 0
        val seconds = if (skip(':')) number() else 0
        return ZoneOffset.ofTotalSeconds(sign * (hours * 3600 + minutes * 60 + seconds))
    }

    fun end() = require(at == end) { "Not a date or time." }

    private fun number(): Int {
        val start = at
        var value = 0
        while (at < end && text[at] in '0'..'9') value = value * 10 + (text[at++] - '0')
        require(at > start) { "Not a date or time." }
        return value
    }

    private fun fraction(): Int {
        val start = at
        var nanos = number()
        repeat(9 - (at - start)) { nanos *= 10 }
        return nanos
    }

    private fun expect(char: Char) = require(skip(char)) { "Not a date or time." }

    private fun skip(char: Char): Boolean = (at < end && text[at] == char).also { if (it) at++ }
}

internal fun formatDate(date: LocalDate): String = when (date) {
    LocalDate.MAX -> FOREVER
    LocalDate.MIN -> EVER
    else -> buildString { appendDate(date).appendEra(date) }
}

internal fun formatTime(time: LocalTime): String = buildString { appendClock(time) }

internal fun formatDateTime(value: LocalDateTime): String = when (value) {
    LocalDateTime.MAX -> FOREVER
    LocalDateTime.MIN -> EVER
    else -> buildString { appendDate(value.toLocalDate()).append(' ').appendClock(value.toLocalTime()).appendEra(value.toLocalDate()) }
}

internal fun formatOffsetDateTime(value: OffsetDateTime): String = when (value) {
    OffsetDateTime.MAX -> FOREVER
    OffsetDateTime.MIN -> EVER
    else -> {
        val utc = value.withOffsetSameInstant(ZoneOffset.UTC).toLocalDateTime()
        buildString { appendDate(utc.toLocalDate()).append(' ').appendClock(utc.toLocalTime()).append("+00").appendEra(utc.toLocalDate()) }
    }
}

private fun StringBuilder.appendDate(date: LocalDate) =
    appendPadded(date.get(YEAR_OF_ERA), 4).append('-').appendPadded(date.monthValue, 2).append('-').appendPadded(date.dayOfMonth, 2)

private fun StringBuilder.appendEra(date: LocalDate) = if (date.year < 1) append(" BC") else this

private fun StringBuilder.appendClock(time: LocalTime): StringBuilder {
    if (time == LocalTime.MAX) return append("24:00:00")
    appendPadded(time.hour, 2).append(':').appendPadded(time.minute, 2).append(':').appendPadded(time.second, 2)
    return if (time.nano < 1000) this else append('.').appendPadded(time.nano / 1000, 6)
}

private fun StringBuilder.appendPadded(number: Int, width: Int): StringBuilder {
    val digits = number.toString()
    repeat(width - digits.length) { append('0') }
    return append(digits)
}
