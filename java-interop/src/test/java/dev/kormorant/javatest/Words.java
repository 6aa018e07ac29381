package dev.kormorant.javatest;

import dev.kormorant.async.LongTable;
import org.jetbrains.exposed.v1.core.Column;

public final class Words extends LongTable {
    public static final Words WORDS = new Words();

    public final Column<String> name = unique(varchar("name", 20));
    public final Column<Integer> hits = withDefault(integer("hits"), 1);
    public final Column<String> body = withDefault(varchar("body", 200), "{}");

    private Words() {
        super("java_word");
    }
}
