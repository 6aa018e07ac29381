package dev.kormorant.javatest;

import static dev.kormorant.async.Conditions.eq;
import static dev.kormorant.async.Conditions.gt;
import static dev.kormorant.async.Queries.select;
import static dev.kormorant.async.Queries.selectAll;
import static dev.kormorant.async.UpsertOptions.inserted;
import static dev.kormorant.async.UpsertOptions.upsertOptions;
import static dev.kormorant.javatest.Staff.STAFF;
import static dev.kormorant.javatest.Words.WORDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kormorant.BlockingPolicy;
import dev.kormorant.UnsupportedByDialectException;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import dev.kormorant.async.UpsertOptions;
import dev.kormorant.json.JsonFunctions;
import dev.kormorant.postgresql.Hstore;
import dev.kormorant.postgresql.Interval;
import dev.kormorant.postgresql.Range;
import dev.kormorant.postgresql.Ranges;
import dev.kormorant.postgresql.TextSearch;
import dev.kormorant.test.TestServers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import java.util.function.Supplier;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.OpBuilderKt;
import org.jetbrains.exposed.v1.core.SortOrder;
import org.jetbrains.exposed.v1.core.SqlLogger;
import org.jetbrains.exposed.v1.core.Transaction;
import org.jetbrains.exposed.v1.core.statements.StatementContext;
import org.jetbrains.exposed.v1.core.statements.StatementInterceptor;
import org.jetbrains.exposed.v1.core.statements.StatementKt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Data changes, SQL and interceptors as Java writes them. */
@ParameterizedClass
@EnumSource
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WritingTest {
    enum Where {
        SQLITE(() -> "sqlite::memory:"),
        POSTGRESQL(() -> TestServers.postgresql().assumeAvailable().getUrl()),
        MYSQL(() -> TestServers.mysql().assumeAvailable().getUrl()),
        MARIADB(() -> TestServers.mariadb().assumeAvailable().getUrl());

        final Supplier<String> url;

        Where(Supplier<String> url) {
            this.url = url;
        }

        boolean isMySqlFamily() {
            return this == MYSQL || this == MARIADB;
        }
    }

    record Word(long id, String name, int hits) {}

    static final class Extras extends LongTable {
        final Column<Map<String, String>> pairs = hstore("pairs");
        final Column<Range<Integer>> span = int4Range("span");
        final Column<Interval> length = interval("length");

        private Extras() {
            super("java_extra");
        }
    }

    private final Where where;
    private AsyncDatabase db;

    WritingTest(Where where) {
        this.where = where;
    }

    @BeforeEach
    void open() {
        db = AsyncDatabase.open(where.url.get(), config -> config.blocking(BlockingPolicy.ALLOW));
        db.schema().drop(WORDS, STAFF).thenCompose(none -> db.schema().create(WORDS, STAFF)).join();
    }

    @AfterEach
    void close() {
        if (db == null) return;
        db.schema().drop(WORDS, STAFF).join();
        db.close();
    }

    private UpsertOptions byName() {
        return where.isMySqlFamily() ? upsertOptions() : upsertOptions().keys(WORDS.name);
    }

    private List<String> words() {
        return db.list(selectAll(WORDS).orderBy(WORDS.name, SortOrder.ASC).as(Word.class), word -> word.name() + word.hits()).join();
    }

    private static void assertUnsupported(CompletableFuture<?> future) {
        assertInstanceOf(UnsupportedByDialectException.class, assertThrows(CompletionException.class, future::join).getCause());
    }

    @Test
    void a_row_is_inserted_or_changed() {
        var added = byName().onUpdate(row -> row.setExpression(WORDS.hits, OpBuilderKt.plus(WORDS.hits, inserted(WORDS.hits))));
        var first = db.upsert(WORDS, added, row -> row.set(WORDS.name, "a").set(WORDS.hits, 2)).join().orElseThrow();
        var second = db.upsert(WORDS, added, row -> row.set(WORDS.name, "a").set(WORDS.hits, 3)).join().orElseThrow();
        assertEquals(first.get(WORDS.id), second.get(WORDS.id));
        assertEquals(5, second.get(WORDS.hits));
        var rows = db.batchUpsert(WORDS, List.of("b", "a"), byName(), (row, name) -> row.set(WORDS.name, name).set(WORDS.hits, 7)).join();
        assertEquals(List.of("b", "a"), rows.stream().map(row -> row.get(WORDS.name)).toList());
        assertEquals(List.of("a7", "b7"), words());
        if (where.isMySqlFamily()) return;
        var held = byName().where(gt(WORDS.hits, 10));
        assertTrue(db.blocking().upsert(WORDS, held, row -> row.set(WORDS.name, "a")).isEmpty());
    }

    @Test
    void a_row_is_replaced() {
        if (where == Where.POSTGRESQL) {
            assertUnsupported(db.replace(WORDS, row -> row.set(WORDS.name, "a")));
            return;
        }
        db.insert(WORDS, row -> row.set(WORDS.name, "a").set(WORDS.hits, 9)).join();
        assertEquals(1, db.replace(WORDS, row -> row.set(WORDS.name, "a")).join().get(WORDS.hits));
        db.batchReplace(WORDS, List.of("a", "b"), (row, name) -> row.set(WORDS.name, name).set(WORDS.hits, 4)).join();
        assertEquals(List.of("a4", "b4"), words());
    }

    @Test
    void rows_come_from_a_query() {
        db.insert(STAFF, row -> row.set(STAFF.name, "ann").set(STAFF.team, "red").set(STAFF.age, 50)).join();
        assertEquals(1, db.insert(WORDS, select(STAFF, STAFF.name, STAFF.age), WORDS.name, WORDS.hits).join());
        assertEquals(0, db.insertIgnore(WORDS, select(STAFF, STAFF.name, STAFF.age), WORDS.name, WORDS.hits).join());
        assertEquals(List.of("ann50"), words());
    }

    @Test
    void changes_return_rows() {
        if (where == Where.MYSQL) {
            assertUnsupported(db.insertReturning(WORDS, row -> row.set(WORDS.name, "a")));
            return;
        }
        assertEquals(1, db.insertReturning(WORDS, row -> row.set(WORDS.name, "a")).join().get(WORDS.hits));
        var again = db.upsertReturning(WORDS, byName(), row -> row.set(WORDS.name, "a").set(WORDS.hits, 6), WORDS.hits).join();
        assertEquals(6, again.get(0).get(WORDS.hits));
        if (where != Where.MARIADB) {
            assertEquals(8, db.updateReturning(WORDS, eq(WORDS.name, "a"), row -> row.set(WORDS.hits, 8), WORDS.hits).join().get(0).get(WORDS.hits));
        }
        assertEquals("a", db.deleteReturning(WORDS, eq(WORDS.name, "a")).join().get(0).get(WORDS.name));
    }

    @Test
    void tables_are_merged() {
        db.insert(STAFF, row -> row.set(STAFF.name, "ann").set(STAFF.team, "red").set(STAFF.age, 50)).join();
        var merged = db.merge(WORDS, STAFF, eq(WORDS.name, STAFF.name), clauses -> clauses
                .whenMatchedUpdate(row -> row.setExpression(WORDS.hits, STAFF.age))
                .whenNotMatchedInsert(row -> row.setExpression(WORDS.name, STAFF.name).set(WORDS.hits, 1)));
        if (where == Where.POSTGRESQL) {
            assertEquals(1, merged.join());
            assertEquals(List.of("ann1"), words());
        } else {
            assertUnsupported(merged);
        }
    }

    @Test
    void limits_and_joins_are_for_the_databases_that_have_them() {
        db.batchInsert(WORDS, List.of("a", "b", "c"), (row, name) -> row.set(WORDS.name, name)).join();
        var limited = db.update(WORDS, gt(WORDS.hits, 0), 2, row -> row.set(WORDS.hits, 2));
        if (where.isMySqlFamily()) {
            assertEquals(2, limited.join());
            assertEquals(1, db.deleteWhere(WORDS, gt(WORDS.hits, 0), 1).join());
            assertEquals(2, db.deleteIgnoreWhere(WORDS, gt(WORDS.hits, 0)).join());
        } else {
            assertUnsupported(limited);
            assertUnsupported(db.deleteIgnoreWhere(WORDS, gt(WORDS.hits, 0)));
        }
    }

    @Test
    void statements_in_SQL_have_parameters_rows_and_results() {
        db.batchInsert(WORDS, List.of("a", "b", "c"), (row, name) -> row.set(WORDS.name, name).set(WORDS.hits, (int) name.charAt(0))).join();
        var query = db.sql("SELECT id, name, hits FROM java_word WHERE hits > :low OR name = :name ORDER BY name", Map.of("low", 98, "name", "a"));
        assertEquals(List.of("a", "c"), db.list(query, row -> row.get("name", String.class)).join());
        assertEquals(List.of("a97", "c99"), db.list(query.as(Word.class), word -> word.name() + word.hits()).join());
        assertEquals(97, db.first(query).join().orElseThrow().get(2, Integer.class));
        assertEquals(2, db.exec(query).join().as(Word.class).size());
        assertEquals(1, db.exec("DELETE FROM java_word WHERE name = :name", Map.of("name", "a")).join().getAffected());
        assertEquals(List.of("b", "c"), published(db.publisher(db.sql("SELECT name FROM java_word ORDER BY name").fetchSize(1))));
        var script = "UPDATE java_word SET body = ';'; DELETE FROM java_word WHERE name = 'b'; SELECT body FROM java_word";
        assertEquals(";", db.blocking().script(script).get(2).scalar());
    }

    private static List<Object> published(Flow.Publisher<? extends Map<String, Object>> rows) {
        var found = new ArrayList<Object>();
        var ended = new CompletableFuture<List<Object>>();
        rows.subscribe(new Flow.Subscriber<Map<String, Object>>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(Map<String, Object> row) {
                found.add(row.get("name"));
            }

            @Override
            public void onError(Throwable error) {
                ended.completeExceptionally(error);
            }

            @Override
            public void onComplete() {
                ended.complete(found);
            }
        });
        return ended.join();
    }

    @Test
    void loggers_and_interceptors_hear_a_transaction() {
        var heard = new ArrayList<String>();
        SqlLogger logger = (context, transaction) -> heard.add(StatementKt.expandArgs(context, transaction));
        StatementInterceptor interceptor = new StatementInterceptor() {
            @Override
            public void beforeExecution(Transaction transaction, StatementContext context) {
                heard.add("before " + context.getStatement().getType());
            }

            @Override
            public void beforeCommit(Transaction transaction) {
                heard.add("commit");
            }
        };
        db.transaction(tx -> {
            tx.addLogger(logger);
            tx.registerInterceptor(interceptor);
            return tx.insert(WORDS, row -> row.set(WORDS.name, "heard"));
        }).join();
        assertEquals(List.of("before INSERT", "commit"), List.of(heard.get(0), heard.get(2)));
        assertTrue(heard.get(1).contains("'heard'"), heard.get(1));
        heard.clear();
        try (var logged = AsyncDatabase.open(where.url.get(), config -> config.logger(logger).interceptor(interceptor))) {
            logged.exec("SELECT 1").join();
        }
        assertTrue(heard.containsAll(List.of("before SELECT", "SELECT 1")), heard.toString());
    }

    @Test
    void JSON_in_a_text_is_read_and_changed() {
        db.insert(WORDS, row -> row.set(WORDS.name, "a").set(WORDS.body, "{\"n\":1,\"tags\":[\"x\"]}")).join();
        db.update(WORDS, JsonFunctions.hasKey(WORDS.body, "n"), row -> row
                .setExpression(WORDS.body, JsonFunctions.jsonSet(WORDS.body, new String[] {"n"}, 2))).join();
        assertEquals(2, db.scalar(selectAll(WORDS), JsonFunctions.extract(WORDS.body, Integer.class, "n")).join().orElseThrow());
        assertEquals("x", db.scalar(selectAll(WORDS), JsonFunctions.extract(WORDS.body, String.class, "tags", "0")).join().orElseThrow());
    }

    @Test
    void the_types_of_PostgreSQL_have_columns_and_operators() {
        Assumptions.assumeTrue(where == Where.POSTGRESQL);
        var extras = new Extras();
        db.exec("CREATE EXTENSION IF NOT EXISTS hstore").thenCompose(none -> db.schema().create(extras)).join();
        db.insert(extras, row -> row
                .set(extras.pairs, Map.of("a", "1"))
                .set(extras.span, Range.of(1, 5))
                .set(extras.length, new Interval(1, 2, Duration.ofHours(3)))).join();
        assertEquals(1, db.count(selectAll(extras).where(Hstore.hstoreHasKey(extras.pairs, "a"))).join());
        assertEquals(0, db.count(selectAll(extras).where(Ranges.contains(extras.span, 5))).join());
        assertEquals(new Interval(1, 2, Duration.ofHours(3)), db.single(selectAll(extras)).join().get(extras.length));
        db.insert(WORDS, row -> row.set(WORDS.name, "quick foxes")).join();
        var search = TextSearch.matches(TextSearch.toTsVector(WORDS.name, "english"), TextSearch.plainToTsQuery("fox", "english"));
        assertEquals(1, db.count(selectAll(WORDS).where(search)).join());
        db.schema().drop(extras).join();
    }
}
