package dev.kormorant.test.conformance

import dev.kormorant.Cascade
import dev.kormorant.ConstraintKind
import dev.kormorant.ConstraintViolationException
import dev.kormorant.delete
import dev.kormorant.refresh
import dev.kormorant.save
import dev.kormorant.selectAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Deleting a model together with what refers to it. */
public abstract class CascadeSuite(backend: Backend) : Suite(backend, Nodes, Leaves, Stamps, NodeStamps, Members, Cards, Lockers, Cities, Flights) {
    private suspend fun node(nodeName: String, above: Node? = null) = Node.create {
        name = nodeName
        parent.value = above
    }

    private suspend fun leaf(on: Node) = Leaf.create {
        node.value = on
        name = "leaf of ${on.name}"
    }

    private suspend fun names() = Node.all().orderBy(Nodes.name).toList().map { it.name }

    @Test
    public fun `without a cascade the database decides (M9)`(): Unit = test {
        val root = node("root")
        leaf(root)
        assertEquals(ConstraintKind.FOREIGN_KEY, assertFails<ConstraintViolationException> { root.delete() }.kind)
        assertEquals(1, Node.count())
    }

    @Test
    public fun `NULLIFY detaches children that may be without, which keep their own, and deletes the others (M9, O11)`(): Unit = test {
        val root = node("root")
        val child = node("child", root)
        val grandchild = node("grandchild", child)
        leaf(root)
        leaf(child)
        Stamp.create { name = "red" }.let { root.stamps.add(it); child.stamps.add(it) }
        val statements = statementsOf { assertEquals(1, root.delete(Cascade.NULLIFY)) }
        assertEquals(listOf("child", "grandchild"), names())
        assertNull(Node.get(child.id).parent.id)
        assertEquals(child.id, Node.get(grandchild.id).parent.id)
        assertEquals(listOf("leaf of child"), Leaf.all().toList().map { it.name })
        assertEquals(1, Stamp.count())
        assertEquals(1, NodeStamps.selectAll().count())
        assertTrue(root.isNew)
        assertEquals(1, statements.count { it.startsWith("UPDATE") })
        assertEquals(3, statements.count { it.startsWith("DELETE") }, "$statements")
    }

    @Test
    public fun `DELETE takes the children that may be without as well, all levels down, and counts the object alone (M9)`(): Unit = test {
        val root = node("root")
        var above = root
        repeat(6) { level -> above = node("level $level", above).also { leaf(it) } }
        val other = node("other")
        leaf(other)
        val statements = statementsOf { assertEquals(1, root.delete(Cascade.DELETE)) }
        assertEquals(listOf("other"), names())
        assertEquals(1, Leaf.count())
        assertEquals("COMMIT", statements.last())
    }

    @Test
    public fun `a level takes the same statements whatever the number of its rows (M9)`(): Unit = test {
        suspend fun tree(width: Int) = node("root").also { root -> repeat(width) { leaf(node("child $it", root)) } }
        val narrow = tree(1)
        val few = statementsOf { narrow.delete(Cascade.DELETE) }
        val wide = tree(20)
        val many = statementsOf { wide.delete(Cascade.DELETE) }
        assertEquals(few.map { it.substringBefore(' ') }, many.map { it.substringBefore(' ') })
        assertEquals(0, Node.count())
    }

    @Test
    public fun `references in a circle end (M9)`(): Unit = test {
        val first = node("first")
        val second = node("second", first)
        first.parent.value = second
        first.save()
        assertEquals(1, first.delete(Cascade.DELETE))
        assertEquals(0, Node.count())
        val own = node("own")
        own.parent.value = own
        own.save()
        assertEquals(1, own.delete(Cascade.NULLIFY))
        assertEquals(0, Node.count())
    }

    @Test
    public fun `what belongs to one by a back reference is a child too (M9)`(): Unit = test {
        val ann = Member.create { email = "ann@x" }
        Card.create { member.value = ann; pin = "1" }
        Locker.create { member.value = ann; place = "left" }
        assertEquals(1, ann.delete(Cascade.NULLIFY))
        assertEquals(0, Card.count())
        assertNull(Locker.all().single().member.id)
        val bob = Member.create { email = "bob@x" }
        Locker.create { member.value = bob; place = "right" }
        assertEquals(1, bob.delete(Cascade.DELETE))
        assertEquals(listOf("left"), Locker.all().toList().map { it.place })
    }

    @Test
    public fun `a cascade that fails undoes all of it (M9)`(): Unit = test {
        val ann = Member.create { email = "ann@x" }
        Card.create { member.value = ann; pin = "1" }
        val hook = Member.beforeDelete { }.let { closing -> Member.afterDelete { error("no") }.also { closing.close() } }
        try {
            assertFails<IllegalStateException> { ann.delete(Cascade.DELETE) }
        } finally {
            hook.close()
        }
        assertEquals(1 to 1, Member.count().toInt() to Card.count().toInt())
        assertTrue(!ann.isNew)
        assertEquals(1, ann.delete(Cascade.DELETE))
    }

    @Test
    public fun `deleting a row that is gone counts 0 and its children go all the same (M9)`(): Unit = test {
        val root = node("root")
        Node.deleteById(root.id.value)
        assertEquals(0, root.delete(Cascade.DELETE))
        assertTrue(root.isNew)
        assertTrue(root.save())
        assertEquals(1, Node.count())
    }

    @Test
    public fun `a cascade that is refused at COMMIT leaves the model as it was (M9)`(): Unit = test {
        needs(can.deferredConstraints, "deferred constraints")
        val root = node("root")
        db.exec("CREATE TABLE mention (id BIGINT PRIMARY KEY, node BIGINT REFERENCES node (id) DEFERRABLE INITIALLY DEFERRED)")
        try {
            db.exec("INSERT INTO mention (id, node) VALUES (1, ${root.id})")
            assertFails<ConstraintViolationException> { root.delete(Cascade.DELETE) }
            assertTrue(!root.isNew)
            db.exec("DELETE FROM mention")
            assertEquals(1, root.delete(Cascade.DELETE))
        } finally {
            db.exec("DROP TABLE mention")
        }
    }

    @Test
    public fun `a cascade does not follow a key that is not saved yet (M9)`(): Unit = test {
        val (vienna, prague) = listOf("VIE", "PRG").map { City.create { code = it; name = it } }
        Flight.getOrCreate("OS1") { origin.value = prague; destination.value = prague }
        vienna.name = "Wien"
        vienna.code = "PRG"
        assertFails<IllegalStateException> { vienna.delete(Cascade.DELETE) }
        assertEquals(2L to 1L, City.count() to Flight.count())
        vienna.refresh()
        vienna.name = "Wien"
        assertEquals(1, vienna.delete(Cascade.DELETE))
        assertEquals(1, Flight.count())
    }
}
