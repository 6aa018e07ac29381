package dev.kormorant.async;

/**
 * What get-or-create found or made.
 *
 * @param model the model
 * @param created whether this call created it
 * @param <M> class of the model
 */
public record GetOrCreate<M>(M model, boolean created) {}
