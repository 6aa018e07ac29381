package dev.kormorant.javatest;

import static dev.kormorant.javatest.Users.USERS;

import dev.kormorant.async.LongTable;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;

public final class Tweets extends LongTable {
    public static final Tweets TWEETS = new Tweets();

    public final Column<String> text = text("text");
    public final Column<EntityID<Long>> user = reference("user_id", USERS);
    public final Column<EntityID<Long>> editor = optionalReference("editor_id", USERS);

    private Tweets() {
        super("java_tweets");
    }
}
