package dev.kormorant.javatest;

import static dev.kormorant.javatest.Tags.TAGS;

import dev.kormorant.UUIDModel;
import dev.kormorant.async.ModelType;
import java.util.UUID;

public final class Tag extends UUIDModel {
    public static final ModelType<UUID, Tag> MODEL = ModelType.of(TAGS, Tag::new);

    public String getWord() {
        return get(TAGS.word);
    }

    public void setWord(String word) {
        set(TAGS.word, word);
    }
}
