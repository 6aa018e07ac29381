@file:JvmName("Intervals")

package dev.kormorant.postgresql

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Table
import java.time.Duration
import java.time.Period

/**
 * A span of time as PostgreSQL keeps it: months, days and time apart, since a month has no fixed number of days and a day none of hours.
 * Each part has a sign of its own.
 */
public class Interval(
    public val months: Int = 0,
    public val days: Int = 0,
    /** The rest, which PostgreSQL keeps to microseconds. */
    public val time: Duration = Duration.ZERO,
) {
    /** Years, months and days as a period. */
    public val period: Period get() = Period.of(months / MONTHS_OF_A_YEAR, months % MONTHS_OF_A_YEAR, days)

    override fun equals(other: Any?): Boolean = other is Interval && months == other.months && days == other.days && time == other.time

    override fun hashCode(): Int = (months * 31 + days) * 31 + time.hashCode()

    /** In the form of ISO 8601: `P1Y2M3DT4H5M6.7S`. */
    override fun toString(): String {
        val period = period.toString().removePrefix("P").takeUnless { it == "0D" }.orEmpty()
        val rest = if (time.isZero) "" else time.toString().removePrefix("P")
        return if (period.isEmpty() && rest.isEmpty()) "PT0S" else "P$period$rest"
    }

    public companion object {
        private const val MONTHS_OF_A_YEAR = 12

        /** The interval that [text] is in the form of ISO 8601; throws [IllegalArgumentException] if it is none. */
        @JvmStatic
        public fun parse(text: String): Interval {
            val (date, time) = text.removePrefix("P").let { it.substringBefore('T') to it.substringAfter('T', "") }
            val period = if (date.isEmpty()) Period.ZERO else iso(text) { Period.parse("P$date") }
            return Interval(period.years * MONTHS_OF_A_YEAR + period.months, period.days, if (time.isEmpty()) Duration.ZERO else iso(text) { Duration.parse("PT$time") })
        }

        private inline fun <T> iso(text: String, parse: () -> T): T = try {
            parse()
        } catch (error: java.time.format.DateTimeParseException) {
            throw IllegalArgumentException("Not an interval: $text", error)
        }
    }
}

/** A column of PostgreSQL's intervals. */
public fun Table.interval(name: String): Column<Interval> = registerColumn(name, IntervalColumnType())

private class IntervalColumnType : TextTypeBase<Interval>("interval") {
    override fun parse(text: String): Interval = Interval.parse(text)

    override fun format(value: Interval): String = value.toString()
}
