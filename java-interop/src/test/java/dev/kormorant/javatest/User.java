package dev.kormorant.javatest;

import static dev.kormorant.javatest.Tweets.TWEETS;
import static dev.kormorant.javatest.Users.USERS;

import dev.kormorant.LongModel;
import dev.kormorant.Referrers;
import dev.kormorant.Refs;
import dev.kormorant.async.ModelType;

public final class User extends LongModel {
    public static final ModelType<Long, User> MODEL = ModelType.of(USERS, User::new);
    public static final Referrers<Tweet> TWEETS_OF = MODEL.referrers(TWEETS.user, () -> Tweet.MODEL);

    public String getName() {
        return get(USERS.name);
    }

    public void setName(String name) {
        set(USERS.name, name);
    }

    public int getAge() {
        return get(USERS.age);
    }

    public void setAge(int age) {
        set(USERS.age, age);
    }

    /** Gives another user the values of this one. */
    public void copyTo(User other) {
        other.setName(getName());
        other.setAge(getAge());
    }

    public Refs<Tweet> tweets() {
        return TWEETS_OF.of(this);
    }
}
