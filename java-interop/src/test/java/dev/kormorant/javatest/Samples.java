package dev.kormorant.javatest;

import dev.kormorant.async.IntTable;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.UUID;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.statements.api.ExposedBlob;

/** One column of each type that has a Java name. */
public final class Samples extends IntTable {
    public static final Samples SAMPLES = new Samples();

    public enum Colour { RED, GREEN }

    public final Column<Integer> integer = integer("an_integer");
    public final Column<Long> bigint = indexed(bigint("a_bigint"));
    public final Column<Short> smallint = smallint("a_smallint");
    public final Column<Float> real = real("a_real");
    public final Column<Double> doublePrecision = doublePrecision("a_double");
    public final Column<BigDecimal> decimal = decimal("a_decimal", 10, 2);
    public final Column<Boolean> bool = bool("a_bool");
    public final Column<String> fixedChar = fixedChar("a_char", 3);
    public final Column<String> text = nullable(text("a_text"));
    public final Column<ExposedBlob> blob = blob("a_blob");
    public final Column<UUID> uuid = withDefaultFrom(javaUuid("a_uuid"), UUID::randomUUID);
    public final Column<Colour> ordinal = enumeration("an_ordinal", Colour.class);
    public final Column<Colour> name = withDefault(enumerationByName("a_name", 10, Colour.class), Colour.GREEN);
    public final Column<LocalDate> date = date("a_date");
    public final Column<LocalTime> time = time("a_time");
    public final Column<LocalDateTime> dateTime = dateTime("a_date_time");
    public final Column<Instant> timestamp = timestamp("a_timestamp");

    private Samples() {
        super("java_samples");
        uniqueTogether(bigint, smallint);
        indexedTogether(date, time);
    }
}
