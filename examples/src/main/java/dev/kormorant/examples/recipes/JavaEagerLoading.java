package dev.kormorant.examples.recipes;

import dev.kormorant.LongModel;
import dev.kormorant.Ref;
import dev.kormorant.Reference;
import dev.kormorant.Referrers;
import dev.kormorant.Refs;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import dev.kormorant.async.ModelType;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.SortOrder;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;

/** Two tables in two queries, however many rows there are. */
public final class JavaEagerLoading {
    // region java-relations
    static final class Authors extends LongTable {
        static final Authors AUTHORS = new Authors();
        final Column<String> name = varchar("name", 40);

        private Authors() {
            super("author");
        }
    }

    static final class Books extends LongTable {
        static final Books BOOKS = new Books();
        final Column<String> title = varchar("title", 80);
        final Column<EntityID<Long>> author = reference("author_id", Authors.AUTHORS);

        private Books() {
            super("book");
        }
    }

    static final class Author extends LongModel {
        static final ModelType<Long, Author> MODEL = ModelType.of(Authors.AUTHORS, Author::new);
        static final Referrers<Book> BOOKS = MODEL.referrers(Books.BOOKS.author, () -> Book.MODEL);

        String name() { return get(Authors.AUTHORS.name); }
        Author name(String name) { set(Authors.AUTHORS.name, name); return this; }
        Refs<Book> books() { return BOOKS.of(this); }
    }

    static final class Book extends LongModel {
        static final ModelType<Long, Book> MODEL = ModelType.of(Books.BOOKS, Book::new);
        static final Reference<Long, Author> AUTHOR = MODEL.reference(Books.BOOKS.author, () -> Author.MODEL);

        String title() { return get(Books.BOOKS.title); }
        Book title(String title) { set(Books.BOOKS.title, title); return this; }
        Ref<Long, Author> author() { return AUTHOR.of(this); }
    }
    // endregion

    private JavaEagerLoading() {}

    private static CompletableFuture<Void> write(AsyncDatabase db) {
        var authors = db.models(Author.MODEL);
        var books = db.models(Book.MODEL);
        return db.schema().create(Authors.AUTHORS, Books.BOOKS).thenCompose(none -> db.transaction(tx -> authors
                .create(tx, author -> author.name("Lem"))
                .thenCompose(lem -> books.create(tx, book -> book.title("Solaris").author().setValue(lem))
                        .thenCompose(book -> books.create(tx, other -> other.title("The Cyberiad").author().setValue(lem))))
                .thenAccept(book -> {})));
    }

    // region java-prefetch
    static CompletableFuture<Void> print(AsyncDatabase db) {
        var authors = db.models(Author.MODEL);
        return db.list(authors.all().orderBy(Authors.AUTHORS.name, SortOrder.ASC).with(Author.BOOKS)).thenAccept(all -> {
            for (var author : all) {
                System.out.println(author.name() + ": " + author.books().value().stream().map(Book::title).sorted().toList());
            }
        });
    }
    // endregion

    /** Runs it on the database of a URL, in memory by default. */
    public static void main(String[] args) {
        try (var db = AsyncDatabase.open(args.length > 0 ? args[0] : "sqlite::memory:")) {
            write(db).thenCompose(none -> print(db)).join();
        }
    }
}
