package dev.kormorant.javatest;

import static dev.kormorant.async.Conditions.and;
import static dev.kormorant.async.Conditions.eq;
import static dev.kormorant.async.Conditions.exists;
import static dev.kormorant.async.Conditions.ge;
import static dev.kormorant.async.Conditions.gt;
import static dev.kormorant.async.Conditions.inSubQuery;
import static dev.kormorant.async.Conditions.isNull;
import static dev.kormorant.async.Conditions.le;
import static dev.kormorant.async.Queries.after;
import static dev.kormorant.async.Queries.alias;
import static dev.kormorant.async.Queries.avg;
import static dev.kormorant.async.Queries.caseOf;
import static dev.kormorant.async.Queries.compiled;
import static dev.kormorant.async.Queries.count;
import static dev.kormorant.async.Queries.countDistinct;
import static dev.kormorant.async.Queries.cte;
import static dev.kormorant.async.Queries.except;
import static dev.kormorant.async.Queries.hole;
import static dev.kormorant.async.Queries.intersect;
import static dev.kormorant.async.Queries.join;
import static dev.kormorant.async.Queries.joinLateral;
import static dev.kormorant.async.Queries.recursiveCte;
import static dev.kormorant.async.Queries.select;
import static dev.kormorant.async.Queries.selectAll;
import static dev.kormorant.async.Queries.union;
import static dev.kormorant.async.Queries.unionAll;
import static dev.kormorant.javatest.Staff.STAFF;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kormorant.BlockingPolicy;
import dev.kormorant.MappingException;
import dev.kormorant.UnsupportedByDialectException;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.test.TestServers;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import java.util.function.Supplier;
import org.jetbrains.exposed.v1.core.JoinType;
import org.jetbrains.exposed.v1.core.LiteralOpKt;
import org.jetbrains.exposed.v1.core.OpBuilderKt;
import org.jetbrains.exposed.v1.core.SortOrder;
import org.jetbrains.exposed.v1.core.WindowFunctionBuilderKt;
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Queries as Java writes them. */
@ParameterizedClass
@EnumSource
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReadingTest {
    enum Where {
        SQLITE(() -> "sqlite::memory:"),
        POSTGRESQL(() -> TestServers.postgresql().assumeAvailable().getUrl()),
        MYSQL(() -> TestServers.mysql().assumeAvailable().getUrl()),
        MARIADB(() -> TestServers.mariadb().assumeAvailable().getUrl());

        final Supplier<String> url;

        Where(Supplier<String> url) {
            this.url = url;
        }
    }

    record Person(long id, String name, String team, int age, Long boss) {}

    record Team(String team, long members) {}

    record Demanding(long boss) {}

    private final Where where;
    private AsyncDatabase db;
    private List<Long> ids;

    ReadingTest(Where where) {
        this.where = where;
    }

    @BeforeEach
    void open() {
        db = AsyncDatabase.open(where.url.get(), config -> config.blocking(BlockingPolicy.ALLOW));
        db.schema().drop(STAFF).thenCompose(none -> db.schema().create(STAFF)).join();
        ids = new ArrayList<>();
        insert("Ann", "blue", 50, null);
        insert("Bob", "blue", 40, ids.get(0));
        insert("Cid", "red", 30, ids.get(1));
        insert("Dot", "red", 20, ids.get(0));
    }

    @AfterEach
    void close() {
        if (db == null) return;
        db.schema().drop(STAFF).join();
        db.close();
    }

    private void insert(String name, String team, int age, Long boss) {
        ids.add(db.insertAndGetId(STAFF, set -> set.set(STAFF.name, name).set(STAFF.team, team).set(STAFF.age, age).set(STAFF.boss, boss)).join());
    }

    @Test
    void rows_become_records() {
        var query = selectAll(STAFF).orderBy(STAFF.age, SortOrder.ASC);
        assertEquals(new Person(ids.get(3), "Dot", "red", 20, ids.get(0)), db.first(query.as(Person.class)).join().orElseThrow());
        assertEquals(List.of("Dot", "Cid", "Bob", "Ann"), db.list(query.as(Person.class), Person::name).join());
        assertEquals("Ann", db.single(selectAll(STAFF).where(isNull(STAFF.boss)).as(Person.class)).join().name());
        assertEquals(4, db.count(query.as(Person.class)).join());
        assertEquals(4, db.blocking().list(query.as(Person.class)).size());
        var missing = assertThrows(MappingException.class, () -> select(STAFF, STAFF.name).as(Person.class));
        assertTrue(missing.getProblem().contains("'id'"), missing.getProblem());
        var primitive = assertThrows(MappingException.class, () -> selectAll(STAFF).as(Demanding.class));
        assertTrue(primitive.getProblem().contains("'boss'"), primitive.getProblem());
    }

    @Test
    void groups_have_aggregates_and_conditions() {
        var members = alias(count(STAFF.id), "members");
        var teams = select(STAFF, STAFF.team, members).groupBy(STAFF.team).orderBy(STAFF.team, SortOrder.ASC);
        assertEquals(List.of(new Team("blue", 2), new Team("red", 2)), db.list(teams.as(Team.class)).join());
        assertEquals(2, db.list(select(STAFF, STAFF.team).withDistinct(true)).join().size());
        var old = teams.copy().having(() -> gt(avg(STAFF.age, 0), new java.math.BigDecimal(30)));
        assertEquals(List.of("blue"), db.list(old.as(Team.class), Team::team).join());
        assertEquals(Optional.of(2L), db.scalar(selectAll(STAFF), countDistinct(STAFF.team)).join());
    }

    @Test
    void tables_are_joined_under_aliases() {
        var bosses = alias(STAFF, "bosses");
        var query = select(join(STAFF, bosses, JoinType.INNER, eq(STAFF.boss, bosses.get(STAFF.boss))), STAFF.name);
        assertEquals(0, db.list(query.where(eq(bosses.get(STAFF.name), "Ann"))).join().size());
        var oldest = alias(select(STAFF, STAFF.name, STAFF.age).where(ge(STAFF.age, 40)), "oldest");
        var joined = select(join(STAFF, oldest, JoinType.INNER, STAFF.name, oldest.get(STAFF.name)), oldest.get(STAFF.age));
        assertEquals(Set.of(50, 40), Set.copyOf(db.list(joined, row -> row.get(oldest.get(STAFF.age))).join()));
        var lateral = select(joinLateral(STAFF, oldest, JoinType.INNER, eq(STAFF.name, oldest.get(STAFF.name))), STAFF.name);
        if (where == Where.SQLITE || where == Where.MARIADB) {
            assertInstanceOf(UnsupportedByDialectException.class, failure(db.list(lateral)));
        } else {
            assertEquals(2, db.list(lateral).join().size());
        }
    }

    @Test
    void sub_queries_cases_and_windows() {
        var blue = select(STAFF, STAFF.name).where(eq(STAFF.team, "blue"));
        assertEquals(2, db.count(selectAll(STAFF).where(inSubQuery(STAFF.name, blue))).join());
        var inner = alias(STAFF, "inner_staff");
        var older = selectAll(inner).where(and(gt(inner.get(STAFF.age), 45), exists(blue)));
        assertEquals(4, db.count(selectAll(STAFF).where(exists(older))).join());
        var kind = caseOf().When(gt(STAFF.age, 35), LiteralOpKt.stringLiteral("old")).Else(LiteralOpKt.stringLiteral("young"));
        assertEquals(List.of("old", "old", "young", "young"), db.list(select(STAFF, kind).orderBy(STAFF.id, SortOrder.ASC), row -> row.get(kind)).join());
        var place = WindowFunctionBuilderKt.rowNumber().over().orderBy(STAFF.age, SortOrder.ASC);
        assertEquals(List.of(4L, 3L, 2L, 1L), db.list(select(STAFF, place).orderBy(STAFF.id, SortOrder.ASC), row -> row.get(place)).join());
    }

    @Test
    void queries_are_combined() {
        var blue = select(STAFF, STAFF.name).where(eq(STAFF.team, "blue"));
        var old = select(STAFF, STAFF.name).where(ge(STAFF.age, 30));
        assertEquals(List.of("Ann", "Bob", "Cid"), db.list(union(blue, old).orderBy(STAFF.name, SortOrder.ASC), row -> row.get(STAFF.name)).join());
        assertEquals(5, db.count(unionAll(blue, old)).join());
        if (where == Where.MYSQL) {
            var version = db.exec("SELECT VERSION()").join().scalar();
            if (version.toString().compareTo("8.0.31") < 0) {
                assertInstanceOf(UnsupportedByDialectException.class, failure(db.list(intersect(blue, old))));
                return;
            }
        }
        assertEquals(2, db.count(intersect(blue, old)).join());
        assertEquals(List.of("Cid"), db.list(except(old, blue), row -> row.get(STAFF.name)).join());
    }

    @Test
    void common_table_expressions() {
        var red = cte("red_staff", select(STAFF, STAFF.name, STAFF.age).where(eq(STAFF.team, "red")));
        assertEquals(Set.of("Cid", "Dot"), Set.copyOf(db.list(selectAll(red), row -> row.get(red.get(STAFF.name))).join()));
        var depth = alias(LiteralOpKt.intLiteral(0), "depth");
        var tree = recursiveCte("tree", select(STAFF, STAFF.id, depth).where(isNull(STAFF.boss)), self -> select(
                join(STAFF, self, JoinType.INNER, STAFF.boss, self.get(STAFF.id)), STAFF.id, OpBuilderKt.plus(self.get(depth), 1)));
        assertEquals(List.of(0, 1, 1, 2), db.list(selectAll(tree).orderBy(tree.get(depth), SortOrder.ASC), row -> row.get(tree.get(depth))).join());
    }

    @Test
    void compiled_queries_take_their_values_at_each_run() {
        var all = compiled(selectAll(STAFF).as(Person.class));
        assertEquals(4, db.list(all.get()).join().size());
        var byId = compiled(hole(STAFF.id), id -> selectAll(STAFF).where(eq(STAFF.id, id)).as(Person.class));
        for (var id : ids) assertEquals(id, db.single(byId.apply(id)).join().id());
        var between = compiled(hole(STAFF.age), hole(STAFF.age), (from, to) -> selectAll(STAFF).where(and(ge(STAFF.age, from), le(STAFF.age, to))));
        assertEquals(2, db.list(between.apply(25, 45)).join().size());
        assertEquals(Optional.empty(), db.first(between.apply(1, 2)).join());
        assertEquals(1, db.transaction(tx -> tx.list(between.apply(30, 30))).join().size());
    }

    @Test
    void pages_begin_after_keys() {
        var page = selectAll(STAFF).orderBy(STAFF.team, SortOrder.DESC).orderBy(STAFF.id, SortOrder.ASC).limit(2);
        var first = db.list(page.as(Person.class)).join();
        assertEquals(List.of("Cid", "Dot"), first.stream().map(Person::name).toList());
        var next = db.list(after(page.copy(), "red", ids.get(3)).as(Person.class)).join();
        assertEquals(List.of("Ann", "Bob"), next.stream().map(Person::name).toList());
        assertThrows(IllegalArgumentException.class, () -> after(page.copy(), "red"));
    }

    @Test
    void plans_are_explained_and_rows_locked() {
        var query = selectAll(STAFF).where(le(STAFF.age, 30));
        assertFalse(db.explain(query).join().isEmpty());
        assertFalse(db.blocking().explain(query).isEmpty());
        if (where == Where.SQLITE) {
            assertInstanceOf(UnsupportedByDialectException.class, failure(db.explain(query, true, null)));
        } else if (where != Where.MYSQL) {
            assertFalse(db.explain(query, true, null).join().isEmpty());
        }
        assertEquals(2, db.transaction(tx -> tx.list(query.copy().forUpdate(ForUpdateOption.ForUpdate.INSTANCE))).join().size());
    }

    @Test
    void mapped_rows_are_published() {
        var seen = new CompletableFuture<List<String>>();
        db.publisher(selectAll(STAFF).orderBy(STAFF.id, SortOrder.ASC).fetchSize(2).as(Person.class)).subscribe(new Flow.Subscriber<Person>() {
            private final List<String> names = new ArrayList<>();

            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(Person person) {
                names.add(person.name());
            }

            @Override
            public void onError(Throwable error) {
                seen.completeExceptionally(error);
            }

            @Override
            public void onComplete() {
                seen.complete(names);
            }
        });
        assertEquals(List.of("Ann", "Bob", "Cid", "Dot"), seen.join());
    }

    private static Throwable failure(CompletableFuture<?> future) {
        return assertThrows(CompletionException.class, future::join).getCause();
    }
}
