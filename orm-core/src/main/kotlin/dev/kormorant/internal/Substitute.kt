package dev.kormorant.internal

import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/** The pool that a coroutine uses in place of the pools of a database, kept in its context under a key of that database. */
internal class Substitute(key: SubstituteKey, val pool: ConnectionPool) : AbstractCoroutineContextElement(key)

internal class SubstituteKey : CoroutineContext.Key<Substitute>
