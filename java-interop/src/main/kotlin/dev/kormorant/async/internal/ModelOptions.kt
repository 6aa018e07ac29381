package dev.kormorant.async.internal

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Op
import java.util.function.Supplier

/** What a Java model's type adds to its table. */
internal class ModelOptions(val version: Column<out Number>?, val scope: Supplier<Op<Boolean>>?) {
    fun versioned(column: Column<out Number>) = ModelOptions(column, scope)

    fun scoped(condition: Supplier<Op<Boolean>>) = ModelOptions(version, condition)

    companion object {
        @JvmField
        val NONE = ModelOptions(null, null)
    }
}
