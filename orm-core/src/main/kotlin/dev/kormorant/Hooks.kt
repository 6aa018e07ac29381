package dev.kormorant

import dev.kormorant.internal.LevelKind
import org.jetbrains.exposed.v1.core.Column
import java.util.concurrent.CopyOnWriteArrayList

/** A hook that has been registered; closing it takes it away. */
public fun interface Registration : AutoCloseable {
    override fun close()
}

/**
 * What runs around the saving, deleting and loading of models: of one class when called on its model class, of all classes when called
 * on [Database.modelHooks].
 *
 * Hooks suspend, and run one after another in the order of registration, those of the database first. They run in the transaction of
 * the caller; without one, save or delete and its hooks are a transaction of their own. An exception from a hook reaches the caller and
 * so vetoes what it is about. A save that has nothing to write runs none.
 *
 * They run for one model at a time: `create`, `getOrCreate`, `createOrGet`, `findByIdAndUpdate`, `save` and `delete`. What changes many
 * rows by one statement runs none: `createAll`, `updateAll`, `upsert`, `updateWhere`, `deleteWhere`, `deleteById` and the children a
 * cascade deletes.
 */
public sealed class ModelHooks<M : Model<*>> {
    internal val beforeSave = CopyOnWriteArrayList<suspend (M) -> Unit>()
    internal val validations = CopyOnWriteArrayList<suspend Violations.(M) -> Unit>()
    internal val afterSave = CopyOnWriteArrayList<suspend (M, Boolean) -> Unit>()
    internal val beforeDelete = CopyOnWriteArrayList<suspend (M) -> Unit>()
    internal val afterDelete = CopyOnWriteArrayList<suspend (M) -> Unit>()
    internal val afterCommit = CopyOnWriteArrayList<suspend (M) -> Unit>()
    internal val onLoad = CopyOnWriteArrayList<suspend (M) -> Unit>()

    internal val concernsSave: Boolean
        get() = beforeSave.isNotEmpty() || validations.isNotEmpty() || afterSave.isNotEmpty() || afterCommit.isNotEmpty()
    internal val concernsDelete: Boolean get() = beforeDelete.isNotEmpty() || afterDelete.isNotEmpty() || afterCommit.isNotEmpty()

    /** Runs [hook] before a model is inserted or updated. What it sets is written along, whatever `only` of `save` says. */
    public fun beforeSave(hook: suspend (M) -> Unit): Registration = beforeSave.register(hook)

    /**
     * Runs [check] before a model is inserted or updated, after all [beforeSave] hooks. Every check says what it finds; if there is
     * anything, one [ValidationException] with all of it is thrown and nothing is written.
     */
    public fun validate(check: suspend Violations.(M) -> Unit): Registration = validations.register(check)

    /** Runs [hook] after a row was written, with whether it was inserted. */
    public fun afterSave(hook: suspend (M, Boolean) -> Unit): Registration = afterSave.register(hook)

    /** Runs [hook] before a row is deleted, and before what a cascade deletes. */
    public fun beforeDelete(hook: suspend (M) -> Unit): Registration = beforeDelete.register(hook)

    /** Runs [hook] after a row was deleted; not if it was gone. */
    public fun afterDelete(hook: suspend (M) -> Unit): Registration = afterDelete.register(hook)

    /**
     * Runs [hook] once for each save or delete that wrote something, after the outermost transaction has been committed, outside of it;
     * never after a rollback. An exception from it reaches the caller of the transaction, whose work stays committed.
     */
    public fun afterCommit(hook: suspend (M) -> Unit): Registration = afterCommit.register(hook)

    /** Runs [hook] for each model a query returns or a relation loads, before the caller has it. Not for `wrapRow`, which cannot suspend. */
    public fun onLoad(hook: suspend (M) -> Unit): Registration = onLoad.register(hook)

    private fun <H> CopyOnWriteArrayList<H>.register(hook: H): Registration {
        add(hook)
        return Registration { remove(hook) }
    }
}

/** The hooks for the models of all classes on one database. */
public class DatabaseHooks internal constructor() : ModelHooks<Model<*>>()

/** What is wrong with a model, as the checks of [ModelHooks.validate] find it. */
public class Violations internal constructor() {
    internal val found = ArrayList<Violation>()

    /** Says that something is wrong, with the value of [column] if it is about one. The message should not repeat the value. */
    public fun reject(message: String, column: Column<*>? = null) {
        found += Violation(column, message)
    }

    /** [reject]s unless [valid]. */
    public fun check(valid: Boolean, column: Column<*>? = null, message: () -> String) {
        if (!valid) reject(message(), column)
    }
}

/** One thing that is wrong with a model. */
public class Violation internal constructor(
    /** The column it is about, if it is about one. */
    public val column: Column<*>?,
    /** What is wrong, in the words of the check. */
    public val message: String,
) {
    override fun toString(): String = if (column == null) message else "${column.name}: $message"
}

// ---- Running them

/** Runs [write], which says whether it wrote, with the hooks about saving [model] around it. */
internal suspend fun Database.saving(type: ModelClass<*, *>, model: Model<*>, created: Boolean, write: suspend () -> Boolean): Boolean {
    val hooks = hooksOf(type)
    if (hooks.none { it.concernsSave }) return write()
    return atomically(model) { transaction ->
        for (hook in hooks) hook.beforeSave.forEach { it(model) }
        val violations = Violations()
        for (hook in hooks) hook.validations.forEach { it(violations, model) }
        if (violations.found.isNotEmpty()) throw ValidationException(model, violations.found)
        write().also { written ->
            if (written) for (hook in hooks) {
                hook.afterSave.forEach { it(model, created) }
                hook.afterCommit.forEach { transaction.afterCommit { it(model) } }
            }
        }
    }
}

/** Runs [delete], which says how many rows it deleted, with the hooks about deleting [model] around it. */
internal suspend fun Database.deleting(type: ModelClass<*, *>, model: Model<*>, delete: suspend () -> Int): Int {
    val hooks = hooksOf(type)
    if (hooks.none { it.concernsDelete }) return delete()
    return atomically(model) { transaction ->
        for (hook in hooks) hook.beforeDelete.forEach { it(model) }
        delete().also { deleted ->
            if (deleted > 0) for (hook in hooks) {
                hook.afterDelete.forEach { it(model) }
                hook.afterCommit.forEach { transaction.afterCommit { it(model) } }
            }
        }
    }
}

/** Runs the hooks about loading [models]. */
internal suspend fun Database.loaded(type: ModelClass<*, *>, models: Collection<Model<*>>) {
    for (hooks in hooksOf(type)) for (hook in hooks.onLoad) for (model in models) hook(model)
}

@Suppress("UNCHECKED_CAST")
private fun Database.hooksOf(type: ModelClass<*, *>): Array<ModelHooks<Model<*>>> = arrayOf(modelHooks, type as ModelHooks<Model<*>>)

/** Runs [block] in the transaction of the caller, else in one of its own; if that fails, [model] is as it was. */
private suspend fun <T> Database.atomically(model: Model<*>, block: suspend (Transaction) -> T): T {
    currentLevel()?.takeIf { it.kind != LevelKind.CONNECTION }?.let { return block(it.transaction) }
    val restore = model.state.snapshot()
    try {
        return transaction { block(it) }
    } catch (error: Throwable) {
        restore()
        throw error
    }
}
