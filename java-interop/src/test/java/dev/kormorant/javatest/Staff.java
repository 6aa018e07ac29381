package dev.kormorant.javatest;

import dev.kormorant.async.LongTable;
import org.jetbrains.exposed.v1.core.Column;

public final class Staff extends LongTable {
    public static final Staff STAFF = new Staff();

    public final Column<String> name = varchar("full_name", 40);
    public final Column<String> team = varchar("team", 10);
    public final Column<Integer> age = integer("age");
    public final Column<Long> boss = nullable(bigint("boss"));

    private Staff() {
        super("java_staff");
    }
}
