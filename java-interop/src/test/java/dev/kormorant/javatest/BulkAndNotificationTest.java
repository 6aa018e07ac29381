package dev.kormorant.javatest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.kormorant.ConnectionException;
import dev.kormorant.Notification;
import dev.kormorant.UnsupportedByDialectException;
import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.test.ServerKind;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** COPY and notifications, which PostgreSQL has. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BulkAndNotificationTest {
    private static final String URL = ServerSuite.create(ServerKind.POSTGRESQL, "java_bulk");

    /** Keeps what it gets; {@code done} is complete at the end. */
    private static final class Collector<T> implements Flow.Subscriber<T> {
        final BlockingQueue<T> got = new LinkedBlockingQueue<>();
        final CompletableFuture<Void> done = new CompletableFuture<>();
        final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

        @Override
        public void onSubscribe(Flow.Subscription begun) {
            subscription.complete(begun);
            begun.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(T item) {
            got.add(item);
        }

        @Override
        public void onError(Throwable failure) {
            done.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            done.complete(null);
        }

        T next() throws InterruptedException {
            return got.poll(90, TimeUnit.SECONDS);
        }
    }

    private static <E extends Throwable> E failure(Class<E> type, CompletableFuture<?> future) {
        return assertInstanceOf(type, assertThrows(CompletionException.class, future::join).getCause());
    }

    @Test
    void bytes_are_copied_in_and_out() {
        try (var db = AsyncDatabase.open(URL)) {
            db.exec("CREATE TABLE copied (number INT, words TEXT)").join();
            var data = new SubmissionPublisher<byte[]>();
            var copied = db.transaction(tx -> tx.copyIn("COPY copied FROM STDIN", data));
            while (data.getNumberOfSubscribers() == 0) Thread.onSpinWait();
            data.submit("1\tone\n2\tt".getBytes(StandardCharsets.UTF_8));
            data.submit("wo\n".getBytes(StandardCharsets.UTF_8));
            data.close();
            assertEquals(2L, copied.join());
            var out = new Collector<byte[]>();
            db.copyOut("COPY copied TO STDOUT").subscribe(out);
            out.done.join();
            var bytes = new ByteArrayOutputStream();
            out.got.forEach(bytes::writeBytes);
            assertEquals("1\tone\n2\ttwo\n", bytes.toString(StandardCharsets.UTF_8));
        }
    }

    @Test
    void data_that_fails_is_the_failure_of_the_copy() {
        try (var db = AsyncDatabase.open(URL)) {
            db.exec("CREATE TABLE refused (number INT)").join();
            var data = new SubmissionPublisher<byte[]>();
            var copied = db.copyIn("COPY refused FROM STDIN", data);
            while (data.getNumberOfSubscribers() == 0) Thread.onSpinWait();
            data.submit("1\n".getBytes(StandardCharsets.UTF_8));
            data.closeExceptionally(new IllegalStateException("no more"));
            failure(IllegalStateException.class, copied);
            assertEquals(0L, db.exec("SELECT count(*) FROM refused").join().scalar());
        }
    }

    @Test
    void notifications_arrive_and_gaps_are_told() throws InterruptedException {
        try (var db = AsyncDatabase.open(URL)) {
            var heard = new Collector<Notification>();
            db.listen("news").subscribe(heard);
            assertSame(Notification.Begin.INSTANCE, heard.next());
            db.transaction(tx -> tx.notify("news", "hello")).join();
            var message = assertInstanceOf(Notification.Message.class, heard.next());
            assertEquals("news: hello", message.getChannel() + ": " + message.getPayload());
            db.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'").join();
            assertInstanceOf(ConnectionException.class, assertInstanceOf(Notification.Gap.class, heard.next()).getCause());
            db.notify("news", "again").join();
            assertEquals("again", assertInstanceOf(Notification.Message.class, heard.next()).getPayload());
            heard.subscription.join().cancel();
        }
    }

    @Test
    void other_databases_say_that_they_cannot() {
        try (var db = AsyncDatabase.open("sqlite::memory:")) {
            var heard = new Collector<Notification>();
            db.listen("news").subscribe(heard);
            failure(UnsupportedByDialectException.class, heard.done);
            failure(UnsupportedByDialectException.class, db.notify("news", ""));
            var out = new Collector<byte[]>();
            db.copyOut("COPY t TO STDOUT").subscribe(out);
            failure(UnsupportedByDialectException.class, out.done);
            failure(UnsupportedByDialectException.class, db.copyIn("COPY t FROM STDIN", new SubmissionPublisher<>()));
        }
    }
}
