package dev.kormorant.examples.quickstart;

// region java-quickstart
import static dev.kormorant.async.Conditions.eq;

import dev.kormorant.LongModel;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import dev.kormorant.async.ModelType;
import org.jetbrains.exposed.v1.core.Column;

public final class JavaQuickstart {
    static final class Pages extends LongTable {
        static final Pages PAGES = new Pages();
        final Column<String> key = unique(varchar("key", 40));
        final Column<String> text = text("text");

        private Pages() {
            super("page_block");
        }
    }

    static final class Page extends LongModel {
        static final ModelType<Long, Page> MODEL = ModelType.of(Pages.PAGES, Page::new);

        String text() { return get(Pages.PAGES.text); }
        Page key(String key) { set(Pages.PAGES.key, key); return this; }
        Page text(String text) { set(Pages.PAGES.text, text); return this; }
    }

    public static void main(String[] args) {
        var url = args.length > 0 ? args[0] : "sqlite::memory:";
        try (var db = AsyncDatabase.open(url)) {
            var pages = db.models(Page.MODEL);
            db.schema().create(Pages.PAGES)
                    .thenCompose(none -> pages.create(page -> page.key("title").text("Async is AWESOME")))
                    .thenCompose(page -> pages.get(eq(Pages.PAGES.key, "title")))
                    .thenCompose(title -> pages.save(title.text("Async is SUPER awesome"))
                            .thenCompose(saved -> pages.get(title.getId().getValue())))
                    .thenAccept(title -> System.out.println(title.text()))
                    .join();
        }
    }
}
// endregion
