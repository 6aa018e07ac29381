package dev.kormorant.examples.recipes;

import static dev.kormorant.async.UpsertOptions.inserted;
import static dev.kormorant.async.UpsertOptions.upsertOptions;
import static org.jetbrains.exposed.v1.core.OpBuilderKt.plus;

import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import dev.kormorant.async.UpsertOptions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Column;

/** Rows that are inserted the first time and changed from then on, and SQL that reads them. */
public final class JavaWriting {
    static final class Words extends LongTable {
        static final Words WORDS = new Words();
        final Column<String> name = unique(varchar("name", 40));
        final Column<Integer> hits = withDefault(integer("hits"), 1);

        private Words() {
            super("java_word");
        }
    }

    record WordCount(String name, int hits) {}

    private JavaWriting() {}

    // region java-writing
    static CompletableFuture<List<WordCount>> count(AsyncDatabase db, UpsertOptions byName, List<String> words) {
        var table = Words.WORDS;
        var adding = byName.onUpdate(row -> row.setExpression(table.hits, plus(table.hits, inserted(table.hits))));
        return db.batchUpsert(table, words, adding, (row, word) -> row.set(table.name, word).set(table.hits, 1))
                .thenCompose(rows -> db.list(db
                        .sql("SELECT name, hits FROM java_word WHERE hits > :least ORDER BY name", Map.of("least", 1))
                        .as(WordCount.class)));
    }
    // endregion

    /** Runs it on the database of a URL, in memory by default. */
    public static void main(String[] args) {
        try (var db = AsyncDatabase.open(args.length > 0 ? args[0] : "sqlite::memory:")) {
            db.schema().create(Words.WORDS).join();
            var mysql = Set.of("MySQL", "MariaDB").contains(db.database().getDialectName());
            var byName = mysql ? upsertOptions() : upsertOptions().keys(Words.WORDS.name);
            System.out.println(count(db, byName, List.of("the", "cat", "and", "the", "dog")).join());
        }
    }
}
