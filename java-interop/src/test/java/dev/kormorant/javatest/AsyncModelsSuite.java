package dev.kormorant.javatest;

import static dev.kormorant.async.Conditions.eq;
import static dev.kormorant.async.Queries.load;
import static dev.kormorant.async.Queries.max;
import static dev.kormorant.javatest.Badges.BADGES;
import static dev.kormorant.javatest.Crew.CREW;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kormorant.BlockingPolicy;
import dev.kormorant.Cascade;
import dev.kormorant.ConstraintViolationException;
import dev.kormorant.Registration;
import dev.kormorant.RelationNotLoadedException;
import dev.kormorant.RepeatedLoadEvent;
import dev.kormorant.RepeatedLoadException;
import dev.kormorant.StaleModelException;
import dev.kormorant.TransactionAbortedException;
import dev.kormorant.ValidationException;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.AsyncModels;
import dev.kormorant.async.StatementListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.jetbrains.exposed.v1.core.SortOrder;
import org.jetbrains.exposed.v1.core.Table;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What Java programs do with models beyond creating, reading and saving them, on one kind of database per subclass. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class AsyncModelsSuite {
    private static final Table[] TABLES = {CREW, BADGES};
    private static final ThreadLocal<String> TRACE = new ThreadLocal<>();

    record EmployeeRow(Long id, String name, int salary) {}

    record Team(String name, List<EmployeeRow> team, BadgeRow badge) {}

    record BadgeRow(String code) {}

    record Hired(Long id, String name, Integer salary, int version) {}

    private final ConcurrentLinkedQueue<StatementListener.Statement> statements = new ConcurrentLinkedQueue<>();
    private final List<Registration> registrations = new ArrayList<>();
    private AsyncDatabase db;
    private AsyncModels<Long, Employee> staff;

    /** Where a database of its own is. */
    abstract String url();

    @BeforeEach
    void open() {
        db = AsyncDatabase.open(url(), config -> config.listener(statements::add).blocking(BlockingPolicy.ALLOW));
        staff = db.models(Employee.MODEL);
        db.schema().drop(TABLES).thenCompose(none -> db.schema().create(TABLES)).join();
        statements.clear();
    }

    @AfterEach
    void close() {
        registrations.forEach(Registration::close);
        if (db != null) db.close();
    }

    private Employee hire(String name, Employee boss) {
        return staff.create(employee -> {
            employee.setName(name);
            employee.boss().setValue(boss);
        }).join();
    }

    private static <E extends Throwable> E failure(Class<E> type, CompletableFuture<?> future) {
        return assertInstanceOf(type, assertThrows(CompletionException.class, future::join).getCause());
    }

    @Test
    void createOrGet_and_upsert_go_by_the_unique_columns() {
        var first = staff.createOrGet(employee -> employee.setName("Ann")).join();
        assertTrue(first.created());
        var second = staff.createOrGet(employee -> employee.setName("Ann")).join();
        assertFalse(second.created());
        assertEquals(first.model().getId(), second.model().getId());
        var changed = staff.upsert(employee -> {
            employee.setName("Ann");
            employee.setSalary(7);
        }, CREW.name).join();
        assertEquals(first.model().getId(), changed.getId());
        assertEquals(7, staff.get(eq(CREW.name, "Ann")).join().getSalary());
        failure(IllegalArgumentException.class, staff.upsert(employee -> employee.setSalary(1)));
    }

    @Test
    void many_rows_are_written_with_one_statement() {
        var people = IntStream.range(0, 5).mapToObj(number -> {
            var employee = new Employee();
            employee.setName("e" + number);
            return employee;
        }).toList();
        staff.createAll(people, 100).join();
        for (var employee : people) employee.setSalary(employee.getName().length());
        statements.clear();
        assertEquals(5, staff.updateAll(people, CREW.salary).join());
        assertEquals(1, statements.stream().filter(statement -> statement.sql().startsWith("UPDATE")).count());
        assertEquals(Optional.of(2), staff.scalar(max(CREW.salary)).join());
        assertEquals(5, staff.findBySql("SELECT * FROM java_crew WHERE salary = ?", 2).join().size());
        assertEquals(1, staff.updateWhere(eq(CREW.name, "e0"), row -> row.set(CREW.salary, 9)).join());
        assertEquals(9, staff.refresh(people.get(0)).join().getSalary());
        assertEquals(10, staff.findByIdAndUpdate(people.get(0).getId().getValue(), e -> e.setSalary(e.getSalary() + 1)).join().orElseThrow().getSalary());
        failure(ConstraintViolationException.class, staff.forceInsert(people.get(1)));
    }

    @Test
    void a_stale_model_is_refused() {
        var id = hire("Ann", null).getId().getValue();
        var first = staff.get(id).join();
        var second = staff.get(id).join();
        first.setSalary(1);
        second.setSalary(2);
        assertTrue(staff.save(first).join());
        failure(StaleModelException.class, staff.save(second));
        int salary = db.transaction(tx -> staff.getForUpdate(tx, id).thenCompose(employee -> {
            employee.setSalary(employee.getSalary() + 1);
            return staff.save(tx, employee).thenApply(saved -> employee.getSalary());
        })).join();
        assertEquals(2, salary);
        failure(IllegalStateException.class, staff.getForUpdate(id));
    }

    @Test
    void rows_out_of_scope_are_seen_by_those_who_ask() {
        var ann = hire("Ann", null);
        ann.setLeft(1L);
        staff.save(ann).join();
        assertEquals(0L, staff.count().join());
        assertEquals(Optional.empty(), staff.getOptional(ann.getId().getValue()).join());
        assertEquals(0, staff.deleteWhere(eq(CREW.name, "Ann")).join());
        assertEquals(1, db.list(staff.unscoped()).join().size());
    }

    @Test
    void a_cascade_deletes_or_detaches_what_refers_to_a_row() {
        var ann = hire("Ann", null);
        var bob = hire("Bob", ann);
        hire("Cid", bob);
        db.models(Badge.MODEL).create(badge -> {
            badge.setCode("1");
            Badge.OWNER.of(badge).setValue(ann);
        }).join();
        assertEquals(1, staff.delete(ann, Cascade.NULLIFY).join());
        assertEquals(2L, staff.count().join());
        assertEquals(0L, db.models(Badge.MODEL).count().join());
        assertEquals(null, staff.refresh(bob).join().boss().id());
        assertEquals(1, staff.delete(bob, Cascade.DELETE).join());
        assertEquals(0L, staff.count().join());
    }

    @Test
    void relations_are_loaded_along_as_deep_and_as_many_as_asked() {
        var ann = hire("Ann", null);
        for (var name : List.of("Bob", "Cid", "Dan")) hire(name + " junior", hire(name, ann));
        statements.clear();
        var query = staff.find(eq(CREW.name, "Ann"))
                .with(load(Employee.TEAM).orderBy(CREW.name, SortOrder.DESC).limitPerParent(2).with(Employee.TEAM));
        var read = db.single(query).join();
        assertEquals(3, statements.size());
        assertEquals(List.of("Dan", "Cid"), read.team().value().stream().map(Employee::getName).toList());
        assertEquals("Dan junior", read.team().value().get(0).team().value().get(0).getName());
        assertEquals(Optional.empty(), Optional.ofNullable(staff.load(read, Employee.BADGE).join()));
    }

    @Test
    void models_become_records_with_their_loaded_relations() {
        var ann = hire("Ann", null);
        hire("Bob", ann);
        db.models(Badge.MODEL).create(badge -> {
            badge.setCode("1");
            Badge.OWNER.of(badge).setValue(ann);
        }).join();
        var teams = staff.list(staff.find(eq(CREW.name, "Ann")).with(Employee.TEAM, Employee.BADGE), Team.class).join();
        assertEquals("Bob", teams.get(0).team().get(0).name());
        assertEquals(new BadgeRow("1"), teams.get(0).badge());
        failure(RelationNotLoadedException.class, staff.list(staff.all(), Team.class));
    }

    @Test
    void records_are_rows_of_a_table() {
        var rows = db.rows(CREW, Hired.class);
        var ann = rows.insert(new Hired(null, "Ann", null, 0)).join();
        assertEquals(0, ann.salary());
        assertTrue(rows.update(new Hired(ann.id(), "Ann", 5, 1)).join());
        assertEquals(List.of(new Hired(ann.id(), "Ann", 5, 1)), rows.list(eq(CREW.name, "Ann")).join());
        assertEquals(2, rows.insertAll(List.of(new Hired(null, "Bob", 1, 0), new Hired(null, "Cid", 2, 0))).join().size());
        assertTrue(rows.delete(ann).join());
        assertEquals(2, rows.list().join().size());
    }

    @Test
    void hooks_run_in_the_transaction_of_the_call_and_may_veto() {
        registrations.add(Employee.MODEL.hooks().check((violations, employee) -> {
            if (employee.getSalary() < 0) violations.reject("must not be negative", CREW.salary);
        }));
        registrations.add(Employee.MODEL.hooks().afterSave((handle, employee, created) -> employee.getName().startsWith("Deputy")
                ? CompletableFuture.completedStage(null)
                : staff.create(handle, deputy -> deputy.setName("Deputy " + employee.getName()))));
        var committed = new ConcurrentLinkedQueue<String>();
        registrations.add(db.hooks().afterCommit(model -> committed.add(model.getClass().getSimpleName())));
        hire("Ann", null);
        assertEquals(2L, staff.count().join());
        assertEquals(List.of("Employee", "Employee"), List.copyOf(committed));
        var violations = failure(ValidationException.class, staff.create(employee -> {
            employee.setName("Bob");
            employee.setSalary(-1);
        })).getViolations();
        assertEquals(List.of("salary: must not be negative"), violations.stream().map(Object::toString).toList());
        registrations.add(Employee.MODEL.hooks().beforeDelete((handle, employee) -> CompletableFuture.failedStage(new IllegalStateException("no"))));
        failure(IllegalStateException.class, staff.delete(staff.get(eq(CREW.name, "Ann")).join()));
        assertEquals(2L, staff.count().join());
    }

    @Test
    void a_hook_after_saving_is_told_whether_the_row_was_created() {
        var saved = new ConcurrentLinkedQueue<String>();
        registrations.add(Employee.MODEL.hooks().afterSave((handle, employee, created) -> {
            saved.add(employee.getName() + " " + created);
            return null;
        }));
        var ann = hire("Ann", null);
        ann.setName("Anna");
        assertTrue(staff.save(ann).join());
        assertEquals(List.of("Ann true", "Anna false"), List.copyOf(saved));
    }

    @Test
    void a_hook_on_loading_is_done_before_the_caller_has_the_model() {
        var ann = hire("Ann", null);
        hire("Bob", ann);
        var loaded = new ConcurrentLinkedQueue<String>();
        registrations.add(Employee.MODEL.hooks().onLoad((handle, employee) -> staff
                .count(handle)
                .thenAccept(people -> loaded.add(employee.getName() + " of " + people))));
        var boss = staff.get(eq(CREW.name, "Ann")).join();
        assertEquals(List.of("Ann of 2"), List.copyOf(loaded));
        assertEquals(1, staff.load(boss, Employee.TEAM).join().size());
        assertEquals(List.of("Ann of 2", "Bob of 2"), List.copyOf(loaded));
        registrations.add(Employee.MODEL.hooks().onLoad((handle, employee) -> CompletableFuture.failedStage(new IllegalStateException("no"))));
        failure(IllegalStateException.class, staff.get(eq(CREW.name, "Ann")));
    }

    @Test
    void a_failed_call_of_a_hook_that_nobody_waits_for_fails_the_save() {
        hire("Ann", null);
        registrations.add(Employee.MODEL.hooks().afterSave((handle, employee, created) -> {
            handle.exec("INSERT INTO no_such_table VALUES (1)");
            return null;
        }));
        failure(TransactionAbortedException.class, staff.create(employee -> employee.setName("Bob")));
        assertEquals(1L, staff.count().join());
    }

    @Test
    void what_the_caller_has_bound_to_its_thread_is_there_for_the_calls_of_a_hook() {
        var seen = new ConcurrentLinkedQueue<String>();
        try (var carrying = AsyncDatabase.open(url(), config -> config
                .executor(task -> new Thread(task).start())
                .listener((StatementListener) statement -> {
                    if (statement.sql().contains("traced")) seen.add(String.valueOf(TRACE.get()));
                })
                .carry(() -> {
                    var trace = TRACE.get();
                    return () -> {
                        var before = TRACE.get();
                        TRACE.set(trace);
                        return () -> TRACE.set(before);
                    };
                }))) {
            registrations.add(Employee.MODEL.hooks().afterSave((handle, employee, created) -> handle.exec("SELECT 1 AS traced")));
            TRACE.set("caller");
            carrying.models(Employee.MODEL).create(employee -> employee.setName("Ann")).join();
        } finally {
            TRACE.remove();
        }
        assertEquals(List.of("caller"), List.copyOf(seen));
    }

    @Test
    void a_query_for_each_row_is_told_with_the_remedy() {
        var ann = hire("Ann", null);
        for (var name : List.of("Bob", "Cid", "Dan")) hire(name, ann);
        var told = new ConcurrentLinkedQueue<RepeatedLoadEvent>();
        try (var watched = AsyncDatabase.open(url(), config -> config.repeatedLoads(2, true).repeatedLoadListener(told::add))) {
            var models = watched.models(Employee.MODEL);
            var people = models.list(models.all()).join();
            assertEquals(4, people.size());
            models.load(people.get(0), Employee.TEAM).join();
            models.load(people.get(1), Employee.TEAM).join();
            var error = failure(RepeatedLoadException.class, models.load(people.get(2), Employee.TEAM));
            assertTrue(error.getMessage().contains("with(Employee.TEAM)"), error.getMessage());
            assertEquals("Employee.TEAM", told.element().getRelation());
            var together = models.list(models.all().peers()).join();
            for (var employee : together) models.load(employee, Employee.TEAM).join();
        }
    }

    @Test
    void a_thread_that_may_wait_has_the_same_functions() {
        var blocking = db.blocking().models(Employee.MODEL);
        var ann = blocking.createOrGet(employee -> employee.setName("Ann")).model();
        ann.setSalary(3);
        assertEquals(1, blocking.updateAll(List.of(ann), CREW.salary));
        assertEquals(List.of(new EmployeeRow(ann.getId().getValue(), "Ann", 3)), blocking.list(blocking.all(), EmployeeRow.class));
        assertEquals(1, blocking.delete(ann, Cascade.DELETE));
    }
}
