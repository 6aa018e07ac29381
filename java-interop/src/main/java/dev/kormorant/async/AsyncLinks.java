package dev.kormorant.async;

import dev.kormorant.Links;
import dev.kormorant.Model;
import dev.kormorant.async.internal.Funnel;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The models linked to one model through a link table. Both sides of a link must have been saved. Changing links forgets what was
 * loaded of the relation. Futures behave as {@link AsyncStatements} says.
 *
 * @param <M> the linked model
 */
public final class AsyncLinks<M extends Model<?>> {
    private final Funnel funnel;
    private final Links<M> links;

    AsyncLinks(Funnel funnel, Links<M> links) {
        this.funnel = funnel;
        this.links = links;
    }

    /**
     * The linked models: loaded once and kept in the owner.
     *
     * @return the models, in no particular order
     */
    public CompletableFuture<List<M>> load() {
        return funnel.<List<? extends M>, List<M>>call(next -> links.invoke(next), Collections::unmodifiableList);
    }

    /**
     * Links a model, with one INSERT.
     *
     * @param model the model
     * @return complete when it is linked
     */
    public CompletableFuture<Void> add(M model) {
        return addAll(List.of(model));
    }

    /**
     * Links models, with one INSERT; with none, nothing is sent.
     *
     * @param models the models
     * @return complete when they are linked
     */
    public CompletableFuture<Void> addAll(Collection<? extends M> models) {
        return funnel.run(next -> links.add(array(models), next));
    }

    /**
     * Removes the link to a model.
     *
     * @param model the model
     * @return how many links there were
     */
    public CompletableFuture<Integer> remove(M model) {
        return removeAll(List.of(model));
    }

    /**
     * Removes the links to models, with one DELETE; with none, nothing is sent.
     *
     * @param models the models
     * @return how many links there were
     */
    public CompletableFuture<Integer> removeAll(Collection<? extends M> models) {
        return funnel.call(next -> links.remove(array(models), next));
    }

    /**
     * Makes models the linked ones, in a transaction: adds what is missing and removes the rest.
     *
     * @param models the models
     * @return complete when that is done
     */
    public CompletableFuture<Void> set(Collection<? extends M> models) {
        return funnel.run(next -> links.set(models, next));
    }

    /**
     * Removes all links of the owner, with one DELETE.
     *
     * @return how many there were
     */
    public CompletableFuture<Integer> clear() {
        return funnel.call(next -> links.clear(next));
    }

    /** An array of the class Kotlin's signature erases to. */
    @SuppressWarnings("unchecked")
    private M[] array(Collection<? extends M> models) {
        return (M[]) models.toArray(new Model<?>[0]);
    }
}
