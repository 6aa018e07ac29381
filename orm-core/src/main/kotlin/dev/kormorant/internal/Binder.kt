package dev.kormorant.internal

import dev.kormorant.ConfigurationException
import dev.kormorant.driver.SqlArray
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.hidesValues
import org.jetbrains.exposed.v1.core.ArrayColumnType
import org.jetbrains.exposed.v1.core.AutoIncColumnType
import org.jetbrains.exposed.v1.core.BasicBinaryColumnType
import org.jetbrains.exposed.v1.core.BasicUuidColumnType
import org.jetbrains.exposed.v1.core.BlobColumnType
import org.jetbrains.exposed.v1.core.BooleanColumnType
import org.jetbrains.exposed.v1.core.ByteColumnType
import org.jetbrains.exposed.v1.core.CharacterColumnType
import org.jetbrains.exposed.v1.core.ColumnWithTransform
import org.jetbrains.exposed.v1.core.DecimalColumnType
import org.jetbrains.exposed.v1.core.DoubleColumnType
import org.jetbrains.exposed.v1.core.EntityIDColumnType
import org.jetbrains.exposed.v1.core.EnumerationColumnType
import org.jetbrains.exposed.v1.core.EnumerationNameColumnType
import org.jetbrains.exposed.v1.core.FloatColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IntegerColumnType
import org.jetbrains.exposed.v1.core.JsonColumnMarker
import org.jetbrains.exposed.v1.core.LongColumnType
import org.jetbrains.exposed.v1.core.ShortColumnType
import org.jetbrains.exposed.v1.core.StringColumnType
import org.jetbrains.exposed.v1.core.UByteColumnType
import org.jetbrains.exposed.v1.core.UIntegerColumnType
import org.jetbrains.exposed.v1.core.UShortColumnType
import org.jetbrains.exposed.v1.core.dao.id.EntityID
import org.jetbrains.exposed.v1.core.datetime.DurationColumnType
import org.jetbrains.exposed.v1.core.datetime.InstantColumnType
import org.jetbrains.exposed.v1.core.datetime.LocalDateColumnType
import org.jetbrains.exposed.v1.core.datetime.LocalDateTimeColumnType
import org.jetbrains.exposed.v1.core.datetime.LocalTimeColumnType
import org.jetbrains.exposed.v1.core.datetime.OffsetDateTimeColumnType
import org.jetbrains.exposed.v1.core.statements.api.ExposedBlob
import org.jetbrains.exposed.v1.core.statements.api.PreparedStatementApi
import java.io.InputStream
import java.math.BigDecimal
import java.math.BigInteger
import java.nio.ByteBuffer
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.OffsetDateTime
import java.time.ZoneId
import java.time.ZoneOffset
import java.time.ZonedDateTime
import java.util.UUID
import kotlin.time.toJavaInstant
import kotlinx.datetime.toJavaLocalDate
import kotlinx.datetime.toJavaLocalDateTime
import kotlinx.datetime.toJavaLocalTime

/**
 * Turns the arguments Exposed registered while rendering into typed parameters for a driver.
 *
 * The type comes from the column, never from the value, so one text always has the same parameter types. Dates and times go by the
 * classes of `java.time` and not by Exposed's `java.sql` detour, which shifts them by the zone of the JVM and cuts them to
 * milliseconds. Call inside [ExposedBridge.render].
 */
internal class Binder(size: Int) : PreparedStatementApi {
    private val types = ArrayList<SqlType>(size)
    private val values = ArrayList<Any?>(size)

    /** Positions of values that nobody is to see. */
    private var hidden: Set<Int> = emptySet()

    fun add(columnType: IColumnType<*>, value: Any?) {
        if (columnType.hidesValues) hidden = hidden + values.size
        val type = sqlTypeOf(columnType)
        when {
            value == null -> put(type, null)
            value is ExposedBlob -> put(type, value.bytes)
            type in DIRECT -> put(type, direct(columnType, type, value))
            else -> {
                @Suppress("UNCHECKED_CAST")
                columnType.setParameter(this, 0, (columnType as IColumnType<Any>).valueToDB(value))
            }
        }
    }

    /** The statement; one with very many parameters is a list whose length will not come again, and is not kept prepared. */
    fun statement(sql: String, reusable: Boolean = true): SqlStatement = (reusable && types.size <= MAX_REUSABLE).let {
        if (hidden.isEmpty()) SqlStatement(sql, types, values, it) else SecretiveStatement(sql, types, values, it, hidden)
    }

    /** [statement], with what Exposed made it of. */
    fun rendered(rendered: RenderedSql, reusable: Boolean): SqlStatement =
        RenderedStatement(rendered, types, values, reusable && types.size <= MAX_REUSABLE)

    override fun set(index: Int, value: Any, columnType: IColumnType<*>) {
        val type = sqlTypeOf(columnType)
        put(if (type == SqlType.UNKNOWN) sqlTypeOf(value) else type, value)
    }

    override fun setNull(index: Int, columnType: IColumnType<*>) = put(sqlTypeOf(columnType), null)

    override fun setInputStream(index: Int, inputStream: InputStream, setAsBlobObject: Boolean) =
        put(SqlType.BINARY, inputStream.use { it.readBytes() })

    override fun setArray(index: Int, type: ArrayColumnType<*, *>, array: Array<*>) {
        val elementType = sqlTypeOf(type.delegate)
        put(SqlType.ARRAY, SqlArray(elementType, array.map { element(elementType, it) }))
    }

    private fun element(type: SqlType, value: Any?): Any? = when (value) {
        null -> null
        is Array<*> -> value.map { element(type, it) }
        else -> convert(type, value)
    }

    private fun put(type: SqlType, value: Any?) {
        val converted = if (value == null) null else convert(type, value)
        types += if (type == SqlType.UUID && converted != null && converted !is UUID) sqlTypeOf(converted) else type
        values += converted
    }

    /** The value of a date or time column as its `java.time` class. */
    private fun direct(columnType: IColumnType<*>, type: SqlType, value: Any): Any {
        val plain = unwrap(columnType, value) ?: return value
        @Suppress("UNCHECKED_CAST")
        return when (val base = columnType.base()) {
            is LocalDateColumnType<*> -> (base as LocalDateColumnType<Any>).toLocalDate(plain).toJavaLocalDate()
            is LocalTimeColumnType<*> -> (base as LocalTimeColumnType<Any>).toLocalTime(plain).toJavaLocalTime()
            is LocalDateTimeColumnType<*> -> (base as LocalDateTimeColumnType<Any>).toLocalDateTime(plain).toJavaLocalDateTime()
            is InstantColumnType<*> ->
                LocalDateTime.ofInstant((base as InstantColumnType<Any>).toInstant(plain).toJavaInstant(), ZoneId.systemDefault())
            is OffsetDateTimeColumnType<*> -> (base as OffsetDateTimeColumnType<Any>).toOffsetDateTime(plain)
            else -> error("$type is not a date or time")
        }
    }

    internal companion object {
        /** More columns than tables usually have. */
        private const val MAX_REUSABLE = 100

        private val DIRECT = setOf(SqlType.DATE, SqlType.TIME, SqlType.TIMESTAMP, SqlType.TIMESTAMP_WITH_TIME_ZONE)

        /** Parameters for plain Java values that no column describes: raw SQL. */
        fun ofValues(sql: String, arguments: List<Any?>, reusable: Boolean = true): SqlStatement {
            val binder = Binder(arguments.size)
            for (argument in arguments) {
                val value = if (argument is EntityID<*>) argument.value else argument
                binder.put(if (value == null) SqlType.UNKNOWN else sqlTypeOf(value), value)
            }
            return binder.statement(sql, reusable)
        }

        fun sqlTypeOf(columnType: IColumnType<*>): SqlType = when (val base = columnType.base()) {
            is LongColumnType, is UIntegerColumnType, is DurationColumnType<*> -> SqlType.BIGINT
            is StringColumnType, is CharacterColumnType, is EnumerationNameColumnType<*> -> SqlType.TEXT
            is IntegerColumnType, is UShortColumnType, is EnumerationColumnType<*> -> SqlType.INTEGER
            is BooleanColumnType -> SqlType.BOOLEAN
            is ShortColumnType, is ByteColumnType, is UByteColumnType -> SqlType.SMALLINT
            is DoubleColumnType -> SqlType.DOUBLE
            is FloatColumnType -> SqlType.REAL
            is DecimalColumnType -> SqlType.DECIMAL
            is LocalDateTimeColumnType<*>, is InstantColumnType<*> -> SqlType.TIMESTAMP
            is OffsetDateTimeColumnType<*> -> SqlType.TIMESTAMP_WITH_TIME_ZONE
            is LocalDateColumnType<*> -> SqlType.DATE
            is LocalTimeColumnType<*> -> SqlType.TIME
            is BasicUuidColumnType<*> -> SqlType.UUID
            is BasicBinaryColumnType, is BlobColumnType -> SqlType.BINARY
            is ArrayColumnType<*, *> -> SqlType.ARRAY
            is JsonColumnMarker -> if (base.usesBinaryFormat) SqlType.JSONB else SqlType.JSON
            else -> SqlType.UNKNOWN
        }

        private fun IColumnType<*>.base(): IColumnType<*> = when (this) {
            is AutoIncColumnType<*> -> delegate.base()
            is EntityIDColumnType<*> -> idColumn.columnType.base()
            is ColumnWithTransform<*, *> -> delegate.base()
            else -> this
        }

        private fun unwrap(columnType: IColumnType<*>, value: Any): Any? = when (columnType) {
            is EntityIDColumnType<*> -> unwrap(columnType.idColumn.columnType, if (value is EntityID<*>) value.value else value)
            is ColumnWithTransform<*, *> -> {
                @Suppress("UNCHECKED_CAST")
                (columnType as ColumnWithTransform<Any, Any>).unwrapRecursive(value)
            }
            else -> value
        }

        private fun sqlTypeOf(value: Any): SqlType = when (value) {
            is String, is Char, is Enum<*> -> SqlType.TEXT
            is Boolean -> SqlType.BOOLEAN
            is Byte, is Short -> SqlType.SMALLINT
            is Int -> SqlType.INTEGER
            is Long -> SqlType.BIGINT
            is Float -> SqlType.REAL
            is Double -> SqlType.DOUBLE
            is BigDecimal, is BigInteger -> SqlType.DECIMAL
            is UUID -> SqlType.UUID
            is ByteArray, is ByteBuffer, is ExposedBlob -> SqlType.BINARY
            is LocalDate, is java.sql.Date -> SqlType.DATE
            is LocalTime, is java.sql.Time -> SqlType.TIME
            is LocalDateTime, is java.sql.Timestamp -> SqlType.TIMESTAMP
            is OffsetDateTime, is ZonedDateTime, is Instant -> SqlType.TIMESTAMP_WITH_TIME_ZONE
            is SqlArray -> SqlType.ARRAY
            else -> throw ConfigurationException(
                "A value of class ${value.javaClass.name} cannot be an SQL parameter.",
                "Use a column, or one of the classes of java.lang, java.math and java.time, UUID or ByteArray.",
            )
        }

        /** Values that Exposed or a user's column type made, as the class the driver is promised for [type]. */
        private fun convert(type: SqlType, value: Any): Any = when (type) {
            SqlType.SMALLINT -> if (value is Short) value else number(value)?.toShort() ?: value
            SqlType.INTEGER -> if (value is Int) value else number(value)?.toInt() ?: value
            SqlType.BIGINT -> if (value is Long) value else number(value)?.toLong() ?: value
            SqlType.REAL -> if (value is Float) value else number(value)?.toFloat() ?: value
            SqlType.DOUBLE -> if (value is Double) value else number(value)?.toDouble() ?: value
            SqlType.DECIMAL -> when (value) {
                is BigDecimal -> value
                is BigInteger -> value.toBigDecimal()
                else -> number(value)?.toString()?.toBigDecimal() ?: value
            }
            SqlType.BINARY -> when (value) {
                is ByteBuffer -> ByteArray(value.remaining()).also { value.duplicate().get(it) }
                is ExposedBlob -> value.bytes
                else -> value
            }
            SqlType.UUID -> if (value is ByteBuffer) ByteArray(value.remaining()).also { value.duplicate().get(it) } else value
            SqlType.DATE -> if (value is java.sql.Date) value.toLocalDate() else value
            SqlType.TIME -> if (value is java.sql.Time) value.toLocalTime() else value
            SqlType.TIMESTAMP -> if (value is java.sql.Timestamp) value.toLocalDateTime() else value
            SqlType.TIMESTAMP_WITH_TIME_ZONE -> when (value) {
                is Instant -> value.atOffset(ZoneOffset.UTC)
                is ZonedDateTime -> value.toOffsetDateTime()
                else -> value
            }
            SqlType.TEXT -> if (value is String) value else value.toString()
            else -> value
        }

        private fun number(value: Any): Number? = when (value) {
            is Number -> value
            is Boolean -> if (value) 1 else 0
            else -> null
        }
    }
}
