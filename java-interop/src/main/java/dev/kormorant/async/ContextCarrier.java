package dev.kormorant.async;

/**
 * Carries what a thread has bound to itself, such as a trace, from the thread that makes a call to those on which the call goes on and
 * its listeners are called. The MDC of SLF4J is carried without one. For OpenTelemetry:
 *
 * <pre>{@code
 * config.carry(() -> Context.current()::makeCurrent)
 * }</pre>
 */
@FunctionalInterface
public interface ContextCarrier {
    /**
     * Takes what the current thread has. Called for each call, so be quick.
     *
     * @return binds it to other threads
     */
    Binder capture();

    /** Binds what was captured to threads, one after another. */
    @FunctionalInterface
    interface Binder {
        /**
         * Binds it to the current thread.
         *
         * @return undoes that, on the same thread; must not throw
         */
        AutoCloseable bind();
    }
}
