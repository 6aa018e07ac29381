package dev.kormorant.javatest;

import static dev.kormorant.async.Conditions.and;
import static dev.kormorant.async.Conditions.between;
import static dev.kormorant.async.Conditions.eq;
import static dev.kormorant.async.Conditions.ge;
import static dev.kormorant.async.Conditions.gt;
import static dev.kormorant.async.Conditions.in;
import static dev.kormorant.async.Conditions.inIds;
import static dev.kormorant.async.Conditions.isNotNull;
import static dev.kormorant.async.Conditions.isNull;
import static dev.kormorant.async.Conditions.le;
import static dev.kormorant.async.Conditions.like;
import static dev.kormorant.async.Conditions.lt;
import static dev.kormorant.async.Conditions.neq;
import static dev.kormorant.async.Conditions.not;
import static dev.kormorant.async.Conditions.or;
import static dev.kormorant.async.Queries.max;
import static dev.kormorant.async.Queries.select;
import static dev.kormorant.async.Queries.selectAll;
import static dev.kormorant.async.Queries.sum;
import static dev.kormorant.async.TransactionOptions.options;
import static dev.kormorant.javatest.Samples.SAMPLES;
import static dev.kormorant.javatest.Tags.TAGS;
import static dev.kormorant.javatest.TweetTags.TWEET_TAGS;
import static dev.kormorant.javatest.Tweets.TWEETS;
import static dev.kormorant.javatest.Users.USERS;
import static java.util.concurrent.CompletableFuture.allOf;
import static java.util.concurrent.CompletableFuture.completedFuture;
import static java.util.concurrent.CompletableFuture.failedFuture;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kormorant.BlockingNotAllowedException;
import dev.kormorant.BlockingPolicy;
import dev.kormorant.ConnectionBusyException;
import dev.kormorant.ConstraintKind;
import dev.kormorant.ConstraintViolationException;
import dev.kormorant.DatabaseException;
import dev.kormorant.Isolation;
import dev.kormorant.PoolClosedException;
import dev.kormorant.Propagation;
import dev.kormorant.QueryTimeoutException;
import dev.kormorant.RecordNotFoundException;
import dev.kormorant.RelationNotLoadedException;
import dev.kormorant.TooManyRowsException;
import dev.kormorant.TransactionClosedException;
import dev.kormorant.async.AsyncConnection;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.AsyncModels;
import dev.kormorant.async.AsyncTransaction;
import dev.kormorant.async.BlockingDatabase;
import dev.kormorant.async.StatementListener;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.jetbrains.exposed.v1.core.JoinType;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.ResultRow;
import org.jetbrains.exposed.v1.core.SortOrder;
import org.jetbrains.exposed.v1.core.Table;
import org.jetbrains.exposed.v1.core.statements.api.ExposedBlob;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the Java face promises, on one kind of database per subclass. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class AsyncDatabaseSuite {
    private static final Table[] TABLES = {USERS, TWEETS, TAGS, TWEET_TAGS, SAMPLES, Notes.INSTANCE};

    private final Executor executor = executor();
    private final ConcurrentLinkedQueue<StatementListener.Statement> statements = new ConcurrentLinkedQueue<>();
    private AsyncDatabase db;
    private AsyncModels<Long, User> users;
    private AsyncModels<Long, Tweet> tweets;

    /** Where futures are completed, on threads called {@code dependents}. */
    Executor executor() {
        return Executors.newSingleThreadExecutor(task -> new Thread(task, "dependents"));
    }

    /** Where a database of its own is. */
    abstract String url();

    /** A statement that would never end by itself. */
    abstract String endlessSql();

    /** A query for the identity of the connection, or {@code null} if the backend has none. */
    abstract String connectionIdSql();

    @BeforeEach
    void open() {
        db = AsyncDatabase.open(url(), config -> config.executor(executor).listener(statements::add).pool(pool -> pool.max(3)).blocking(BlockingPolicy.ALLOW));
        users = db.models(User.MODEL);
        tweets = db.models(Tweet.MODEL);
        db.schema().drop(TABLES).thenCompose(none -> db.schema().create(TABLES)).join();
        statements.clear();
    }

    @AfterEach
    void close() {
        if (db == null) return;
        eventually("every connection is back in the pool", () -> db.poolStats().getInUse() == 0);
        db.close();
        if (executor instanceof ExecutorService service) service.shutdownNow();
    }

    // ---- Opening and closing

    @Test
    void a_database_opens_at_its_first_use_and_stays_closed_until_it_is_connected_again() {
        try (var other = AsyncDatabase.open(url())) {
            assertFalse(other.isOpen());
            other.exec("SELECT 1").join();
            assertTrue(other.isOpen());
            other.closeAsync().join();
            assertFalse(other.isOpen());
            failure(PoolClosedException.class, other.exec("SELECT 1"));
            other.connect().join();
            assertEquals(1L, ((Number) other.exec("SELECT 1").join().scalar()).longValue());
        }
    }

    @Test
    void the_same_database_serves_Kotlin_and_Java() {
        users.create(user -> user.setName("Ann")).join();
        var face = AsyncDatabase.of(db.database(), Runnable::run);
        assertEquals("Ann", face.models(User.MODEL).get(eq(USERS.name, "Ann")).join().getName());
    }

    // ---- Models

    @Test
    void a_created_model_has_its_id_and_defaults_and_can_be_read_back() {
        var ann = users.create(user -> user.setName("Ann")).join();
        assertFalse(ann.isNew());
        assertEquals(0, ann.getAge());
        var read = users.get(ann.getId().getValue()).join();
        assertEquals("Ann", read.getName());
        assertEquals(Optional.of("Ann"), users.getOptional(eq(USERS.name, "Ann")).join().map(User::getName));
        assertEquals(Optional.empty(), users.getOptional(eq(USERS.name, "Bob")).join());
        assertEquals(Optional.empty(), users.getOptional(-1L).join());
    }

    @Test
    void save_inserts_a_new_model_and_updates_only_what_changed() {
        var ann = new User();
        ann.setName("Ann");
        assertTrue(users.save(ann).join());
        assertFalse(users.save(ann).join(), "clean");
        ann.setName("Anna");
        ann.setAge(30);
        assertTrue(users.save(ann, Set.of(USERS.age)).join());
        assertEquals("Ann", users.get(ann.getId().getValue()).join().getName());
        assertTrue(users.save(ann).join());
        assertEquals("Anna", users.get(ann.getId().getValue()).join().getName());
    }

    @Test
    void rows_are_deleted_by_model_by_id_and_by_condition() {
        var all = users.createAll(IntStream.range(0, 6).mapToObj(this::user).toList()).join();
        assertEquals(1, users.delete(all.get(0)).join());
        assertEquals(1, users.deleteById(all.get(1).getId().getValue()).join());
        assertEquals(0, users.deleteById(all.get(1).getId().getValue()).join());
        assertEquals(2, users.deleteWhere(ge(USERS.age, 4)).join());
        assertEquals(List.of("user 2", "user 3"), names(users.list(users.all().orderBy(USERS.id, SortOrder.ASC)).join()));
        assertEquals(2, users.count().join());
        assertEquals(1, users.count(eq(USERS.age, 3)).join());
        assertFalse(users.exists(eq(USERS.age, 5)).join());
        assertEquals(1, users.updateWhere(eq(USERS.age, 3), set -> set.set(USERS.age, 33)).join());
        assertTrue(users.exists(eq(USERS.age, 33)).join());
    }

    @Test
    void getOrCreate_creates_once_even_when_many_ask_at_once() {
        var asked = IntStream.range(0, 20)
                .mapToObj(number -> users.getOrCreate(user -> user.setName("Ann"), user -> user.setAge(number))).toList();
        assertEquals(1, asked.stream().filter(future -> future.join().created()).count());
        assertEquals(1, users.count().join());
        var found = users.getOrCreate(user -> user.setName("Ann")).join();
        assertFalse(found.created());
        assertEquals("Ann", found.model().getName());
        assertTrue(users.getOrCreate(4711L, user -> user.setName("Bob")).join().created());
        assertEquals("Bob", users.get(4711L).join().getName());
    }

    @Test
    void models_defined_in_Kotlin_are_used_like_those_in_Java() {
        var notes = db.models(Note.Companion);
        var note = notes.create(it -> it.setTitle("first")).join();
        note.setTitle("changed");
        assertTrue(notes.save(note).join());
        assertEquals("changed", notes.get(eq(Notes.INSTANCE.getId(), note.getId().getValue())).join().getTitle());
        assertEquals(1, db.list(notes.find(isNull(Notes.INSTANCE.getParent()))).join().size());
    }

    // ---- Relations

    @Test
    void a_relation_is_read_only_when_loaded_and_its_id_always() {
        var ann = users.create(user -> user.setName("Ann")).join();
        var tweet = tweets.create(it -> {
            it.setText("hello");
            it.user().setValue(ann);
        }).join();
        var read = tweets.get(tweet.getId().getValue()).join();
        assertEquals(ann.getId(), read.user().id());
        assertNull(read.editor().id());
        assertThrows(RelationNotLoadedException.class, () -> read.user().value());
        assertEquals("Ann", tweets.load(read, Tweet.USER).join().getName());
        assertEquals("Ann", read.user().value().getName());
        assertNull(tweets.load(read, Tweet.EDITOR).join());
        assertEquals(List.of("hello"), users.load(ann, User.TWEETS_OF).join().stream().map(Tweet::getText).toList());
    }

    @Test
    void eager_loading_takes_one_query_per_relation() {
        for (int number = 0; number < 3; number++) {
            var owner = users.create(user(number)::copyTo).join();
            for (var text : List.of("a", "b")) {
                tweets.create(it -> {
                    it.setText(text);
                    it.user().setValue(owner);
                }).join();
            }
        }
        statements.clear();
        var loaded = db.list(users.all().with(User.TWEETS_OF, Tweet.EDITOR, Tweet.TAGS).orderBy(USERS.id, SortOrder.ASC)).join();
        assertEquals(3, loaded.size());
        for (var user : loaded) assertEquals(2, user.tweets().value().size());
        assertNull(loaded.get(0).tweets().value().get(0).editor().value());
        assertEquals(List.of(), loaded.get(0).tweets().value().get(0).tags().value());
        assertEquals(3, statements.size(), "one query for users, one for tweets, one for tags, none for editors nobody has");
    }

    @Test
    void links_are_added_replaced_and_removed() {
        var tags = db.models(Tag.MODEL);
        var ann = users.create(user -> user.setName("Ann")).join();
        var tweet = tweets.create(it -> {
            it.setText("hello");
            it.user().setValue(ann);
        }).join();
        var made = tags.createAll(List.of(tag("a"), tag("b"), tag("c"))).join();
        var links = tweets.link(tweet, Tweet.TAGS);
        links.add(made.get(0)).join();
        links.addAll(List.of(made.get(1))).join();
        assertEquals(Set.of("a", "b"), words(links.load().join()));
        links.set(List.of(made.get(1), made.get(2))).join();
        assertEquals(Set.of("b", "c"), words(tweets.load(tweet, Tweet.TAGS).join()));
        assertEquals(1, links.remove(made.get(1)).join());
        assertEquals(1, links.clear().join());
        assertEquals(Set.of(), words(links.load().join()));
    }

    // ---- Tables

    @Test
    void every_column_type_with_a_Java_name_brings_back_what_was_stored() {
        var moment = Instant.parse("2024-02-29T12:34:56Z");
        int id = db.insertAndGetId(SAMPLES, set -> set
                .set(SAMPLES.integer, Integer.MIN_VALUE).set(SAMPLES.bigint, Long.MAX_VALUE).set(SAMPLES.smallint, Short.MIN_VALUE)
                .set(SAMPLES.real, 1.5f).set(SAMPLES.doublePrecision, -2.25).set(SAMPLES.decimal, new BigDecimal("12345.67"))
                .set(SAMPLES.bool, true).set(SAMPLES.fixedChar, "abc").set(SAMPLES.blob, new ExposedBlob(new byte[] {0, -1}))
                .set(SAMPLES.ordinal, Samples.Colour.GREEN).set(SAMPLES.date, LocalDate.of(2024, 2, 29)).set(SAMPLES.time, LocalTime.of(12, 34, 56))
                .set(SAMPLES.dateTime, LocalDateTime.of(2024, 2, 29, 12, 34, 56)).set(SAMPLES.timestamp, moment)).join();
        var row = db.single(selectAll(SAMPLES).where(eq(SAMPLES.id, id))).join();
        assertEquals(Integer.MIN_VALUE, row.get(SAMPLES.integer));
        assertEquals(Long.MAX_VALUE, row.get(SAMPLES.bigint));
        assertEquals(Short.MIN_VALUE, row.get(SAMPLES.smallint));
        assertEquals(1.5f, row.get(SAMPLES.real));
        assertEquals(-2.25, row.get(SAMPLES.doublePrecision));
        assertEquals(new BigDecimal("12345.67"), row.get(SAMPLES.decimal));
        assertTrue(row.get(SAMPLES.bool));
        assertEquals("abc", row.get(SAMPLES.fixedChar));
        assertNull(row.get(SAMPLES.text));
        assertArrayEquals(new byte[] {0, -1}, row.get(SAMPLES.blob).getBytes());
        assertNotNull(row.get(SAMPLES.uuid));
        assertEquals(Samples.Colour.GREEN, row.get(SAMPLES.ordinal));
        assertEquals(Samples.Colour.GREEN, row.get(SAMPLES.name));
        assertEquals(LocalDate.of(2024, 2, 29), row.get(SAMPLES.date));
        assertEquals(LocalTime.of(12, 34, 56), row.get(SAMPLES.time));
        assertEquals(LocalDateTime.of(2024, 2, 29, 12, 34, 56), row.get(SAMPLES.dateTime));
        assertEquals(moment, row.get(SAMPLES.timestamp));
    }

    @Test
    void a_schema_is_created_twice_and_dropped_in_any_order() {
        db.schema().create(TWEETS, USERS).join();
        assertTrue(db.schema().dropStatements(USERS).join().get(0).startsWith("DROP TABLE"));
        assertTrue(db.schema().exists(USERS).join());
        assertTrue(db.schema().listTables().join().containsAll(List.of("java_users", "java_tweets")));
        db.schema().drop(TABLES).join();
        assertFalse(db.schema().exists(USERS).join());
        assertTrue(db.schema().createStatements(USERS).join().get(0).startsWith("CREATE TABLE"));
        failure(DatabaseException.class, db.list(selectAll(USERS)));
    }

    // ---- The DSL

    @Test
    void rows_are_inserted_changed_and_deleted() {
        var row = db.insert(USERS, set -> set.set(USERS.name, "Ann")).join();
        assertEquals("Ann", row.get(USERS.name));
        long id = db.insertAndGetId(USERS, set -> set.set(USERS.name, "Bob").set(USERS.age, 7)).join();
        assertEquals(id, row.get(USERS.id).getValue() + 1);
        assertFalse(db.insertIgnore(USERS, set -> set.set(USERS.name, "Bob")).join());
        assertEquals(Optional.empty(), db.insertIgnoreAndGetId(USERS, set -> set.set(USERS.name, "Bob")).join());
        assertTrue(db.insertIgnore(USERS, set -> set.set(USERS.name, "Cem")).join());
        assertEquals(1, db.update(USERS, eq(USERS.id, id), set -> set.setExpression(USERS.age, USERS.age)).join());
        assertEquals(3, db.updateAll(USERS, set -> set.set(USERS.age, 8)).join());
        db.insert(TWEETS, set -> set.set(TWEETS.text, "hi").setId(TWEETS.user, id).setId(TWEETS.editor, null)).join();
        assertEquals(1, db.deleteAll(TWEETS).join());
        assertEquals(1, db.deleteWhere(USERS, eq(USERS.name, "Ann")).join());
        assertEquals(2, db.count(selectAll(USERS)).join());
    }

    @Test
    void a_batch_returns_its_rows_in_the_order_of_the_elements() {
        var rows = db.batchInsert(USERS, List.of("c", "a", "b"), (set, name) -> set.set(USERS.name, name)).join();
        assertEquals(List.of("c", "a", "b"), rows.stream().map(row -> row.get(USERS.name)).toList());
        var ids = rows.stream().map(row -> row.get(USERS.id).getValue()).toList();
        assertEquals(ids.stream().sorted().toList(), ids);
        assertEquals(List.of(), db.batchInsert(USERS, List.<String>of(), (set, name) -> set.set(USERS.name, name)).join());
    }

    @Test
    void a_query_is_a_value_that_runs_as_often_as_wanted() {
        users.createAll(IntStream.range(0, 5).mapToObj(this::user).toList()).join();
        var query = select(USERS, USERS.name).where(gt(USERS.age, 1)).orderBy(USERS.age, SortOrder.DESC).limit(2);
        for (int run = 0; run < 2; run++) {
            assertEquals(List.of("user 4", "user 3"), db.list(query, row -> row.get(USERS.name)).join());
        }
        assertEquals("user 4", db.first(query).join().orElseThrow().get(USERS.name));
        assertEquals(2, db.count(query).join());
        failure(TooManyRowsException.class, db.single(query));
        failure(RecordNotFoundException.class, db.single(select(USERS, USERS.name).where(gt(USERS.age, 9))));
        assertEquals(Optional.of(10), db.scalar(selectAll(USERS), sum(USERS.age)).join());
        assertEquals(Optional.of(4), db.scalar(selectAll(USERS), max(USERS.age)).join());
        assertEquals(Optional.empty(), db.scalar(selectAll(USERS).where(gt(USERS.age, 9)), max(USERS.age)).join());
        assertEquals("user 0", db.first(users.all().orderBy(USERS.age, SortOrder.ASC)).join().orElseThrow().getName());
        assertEquals("user 1", db.single(users.find(eq(USERS.age, 1))).join().getName());
        assertEquals(5, db.count(users.all()).join());
    }

    @Test
    void conditions_select_what_they_say() {
        users.createAll(IntStream.range(0, 5).mapToObj(this::user).toList()).join();
        var ids = db.list(selectAll(USERS).orderBy(USERS.id, SortOrder.ASC), row -> row.get(USERS.id).getValue()).join();
        assertEquals(List.of(1), ages(eq(USERS.age, 1)));
        assertEquals(List.of(0, 2, 3, 4), ages(neq(USERS.age, 1)));
        assertEquals(List.of(0), ages(lt(USERS.age, 1)));
        assertEquals(List.of(0, 1), ages(le(USERS.age, 1)));
        assertEquals(List.of(4), ages(gt(USERS.age, 3)));
        assertEquals(List.of(3, 4), ages(ge(USERS.age, 3)));
        assertEquals(List.of(2), ages(like(USERS.name, "%2")));
        assertEquals(List.of(), ages(isNull(USERS.name)));
        assertEquals(5, ages(isNotNull(USERS.name)).size());
        assertEquals(List.of(1, 3), ages(in(USERS.age, List.of(1, 3, 9))));
        assertEquals(List.of(), ages(in(USERS.age, List.of())));
        assertEquals(List.of(1, 2), ages(between(USERS.age, 1, 2)));
        assertEquals(List.of(2), ages(and(gt(USERS.age, 1), lt(USERS.age, 3))));
        assertEquals(List.of(0, 4), ages(or(lt(USERS.age, 1), gt(USERS.age, 3))));
        assertEquals(List.of(0, 1), ages(not(gt(USERS.age, 1))));
        assertEquals(List.of(0, 4), ages(inIds(USERS.id, List.of(ids.get(0), ids.get(4)))));
        assertEquals(List.of(0), ages(eq(USERS.id, ids.get(0))));
        assertEquals(List.of(1, 2, 3, 4), ages(neq(USERS.id, ids.get(0))));
        assertEquals(List.of(0, 1), ages(lt(USERS.id, ids.get(2))));
        assertEquals(List.of(0, 1, 2), ages(le(USERS.id, ids.get(2))));
        assertEquals(List.of(3, 4), ages(gt(USERS.id, ids.get(2))));
        assertEquals(List.of(2, 3, 4), ages(ge(USERS.id, ids.get(2))));
        assertEquals(5, ages(eq(USERS.age, USERS.age)).size());
    }

    @Test
    void a_joined_query_reads_columns_of_both_tables() {
        long ann = db.insertAndGetId(USERS, set -> set.set(USERS.name, "Ann")).join();
        db.insert(TWEETS, set -> set.set(TWEETS.text, "hi").setId(TWEETS.user, ann)).join();
        var join = TWEETS.join(USERS, JoinType.INNER, TWEETS.user, USERS.id, false, null);
        var rows = db.list(select(join, USERS.name, TWEETS.text), row -> row.get(USERS.name) + ": " + row.get(TWEETS.text)).join();
        assertEquals(List.of("Ann: hi"), rows);
    }

    @Test
    void raw_SQL_takes_arguments_and_returns_rows() {
        db.exec("INSERT INTO java_users (name, age) VALUES (?, ?)", "Ann ?", 9).join();
        var result = db.exec("SELECT name, age FROM java_users WHERE age > ?", 5).join();
        assertEquals(List.of("name", "age"), result.getColumns());
        assertEquals("Ann ?", result.getRows().get(0).get("name"));
        assertEquals(1, db.exec("DELETE FROM java_users").join().getAffected());
    }

    // ---- Transactions

    @Test
    void a_transaction_is_committed_with_the_value_of_its_stage() {
        var name = db.transaction(tx -> users.create(tx, user -> user.setName("Ann")).thenApply(User::getName)).join();
        assertEquals("Ann", name);
        assertEquals(1, users.count().join());
    }

    @Test
    void a_transaction_whose_stage_fails_is_rolled_back_and_fails_with_the_same_error() {
        var problem = new IllegalStateException("no");
        var future = db.transaction(tx -> users.create(tx, user -> user.setName("Ann")).thenCompose(user -> failedFuture(problem)));
        assertSame(IllegalStateException.class, failure(IllegalStateException.class, future).getClass());
        assertEquals(0, users.count().join());
    }

    @Test
    void a_function_that_throws_makes_a_failed_future() {
        failure(IllegalStateException.class, db.transaction(tx -> {
            throw new IllegalStateException("no");
        }));
        failure(IllegalArgumentException.class, db.transaction(tx -> null));
        failure(IllegalStateException.class, users.create(user -> {
            throw new IllegalStateException("no");
        }));
        failure(IllegalStateException.class, db.insert(USERS, set -> {
            throw new IllegalStateException("no");
        }));
        failure(IllegalStateException.class, db.list(selectAll(USERS).where(() -> {
            throw new IllegalStateException("no");
        })));
        assertEquals(0, users.count().join());
    }

    @Test
    void a_failed_nested_transaction_undoes_only_itself() {
        db.transaction(tx -> users.create(tx, user -> user.setName("outer"))
                .thenCompose(outer -> tx.transaction(sp -> users.create(sp, user -> user.setName("inner"))
                        .thenCompose(inner -> CompletableFuture.<User>failedFuture(new IllegalStateException("no")))))
                .exceptionally(error -> null)
                .thenCompose(none -> tx.savepoint("odd \"name\" `ä", sp -> users.create(sp, user -> user.setName("second"))))).join();
        assertEquals(Set.of("outer", "second"), Set.copyOf(names(users.list(users.all()).join())));
    }

    @Test
    void a_constraint_error_in_a_nested_transaction_leaves_the_outer_one_usable() {
        db.transaction(tx -> users.create(tx, user -> user.setName("Ann"))
                .thenCompose(ann -> tx.transaction(sp -> users.create(sp, user -> user.setName("Ann"))))
                .handle((none, error) -> assertInstanceOf(ConstraintViolationException.class, unwrapped(error)))
                .thenCompose(error -> users.create(tx, user -> user.setName("Bob")))).join();
        assertEquals(2, users.count().join());
    }

    @Test
    void a_rollback_only_transaction_returns_its_value_and_writes_nothing() {
        var committed = new AtomicReference<>("no");
        var value = db.transaction(tx -> {
            tx.setRollbackOnly();
            assertTrue(tx.isRollbackOnly());
            tx.afterCommit(() -> committed.set("yes"));
            return users.create(tx, user -> user.setName("Ann")).thenApply(ann -> "value");
        }).join();
        assertEquals("value", value);
        assertEquals(0, users.count().join());
        assertEquals("no", committed.get());
    }

    @Test
    void afterCommit_runs_once_after_the_commit() {
        var seen = new ConcurrentLinkedQueue<Boolean>();
        var handle = new AtomicReference<AsyncTransaction>();
        db.transaction(tx -> {
            handle.set(tx);
            return tx.transaction(sp -> {
                sp.afterCommit(() -> seen.add(tx.isOpen()));
                return users.create(sp, user -> user.setName("Ann"));
            });
        }).join();
        assertEquals(List.of(false), List.copyOf(seen));
    }

    @Test
    void options_choose_isolation_and_propagation() {
        assertEquals(0, db.transaction(options().isolation(Isolation.SERIALIZABLE), tx -> users.on(tx).count()).join().intValue());
        assertTrue(db.transaction(options().readOnly(true), tx -> completedFuture(tx.isReadOnly())).join());
        failure(IllegalStateException.class, db.transaction(options().propagation(Propagation.MANDATORY), tx -> completedFuture(1)));
        failure(IllegalStateException.class,
                db.transaction(tx -> tx.transaction(options().propagation(Propagation.NEVER), inner -> completedFuture(1))));
        failure(IllegalArgumentException.class,
                db.transaction(tx -> tx.transaction(options().isolation(Isolation.SERIALIZABLE), inner -> completedFuture(1))));
    }

    @Test
    void statements_issued_without_waiting_run_in_the_order_of_issue() {
        int many = 50;
        db.transaction(tx -> {
            var futures = new ArrayList<CompletableFuture<?>>();
            for (int number = 0; number < many; number++) futures.add(users.create(tx, user(number)::copyTo));
            futures.add(users.getOrCreate(tx, user -> user.setName("brief")));
            futures.add(users.deleteWhere(tx, eq(USERS.name, "brief")));
            return allOf(futures.toArray(CompletableFuture[]::new));
        }).join();
        var ages = db.list(selectAll(USERS).orderBy(USERS.id, SortOrder.ASC), row -> row.get(USERS.age)).join();
        assertEquals(IntStream.range(0, many).boxed().toList(), ages);
    }

    @Test
    void a_transaction_ends_after_the_statements_nobody_waited_for() {
        db.transaction(tx -> {
            for (int number = 0; number < 10; number++) users.create(tx, user(number)::copyTo);
            return completedFuture(null);
        }).join();
        assertEquals(10, users.count().join());
    }

    @Test
    void a_stage_completed_on_another_thread_continues_in_the_same_transaction() throws Exception {
        var elsewhere = Executors.newSingleThreadExecutor();
        try {
            var future = db.transaction(tx -> users.create(tx, user -> user.setName("Ann"))
                    .thenApplyAsync(User::getName, elsewhere)
                    .thenComposeAsync(name -> users.count(tx), elsewhere)
                    .thenCompose(count -> count == 1 ? failedFuture(new IllegalStateException("rolled back")) : completedFuture(count)));
            assertEquals("rolled back", failure(IllegalStateException.class, future).getMessage());
            assertEquals(0, users.count().join());
        } finally {
            elsewhere.shutdownNow();
            assertTrue(elsewhere.awaitTermination(60, TimeUnit.SECONDS));
        }
    }

    @Test
    void two_transactions_at_once_do_not_see_each_other() {
        var gate = new CompletableFuture<Void>();
        var inserted = new CompletableFuture<Void>();
        var first = db.transaction(tx -> users.create(tx, user -> user.setName("Ann")).thenCompose(ann -> {
            inserted.complete(null);
            return gate;
        }));
        inserted.join();
        assertEquals(0, db.transaction(options().readOnly(true), tx -> users.count(tx)).join());
        gate.complete(null);
        first.join();
        assertEquals(1, users.count().join());
    }

    @Test
    void a_handle_used_after_its_end_is_an_error_and_reaches_no_connection() {
        var handle = new AtomicReference<AsyncTransaction>();
        var nested = new AtomicReference<AsyncTransaction>();
        var pinned = new AtomicReference<AsyncConnection>();
        db.transaction(tx -> {
            handle.set(tx);
            return tx.transaction(options().propagation(Propagation.REQUIRED), sp -> {
                nested.set(sp);
                return users.count(sp);
            }).thenCompose(count -> {
                failure(TransactionClosedException.class, users.count(nested.get()));
                return users.count(tx);
            });
        }).join();
        db.connection(connection -> {
            pinned.set(connection);
            return completedFuture(null);
        }).join();
        statements.clear();
        assertFalse(handle.get().isOpen());
        var error = failure(TransactionClosedException.class, users.count(handle.get()));
        assertTrue(error.getMessage().contains("AsyncDatabaseSuite"), error.getMessage());
        failure(TransactionClosedException.class, users.create(handle.get(), user -> user.setName("late")));
        failure(TransactionClosedException.class, handle.get().transaction(tx -> completedFuture(1)));
        failure(TransactionClosedException.class, pinned.get().exec("SELECT 1"));
        assertEquals(List.of(), List.copyOf(statements));
    }

    @Test
    void a_nested_transaction_that_waits_for_the_outer_one_gets_an_error_and_not_a_deadlock() {
        try (var impatient = AsyncDatabase.open(url(), config -> config.transactionWaitTimeout(Duration.ofMillis(200)))) {
            failure(ConnectionBusyException.class, impatient.transaction(tx -> tx.transaction(sp -> users.count(tx))));
        }
    }

    @Test
    void a_pinned_connection_is_the_same_for_all_its_statements() {
        db.connection(connection -> connection.exec("CREATE TEMPORARY TABLE pinned (x INT)")
                .thenCompose(none -> connection.exec("INSERT INTO pinned VALUES (1)"))
                .thenCompose(none -> connection.transaction(tx -> tx.exec("INSERT INTO pinned VALUES (2)")))
                .thenCompose(none -> connection.exec("SELECT COUNT(*) FROM pinned"))
                .thenAccept(result -> assertEquals(2L, ((Number) result.scalar()).longValue()))
                .thenCompose(none -> connection.exec("DROP TABLE pinned"))).join();
    }

    // ---- Futures

    @Test
    void a_future_fails_with_the_original_exception() {
        users.create(user -> user.setName("Ann")).join();
        var future = users.create(user -> user.setName("Ann"));
        var seen = new AtomicReference<Throwable>();
        assertThrows(CompletionException.class, () -> future.whenComplete((none, error) -> seen.set(error)).join());
        var error = assertInstanceOf(ConstraintViolationException.class, seen.get());
        assertEquals(ConstraintKind.UNIQUE, error.getKind());
        assertSame(error, assertThrows(ExecutionException.class, future::get).getCause());
        assertInstanceOf(ConstraintViolationException.class,
                failure(ConstraintViolationException.class, db.transaction(tx -> users.create(tx, user -> user.setName("Ann")))));
        failure(RecordNotFoundException.class, users.get(-1L));
        failure(RecordNotFoundException.class, db.transaction(tx -> users.get(tx, -1L).thenApply(User::getName)));
    }

    @Test
    void dependents_run_on_the_executor_given_at_open() {
        var gate = new CompletableFuture<Void>();
        var future = db.transaction(tx -> users.count(tx).thenCombine(gate, (count, none) -> count));
        var thread = future.thenApply(count -> Thread.currentThread().getName());
        gate.complete(null);
        assertTrue(thread.join().startsWith("dependents"), thread.join());
    }

    @Test
    void cancelling_a_future_stops_the_statement_and_keeps_the_connection() {
        try (var one = AsyncDatabase.open(url(), config -> config.executor(executor).pool(pool -> pool.max(1)))) {
            var before = connectionId(one);
            var future = one.exec(endlessSql());
            eventually("the statement has its connection", () -> one.poolStats().getInUse() == 1);
            assertTrue(future.cancel(true));
            assertThrows(CancellationException.class, future::join);
            assertEquals(before, connectionId(one));
        }
    }

    @Test
    void a_timeout_of_the_future_stops_the_statement() {
        try (var one = AsyncDatabase.open(url(), config -> config.executor(executor).pool(pool -> pool.max(1)))) {
            var before = connectionId(one);
            failure(TimeoutException.class, one.exec(endlessSql()).orTimeout(200, TimeUnit.MILLISECONDS));
            assertEquals(before, connectionId(one));
        }
    }

    @Test
    void a_statement_timeout_is_an_error_of_the_statement() {
        failure(QueryTimeoutException.class,
                db.transaction(options().statementTimeout(Duration.ofMillis(200)), tx -> tx.exec(endlessSql())));
    }

    @Test
    void cancelling_a_transaction_rolls_it_back_and_cancels_the_stage_of_its_function() {
        var inserted = new CompletableFuture<Void>();
        var never = new CompletableFuture<Void>();
        var future = db.transaction(tx -> users.create(tx, user -> user.setName("Ann")).thenCompose(ann -> {
            inserted.complete(null);
            return never;
        }));
        inserted.join();
        future.cancel(true);
        eventually("the connection is back", () -> db.poolStats().getInUse() == 0);
        assertEquals(0, users.count().join());
    }

    @Test
    void statements_still_waiting_when_their_transaction_fails_are_told_so() {
        var waiting = new AtomicReference<CompletableFuture<?>>();
        failure(IllegalStateException.class, db.transaction(tx -> {
            tx.exec(endlessSql());
            waiting.set(users.count(tx));
            return failedFuture(new IllegalStateException("no"));
        }));
        failure(TransactionClosedException.class, waiting.get());
        assertEquals(0, users.count().join());
    }

    @Test
    void transactions_cancelled_and_failed_at_random_are_whole_or_not_there() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var futures = new ArrayList<CompletableFuture<?>>();
        for (int number = 0; number < 100; number++) {
            int pair = number;
            boolean fails = random.nextInt(4) == 0;
            futures.add(db.transaction(tx -> {
                users.create(tx, user -> user.setName("one of " + pair));
                return users.create(tx, user -> user.setName("other of " + pair))
                        .thenCompose(user -> fails ? failedFuture(new IllegalStateException("no")) : completedFuture(user));
            }));
            if (random.nextInt(3) == 0) futures.get(random.nextInt(futures.size())).cancel(true);
        }
        for (var future : futures) assertDoesNotThrow(() -> future.handle((value, error) -> value).get(60, TimeUnit.SECONDS));
        eventually("every connection is back in the pool", () -> db.poolStats().getInUse() == 0);
        var pairs = db.list(selectAll(USERS), row -> row.get(USERS.name).replaceAll(".* of ", "")).join();
        assertEquals(2L * Set.copyOf(pairs).size(), pairs.size(), "seed " + seed);
        long committed = futures.stream().filter(future -> !future.isCompletedExceptionally()).count();
        assertTrue(committed <= pairs.size() / 2, "seed " + seed);
    }

    @Test
    void a_publisher_hands_out_rows_as_they_are_asked_for() {
        db.batchInsert(USERS, IntStream.range(0, 1000).boxed().toList(), (set, number) -> set.set(USERS.name, "user " + number)).join();
        var query = selectAll(USERS).orderBy(USERS.id, SortOrder.ASC).fetchSize(50);
        var all = new Rows(Integer.MAX_VALUE);
        db.publisher(query).subscribe(all);
        assertEquals(IntStream.range(0, 1000).mapToObj(number -> "user " + number).toList(), all.names.join());
        var few = new Rows(7);
        db.publisher(query).subscribe(few);
        assertEquals(7, few.names.join().size());
        var failing = new Rows(1);
        db.publisher(selectAll(USERS).where(() -> {
            throw new IllegalStateException("no");
        })).subscribe(failing);
        failure(IllegalStateException.class, failing.names);
    }

    /** Asks for one row after another and cancels after a number of them. */
    private static final class Rows implements Flow.Subscriber<ResultRow> {
        final CompletableFuture<List<String>> names = new CompletableFuture<>();
        private final List<String> seen = new ArrayList<>();
        private final int enough;
        private Flow.Subscription subscription;

        Rows(int enough) {
            this.enough = enough;
        }

        @Override
        public void onSubscribe(Flow.Subscription begun) {
            subscription = begun;
            begun.request(1);
        }

        @Override
        public void onNext(ResultRow row) {
            seen.add(row.get(USERS.name));
            if (seen.size() < enough) {
                subscription.request(1);
            } else {
                subscription.cancel();
                names.complete(seen);
            }
        }

        @Override
        public void onError(Throwable error) {
            names.completeExceptionally(error);
        }

        @Override
        public void onComplete() {
            names.complete(seen);
        }
    }

    // ---- The blocking view

    @Test
    void the_blocking_view_returns_values_and_throws_the_original_exceptions() {
        var blocking = db.blocking();
        var people = blocking.models(User.MODEL);
        var ann = people.create(user -> user.setName("Ann"));
        assertEquals("Ann", people.get(ann.getId().getValue()).getName());
        assertEquals(1, blocking.list(people.all()).size());
        assertThrows(ConstraintViolationException.class, () -> people.create(user -> user.setName("Ann")));
        assertThrows(RecordNotFoundException.class, () -> people.get(-1L));
        assertEquals(2, BlockingDatabase.call(() -> db.exec("SELECT 2")).scalar() instanceof Number two ? two.intValue() : 0);
    }

    @Test
    void a_blocking_transaction_runs_on_the_calling_thread_and_is_rolled_back_by_an_exception() {
        var caller = Thread.currentThread();
        var blocking = db.blocking();
        var count = blocking.transaction(tx -> {
            assertSame(caller, Thread.currentThread());
            tx.models(User.MODEL).create(user -> user.setName("Ann"));
            assertThrows(ConstraintViolationException.class,
                    () -> tx.transaction(sp -> sp.models(User.MODEL).create(user -> user.setName("Ann"))));
            return tx.count(selectAll(USERS));
        });
        assertEquals(1, count);
        assertThrows(ArithmeticException.class, () -> blocking.transaction(tx -> {
            tx.deleteAll(USERS);
            throw new ArithmeticException("no");
        }));
        assertEquals(1, blocking.count(selectAll(USERS)));
        assertThrows(IllegalStateException.class, () -> blocking.transaction(options().propagation(Propagation.MANDATORY), tx -> 1));
    }

    @Test
    void a_blocking_call_in_a_dependent_is_refused() {
        var gate = new CompletableFuture<Void>();
        var future = db.transaction(tx -> users.count(tx).thenCombine(gate, (count, none) -> count))
                .thenApply(count -> db.blocking().count(selectAll(USERS)));
        gate.complete(null);
        var error = assertThrows(CompletionException.class, future::join);
        assertInstanceOf(BlockingNotAllowedException.class, error.getCause());
    }

    @Test
    void interrupting_a_blocking_call_stops_the_statement() throws Exception {
        var seen = new CompletableFuture<Throwable>();
        var thread = new Thread(() -> {
            try {
                db.blocking().exec(endlessSql());
                seen.complete(null);
            } catch (CancellationException error) {
                seen.complete(error);
            }
        });
        thread.start();
        eventually("the statement has its connection", () -> db.poolStats().getInUse() == 1);
        thread.interrupt();
        assertInstanceOf(CancellationException.class, seen.get(60, TimeUnit.SECONDS));
    }

    // ---- What the tests share

    private User user(int number) {
        var user = new User();
        user.setName("user " + number);
        user.setAge(number);
        return user;
    }

    private static Tag tag(String word) {
        var tag = new Tag();
        tag.setWord(word);
        return tag;
    }

    private static List<String> names(List<User> users) {
        return users.stream().map(User::getName).toList();
    }

    private static Set<String> words(List<Tag> tags) {
        return Set.copyOf(tags.stream().map(Tag::getWord).toList());
    }

    private List<Integer> ages(Op<Boolean> condition) {
        return db.list(selectAll(USERS).where(condition).orderBy(USERS.age, SortOrder.ASC), row -> row.get(USERS.age)).join();
    }

    private Object connectionId(AsyncDatabase database) {
        return database.exec(connectionIdSql()).join().scalar();
    }

    /** The error a future fails with, which must be of this class and not wrapped. */
    private static <E extends Throwable> E failure(Class<E> type, CompletableFuture<?> future) {
        var error = assertThrows(ExecutionException.class, () -> future.get(60, TimeUnit.SECONDS));
        return assertInstanceOf(type, error.getCause());
    }

    private static Throwable unwrapped(Throwable error) {
        return error instanceof CompletionException ? error.getCause() : error;
    }

    private static void eventually(String what, BooleanSupplier condition) {
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, what);
            Thread.onSpinWait();
        }
    }
}
