package dev.kormorant.javatest;

import static dev.kormorant.javatest.Tweets.TWEETS;
import static dev.kormorant.javatest.Users.USERS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kormorant.ChangeKind;
import dev.kormorant.ConstraintViolationException;
import dev.kormorant.SchemaChange;
import dev.kormorant.SchemaDifference;
import dev.kormorant.TableColumn;
import dev.kormorant.UnsupportedByDialectException;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.async.LongTable;
import dev.kormorant.test.ServerKind;
import dev.kormorant.test.TestServers;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.Index;
import org.jetbrains.exposed.v1.core.Sequence;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Everything that {@code db.schema()} can do, on every kind of database. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class AsyncSchemaTest {
    @TempDir
    Path directory;

    enum Place {
        SQLITE(null),
        POSTGRESQL(ServerKind.POSTGRESQL),
        MYSQL(ServerKind.MYSQL),
        MARIADB(ServerKind.MARIADB);

        final ServerKind server;

        Place(ServerKind server) {
            this.server = server;
        }

        boolean hasSequences() {
            return this == POSTGRESQL || this == MARIADB;
        }

        boolean hasTransactionalDdl() {
            return this == SQLITE || this == POSTGRESQL;
        }
    }

    enum Mood {
        GOOD,
        BAD
    }

    /** The users with a mood and with longer names. */
    static final class MoodyUsers extends LongTable {
        static final MoodyUsers MOODY_USERS = new MoodyUsers();

        final Column<String> name = unique(varchar("name", 80));
        final Column<Integer> age = withDefault(integer("age"), 0);
        final Column<Mood> mood = withDefault(nativeEnumeration("mood", Mood.class, "java_mood"), Mood.GOOD);

        private MoodyUsers() {
            super("java_users");
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_difference_is_found_told_and_applied_and_the_rows_stay(Place place) {
        on(place, db -> {
            assertEquals(ChangeKind.CREATE_TABLE, db.schema().difference(USERS).join().getChanges().get(0).getKind());
            db.schema().createMissing(USERS, TWEETS).join();
            assertEquals(List.of("id", "name", "age"), db.schema().columns(USERS).join().stream().map(TableColumn::getName).toList());
            db.exec("INSERT INTO java_users (name) VALUES ('ada')").join();

            SchemaDifference difference = db.schema().difference(MoodyUsers.MOODY_USERS).join();
            assertFalse(difference.isEmpty());
            assertTrue(difference.script(false).contains("mood"));
            db.schema().apply(difference).join();
            assertTrue(db.schema().difference(MoodyUsers.MOODY_USERS).join().isEmpty());
            assertEquals("ada", db.exec("SELECT name FROM java_users WHERE mood = 'GOOD'").join().scalar());

            SchemaDifference back = db.schema().difference(USERS).join();
            assertTrue(back.getExcess().stream().anyMatch(change -> names(change).contains("mood")), back::toString);
            db.schema().apply(back, true).join();
            db.schema().apply(db.schema().difference(USERS).join()).join();
            assertEquals("no difference", db.schema().difference(USERS).join().toString());
        });
    }

    @ParameterizedTest
    @EnumSource
    void tables_are_truncated_and_dropped(Place place) {
        on(place, db -> {
            db.schema().create(TWEETS, USERS).join();
            db.exec("INSERT INTO java_users (name) VALUES ('ada')").join();
            db.exec("INSERT INTO java_tweets (text, user_id) VALUES ('hi', 1)").join();
            failure(ConstraintViolationException.class, db.schema().truncate(USERS));
            db.schema().truncate(USERS, TWEETS).join();
            db.exec("INSERT INTO java_users (name) VALUES ('bob')").join();
            assertEquals(2L, ((Number) db.exec("SELECT MAX(id) FROM java_users").join().scalar()).longValue());
            db.schema().truncate(true, true, USERS).join();
            db.exec("INSERT INTO java_users (name) VALUES ('eve')").join();
            assertEquals(1L, ((Number) db.exec("SELECT MAX(id) FROM java_users").join().scalar()).longValue());
            assertTrue(db.schema().exists(TWEETS).join());
            assertTrue(db.schema().dropStatements(USERS, TWEETS).join().get(0).contains("java_tweets"));
            db.schema().drop(USERS, TWEETS).join();
            assertEquals(List.of(), db.schema().listTables().join());
            assertTrue(db.schema().createStatements(USERS).join().get(0).startsWith("CREATE TABLE"));
        });
    }

    @ParameterizedTest
    @EnumSource
    void indices_and_sequences_come_and_go(Place place) {
        on(place, db -> {
            db.schema().create(USERS).join();
            var index = new Index(List.of(USERS.age), false, "users_by_age", null, null, null, null);
            db.schema().createIndex(index).join();
            assertEquals("users_by_age", db.schema().difference(USERS).join().getExcess().get(0).getName());
            db.schema().dropIndex(index).join();

            var sequence = new Sequence("java_numbers", 5L, null, null, null, null, null);
            if (!place.hasSequences()) {
                failure(UnsupportedByDialectException.class, db.schema().createSequence(sequence));
                return;
            }
            db.schema().createSequence(sequence).join();
            assertTrue(db.schema().sequenceExists("java_numbers").join());
            assertEquals(List.of("java_numbers"), db.schema().listSequences().join());
            db.schema().dropSequence(sequence).join();
            assertFalse(db.schema().sequenceExists("java_numbers").join());
        });
    }

    @ParameterizedTest
    @EnumSource
    void schemas_and_databases_come_and_go_where_the_server_has_them(Place place) {
        on(place, db -> {
            if (place == Place.SQLITE) {
                failure(UnsupportedByDialectException.class, db.schema().createDatabase("java_other"));
                failure(UnsupportedByDialectException.class, db.schema().createSchema("java_other"));
                failure(UnsupportedByDialectException.class, db.schema().listDatabases());
                return;
            }
            db.schema().createDatabase("java_other").join();
            assertTrue(db.schema().listDatabases().join().contains("java_other"));
            db.schema().dropDatabase("java_other").join();
            db.schema().createSchema("java_place").join();
            failure(IllegalStateException.class, db.schema().setSchema("java_place"));
            db.connection(own -> own.schema().setSchema("java_place").thenCompose(none -> own.schema().create(USERS))).join();
            assertEquals(List.of("java_users"), db.schema().listTables("java_place").join());
            assertFalse(db.schema().exists(USERS).join());
            db.schema().dropSchema("java_place", true).join();
        });
    }

    @ParameterizedTest
    @EnumSource
    void a_transaction_holds_the_change_or_refuses_it(Place place) {
        on(place, db -> {
            var inside = db.transaction(tx -> tx.schema().create(USERS).thenCompose(none -> CompletableFuture.failedFuture(new IllegalStateException("stop"))));
            failure(place.hasTransactionalDdl() ? IllegalStateException.class : UnsupportedByDialectException.class, inside);
            assertFalse(db.schema().exists(USERS).join());
        });
    }

    private static Set<String> names(SchemaChange change) {
        var names = new HashSet<String>();
        change.getParts().forEach(part -> names.addAll(names(part)));
        if (change.getName() != null) names.add(change.getName());
        return names;
    }

    private static void failure(Class<? extends Throwable> expected, CompletableFuture<?> future) {
        assertInstanceOf(expected, assertThrows(CompletionException.class, future::join).getCause());
    }

    private void on(Place place, Consumer<AsyncDatabase> test) {
        if (place.server == null) {
            try (var db = AsyncDatabase.open("sqlite:" + directory.resolve("schema.db"))) {
                test.accept(db);
            }
            return;
        }
        var server = TestServers.of(place.server).assumeAvailable();
        try (var admin = AsyncDatabase.open(server.getUrl())) {
            admin.schema().createDatabase("java_schema").join();
            try (var db = AsyncDatabase.open(server.url("java_schema"))) {
                test.accept(db);
            } finally {
                admin.schema().dropDatabase("java_schema").join();
            }
        }
    }
}
