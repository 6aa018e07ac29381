package dev.kormorant.javatest;

import java.util.concurrent.Executor;

/** The suite with every continuation and every dependent on a thread of its own: nothing may hang on a thread. */
class FreshThreadsAsyncDatabaseTest extends SqliteAsyncDatabaseTest {
    @Override
    Executor executor() {
        return task -> new Thread(task, "dependents").start();
    }
}
