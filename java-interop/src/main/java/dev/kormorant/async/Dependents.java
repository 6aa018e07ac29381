package dev.kormorant.async;

import dev.kormorant.BlockingNotAllowedException;
import java.util.concurrent.Executor;

/** The executor on which futures are completed, which knows whether the current thread is at that. */
final class Dependents implements Executor {
    private static final ThreadLocal<Boolean> COMPLETING = new ThreadLocal<>();

    private final Executor executor;

    Dependents(Executor executor) {
        this.executor = executor;
    }

    @Override
    public void execute(Runnable task) {
        executor.execute(() -> {
            var before = COMPLETING.get();
            COMPLETING.set(true);
            try {
                task.run();
            } finally {
                if (before == null) COMPLETING.remove();
            }
        });
    }

    /** Returns unless this thread completes futures, which it could not go on doing. */
    static void requireBlockingAllowed() {
        if (COMPLETING.get() != null && !Thread.currentThread().getClass().getName().endsWith("VirtualThread")) {
            throw new BlockingNotAllowedException(
                    "A blocking call was made by a dependent of a future.",
                    "Compose the futures instead, or give the dependent an executor of its own, as with thenApplyAsync(function, executor).");
        }
    }
}
