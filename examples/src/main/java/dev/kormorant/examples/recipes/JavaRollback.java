package dev.kormorant.examples.recipes;

import dev.kormorant.LongModel;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import dev.kormorant.async.ModelType;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Column;

/** A transaction that fails leaves the database as it was; the model in memory keeps what it was given. */
public final class JavaRollback {
    static final class Memos extends LongTable {
        static final Memos MEMOS = new Memos();
        final Column<String> text = text("text");

        private Memos() {
            super("memo");
        }
    }

    static final class Memo extends LongModel {
        static final ModelType<Long, Memo> MODEL = ModelType.of(Memos.MEMOS, Memo::new);

        String text() {
            return get(Memos.MEMOS.text);
        }

        Memo text(String text) {
            set(Memos.MEMOS.text, text);
            return this;
        }
    }

    private JavaRollback() {}

    // region java-rollback
    static CompletableFuture<Void> rollback(AsyncDatabase db) {
        var memos = db.models(Memo.MODEL);
        return db.schema().create(Memos.MEMOS)
                .thenCompose(none -> memos.create(memo -> memo.text("FOO")))
                .thenCompose(memo -> db
                        .transaction(tx -> memos.save(tx, memo.text("BAR")).thenCompose(saved -> {
                            throw new IllegalStateException("Something went wrong.");
                        }))
                        .exceptionally(failure -> null)
                        .thenCompose(none -> memos.get(memo.getId().getValue())))
                .thenAccept(memo -> System.out.println(memo.text()));       // FOO, not BAR
    }
    // endregion

    /** Runs it on the database of a URL, in memory by default. */
    public static void main(String[] args) {
        try (var db = AsyncDatabase.open(args.length > 0 ? args[0] : "sqlite::memory:")) {
            rollback(db).join();
        }
    }
}
