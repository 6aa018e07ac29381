package dev.kormorant.javatest;

import dev.kormorant.async.UuidTable;
import org.jetbrains.exposed.v1.core.Column;

public final class Tags extends UuidTable {
    public static final Tags TAGS = new Tags();

    public final Column<String> word = varchar("word", 40);

    private Tags() {
        super("java_tags");
    }
}
