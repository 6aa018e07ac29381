package dev.kormorant.async;

import dev.kormorant.BlockingPolicy;
import dev.kormorant.DatabaseListener;
import dev.kormorant.Isolation;
import dev.kormorant.RepeatedLoadEvent;
import dev.kormorant.async.internal.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jetbrains.exposed.v1.core.SqlLogger;
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor;

/**
 * Settings of an {@link AsyncDatabase}, made in the function given to {@link AsyncDatabase#open(String, Consumer)}; a value that makes
 * no sense is a {@code ConfigurationException} from there. Changing them afterwards has no effect.
 */
public final class AsyncConfig {
    private final Settings settings;
    private final PoolConfig pool;
    private final List<ContextCarrier> carriers = new ArrayList<>();
    private Executor executor = ForkJoinPool.commonPool();

    AsyncConfig(Settings settings) {
        this.settings = settings;
        this.pool = new PoolConfig(settings);
    }

    Executor executor() {
        return executor;
    }

    /**
     * Where futures are completed, and so where their dependents run that were not given an executor of their own. Never a thread of
     * a driver. By default {@link ForkJoinPool#commonPool()}, as for {@code CompletableFuture} itself.
     *
     * @param dependents the executor; it must accept work until the database is closed
     * @return this
     */
    public AsyncConfig executor(Executor dependents) {
        executor = Objects.requireNonNull(dependents, "dependents");
        return this;
    }

    /**
     * User name; wins over the one in the URL.
     *
     * @param name the name
     * @return this
     */
    public AsyncConfig user(String name) {
        settings.getConfig().setUser(name);
        return this;
    }

    /**
     * Password, asked for at every connect so that a rotated one is picked up; wins over the one in the URL.
     *
     * @param supplier gives the password; must not block for long
     * @return this
     */
    public AsyncConfig password(Supplier<String> supplier) {
        settings.getConfig().password(supplier::get);
        return this;
    }

    /**
     * Settings of the pool of connections.
     *
     * @param block changes them
     * @return this
     */
    public AsyncConfig pool(Consumer<PoolConfig> block) {
        block.accept(pool);
        return this;
    }

    /**
     * Adds a listener; all of them hear every statement, in the order they were added.
     *
     * @param listener the listener
     * @return this
     */
    public AsyncConfig listener(StatementListener listener) {
        settings.listener(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Watches for relations that are loaded for one model of a result after another, where {@code with} would load them for all by one
     * query; for development and tests.
     *
     * @param limit how often is not too often
     * @param fail whether the load after that fails with {@code RepeatedLoadException}, besides being told to the listeners
     * @return this
     */
    public AsyncConfig repeatedLoads(int limit, boolean fail) {
        settings.repeatedLoads(limit, fail);
        return this;
    }

    /**
     * Shows every statement that succeeds to Exposed's loggers, with its values.
     *
     * @param loggers the loggers
     * @return this
     */
    public AsyncConfig logger(SqlLogger... loggers) {
        settings.getConfig().logger(loggers);
        return this;
    }

    /**
     * Adds a listener for statements and connections, such as those of the modules for metrics and traces.
     *
     * @param listener the listener
     * @return this
     */
    public AsyncConfig listener(DatabaseListener listener) {
        settings.getConfig().listener(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Tells Exposed's interceptor of every statement, COMMIT and ROLLBACK.
     *
     * @param interceptor the interceptor
     * @return this
     */
    public AsyncConfig interceptor(StatementInterceptor interceptor) {
        settings.getConfig().interceptor(Objects.requireNonNull(interceptor, "interceptor"));
        return this;
    }

    /**
     * Adds a listener to what {@link #repeatedLoads} finds.
     *
     * @param listener called synchronously: it should be quick and not throw
     * @return this
     */
    public AsyncConfig repeatedLoadListener(Consumer<RepeatedLoadEvent> listener) {
        settings.repeatedLoadListener(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Logs every statement at DEBUG to the SLF4J logger {@code dev.kormorant.sql}, and slow ones at WARN; never a value.
     *
     * @param slow from what time on a statement is slow, or {@code null} for never
     * @return this
     */
    public AsyncConfig logStatements(Duration slow) {
        settings.logStatements(slow);
        return this;
    }

    /**
     * Carries what the threads that make calls have bound to themselves to the threads on which the calls go on; the MDC of SLF4J is
     * carried without this.
     *
     * @param carrier captures and binds it
     * @return this
     */
    public AsyncConfig carry(ContextCarrier carrier) {
        carriers.add(Objects.requireNonNull(carrier, "carrier"));
        return this;
    }

    List<ContextCarrier> carriers() {
        return List.copyOf(carriers);
    }

    /**
     * Whether threads may wait in {@link AsyncDatabase#blocking()}; forbidden by default. Virtual threads always may.
     *
     * @param policy the policy to begin with
     * @return this
     */
    public AsyncConfig blocking(BlockingPolicy policy) {
        settings.getConfig().setBlocking(policy);
        return this;
    }

    /**
     * How long a transaction may hold its connection without running a statement before its listeners hear of it; never by default.
     *
     * @param threshold more than zero, or {@code null} for never
     * @return this
     */
    public AsyncConfig idleThreshold(Duration threshold) {
        settings.idleThreshold(threshold);
        return this;
    }

    /**
     * Adds a listener of transactions; all of them hear every event, in the order they were added.
     *
     * @param listener the listener
     * @return this
     */
    public AsyncConfig transactionListener(TransactionListener listener) {
        settings.transactionListener(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Isolation level of transactions that name none; by default the database decides.
     *
     * @param level the level
     * @return this
     */
    public AsyncConfig defaultIsolation(Isolation level) {
        settings.getConfig().setDefaultIsolation(level);
        return this;
    }

    /**
     * Prepared statements kept per connection, 256 by default.
     *
     * @param size 0 or more
     * @return this
     */
    public AsyncConfig statementCacheSize(int size) {
        settings.getConfig().setStatementCacheSize(size);
        return this;
    }

    /**
     * Bound of opening one connection, handshake included; 10 s by default.
     *
     * @param timeout more than zero
     * @return this
     */
    public AsyncConfig connectTimeout(Duration timeout) {
        settings.connectTimeout(timeout);
        return this;
    }

    /**
     * How long a cancelled statement, a COMMIT or a ROLLBACK may take to be answered before the connection is closed instead; 5 s by
     * default.
     *
     * @param timeout more than zero
     * @return this
     */
    public AsyncConfig cancelTimeout(Duration timeout) {
        settings.cancelTimeout(timeout);
        return this;
    }

    /**
     * How long a statement may run before it is cancelled on the server and fails with a {@code QueryTimeoutException}; no bound by
     * default.
     *
     * @param timeout more than zero
     * @return this
     */
    public AsyncConfig statementTimeout(Duration timeout) {
        settings.statementTimeout(timeout);
        return this;
    }

    /**
     * How long a call on the handle of a transaction may wait for those before it; 30 s by default: a longer wait is a deadlock in the
     * program, and fails with a {@code ConnectionBusyException}.
     *
     * @param timeout more than zero
     * @return this
     */
    public AsyncConfig transactionWaitTimeout(Duration timeout) {
        settings.transactionWaitTimeout(timeout);
        return this;
    }

    /**
     * Whether DDL may run inside a transaction of a database that commits the transaction before it, as MySQL and MariaDB do; by default
     * that is an error. Where it may, what comes after the DDL commits statement by statement.
     *
     * @param allow whether it may
     * @return this
     */
    public AsyncConfig allowImplicitCommit(boolean allow) {
        settings.getConfig().setAllowImplicitCommit(allow);
        return this;
    }

    /**
     * How long a statement may wait for a stream that is being read on the connection of its transaction; 5 s by default. Where streams leave
     * the connection free, as on PostgreSQL, nothing waits for them.
     *
     * @param timeout more than zero
     * @return this
     */
    public AsyncConfig streamTimeout(Duration timeout) {
        settings.streamTimeout(timeout);
        return this;
    }

    /**
     * Settings of one backend, such as {@code SqliteSettings}; other backends pay them no heed.
     *
     * @param type class of the settings
     * @param create makes them with their defaults
     * @param block changes them
     * @param <T> class of the settings
     * @return this
     */
    public <T> AsyncConfig backend(Class<T> type, Supplier<T> create, Consumer<T> block) {
        block.accept(settings.getConfig().extra(type, create::get));
        return this;
    }

    /** How many connections a database keeps and for how long. All times are real time. */
    public static final class PoolConfig {
        private final Settings settings;

        PoolConfig(Settings settings) {
            this.settings = settings;
        }

        /**
         * Connections open at most, 10 by default.
         *
         * @param connections 1 or more
         * @return this
         */
        public PoolConfig max(int connections) {
            settings.getConfig().getPool().setMax(connections);
            return this;
        }

        /**
         * Connections kept open although nobody uses them, 0 by default.
         *
         * @param connections 0 to the maximum
         * @return this
         */
        public PoolConfig min(int connections) {
            settings.getConfig().getPool().setMin(connections);
            return this;
        }

        /**
         * How long a call waits for a connection before it fails with a {@code PoolTimeoutException}; 10 s by default.
         *
         * @param timeout more than zero
         * @return this
         */
        public PoolConfig acquireTimeout(Duration timeout) {
            settings.acquireTimeout(timeout);
            return this;
        }

        /**
         * Age at which a connection is closed once it is free, less a random tenth; 30 min by default.
         *
         * @param age more than zero
         * @return this
         */
        public PoolConfig maxLifetime(Duration age) {
            settings.maxLifetime(age);
            return this;
        }

        /**
         * How long a connection beyond the minimum may be idle before it is closed; 10 min by default.
         *
         * @param timeout more than zero
         * @return this
         */
        public PoolConfig idleTimeout(Duration timeout) {
            settings.idleTimeout(timeout);
            return this;
        }

        /**
         * How long a connection may be silent before an idle one is asked for a sign of life; 2 min by default.
         *
         * @param silence more than zero, or {@code null} to never ask
         * @return this
         */
        public PoolConfig keepalive(Duration silence) {
            settings.keepalive(silence);
            return this;
        }

        /**
         * How long a connection may have been silent to be lent without asking the server first; 30 s by default.
         *
         * @param silence zero always asks, which costs a round trip
         * @return this
         */
        public PoolConfig validateAfter(Duration silence) {
            settings.validateAfter(silence);
            return this;
        }

        /**
         * How long a connection may be lent before a warning is logged with the stack of the caller that acquired it; never by default.
         *
         * @param age more than zero, or {@code null} for never
         * @return this
         */
        public PoolConfig leakThreshold(Duration age) {
            settings.leakThreshold(age);
            return this;
        }
    }
}
