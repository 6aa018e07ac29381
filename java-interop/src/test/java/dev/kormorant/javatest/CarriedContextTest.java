package dev.kormorant.javatest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kormorant.DatabaseListener;
import dev.kormorant.StatementEvent;
import dev.kormorant.async.AsyncDatabase;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CarriedContextTest {
    private static final ThreadLocal<String> TRACE = ThreadLocal.withInitial(() -> "none");

    @Test
    void listenersSeeWhatTheCallersThreadHadWhereverTheCallGoesOn() {
        Set<String> seen = ConcurrentHashMap.newKeySet();
        var listener = new DatabaseListener() {
            @Override
            public void onStatement(StatementEvent event) {
                seen.add(TRACE.get() + " " + event.getOperation());
            }
        };
        try (var db = AsyncDatabase.open("sqlite::memory:", config -> config
                .executor(task -> new Thread(task).start())
                .listener(listener)
                .carry(() -> {
                    var trace = TRACE.get();
                    return () -> {
                        var before = TRACE.get();
                        TRACE.set(trace);
                        return () -> TRACE.set(before);
                    };
                }))) {
            var calls = IntStream.range(0, 5).mapToObj(n -> {
                TRACE.set("call" + n);
                return db.transaction(tx -> tx.exec("SELECT 1").thenCompose(one -> tx.exec("SELECT 2")));
            }).toList();
            TRACE.remove();
            CompletableFuture.allOf(calls.toArray(CompletableFuture[]::new)).join();
        }
        for (var operation : List.of("BEGIN", "COMMIT")) {
            assertEquals(5, seen.stream().filter(event -> event.startsWith("call") && event.endsWith(operation)).count(), seen.toString());
        }
        assertTrue(seen.stream().noneMatch(event -> event.startsWith("none") && !event.endsWith("SELECT")), seen.toString());
        assertEquals("none", TRACE.get());
    }
}
