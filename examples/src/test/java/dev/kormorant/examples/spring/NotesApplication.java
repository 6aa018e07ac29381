package dev.kormorant.examples.spring;

import dev.kormorant.LongModel;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.AsyncModels;
import dev.kormorant.async.LongTable;
import dev.kormorant.async.ModelType;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Column;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** A program whose database, models and services are beans. */
@Configuration
@Import(NotesApplication.NoteService.class)
public class NotesApplication {
    // region spring-beans
    @Bean(destroyMethod = "close")
    AsyncDatabase database(@Value("${kormorant.url}") String url, @Value("${kormorant.pool.max:10}") int max) {
        return AsyncDatabase.open(url, config -> config.pool(pool -> pool.max(max)));
    }

    @Bean
    AsyncModels<Long, Note> notes(AsyncDatabase database) {
        return database.models(Note.MODEL);
    }
    // endregion

    // region spring-service
    static class NoteService {
        private final AsyncDatabase database;
        private final AsyncModels<Long, Note> notes;

        NoteService(AsyncDatabase database, AsyncModels<Long, Note> notes) {
            this.database = database;
            this.notes = notes;
        }

        /** Both or none: the transaction is a handle, as nothing travels through futures by itself. */
        CompletableFuture<Long> addBoth(String first, String second) {
            return database.transaction(tx -> notes.create(tx, note -> note.text(first))
                    .thenCompose(added -> notes.create(tx, note -> note.text(second)))
                    .thenApply(added -> added.getId().getValue()));
        }

        CompletableFuture<Long> count() {
            return notes.count();
        }
    }
    // endregion

    static final class Notes extends LongTable {
        static final Notes NOTES = new Notes();
        final Column<String> text = unique(varchar("text", 40));

        private Notes() {
            super("spring_note");
        }
    }

    static final class Note extends LongModel {
        static final ModelType<Long, Note> MODEL = ModelType.of(Notes.NOTES, Note::new);

        Note text(String text) {
            set(Notes.NOTES.text, text);
            return this;
        }
    }
}
