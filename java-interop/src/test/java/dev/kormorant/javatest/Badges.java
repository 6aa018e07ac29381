package dev.kormorant.javatest;

import static dev.kormorant.javatest.Crew.CREW;

import dev.kormorant.async.LongTable;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;

public final class Badges extends LongTable {
    public static final Badges BADGES = new Badges();

    public final Column<EntityID<Long>> owner = unique(reference("owner_id", CREW));
    public final Column<String> code = varchar("code", 20);

    private Badges() {
        super("java_badges");
    }
}
