package dev.kormorant.test.conformance

import dev.kormorant.insert
import dev.kormorant.selectAll

/** What a rollback is to undo. */
internal class Stop : RuntimeException("stop")

/**
 * Where two transactions write at the same time each key should be new to the table: InnoDB keeps a deleted one for a while, and who inserts
 * it again locks the gap before it.
 */
internal suspend fun addPages(vararg keys: String): Unit = keys.forEach { value -> Pages.insert { it[key] = value } }

/** Keys of the pages there are, in order. */
internal suspend fun pageKeys(): List<String> = Pages.selectAll().orderBy(Pages.key).toList().map { it[Pages.key] }
