package dev.kormorant.examples.recipes;

import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Column;

/** Takes a table that was made by an earlier version of the program to what it is now. */
public final class JavaSchemaChanges {
    static final class Visits extends LongTable {
        static final Visits VISITS = new Visits();
        final Column<String> page = indexed(varchar("page", 200));
        final Column<Integer> seconds = withDefault(integer("seconds"), 0);

        private Visits() {
            super("visit");
        }
    }

    private JavaSchemaChanges() {}

    // region java-schema-difference
    static CompletableFuture<Void> evolve(AsyncDatabase db) {
        return db.schema().difference(Visits.VISITS)
                .thenCompose(difference -> {
                    difference.getChanges().forEach(System.out::println);       // create index visit.visit_page
                    return db.schema().apply(difference);
                })
                .thenCompose(none -> db.schema().difference(Visits.VISITS))
                .thenAccept(System.out::println);                               // no difference
    }
    // endregion

    /** Runs it on the database of a URL, in memory by default. */
    public static void main(String[] args) {
        try (var db = AsyncDatabase.open(args.length > 0 ? args[0] : "sqlite::memory:")) {
            db.schema().create(Visits.VISITS)
                    .thenCompose(none -> db.schema().dropIndex(Visits.VISITS.getIndices().get(0)))
                    .thenCompose(none -> evolve(db))
                    .join();
        }
    }
}
