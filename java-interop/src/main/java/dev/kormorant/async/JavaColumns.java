package dev.kormorant.async;

import dev.kormorant.NativeEnumKt;
import dev.kormorant.async.internal.ColumnsKt;
import dev.kormorant.postgresql.Hstore;
import dev.kormorant.postgresql.Interval;
import dev.kormorant.postgresql.Intervals;
import dev.kormorant.postgresql.Range;
import dev.kormorant.postgresql.Ranges;
import dev.kormorant.postgresql.TextTypes;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import kotlin.jvm.JvmClassMappingKt;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.ReferenceOption;
import org.jetbrains.exposed.v1.core.Table;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;
import org.jetbrains.exposed.v1.core.dao.id.IdTable;
import org.jetbrains.exposed.v1.core.java.UUIDColumnTypeKt;
import org.jetbrains.exposed.v1.core.statements.api.ExposedBlob;
import org.jetbrains.exposed.v1.javatime.JavaDateColumnTypeKt;

/**
 * How a table's columns are defined in Java, one line each:
 *
 * <pre>{@code
 * public final class Pages extends LongTable {
 *     public static final Pages PAGES = new Pages();
 *     public final Column<String> key = unique(varchar("key", 40));
 *     public final Column<String> text = withDefault(text("text"), "");
 *     public final Column<EntityID<Long>> author = reference("author_id", USERS);
 *
 *     private Pages() {
 *         super("page_block");
 *     }
 * }
 * }</pre>
 *
 * Types have their SQL names, as those of Java are keywords. Exposed's own functions, such as {@code decimal(name, precision, scale)},
 * {@code bool(name)} and {@code nullable(column)}, are inherited and not repeated here. For an Exposed table only, which a class that
 * implements this must be. Nothing here does I/O.
 */
public interface JavaColumns {
    /**
     * This table.
     *
     * @return this
     */
    private Table table() {
        return (Table) this;
    }

    // ---- Types

    /**
     * A column of 4-byte integers.
     *
     * @param name its name
     * @return the column
     */
    default Column<Integer> integer(String name) {
        return table().integer(name, null);
    }

    /**
     * A column of 8-byte integers.
     *
     * @param name its name
     * @return the column
     */
    default Column<Long> bigint(String name) {
        return ColumnsKt.bigint(table(), name);
    }

    /**
     * A column of 2-byte integers.
     *
     * @param name its name
     * @return the column
     */
    default Column<Short> smallint(String name) {
        return ColumnsKt.smallint(table(), name);
    }

    /**
     * A column of 4-byte floating-point numbers.
     *
     * @param name its name
     * @return the column
     */
    default Column<Float> real(String name) {
        return ColumnsKt.real(table(), name);
    }

    /**
     * A column of 8-byte floating-point numbers.
     *
     * @param name its name
     * @return the column
     */
    default Column<Double> doublePrecision(String name) {
        return ColumnsKt.doublePrecision(table(), name);
    }

    /**
     * A column of texts of a bounded length.
     *
     * @param name its name
     * @param length characters at most
     * @return the column
     */
    default Column<String> varchar(String name, int length) {
        return table().varchar(name, length, null);
    }

    /**
     * A column of texts of a fixed length.
     *
     * @param name its name
     * @param length characters
     * @return the column
     */
    default Column<String> fixedChar(String name, int length) {
        return ColumnsKt.fixedChar(table(), name, length);
    }

    /**
     * A column of texts of any length.
     *
     * @param name its name
     * @return the column
     */
    default Column<String> text(String name) {
        return table().text(name, null, false);
    }

    /**
     * A column of bytes of any length.
     *
     * @param name its name
     * @return the column
     */
    default Column<ExposedBlob> blob(String name) {
        return table().blob(name, false);
    }

    /**
     * A column of {@link UUID}s.
     *
     * @param name its name
     * @return the column
     */
    default Column<UUID> javaUuid(String name) {
        return UUIDColumnTypeKt.javaUUID(table(), name);
    }

    /**
     * A column of dates.
     *
     * @param name its name
     * @return the column
     */
    default Column<LocalDate> date(String name) {
        return JavaDateColumnTypeKt.date(table(), name);
    }

    /**
     * A column of times of day.
     *
     * @param name its name
     * @return the column
     */
    default Column<LocalTime> time(String name) {
        return JavaDateColumnTypeKt.time(table(), name);
    }

    /**
     * A column of dates and times without time zone.
     *
     * @param name its name
     * @return the column
     */
    default Column<LocalDateTime> dateTime(String name) {
        return JavaDateColumnTypeKt.datetime(table(), name);
    }

    /**
     * A column of moments.
     *
     * @param name its name
     * @return the column
     */
    default Column<Instant> timestamp(String name) {
        return JavaDateColumnTypeKt.timestamp(table(), name);
    }

    /**
     * A column of moments with an offset from UTC, as far as the database keeps it.
     *
     * @param name its name
     * @return the column
     */
    default Column<OffsetDateTime> timestampWithTimeZone(String name) {
        return JavaDateColumnTypeKt.timestampWithTimeZone(table(), name);
    }

    /**
     * A column of enum constants, stored by their ordinal.
     *
     * @param name its name
     * @param type the enum
     * @param <E> the enum
     * @return the column
     */
    default <E extends Enum<E>> Column<E> enumeration(String name, Class<E> type) {
        return table().enumeration(name, JvmClassMappingKt.getKotlinClass(type));
    }

    /**
     * A column of enum constants, stored by their name.
     *
     * @param name its name
     * @param length characters of the longest name
     * @param type the enum
     * @param <E> the enum
     * @return the column
     */
    default <E extends Enum<E>> Column<E> enumerationByName(String name, int length, Class<E> type) {
        return table().enumerationByName(name, length, JvmClassMappingKt.getKotlinClass(type));
    }

    /**
     * A column of an enum type of the database: on PostgreSQL a type of its own, which the schema functions make, on MySQL and MariaDB
     * {@code ENUM(…)}, on SQLite text.
     *
     * @param name name of the column
     * @param type the enum, whose constants' names are the labels
     * @param typeName name of the type on PostgreSQL, in lower case
     * @param <E> the enum
     * @return the column
     */
    default <E extends Enum<E>> Column<E> nativeEnumeration(String name, Class<E> type, String typeName) {
        return NativeEnumKt.nativeEnumeration(table(), name, type, typeName);
    }

    // ---- References

    /**
     * A column with the id of a row of another table.
     *
     * @param name its name
     * @param target the other table
     * @param <T> type of the id
     * @return the column
     */
    default <T> Column<EntityID<T>> reference(String name, IdTable<T> target) {
        return table().reference(name, target, null, null, null);
    }

    /**
     * A column with the id of a row of another table.
     *
     * @param name its name
     * @param target the other table
     * @param onDelete what becomes of this row when that one is deleted
     * @param <T> type of the id
     * @return the column
     */
    default <T> Column<EntityID<T>> reference(String name, IdTable<T> target, ReferenceOption onDelete) {
        return table().reference(name, target, onDelete, null, null);
    }

    /**
     * A column with the id of a row of another table, or {@code null}.
     *
     * @param name its name
     * @param target the other table
     * @param <T> type of the id
     * @return the column
     */
    default <T> Column<EntityID<T>> optionalReference(String name, IdTable<T> target) {
        return table().optReference(name, target, null, null, null);
    }

    /**
     * A column with the id of a row of another table, or {@code null}.
     *
     * @param name its name
     * @param target the other table
     * @param onDelete what becomes of this row when that one is deleted
     * @param <T> type of the id
     * @return the column
     */
    default <T> Column<EntityID<T>> optionalReference(String name, IdTable<T> target, ReferenceOption onDelete) {
        return table().optReference(name, target, onDelete, null, null);
    }

    // ---- Indices and defaults

    /**
     * Allows no two rows with the same value.
     *
     * @param column a column of this table
     * @param <T> type of the column
     * @return the column
     */
    default <T> Column<T> unique(Column<T> column) {
        return table().uniqueIndex(column, (String) null);
    }

    /**
     * Allows no two rows with the same values in all of the columns.
     *
     * @param columns columns of this table
     */
    default void uniqueTogether(Column<?>... columns) {
        table().uniqueIndex(columns, null);
    }

    /**
     * Makes an index.
     *
     * @param column a column of this table
     * @param <T> type of the column
     * @return the column
     */
    default <T> Column<T> indexed(Column<T> column) {
        return table().index(column, null, false);
    }

    /**
     * Makes one index of several columns.
     *
     * @param columns columns of this table, the most significant first
     */
    default void indexedTogether(Column<?>... columns) {
        table().index(false, columns);
    }

    /**
     * Gives rows a value that do not give one; in the table definition, and known to new models.
     *
     * @param column a column of this table
     * @param value the default
     * @param <T> type of the column
     * @return the column
     */
    default <T> Column<T> withDefault(Column<T> column, T value) {
        return ColumnsKt.withDefault(table(), column, value);
    }

    /**
     * Gives rows a value that do not give one, made for each row by this program.
     *
     * @param column a column of this table
     * @param supplier makes the value; called while the row is written
     * @param <T> type of the column
     * @return the column
     */
    default <T> Column<T> withDefaultFrom(Column<T> column, Supplier<? extends T> supplier) {
        return table().clientDefault(column, supplier::get);
    }

    // ---- Types of PostgreSQL

    /**
     * A column of PostgreSQL's extension {@code hstore}: keys with texts or {@code null}.
     *
     * @param name its name
     * @return the column
     */
    default Column<Map<String, String>> hstore(String name) {
        return Hstore.hstore(table(), name);
    }

    /**
     * A column of text that PostgreSQL's extension {@code citext} compares without regard to case.
     *
     * @param name its name
     * @return the column
     */
    default Column<String> citext(String name) {
        return TextTypes.citext(table(), name);
    }

    /**
     * A column of PostgreSQL's {@code tsvector}.
     *
     * @param name its name
     * @return the column
     */
    default Column<String> tsVector(String name) {
        return TextTypes.tsVector(table(), name);
    }

    /**
     * A column of PostgreSQL's ranges of 4-byte integers.
     *
     * @param name its name
     * @return the column
     */
    default Column<Range<Integer>> int4Range(String name) {
        return Ranges.int4Range(table(), name);
    }

    /**
     * A column of PostgreSQL's ranges of 8-byte integers.
     *
     * @param name its name
     * @return the column
     */
    default Column<Range<Long>> int8Range(String name) {
        return Ranges.int8Range(table(), name);
    }

    /**
     * A column of PostgreSQL's ranges of decimals.
     *
     * @param name its name
     * @return the column
     */
    default Column<Range<BigDecimal>> numRange(String name) {
        return Ranges.numRange(table(), name);
    }

    /**
     * A column of PostgreSQL's ranges of dates.
     *
     * @param name its name
     * @return the column
     */
    default Column<Range<LocalDate>> dateRange(String name) {
        return Ranges.dateRange(table(), name);
    }

    /**
     * A column of PostgreSQL's ranges of dates with times.
     *
     * @param name its name
     * @return the column
     */
    default Column<Range<LocalDateTime>> tsRange(String name) {
        return Ranges.tsRange(table(), name);
    }

    /**
     * A column of PostgreSQL's ranges of points in time.
     *
     * @param name its name
     * @return the column
     */
    default Column<Range<OffsetDateTime>> tstzRange(String name) {
        return Ranges.tstzRange(table(), name);
    }

    /**
     * A column of PostgreSQL's intervals.
     *
     * @param name its name
     * @return the column
     */
    default Column<Interval> interval(String name) {
        return Intervals.interval(table(), name);
    }
}
