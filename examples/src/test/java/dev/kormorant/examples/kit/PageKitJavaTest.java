package dev.kormorant.examples.kit;

import static dev.kormorant.async.Conditions.eq;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kormorant.Database;
import dev.kormorant.LongModel;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import dev.kormorant.async.ModelType;
import dev.kormorant.test.StatementRecorder;
import dev.kormorant.test.junit.DatabaseExtension;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ForkJoinPool;
import org.jetbrains.exposed.v1.core.Column;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

// region kit-java
class PageKitJavaTest {
    @RegisterExtension
    static final DatabaseExtension DATABASE = new DatabaseExtension("sqlite::memory:").create(Pages.PAGES);

    @RepeatedTest(2)
    void whatATestCommitsIsGoneAfterIt(Database database, StatementRecorder statements) {
        var db = AsyncDatabase.of(database, ForkJoinPool.commonPool());
        var pages = db.models(Page.MODEL);
        db.transaction(tx -> pages.create(tx, page -> page.key("title"))).join();
        assertThrows(CompletionException.class, () -> pages.create(page -> page.key("title")).join());
        assertEquals(1, pages.count(eq(Pages.PAGES.key, "title")).join());
        statements.assertQueries(3);
    }
    // endregion

    @Test
    void aTestThatAsksForNoDatabaseGetsNone() {
        assertEquals(0, DATABASE.getDatabase().getPool().getInUse());
    }

    static final class Pages extends LongTable {
        static final Pages PAGES = new Pages();
        final Column<String> key = unique(varchar("key", 40));

        private Pages() {
            super("kit_page");
        }
    }

    static final class Page extends LongModel {
        static final ModelType<Long, Page> MODEL = ModelType.of(Pages.PAGES, Page::new);

        Page key(String key) {
            set(Pages.PAGES.key, key);
            return this;
        }
    }
}
