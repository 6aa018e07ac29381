package dev.kormorant.javatest;

import dev.kormorant.async.LongTable;
import org.jetbrains.exposed.v1.core.Column;

public final class Users extends LongTable {
    public static final Users USERS = new Users();

    public final Column<String> name = unique(varchar("name", 40));
    public final Column<Integer> age = withDefault(integer("age"), 0);

    private Users() {
        super("java_users");
    }
}
