package dev.kormorant.javatest;

import static dev.kormorant.async.Queries.selectAll;
import static dev.kormorant.async.TransactionOptions.options;
import static dev.kormorant.javatest.Users.USERS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kormorant.BlockingNotAllowedException;
import dev.kormorant.BlockingPolicy;
import dev.kormorant.CommitOutcome;
import dev.kormorant.CommitOutcomeUnknownException;
import dev.kormorant.ConnectionBusyException;
import dev.kormorant.ConstraintViolationException;
import dev.kormorant.ErrorDetails;
import dev.kormorant.Isolation;
import dev.kormorant.Propagation;
import dev.kormorant.QueryTimeoutException;
import dev.kormorant.SerializationException;
import dev.kormorant.TransactionAbortedException;
import dev.kormorant.TransactionClosedException;
import dev.kormorant.TransactionEvent;
import dev.kormorant.UnsupportedByDialectException;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.AsyncModels;
import dev.kormorant.async.AsyncTransaction;
import dev.kormorant.async.TransactionListener;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jetbrains.exposed.v1.core.SortOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Transactions as Java handles them, on one kind of database per subclass. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class AsyncTransactionSuite {
    private final ConcurrentLinkedQueue<TransactionListener.Event> events = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<String> statements = new ConcurrentLinkedQueue<>();
    private AsyncDatabase db;
    private AsyncModels<Long, User> users;

    abstract String url();

    /** Whether two transactions can write at the same time. */
    boolean hasManyWriters() {
        return true;
    }

    @BeforeEach
    void open() {
        db = AsyncDatabase.open(url(), config -> config
                .listener(statement -> statements.add(statement.sql()))
                .transactionListener(events::add)
                .pool(pool -> pool.max(3)));
        users = db.models(User.MODEL);
        db.schema().drop(USERS).thenCompose(none -> db.schema().create(USERS)).join();
    }

    @AfterEach
    void close() {
        if (db == null) return;
        eventually("every connection is back in the pool", () -> db.poolStats().getInUse() == 0);
        db.close();
    }

    private CompletableFuture<User> add(AsyncTransaction tx, String name) {
        return users.create(tx, user -> user.setName(name));
    }

    private List<String> names() {
        return db.list(selectAll(USERS).orderBy(USERS.name, SortOrder.ASC), row -> row.get(USERS.name)).join();
    }

    private static SerializationException conflict() {
        return new SerializationException("Lost.", new ErrorDetails("40001", 1213, null, null, null, null), null);
    }

    // ---- Ending and beginning

    /** T4, L5, D19. */
    @Test
    void commit_keeps_what_was_done_and_begins_again_and_rollback_undoes_what_came_since() {
        db.transaction(tx -> {
            add(tx, "a").thenAccept(user -> {});
            tx.commit().thenAccept(none -> {});
            add(tx, "b").thenAccept(user -> {});
            tx.rollback().thenAccept(none -> {});
            return add(tx, "c");
        }).join();
        assertEquals(List.of("a", "c"), names());
    }

    /** T4, L5. */
    @Test
    void with_begin_false_later_calls_fail() {
        failure(TransactionClosedException.class, db.transaction(tx -> add(tx, "a")
                .thenCompose(user -> tx.commit(false))
                .thenCompose(none -> {
                    assertFalse(tx.isOpen());
                    return add(tx, "late");
                })));
        assertEquals(List.of("a"), names());
    }

    /** T4: in a nested transaction they act on that level only. */
    @Test
    void in_a_nested_transaction_they_act_on_that_level_only() {
        db.transaction(tx -> add(tx, "a")
                .thenCompose(user -> tx.transaction(sp -> add(sp, "b")
                        .thenCompose(inner -> sp.commit())
                        .thenCompose(none -> add(sp, "c"))
                        .thenCompose(inner -> sp.rollback())
                        .thenCompose(none -> add(sp, "d"))))).join();
        assertEquals(List.of("a", "b", "d"), names());
    }

    // ---- Failures nobody waits for

    @Test
    void a_failed_call_nobody_waits_for_fails_its_transaction() {
        db.transaction(tx -> add(tx, "a")).join();
        var error = failure(TransactionAbortedException.class, db.transaction(tx -> {
            add(tx, "b");
            add(tx, "a");
            return CompletableFuture.completedFuture(1);
        }));
        assertInstanceOf(ConstraintViolationException.class, error.getCause());
        assertEquals(List.of("a"), names());
    }

    @Test
    void a_failed_call_that_is_handled_does_not() {
        db.transaction(tx -> add(tx, "a")).join();
        db.transaction(tx -> {
            tx.transaction(sp -> add(sp, "a")).exceptionally(failure -> null);
            return add(tx, "b");
        }).join();
        assertEquals(List.of("a", "b"), names());
    }

    @Test
    void a_failed_nested_transaction_nobody_waits_for_fails_the_outer_one() {
        failure(TransactionAbortedException.class, db.transaction(tx -> {
            tx.transaction(sp -> add(sp, "a").thenCompose(user -> CompletableFuture.failedFuture(new ArithmeticException())));
            return add(tx, "b");
        }));
        assertEquals(List.of(), names());
    }

    @Test
    void a_transaction_ends_after_calls_it_was_not_told_of() {
        db.transaction(tx -> {
            for (var number = 0; number < 20; number++) add(tx, "user " + number).thenAccept(user -> {});
            return CompletableFuture.completedFuture(1);
        }).join();
        assertEquals(20, names().size());
    }

    // ---- By hand

    /** D18, D19, P5. */
    @Test
    void a_transaction_by_hand_has_what_is_called_on_it_and_what_is_not_committed_is_undone() {
        var tx = db.begin().join();
        add(tx, "a").join();
        tx.commit().join();
        add(tx, "b").join();
        tx.transaction(sp -> add(sp, "c")).join();
        tx.closeAsync().join();
        tx.closeAsync().join();
        assertFalse(tx.isOpen());
        failure(TransactionClosedException.class, add(tx, "late"));
        failure(TransactionClosedException.class, tx.commit());
        assertEquals(List.of("a"), names());
    }

    @Test
    void a_failed_call_nobody_waits_for_makes_a_commit_by_hand_fail() {
        var tx = db.begin(options().isolation(Isolation.READ_COMMITTED)).join();
        add(tx, "a");
        add(tx, "a");
        failure(TransactionAbortedException.class, tx.commit());
        add(tx, "b").join();
        tx.commit().join();
        tx.closeAsync().join();
        assertEquals(List.of("b"), names());
        failure(IllegalArgumentException.class, db.begin(options().retry(2)));
    }

    /** T13, P8. */
    @Test
    void a_handle_that_nobody_can_reach_is_rolled_back_and_told() {
        forget();
        eventually("the leak is told", () -> {
            System.gc();
            return events.stream().anyMatch(event -> event.kind() == TransactionEvent.Kind.LEAK);
        });
        eventually("its connection is free", () -> db.poolStats().getInUse() == 0);
        assertEquals(List.of(), names());
    }

    private void forget() {
        var tx = db.begin().join();
        add(tx, "lost").join();
    }

    // ---- Options

    /** U8. */
    @Test
    void a_transaction_that_lost_is_run_again_with_its_models_as_before() {
        var user = db.transaction(tx -> add(tx, "0")).join();
        var attempts = new AtomicInteger();
        var committed = new ConcurrentLinkedQueue<Integer>();
        db.transaction(options().retry(5, Duration.ofMillis(1), Duration.ofMillis(2)), tx -> {
            assertEquals(attempts.incrementAndGet(), tx.attempt());
            assertEquals("0", user.getName());
            user.setName("changed in attempt " + tx.attempt());
            tx.afterCommit(() -> committed.add(tx.attempt()));
            return users.save(tx, user).thenAccept(saved -> {
                if (tx.attempt() < 3) throw conflict();
            });
        }).join();
        assertEquals(List.of(3), List.copyOf(committed));
        assertEquals(List.of("changed in attempt 3"), names());
        assertEquals(2, events.stream().filter(event -> event.kind() == TransactionEvent.Kind.RETRY).count());
    }

    /** N10. */
    @Test
    void a_unique_violation_is_attempted_once() {
        db.transaction(tx -> add(tx, "a")).join();
        var attempts = new AtomicInteger();
        failure(ConstraintViolationException.class, db.transaction(options().retry(5), tx -> {
            attempts.incrementAndGet();
            return add(tx, "a");
        }));
        assertEquals(1, attempts.get());
    }

    /** U3. */
    @Test
    void a_transaction_is_not_committed_after_its_time() {
        failure(QueryTimeoutException.class, db.transaction(options().timeout(Duration.ofMillis(100)), tx -> add(tx, "a")
                .handle((user, error) -> null)
                .thenCompose(none -> new CompletableFuture<Void>().completeOnTimeout(null, 200, TimeUnit.MILLISECONDS))));
        assertEquals(List.of(), names());
        db.transaction(options().timeout(Duration.ofMinutes(1)).statementTimeout(Duration.ofSeconds(50)), tx -> add(tx, "b")).join();
        assertEquals(List.of("b"), names());
    }

    /** T12. */
    @Test
    void options_that_the_database_has_are_set_and_others_are_refused() {
        var postgresql = url().startsWith("postgresql");
        var sqlite = url().startsWith("sqlite");
        var lock = db.transaction(options().lockTimeout(Duration.ofSeconds(2)), tx -> add(tx, "lock"));
        if (sqlite) failure(UnsupportedByDialectException.class, lock); else lock.join();
        var resolvable = db.transaction(options().resolvable(true), tx -> add(tx, "resolvable"));
        if (postgresql) resolvable.join(); else failure(UnsupportedByDialectException.class, resolvable);
        var deferrable = db.transaction(options().isolation(Isolation.SERIALIZABLE).readOnly(true).deferrable(true), tx -> users.count(tx));
        if (postgresql) deferrable.join(); else failure(UnsupportedByDialectException.class, deferrable);
        assertEquals(CommitOutcome.UNKNOWN, db.resolve(new CommitOutcomeUnknownException("Lost.", "None.", null, null)).join());
    }

    /** T15. */
    @Test
    void a_second_transaction_that_waits_for_the_writer_of_the_first_fails_at_once() {
        assumeFalse(hasManyWriters(), "many writers");
        failure(ConnectionBusyException.class, db.transaction(tx -> add(tx, "a")
                .thenCompose(user -> tx.transaction(options().propagation(Propagation.REQUIRES_NEW), own -> add(own, "b")))));
        assertEquals(List.of(), names());
    }

    /** N8. */
    @Test
    void not_supported_runs_outside_the_transaction() {
        assumeTrue(hasManyWriters(), "one writer");
        failure(ArithmeticException.class, db.transaction(tx -> add(tx, "outer")
                .thenCompose(user -> tx.transaction(options().propagation(Propagation.NOT_SUPPORTED), none -> add(none, "apart")))
                .thenCompose(user -> CompletableFuture.failedFuture(new ArithmeticException()))));
        assertEquals(List.of("apart"), names());
    }

    /** T8. */
    @Test
    void concurrent_transactions_with_inner_failures_are_all_correct() {
        CompletableFuture.allOf(List.of(1, 2, 3).stream().map(number -> db.transaction(tx -> add(tx, "outer " + number)
                .thenCompose(user -> tx.transaction(sp -> add(sp, "inner " + number)
                        .thenCompose(inner -> CompletableFuture.<User>failedFuture(new ArithmeticException()))).exceptionally(error -> null))
                .thenCompose(user -> add(tx, "last " + number)))).toArray(CompletableFuture[]::new)).join();
        assertEquals(List.of("last 1", "last 2", "last 3", "outer 1", "outer 2", "outer 3"), names());
    }

    // ---- Blocking

    /** S1, S2, P3. */
    @Test
    void a_thread_must_not_wait_unless_it_is_allowed_to() {
        statements.clear();
        var error = assertThrows(BlockingNotAllowedException.class, () -> db.blocking().count(selectAll(USERS)));
        assertTrue(error.getHint().contains("allowBlocking") && error.getHint().contains("BlockingPolicy"), error.getHint());
        assertThrows(BlockingNotAllowedException.class, () -> db.blocking().transaction(tx -> 1));
        assertThrows(BlockingNotAllowedException.class, () -> db.blocking().models(User.MODEL).count());
        assertEquals(List.of(), List.copyOf(statements));
        for (var policy : List.of(BlockingPolicy.LOG_ERROR, BlockingPolicy.LOG_WARN, BlockingPolicy.ALLOW)) {
            db.blockingPolicy(policy);
            assertEquals(0, db.blocking().count(selectAll(USERS)));
        }
        db.blockingPolicy(BlockingPolicy.FORBID);
        assertEquals(BlockingPolicy.FORBID, db.blockingPolicy());
        assertThrows(BlockingNotAllowedException.class, () -> db.blocking().exec("SELECT 1"));
    }

    /** S4, M18. */
    @SuppressWarnings("try")
    @Test
    void allowBlocking_opens_it_until_it_is_closed_also_by_an_exception() {
        assertThrows(ArithmeticException.class, () -> {
            try (var outer = db.allowBlocking()) {
                try (var inner = db.allowBlocking()) {
                    db.blocking().models(User.MODEL).create(user -> user.setName("a"));
                }
                long count = db.blocking().transaction(tx -> tx.count(selectAll(USERS)));
                assertEquals(1, count);
                throw new ArithmeticException();
            }
        });
        assertThrows(BlockingNotAllowedException.class, () -> db.blocking().count(selectAll(USERS)));
        assertEquals(0, db.poolStats().getInUse());
    }

    /** S5. */
    @Test
    void a_virtual_thread_may_always_wait() {
        Executor virtual;
        try {
            virtual = (Executor) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (ReflectiveOperationException older) {
            virtual = null;
        }
        assumeFalse(virtual == null, "virtual threads came with Java 21");
        assertEquals(0, CompletableFuture.supplyAsync(() -> db.blocking().count(selectAll(USERS)), virtual).join());
    }

    /** P1. */
    @Test
    void a_blocking_transaction_commits_begins_again_and_throws_the_original() {
        db.blockingPolicy(BlockingPolicy.ALLOW);
        db.blocking().transaction(tx -> {
            tx.models(User.MODEL).create(user -> user.setName("a"));
            tx.commit();
            tx.models(User.MODEL).create(user -> user.setName("b"));
            tx.rollback();
            return 1;
        });
        assertThrows(ArithmeticException.class, () -> db.blocking().transaction(tx -> {
            tx.models(User.MODEL).create(user -> user.setName("c"));
            throw new ArithmeticException();
        }));
        assertEquals(List.of("a"), names());
    }

    /** The error a future fails with, which must be of this class and not wrapped. */
    private static <E extends Throwable> E failure(Class<E> type, CompletableFuture<?> future) {
        var error = assertThrows(ExecutionException.class, () -> future.get(60, TimeUnit.SECONDS));
        return assertInstanceOf(type, error.getCause());
    }

    private static void eventually(String what, BooleanSupplier condition) {
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, what);
            Thread.onSpinWait();
        }
    }
}
