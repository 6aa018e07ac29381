package dev.kormorant.postgresql

/**
 * The values between two bounds, each of which may be part of it or not, or missing; or no value at all ([isEmpty]).
 *
 * PostgreSQL stores ranges of integers and dates with an inclusive lower and an exclusive upper bound, so `[1, 3]` comes back as
 * `[1, 4)`, and one that can hold no value as the empty one.
 */
public class Range<T : Comparable<T>> private constructor(
    /** `null` if there is none, and for the empty range. */
    public val lower: T?,
    /** `null` if there is none, and for the empty range. */
    public val upper: T?,
    public val lowerInclusive: Boolean,
    public val upperInclusive: Boolean,
    public val isEmpty: Boolean,
) {
    /** Whether [value] is one of its values. */
    public operator fun contains(value: T): Boolean {
        if (isEmpty) return false
        val above = lower == null || value > lower || (lowerInclusive && value.compareTo(lower) == 0)
        return above && (upper == null || value < upper || (upperInclusive && value.compareTo(upper) == 0))
    }

    override fun equals(other: Any?): Boolean = other is Range<*> && lower == other.lower && upper == other.upper &&
        lowerInclusive == other.lowerInclusive && upperInclusive == other.upperInclusive && isEmpty == other.isEmpty

    override fun hashCode(): Int = listOf(lower, upper, lowerInclusive, upperInclusive, isEmpty).hashCode()

    override fun toString(): String =
        if (isEmpty) "empty" else "${if (lowerInclusive) '[' else '('}${lower ?: ""},${upper ?: ""}${if (upperInclusive) ']' else ')'}"

    public companion object {
        /**
         * The range from [lower], which belongs to it unless [lowerInclusive] is false, to [upper], which does not unless [upperInclusive]
         * is true; `null` is no bound.
         *
         * @throws IllegalArgumentException if [lower] is more than [upper].
         */
        @JvmStatic
        @JvmOverloads
        public fun <T : Comparable<T>> of(lower: T?, upper: T?, lowerInclusive: Boolean = true, upperInclusive: Boolean = false): Range<T> {
            require(lower == null || upper == null || lower <= upper) { "The lower bound $lower is more than the upper bound $upper." }
            return Range(lower, upper, lower != null && lowerInclusive, upper != null && upperInclusive, isEmpty = false)
        }

        /** The range without values. */
        @JvmStatic
        public fun <T : Comparable<T>> empty(): Range<T> = Range(null, null, lowerInclusive = false, upperInclusive = false, isEmpty = true)

        /** All values. */
        @JvmStatic
        public fun <T : Comparable<T>> unbounded(): Range<T> = of(null, null)
    }
}
