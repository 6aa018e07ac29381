package dev.kormorant.internal

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import java.time.LocalDate
import java.time.LocalDateTime

/** Values that no column describes. */
class RawValuesTest {
    @Test
    fun `a date with a time is a date only at midnight, as nothing may be lost`() {
        assertEquals(LocalDate.of(2024, 2, 29), rawAs(LocalDateTime.of(2024, 2, 29, 0, 0), LocalDate::class.java))
        assertNull(rawAs(LocalDateTime.of(2024, 2, 29, 12, 30), LocalDate::class.java))
    }

    @Test
    fun `a whole number is a floating point number only if that has all its digits`() {
        assertEquals(9_007_199_254_740_992.0, rawAs(9_007_199_254_740_992L, Double::class.javaObjectType))
        assertNull(rawAs(9_007_199_254_740_993L, Double::class.javaObjectType))
        assertEquals(0.1, rawAs("0.1".toBigDecimal(), Double::class.javaObjectType))
    }
}
