package dev.kormorant.driver

/**
 * SQL with `?` for each parameter, and its values.
 *
 * A `?` inside a literal, a quoted name, a comment or a dollar quote is text; `??` is the operator `?`.
 */
public open class SqlStatement(
    public val sql: String,
    /** One type per parameter. */
    public val types: List<SqlType> = emptyList(),
    /** One value per parameter, of the class its [SqlType] names, or `null`. */
    public val values: List<Any?> = emptyList(),
    /** Whether the text is likely to come again, so that preparing it pays. BEGIN, DDL and long IN lists do not. */
    public val reusable: Boolean = true,
) {
    /** The text only: values may be secret. */
    override fun toString(): String = sql
}

/** Type of a parameter. It is declared to the server, so the same text always has the same parameter types. */
public enum class SqlType {
    /** [Boolean] */
    BOOLEAN,

    /** [Short] */
    SMALLINT,

    /** [Int] */
    INTEGER,

    /** [Long] */
    BIGINT,

    /** [Float] */
    REAL,

    /** [Double] */
    DOUBLE,

    /** [java.math.BigDecimal] */
    DECIMAL,

    /** [String] */
    TEXT,

    /** [ByteArray] */
    BINARY,

    /** [java.util.UUID] */
    UUID,

    /** [java.time.LocalDate] */
    DATE,

    /** [java.time.LocalTime] */
    TIME,

    /** [java.time.LocalDateTime] */
    TIMESTAMP,

    /** [java.time.OffsetDateTime]; stored as an instant, the offset is not kept. */
    TIMESTAMP_WITH_TIME_ZONE,

    /** [String] with JSON text. */
    JSON,

    /** [String] with JSON text, kept decomposed where the database can. */
    JSONB,

    /** [SqlArray] */
    ARRAY,

    /** [String] that the server reads as whatever type the place asks for: enums, ranges, intervals, `NULL` of unknown type. */
    UNKNOWN,
}

/** Value of an [SqlType.ARRAY] parameter: elements of one type; a nested list is a further dimension. */
public class SqlArray(public val elementType: SqlType, public val elements: List<Any?>)

/** The whole answer to one statement. */
public class RawResult(
    /** Columns of [rows], empty when the statement returns none. */
    public val columns: List<RawColumn>,
    /**
     * Rows by position. Values are of plain Java classes: [Boolean], [Byte], [Short], [Int], [Long], [Float], [Double],
     * [java.math.BigInteger], [java.math.BigDecimal], [String], [ByteArray], [java.util.UUID], the classes of `java.time`
     * (instants as [java.time.OffsetDateTime] in UTC), [List] for arrays; [String] for all else. The arrays belong to the reader, who may overwrite them.
     */
    public val rows: List<Array<Any?>>,
    /** Rows inserted, deleted, or *matched* by an update; for a query the number of rows. */
    public val affected: Long,
    /** First generated key of an insert, where the database reports one without RETURNING. */
    public val lastInsertId: Long? = null,
)

/** A column of a result. */
public class RawColumn(
    /** Name or alias as the server gives it. */
    public val name: String,
    /** The server's name of its type, in lower case: `int4`, `varchar`. */
    public val type: String,
)
