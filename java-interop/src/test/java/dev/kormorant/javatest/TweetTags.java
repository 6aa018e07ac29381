package dev.kormorant.javatest;

import static dev.kormorant.javatest.Tags.TAGS;
import static dev.kormorant.javatest.Tweets.TWEETS;

import dev.kormorant.async.JavaTable;
import java.util.UUID;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.ReferenceOption;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;

public final class TweetTags extends JavaTable {
    public static final TweetTags TWEET_TAGS = new TweetTags();

    public final Column<EntityID<Long>> tweet = reference("tweet_id", TWEETS, ReferenceOption.CASCADE);
    public final Column<EntityID<UUID>> tag = reference("tag_id", TAGS, ReferenceOption.CASCADE);

    private TweetTags() {
        super("java_tweet_tags");
        primaryKey(tweet, tag);
    }
}
