package dev.kormorant.async;

import dev.kormorant.BlockingNotAllowedException;
import java.util.Set;
import java.util.concurrent.Executor;

/** The executor on which futures are completed, which knows whether the current thread is at that. */
final class Dependents implements Executor {
    private static final ThreadLocal<Boolean> COMPLETING = new ThreadLocal<>();

    /** Threads that serve many others, by the name of their class: not every program has it. */
    private static final Set<String> SHARED =
            Set.of("io.netty.util.concurrent.FastThreadLocalThread", "kotlinx.coroutines.scheduling.CoroutineScheduler$Worker");

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

    static void requireBlockingAllowed() {
        var thread = Thread.currentThread();
        if (thread.getClass().getName().endsWith("VirtualThread")) return;
        if (COMPLETING.get() != null) {
            throw new BlockingNotAllowedException(
                    "A blocking call was made by a dependent of a future.",
                    "Compose the futures instead, or give the dependent an executor of its own, as with thenApplyAsync(function, executor).");
        }
        for (Class<?> type = thread.getClass(); type != null; type = type.getSuperclass()) {
            if (SHARED.contains(type.getName())) {
                throw new BlockingNotAllowedException(
                        "A blocking call was made on the thread " + thread.getName() + ", which many share.",
                        "Make it on a thread that may wait, or use the futures.");
            }
        }
    }
}
