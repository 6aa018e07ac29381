package dev.kormorant.javatest;

import static dev.kormorant.javatest.TweetTags.TWEET_TAGS;
import static dev.kormorant.javatest.Tweets.TWEETS;

import dev.kormorant.Links;
import dev.kormorant.LongModel;
import dev.kormorant.ManyToMany;
import dev.kormorant.OptionalRef;
import dev.kormorant.OptionalReference;
import dev.kormorant.Ref;
import dev.kormorant.Reference;
import dev.kormorant.async.ModelType;

public final class Tweet extends LongModel {
    public static final ModelType<Long, Tweet> MODEL = ModelType.of(TWEETS, Tweet::new);
    public static final Reference<Long, User> USER = MODEL.reference(TWEETS.user, () -> User.MODEL);
    public static final OptionalReference<Long, User> EDITOR = MODEL.optionalReference(TWEETS.editor, () -> User.MODEL);
    public static final ManyToMany<Tag> TAGS = MODEL.manyToMany(TWEET_TAGS.tweet, TWEET_TAGS.tag, () -> Tag.MODEL);

    public String getText() {
        return get(TWEETS.text);
    }

    public void setText(String text) {
        set(TWEETS.text, text);
    }

    public Ref<Long, User> user() {
        return USER.of(this);
    }

    public OptionalRef<Long, User> editor() {
        return EDITOR.of(this);
    }

    public Links<Tag> tags() {
        return TAGS.of(this);
    }
}
