package dev.kormorant.async;

/**
 * A database for threads that may wait: {@code db.blocking().list(query)}. It shares the connections of the {@link AsyncDatabase} it
 * comes from and is closed with it.
 */
public final class BlockingDatabase extends BlockingStatements {
    private final AsyncDatabase database;

    BlockingDatabase(AsyncDatabase database) {
        super(database);
        this.database = database;
    }

    /** Opens the first connection now; see {@link AsyncDatabase#connect}. */
    public void connect() {
        call(database::connect);
    }
}
