package dev.kormorant.javatest;

import dev.kormorant.async.LongTable;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;

/** Rows that refer to rows of the same table, are counted in their versions and deleted by saying when. */
public final class Crew extends LongTable {
    public static final Crew CREW = new Crew();

    public final Column<String> name = unique(varchar("name", 40));
    public final Column<Integer> salary = withDefault(integer("salary"), 0);
    public final Column<EntityID<Long>> boss = optionalReference("boss_id", this);
    public final Column<Long> left = nullable(bigint("left_at"));
    public final Column<Integer> version = integer("version");

    private Crew() {
        super("java_crew");
    }
}
