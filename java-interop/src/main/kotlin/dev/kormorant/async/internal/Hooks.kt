package dev.kormorant.async.internal

import dev.kormorant.Database
import dev.kormorant.Model
import dev.kormorant.ModelHooks
import dev.kormorant.Registration
import dev.kormorant.Violations
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.future.await
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.function.BiConsumer
import java.util.function.BiFunction
import java.util.function.Consumer

/** A hook that is a function of Java's: it ends when its stage does, and what it calls on its funnel runs where the hook does. */
internal class Hook<M : Model<*>>(private val function: BiFunction<Funnel, in M, out CompletionStage<*>?>) {
    suspend fun run(model: M) {
        val context = currentCoroutineContext()
        coroutineScope {
            val funnel = Funnel(checkNotNull(context[Database]), this, "hook", context[Carried]?.carriers.orEmpty())
            try {
                function.apply(funnel, model)?.await()
            } catch (error: CompletionException) {
                throw error.cause ?: error
            }
            funnel.finish()
        }
    }
}

/** The registrations, whose functions Java cannot write. */
internal object Hooks {
    @JvmStatic
    fun <M : Model<*>> beforeSave(hooks: ModelHooks<M>, hook: Hook<M>): Registration = hooks.beforeSave { hook.run(it) }

    @JvmStatic
    fun <M : Model<*>> check(hooks: ModelHooks<M>, check: BiConsumer<in Violations, in M>): Registration = hooks.validate { check.accept(this, it) }

    @JvmStatic
    fun <M : Model<*>> afterSave(hooks: ModelHooks<M>, afterInsert: Hook<M>, afterUpdate: Hook<M>): Registration =
        hooks.afterSave { model, created -> (if (created) afterInsert else afterUpdate).run(model) }

    @JvmStatic
    fun <M : Model<*>> beforeDelete(hooks: ModelHooks<M>, hook: Hook<M>): Registration = hooks.beforeDelete { hook.run(it) }

    @JvmStatic
    fun <M : Model<*>> afterDelete(hooks: ModelHooks<M>, hook: Hook<M>): Registration = hooks.afterDelete { hook.run(it) }

    @JvmStatic
    fun <M : Model<*>> onLoad(hooks: ModelHooks<M>, hook: Hook<M>): Registration = hooks.onLoad { hook.run(it) }

    @JvmStatic
    fun <M : Model<*>> afterCommit(hooks: ModelHooks<M>, action: Consumer<in M>): Registration = hooks.afterCommit { action.accept(it) }
}
