package dev.kormorant.test.conformance

import dev.kormorant.ErrorDetails
import dev.kormorant.RecordNotFoundException
import dev.kormorant.Retry
import dev.kormorant.SerializationException
import dev.kormorant.StaleModelException
import dev.kormorant.delete
import dev.kormorant.refresh
import dev.kormorant.save
import dev.kormorant.selectAll
import dev.kormorant.transaction
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Versions, row locks, and rows that are hidden. */
public abstract class LockingSuite(backend: Backend) : Suite(backend, Purses, Nodes, Papers) {
    private suspend fun purse(name: String = "ann") = Purse.create { owner = name; balance = 10 }

    @Test
    public fun `the version begins at zero and counts each change (N16)`(): Unit = test {
        val purse = purse()
        assertEquals(0, purse.version)
        purse.balance = 11
        assertQueries(1) { assertTrue(purse.save()) }
        assertEquals(1 to 1, purse.version to Purse.get(purse.id).version)
        assertQueries(0) { assertFalse(purse.save()) }
    }

    @Test
    public fun `of two writers of one version the second is stale, in memory as it was (N16)`(): Unit = test {
        val id = purse().id
        val (first, second) = List(2) { Purse.get(id) }
        first.balance = 11
        second.balance = 12
        assertTrue(first.save())
        assertTrue("Purse(id=$id)" in assertFails<StaleModelException> { second.save() }.problem)
        assertEquals(12 to 0, second.balance to second.version)
        assertTrue(second.isDirty)
        assertEquals(11, Purse.get(id).balance)
        second.refresh()
        second.balance += 1
        assertTrue(second.save())
        assertEquals(12, Purse.get(id).balance)
    }

    @Test
    public fun `a stale model cannot be deleted, and a row that is gone is stale (N16)`(): Unit = test {
        val id = purse().id
        val (first, second) = List(2) { Purse.get(id) }
        first.balance = 11
        first.save()
        assertFails<StaleModelException> { second.delete() }
        assertEquals(1, first.delete())
        second.balance = 3
        assertFails<StaleModelException> { second.save() }
    }

    @Test
    public fun `updateAll is for the versions it was given, all rows or none (N16, O9)`(): Unit = test {
        val purses = listOf("ann", "bob", "cid").map { purse(it) }
        purses.forEach { it.balance = 20 }
        assertEquals(3, Purse.updateAll(purses, Purses.balance))
        assertEquals(listOf(1, 1, 1), purses.map { it.version })
        Purse.get(purses[1].id).also { it.balance = 0 }.save()
        purses.forEach { it.balance = 30 }
        assertFails<StaleModelException> { Purse.updateAll(purses, Purses.balance) }
        assertEquals(setOf(20, 0), Purse.all().toList().map { it.balance }.toSet())
        assertTrue(purses.all { it.isDirty && it.version == 1 })
    }

    @Test
    public fun `fifty writers that try again lose no change (N16)`(): Unit = test {
        val id = purse().id.value
        (1..50).map {
            async(Dispatchers.Default) {
                while (true) {
                    val mine = Purse.get(id)
                    mine.balance += 1
                    try {
                        mine.save()
                        break
                    } catch (_: StaleModelException) {
                        continue
                    }
                }
            }
        }.awaitAll()
        assertEquals(60, Purse.get(id).balance)
    }

    @Test
    public fun `a transaction that runs again begins with the versions and ids it had (N16, U8)`(): Unit = test {
        val old = Purse.get(purse().id)
        old.balance = 11
        val fresh = Purse.new { owner = "bob" }
        var attempts = 0
        db.transaction(retry = Retry()) {
            assertTrue(fresh.isNew && old.isDirty)
            assertEquals(0, old.version)
            old.save()
            fresh.save()
            if (++attempts == 1) throw SerializationException("lost", ErrorDetails(sqlState = "40001", vendorCode = 1213), null)
        }
        assertEquals(2, attempts)
        assertEquals(1 to 1, old.version to Purse.get(old.id).version)
        assertEquals(setOf(old.id, fresh.id), Purse.all().toList().map { it.id }.toSet())
    }

    @Test
    public fun `getForUpdate makes writers of one row wait for each other (N16)`(): Unit = test {
        val id = purse().id.value
        needs(can.concurrentWriters, "second writer")
        val locked = CompletableDeferred<Unit>()
        val order = ArrayList<String>()
        val first = async(Dispatchers.Default) {
            transaction {
                val mine = Purse.getForUpdate(id)
                locked.complete(Unit)
                eventually("the other one waits") { db.pool.inUse == 2 }
                order += "first"
                mine.balance += 1
                mine.save()
            }
        }
        locked.await()
        transaction {
            val mine = Purse.getForUpdate(id)
            order += "second"
            mine.balance += 1
            mine.save()
        }
        first.await()
        assertEquals(listOf("first", "second"), order)
        assertEquals(12, Purse.get(id).balance)
    }

    @Test
    public fun `getForUpdate needs a transaction and a row (N16)`(): Unit = test {
        val id = purse().id.value
        assertFails<IllegalStateException> { Purse.getForUpdate(id) }
        transaction {
            assertEquals("ann", Purse.getForUpdate(id).owner)
            assertFails<RecordNotFoundException> { Purse.getForUpdate(0) }
        }
    }

    // ---- Rows that are hidden

    private suspend fun paper(on: Folder, words: String) = Paper.create { node.value = on; title = words }

    private suspend fun Paper.remove() {
        deleted = 1
        save()
    }

    @Test
    public fun `a default scope is in every way to read`(): Unit = test {
        val folder = Folder.create { name = "inbox" }
        val kept = paper(folder, "kept")
        val gone = paper(folder, "gone").also { it.remove() }
        assertEquals(listOf("kept"), Paper.all().toList().map { it.title })
        assertEquals(1, Paper.count())
        assertEquals(0, Paper.find { Papers.title eq "gone" }.count())
        assertEquals(listOf("kept"), Paper.find { Papers.title eq "gone" }.orWhere { Papers.title eq "kept" }.toList().map { it.title })
        assertNull(Paper.getOrNull(gone.id.value))
        assertFails<RecordNotFoundException> { Paper.get(gone.id) }
        assertFalse(Paper.exists { Papers.title eq "gone" })
        assertEquals("kept", Paper.get(kept.id).title)
        assertEquals(listOf("kept"), Folder.get(folder.id).papers().map { it.title })
        assertEquals(listOf("kept"), Folder.all().with(Folder::papers).single().papers.value.map { it.title })
        assertEquals(1, folder.papers.query.count())
        assertEquals(0, Paper.updateWhere({ Papers.title eq "gone" }) { it[Papers.title] = "back" })
        assertEquals(0, Paper.deleteWhere { Papers.title eq "gone" })
        assertTrue(Paper.getOrCreate({ title = "gone"; node.value = folder }).second)
    }

    @Test
    public fun `everything is there for those who ask for it`(): Unit = test {
        val folder = Folder.create { name = "inbox" }
        paper(folder, "kept")
        val gone = paper(folder, "gone").also { it.remove() }
        assertEquals(2, Paper.unscoped().count())
        assertEquals("gone", Paper.unscoped().where { Papers.id eq gone.id }.single().title)
        assertEquals(2, Folder.all().with(Folder::papers) { unscoped() }.single().papers.value.size)
        gone.deleted = null
        assertTrue(gone.save())
        assertEquals(2, Paper.count())
        gone.remove()
        assertEquals(1, gone.delete())
        assertEquals(1, Papers.selectAll().count())
    }
}
