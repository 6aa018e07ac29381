package dev.kormorant.test.conformance

import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Model
import dev.kormorant.Registration
import dev.kormorant.ValidationException
import dev.kormorant.delete
import dev.kormorant.save
import dev.kormorant.transaction
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/** Hooks around saving, deleting and loading. */
public abstract class HookSuite(backend: Backend) : Suite(backend, Users, Tweets, Audited) {
    private val registrations = ArrayList<Registration>()
    private val heard = ArrayList<String>()

    @AfterEach
    public fun forgetHooks() {
        registrations.forEach { it.close() }
        registrations.clear()
        heard.clear()
    }

    private fun Registration.untilTheEnd() {
        registrations += this
    }

    @Test
    public fun `hooks run around a save, one after another, before and after the row is there (E1)`(): Unit = test {
        User.beforeSave { heard += "before ${User.count { Users.name eq it.name }}" }.untilTheEnd()
        User.beforeSave { delay(1); heard += "second" }.untilTheEnd()
        User.afterSave { user, created -> heard += "after ${User.count { Users.name eq user.name }} $created" }.untilTheEnd()
        val ann = User.create { name = "ann" }
        assertEquals(listOf("before 0", "second", "after 1 true"), heard)
        heard.clear()
        ann.name = "anna"
        assertTrue(ann.save())
        assertEquals(listOf("before 0", "second", "after 1 false"), heard)
    }

    @Test
    public fun `no SQL, no hook (E1)`(): Unit = test {
        val ann = User.create { name = "ann" }
        User.beforeSave { heard += "before" }.untilTheEnd()
        User.afterSave { _, _ -> heard += "after" }.untilTheEnd()
        assertQueries(0) { assertFalse(ann.save()) }
        assertEquals(emptyList<String>(), heard)
    }

    @Test
    public fun `a hook that throws vetoes, and the row and the model are as they were (E1)`(): Unit = test {
        User.afterSave { _, _ -> error("no") }.untilTheEnd()
        val ann = User.new { name = "ann" }
        assertEquals("no", assertFails<IllegalStateException> { ann.save() }.message)
        assertEquals(0, User.count())
        assertTrue(ann.isNew && ann.isDirty)
        forgetHooks()
        assertTrue(ann.save())
        User.beforeSave { error("never") }.untilTheEnd()
        ann.name = "anna"
        assertQueries(0) { assertEquals("never", assertFails<IllegalStateException> { ann.save() }.message) }
        assertTrue(ann.isDirty)
    }

    @Test
    public fun `hooks belong to the transaction of the caller (E1)`(): Unit = test {
        User.afterSave { user, _ -> if (!user.name.startsWith("shadow")) User.create { name = "shadow of ${user.name}" } }.untilTheEnd()
        transaction { tx ->
            User.create { name = "ann" }
            assertEquals(2, User.count())
            tx.setRollbackOnly()
        }
        assertEquals(0, User.count())
        User.create { name = "bob" }
        assertEquals(2, User.count())
    }

    @Test
    public fun `afterCommit runs once per save, after the outermost commit and not after a rollback (E1)`(): Unit = test {
        User.afterCommit { heard += "committed ${it.name}" }.untilTheEnd()
        transaction {
            transaction { User.create { name = "ann" } }
            assertEquals(emptyList<String>(), heard)
        }
        assertEquals(listOf("committed ann"), heard)
        transaction { tx ->
            User.create { name = "bob" }
            tx.setRollbackOnly()
        }
        assertEquals(listOf("committed ann"), heard)
        User.create { name = "cid" }.delete()
        assertEquals(listOf("committed ann", "committed cid", "committed cid"), heard)
    }

    @Test
    public fun `hooks run around a delete, but not where rows are deleted by condition (E2)`(): Unit = test {
        User.beforeDelete { heard += "before ${User.count()}" }.untilTheEnd()
        User.afterDelete { heard += "after ${User.count()}" }.untilTheEnd()
        User.create { name = "ann" }.delete()
        assertEquals(listOf("before 1", "after 0"), heard)
        val bob = User.create { name = "bob" }
        heard.clear()
        assertEquals(1, User.deleteWhere { Users.name eq "bob" })
        assertEquals(0, User.deleteById(bob.id.value))
        assertEquals(emptyList<String>(), heard)
    }

    @Test
    public fun `statements for many rows fire no hook (E1)`(): Unit = test {
        User.beforeSave { heard += "before" }.untilTheEnd()
        val users = User.createAll(listOf("ann", "bob").map { User.new { name = it } })
        users.forEach { it.name += "!" }
        User.updateAll(users, Users.name)
        User.updateWhere({ Users.name eq "ann!" }) { it[Users.name] = "ann" }
        User.upsert { name = "cid" }
        assertEquals(emptyList<String>(), heard)
        User.getOrCreate({ name = "dan" })
        User.createOrGet { name = "eve" }
        assertEquals(2, heard.size)
    }

    @Test
    public fun `hooks of the database are for all classes, and run before those of the class (E4)`(): Unit = test {
        User.beforeSave { heard += "class ${it.name}" }.untilTheEnd()
        db.modelHooks.beforeSave { model: Model<*> -> heard += "database ${model.javaClass.simpleName}" }.untilTheEnd()
        val ann = User.create { name = "ann" }
        Tweet.create { user.value = ann; text = "hello" }
        assertEquals(listOf("database User", "class ann", "database Tweet"), heard)
    }

    @Test
    public fun `a hook that is closed runs no more (E4)`(): Unit = test {
        User.beforeSave { heard += "before" }.use { User.create { name = "ann" } }
        User.create { name = "bob" }
        assertEquals(1, heard.size)
    }

    @Test
    public fun `onLoad sees each model that is read, before the caller does`(): Unit = test {
        val ann = User.create { name = "ann" }
        Tweet.create { user.value = ann; text = "hello" }
        User.onLoad { heard += it.name }.untilTheEnd()
        Tweet.onLoad { heard += it.text }.untilTheEnd()
        User.get(ann.id)
        User.all().with(User::tweets).toList()
        Tweet.all().single().user()
        assertEquals(listOf("ann", "ann", "hello", "hello", "ann"), heard)
    }

    @Test
    public fun `validation collects what all checks find, and writes nothing`(): Unit = test {
        User.validate { user ->
            check(user.name.length > 2, Users.name) { "is too short" }
            check(user.name.first().isUpperCase(), Users.name) { "must begin with a capital" }
        }.untilTheEnd()
        User.validate { user -> if (User.count() > 0) reject("is one too many: ${user.isNew}") }.untilTheEnd()
        User.createAll(listOf(User.new { name = "Zoe" }))
        val user = User.new { name = "al" }
        val error = assertFails<ValidationException> { user.save() }
        assertEquals(listOf("name: is too short", "name: must begin with a capital", "is one too many: true"), error.violations.map { "$it" })
        assertEquals(listOf(Users.name, Users.name, null), error.violations.map { it.column })
        assertTrue(error.model === user && user.isNew)
        assertEquals(1, User.count())
    }

    @Test
    public fun `validation sees what hooks have set`(): Unit = test {
        User.validate { check(it.name == it.name.trim(), Users.name) { "has spaces around it" } }.untilTheEnd()
        User.beforeSave { it.name = it.name.trim() }.untilTheEnd()
        assertEquals("ann", User.create { name = " ann " }.name)
    }

    @Test
    public fun `columns that a hook sets are written along with only (M8)`(): Unit = test {
        Note.beforeSave { it.changedBy = currentCoroutineContext()[Editor]?.name ?: "nobody" }.untilTheEnd()
        Note.beforeSave { if (it.isNew) it.createdBy = it.changedBy }.untilTheEnd()
        val note = withContext(Editor("ann")) { Note.create { text = "one"; title = "first" } }
        assertEquals("ann" to "ann", note.createdBy to note.changedBy)
        note.text = "two"
        note.title = "second"
        withContext(Editor("bob")) { assertTrue(note.save(only = setOf(Audited.text))) }
        val stored = Note.get(note.id)
        assertEquals(listOf("ann", "bob", "two", "first"), listOf(stored.createdBy, stored.changedBy, stored.text, stored.title))
        assertTrue(note.isDirty)
        note.changedBy = "nobody"
        withContext(Editor("cid")) { assertTrue(note.save(only = setOf(Audited.title))) }
        assertEquals("cid" to "second", Note.get(note.id).let { it.changedBy to it.title })
        assertFalse(note.isDirty)
    }
}

/** Who works, as a program would keep it. */
private class Editor(val name: String) : AbstractCoroutineContextElement(Editor) {
    companion object : CoroutineContext.Key<Editor>
}

internal object Audited : LongIdTable("audited") {
    val title = varchar("title", 20)
    val text = varchar("text_of", 20)
    val createdBy = varchar("created_by", 20)
    val changedBy = varchar("changed_by", 20)
}

internal class Note : LongModel() {
    var title by Audited.title
    var text by Audited.text
    var createdBy by Audited.createdBy
    var changedBy by Audited.changedBy

    companion object : LongModelClass<Note>(Audited, ::Note)
}
