package dev.kormorant.async;

import dev.kormorant.Model;
import dev.kormorant.ModelHooks;
import dev.kormorant.Registration;
import dev.kormorant.Violations;
import dev.kormorant.async.internal.Hook;
import dev.kormorant.async.internal.Hooks;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * Where hooks around the saving, deleting and loading of models are registered: of one class ({@link ModelType#hooks}) or of all on a database
 * ({@link AsyncDatabase#hooks}). They run one after another, those of the database first, in the transaction of the caller; without one,
 * the call and its hooks are a transaction of their own. What a hook calls on the handle it gets belongs to that transaction. A stage
 * that fails, or an exception, or a failed call on the handle that nobody has asked for, fails the call and so vetoes it. Calls that
 * change many rows by one statement run no hooks.
 *
 * @param <M> the models
 */
public final class AsyncHooks<M extends Model<?>> {
    /**
     * A hook that runs after a model was written.
     *
     * @param <M> the models
     */
    @FunctionalInterface
    public interface SaveHook<M> {
        /**
         * Called in the transaction of the call that writes.
         *
         * @param handle what is called on it belongs to that transaction
         * @param model what was written
         * @param created whether the row was inserted, and not updated
         * @return a stage that is complete when the hook is done, or {@code null}
         */
        CompletionStage<?> saved(AsyncStatements handle, M model, boolean created);
    }

    private final ModelHooks<M> hooks;

    AsyncHooks(ModelHooks<M> hooks) {
        this.hooks = hooks;
    }

    /**
     * Runs a hook before a model is inserted or updated; what it sets is written along. A stage that fails, or an exception, vetoes.
     *
     * @param hook returns a stage that is complete when it is done, or {@code null}
     * @return takes the hook away when closed
     */
    public Registration beforeSave(BiFunction<? super AsyncStatements, ? super M, ? extends CompletionStage<?>> hook) {
        return Hooks.beforeSave(hooks, hook(hook));
    }

    /**
     * Runs a check before a model is inserted or updated, after all hooks. If checks reject anything, the call fails with one
     * {@code ValidationException} that has all of it, and nothing is written.
     *
     * @param check says what it finds
     * @return takes the check away when closed
     */
    public Registration check(BiConsumer<? super Violations, ? super M> check) {
        return Hooks.check(hooks, check);
    }

    /**
     * Runs a hook after a model was inserted or updated, and tells it which of the two.
     *
     * @param hook returns a stage that is complete when it is done, or {@code null}
     * @return takes the hook away when closed
     */
    public Registration afterSave(SaveHook<? super M> hook) {
        return Hooks.afterSave(
                hooks, hook((handle, model) -> hook.saved(handle, model, true)), hook((handle, model) -> hook.saved(handle, model, false)));
    }

    /**
     * Runs a hook before a model is deleted.
     *
     * @param hook returns a stage that is complete when it is done, or {@code null}
     * @return takes the hook away when closed
     */
    public Registration beforeDelete(BiFunction<? super AsyncStatements, ? super M, ? extends CompletionStage<?>> hook) {
        return Hooks.beforeDelete(hooks, hook(hook));
    }

    /**
     * Runs a hook after a model was deleted.
     *
     * @param hook returns a stage that is complete when it is done, or {@code null}
     * @return takes the hook away when closed
     */
    public Registration afterDelete(BiFunction<? super AsyncStatements, ? super M, ? extends CompletionStage<?>> hook) {
        return Hooks.afterDelete(hooks, hook(hook));
    }

    /**
     * Runs an action once for each save or delete that was committed, after the outermost commit.
     *
     * @param action should not block
     * @return takes the action away when closed
     */
    public Registration afterCommit(Consumer<? super M> action) {
        return Hooks.afterCommit(hooks, action);
    }

    /**
     * Runs a hook for each model that a query returns or a relation loads, before the caller has it. Without a transaction of the caller each
     * call on its handle is one by itself.
     *
     * @param hook returns a stage that is complete when it is done, or {@code null}
     * @return takes the hook away when closed
     */
    public Registration onLoad(BiFunction<? super AsyncStatements, ? super M, ? extends CompletionStage<?>> hook) {
        return Hooks.onLoad(hooks, hook(hook));
    }

    private Hook<M> hook(BiFunction<? super AsyncStatements, ? super M, ? extends CompletionStage<?>> function) {
        return new Hook<>((funnel, model) -> function.apply(new AsyncConnection(funnel), model));
    }
}
