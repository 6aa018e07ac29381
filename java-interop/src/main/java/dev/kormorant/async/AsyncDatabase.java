package dev.kormorant.async;

import dev.kormorant.BlockingAllowance;
import dev.kormorant.BlockingKt;
import dev.kormorant.BlockingPolicy;
import dev.kormorant.CommitOutcome;
import dev.kormorant.CommitOutcomeUnknownException;
import dev.kormorant.Database;
import dev.kormorant.Model;
import dev.kormorant.Notification;
import dev.kormorant.PoolStats;
import dev.kormorant.Rows;
import dev.kormorant.async.internal.Funnel;
import dev.kormorant.async.internal.SettingsKt;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Where the data is, for Java: it opens connections, keeps them in a pool, and runs statements and transactions.
 *
 * <pre>{@code
 * try (var db = AsyncDatabase.open("sqlite:pages.db")) {
 *     var pages = db.models(Page.MODEL);
 *     db.schema().create(PAGES)
 *             .thenCompose(none -> db.transaction(tx -> pages.create(tx, page -> page.setKey("title"))))
 *             .thenCompose(page -> pages.get(page.getId().getValue()))
 *             .join();
 * }
 * }</pre>
 *
 * A transaction is a handle that is handed on, as nothing travels through futures by itself. The database may be used by any number of
 * threads at once.
 */
public final class AsyncDatabase extends AsyncStatements implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final Database database;

    private AsyncDatabase(Database database, Executor executor, List<ContextCarrier> carriers) {
        super(new Funnel(database, new Dependents(executor), carriers));
        this.database = database;
    }

    /**
     * A database with default settings; see the other {@code open}.
     *
     * @param url where it is
     * @return the database; nothing is connected yet
     */
    public static AsyncDatabase open(String url) {
        return open(url, config -> {});
    }

    /**
     * A database for a URL: {@code sqlite:path}, {@code sqlite::memory:}, {@code postgresql://user:password@host:port/database}, and so
     * for {@code mysql} and {@code mariadb}; a leading {@code jdbc:} or {@code r2dbc:} is tolerated. Does no I/O: the first call, or
     * {@link #connect}, opens the first connection.
     *
     * @param url where it is
     * @param settings changes the settings
     * @return the database
     * @throws dev.kormorant.DriverMissingException if no module on the class path knows the scheme
     * @throws dev.kormorant.ConfigurationException if the URL or a setting is not understood
     */
    public static AsyncDatabase open(String url, Consumer<? super AsyncConfig> settings) {
        var config = new AtomicReference<AsyncConfig>();
        var database = SettingsKt.open(url, raw -> settings.accept(config.updateAndGet(none -> new AsyncConfig(raw))));
        return new AsyncDatabase(database, config.get().executor(), config.get().carriers());
    }

    /**
     * The Java face of a database that Kotlin code has opened; closing either closes both.
     *
     * @param database the database
     * @param executor where futures are completed, see {@link AsyncConfig#executor}
     * @return its Java face
     */
    public static AsyncDatabase of(Database database, Executor executor) {
        return new AsyncDatabase(Objects.requireNonNull(database, "database"), Objects.requireNonNull(executor, "executor"), List.of());
    }

    /**
     * The database as Kotlin code uses it.
     *
     * @return the same database
     */
    public Database database() {
        return database;
    }

    /**
     * This database for threads that may wait.
     *
     * @return its blocking view
     */
    public BlockingDatabase blocking() {
        return new BlockingDatabase(this);
    }

    /**
     * Hooks around the saving and deleting of the models of all classes on this database.
     *
     * @return where to register them
     */
    public AsyncHooks<Model<?>> hooks() {
        return new AsyncHooks<>(database.getModelHooks());
    }

    /**
     * Whether a connection has been made and the database has not been closed since.
     *
     * @return whether it has
     */
    public boolean isOpen() {
        return database.isOpen();
    }

    /**
     * Figures of the pool at this moment.
     *
     * @return connections and waiting callers
     */
    public PoolStats poolStats() {
        return database.getPool();
    }

    /**
     * Opens the first connection now rather than at the first call; opens a closed database again. Does nothing when open.
     *
     * @return complete when connected; fails with {@code ConnectionException}
     */
    public CompletableFuture<Void> connect() {
        return funnel.run(database::connect);
    }

    /**
     * Runs a function on one connection kept for it, without a transaction. A transaction left open by raw SQL is rolled back at the end.
     *
     * @param block gets the handle; called on the calling thread. It should not block.
     * @param <T> type of the value
     * @return the value of the stage, after the connection is given back; fails as the stage does
     */
    public <T> CompletableFuture<T> connection(Function<? super AsyncConnection, ? extends CompletionStage<? extends T>> block) {
        return funnel.connection(inner -> block.apply(new AsyncConnection(inner)));
    }

    /**
     * Opens a transaction that is ended by hand; nothing is sent yet. It must be closed:
     *
     * <pre>{@code
     * db.begin().thenCompose(tx -> pages.create(tx, page -> page.setKey("title"))
     *         .thenCompose(page -> tx.commit())
     *         .whenComplete((none, error) -> tx.closeAsync()));
     * }</pre>
     *
     * @return its handle
     */
    public CompletableFuture<AsyncManualTransaction> begin() {
        return begin(TransactionOptions.options());
    }

    /**
     * Opens a transaction that is ended by hand; see the other {@code begin}.
     *
     * @param options how; there is no block to run again, so retries are an {@code IllegalArgumentException}
     * @return its handle
     */
    public CompletableFuture<AsyncManualTransaction> begin(TransactionOptions options) {
        return funnel.begin(options.asKotlin(), AsyncManualTransaction::new);
    }

    /**
     * Asks the server, for up to 10 s, what became of a transaction whose COMMIT was not answered.
     *
     * @param outcome what the transaction, opened with {@link TransactionOptions#resolvable}, has failed with
     * @return how it ended, as far as the server knows
     */
    public CompletableFuture<CommitOutcome> resolve(CommitOutcomeUnknownException outcome) {
        return funnel.resolve(outcome);
    }

    /**
     * Whether threads may wait in {@link #blocking()}; at first as configured, {@link BlockingPolicy#FORBID} by default.
     *
     * @return the policy
     */
    public BlockingPolicy blockingPolicy() {
        return database.getBlockingPolicy();
    }

    /**
     * Changes the policy, at any time.
     *
     * @param policy for calls of {@link #blocking()} from now on
     */
    public void blockingPolicy(BlockingPolicy policy) {
        database.setBlockingPolicy(Objects.requireNonNull(policy, "policy"));
    }

    /**
     * Lets the current thread wait for this database until the result is closed: {@code try (var allowed = db.allowBlocking()) { … }}. What
     * was before holds again then. It may be nested.
     *
     * @return to be closed on the same thread
     */
    public BlockingAllowance allowBlocking() {
        return BlockingKt.allowBlocking(database);
    }

    /**
     * The rows of a query as they are asked for: {@code db.publisher(query.fetchSize(500))} keeps a few portions of about 500 rows in
     * memory and one connection from the first request to the end. Without {@code fetchSize} all rows are read first.
     *
     * <p>Each subscription runs the query anew, in autocommit. Subscribers are called on the executor; what fails reaches
     * {@code onError} as the original exception; cancelling the subscription ends the statement and gives the connection back.
     *
     * @param query the query
     * @param <T> what the query returns
     * @return its rows
     */
    public <T> Flow.Publisher<T> publisher(Rows<T> query) {
        return funnel.publisher(query);
    }

    /**
     * What is sent on channels, from {@code Notification.Begin} on and without end: a {@code Notification.Message} for each, and a
     * {@code Notification.Gap} where some may be missing because the link was lost for a while. PostgreSQL only.
     *
     * <p>Each subscription has a connection of its own outside the pool, which cancelling it closes. {@code onError} gets
     * {@code UnsupportedByDialectException} from other databases and behind a pooler, {@code ConnectionException} when the first connect fails,
     * and {@code PoolClosedException} when this database is closed.
     *
     * @param channels names as they are, without quotes
     * @return the notifications
     */
    public Flow.Publisher<Notification> listen(String... channels) {
        return funnel.listen(channels.clone());
    }

    /**
     * The bytes of {@code COPY … TO STDOUT}, in pieces cut anywhere; a slow subscriber makes the server wait. PostgreSQL only.
     *
     * <p>Each subscription runs the statement anew, outside every transaction; cancelling it stops the statement and gives the connection back.
     *
     * @param sql the statement
     * @return the bytes; {@code onError} gets {@code UnsupportedByDialectException} from other databases
     */
    public Flow.Publisher<byte[]> copyOut(String sql) {
        return funnel.copyOut(sql);
    }

    /**
     * Waits up to 5 s for calls and transactions to end, then closes all connections. Later calls fail with {@code PoolClosedException}
     * until {@link #connect}. May be repeated.
     *
     * @return complete when all is closed; cancelling it changes nothing
     */
    public CompletableFuture<Void> closeAsync() {
        return closeAsync(GRACE);
    }

    /**
     * Waits for calls and transactions to end, then closes all connections; see the other {@code closeAsync}.
     *
     * @param grace how long to wait; zero does not
     * @return complete when all is closed; cancelling it changes nothing
     */
    public CompletableFuture<Void> closeAsync(Duration grace) {
        return funnel.close(grace);
    }

    /**
     * {@link #closeAsync()}, waited for on the calling thread.
     *
     * @throws dev.kormorant.BlockingNotAllowedException where {@link BlockingStatements} must not wait either, whatever the policy
     */
    @Override
    public void close() {
        BlockingStatements.await(funnel, this::closeAsync);
    }

    @Override
    public String toString() {
        return "Async" + database;
    }
}
