package dev.kormorant.sqlite

import org.sqlite.Collation
import org.sqlite.Function
import org.sqlite.SQLiteConnection
import org.sqlite.core.Codes

/** A function of the user as every connection registers it anew: sqlite-jdbc keeps the connection in the object. */
internal sealed class SqliteFunction(val name: String, private val argCount: Int, private val deterministic: Boolean) {
    /** Registers it; [failed] is told what it throws, as SQLite takes a text only. */
    fun register(connection: SQLiteConnection, failed: (Throwable) -> Unit) {
        Function.create(connection, name, adapter(failed), argCount, if (deterministic) Function.FLAG_DETERMINISTIC else 0)
    }

    protected abstract fun adapter(failed: (Throwable) -> Unit): Function

    class Scalar(name: String, argCount: Int, deterministic: Boolean, private val body: (List<Any?>) -> Any?) :
        SqliteFunction(name, argCount, deterministic) {
        override fun adapter(failed: (Throwable) -> Unit): Function = object : Function() {
            override fun xFunc() = caught(failed, { error(it) }) { give(body(arguments()), Results({ result() }, { result(it) }, { result(it) }, { result(it) }, { result(it) })) }

            private fun arguments(): List<Any?> = List(args()) {
                argument(value_type(it), { value_long(it) }, { value_double(it) }, { value_text(it) }, { value_blob(it) })
            }
        }
    }

    class Aggregate<A>(
        name: String,
        argCount: Int,
        private val initial: () -> A,
        private val step: (A, List<Any?>) -> A,
        private val end: (A) -> Any?,
    ) : SqliteFunction(name, argCount, deterministic = false) {
        /** sqlite-jdbc makes a clone of the registered object for each group. */
        override fun adapter(failed: (Throwable) -> Unit): Function = object : Function.Aggregate() {
            private var group: Group<A>? = null

            override fun xStep() = caught(failed, { error(it) }) {
                val group = group ?: Group(initial()).also { group = it }
                group.state = step(group.state, arguments())
            }

            override fun xFinal() = caught(failed, { error(it) }) { give(end((group ?: Group(initial())).state), Results({ result() }, { result(it) }, { result(it) }, { result(it) }, { result(it) })) }

            private fun arguments(): List<Any?> = List(args()) {
                argument(value_type(it), { value_long(it) }, { value_double(it) }, { value_text(it) }, { value_blob(it) })
            }
        }
    }

    private class Group<A>(var state: A)

    /** The ways to return a value, which only a subclass of sqlite-jdbc's class can call. */
    protected class Results(
        val none: () -> Unit,
        val long: (Long) -> Unit,
        val double: (Double) -> Unit,
        val text: (String) -> Unit,
        val blob: (ByteArray) -> Unit,
    )

    protected fun give(value: Any?, results: Results): Unit = when (value) {
        null -> results.none()
        is Boolean -> results.long(if (value) 1 else 0)
        is Double, is Float -> results.double((value as Number).toDouble())
        is Long, is Int, is Short, is Byte -> results.long((value as Number).toLong())
        is String -> results.text(value)
        is ByteArray -> results.blob(value)
        else -> throw IllegalArgumentException("The function $name returned a ${value.javaClass.name}, which SQLite cannot store.")
    }

    protected inline fun argument(type: Int, long: () -> Long, double: () -> Double, text: () -> String, blob: () -> ByteArray): Any? = when (type) {
        Codes.SQLITE_INTEGER -> long()
        Codes.SQLITE_FLOAT -> double()
        Codes.SQLITE_TEXT -> text()
        Codes.SQLITE_BLOB -> blob()
        else -> null
    }

    /** An exception must not pass through the native code that called. */
    @Suppress("TooGenericExceptionCaught")
    protected inline fun caught(failed: (Throwable) -> Unit, error: (String) -> Unit, block: () -> Unit) {
        try {
            block()
        } catch (e: Throwable) {
            failed(e)
            error("the function $name threw ${e.javaClass.name}")
        }
    }
}

internal fun register(connection: SQLiteConnection, name: String, order: Comparator<String>) {
    Collation.create(
        connection,
        name,
        object : Collation() {
            override fun xCompare(a: String, b: String): Int = order.compare(a, b)
        },
    )
}
