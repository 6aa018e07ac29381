package dev.kormorant.examples.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kormorant.ConstraintViolationException;
import dev.kormorant.async.AsyncDatabase;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;

class SpringRecipeTest {
    @Test
    void aDatabaseIsABeanThatLivesAsLongAsTheContext() {
        AsyncDatabase database;
        try (var context = new SpringApplicationBuilder(NotesApplication.class)
                .web(WebApplicationType.NONE)
                .bannerMode(Banner.Mode.OFF)
                .logStartupInfo(false)
                .properties("kormorant.url=sqlite::memory:", "kormorant.pool.max=3")
                .run()) {
            database = context.getBean(AsyncDatabase.class);
            database.schema().create(NotesApplication.Notes.NOTES).join();
            var service = context.getBean(NotesApplication.NoteService.class);
            assertEquals(2, service.addBoth("first", "second").join());
            var error = assertThrows(CompletionException.class, () -> service.addBoth("third", "first").join());
            assertInstanceOf(ConstraintViolationException.class, error.getCause());
            assertEquals(2, service.count().join());
            assertEquals(0, database.poolStats().getInUse());
        }
        assertFalse(database.isOpen());
    }
}
