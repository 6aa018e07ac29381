package dev.kormorant.test.conformance

import dev.kormorant.UnsupportedByDialectException
import dev.kormorant.batchInsert
import dev.kormorant.delete
import dev.kormorant.deleteIgnoreWhere
import dev.kormorant.deleteWhere
import dev.kormorant.insert
import dev.kormorant.insertAndGetId
import dev.kormorant.selectAll
import dev.kormorant.update
import org.jetbrains.exposed.v1.core.Join
import org.jetbrains.exposed.v1.core.JoinType
import org.jetbrains.exposed.v1.core.eq
import org.jetbrains.exposed.v1.core.like
import org.jetbrains.exposed.v1.core.upperCase
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** Changes of the rows of a join, of a limited number of rows, and of those that no constraint protects. */
public abstract class JoinChangeSuite(backend: Backend) : Suite(backend, Users, Tweets) {
    private val tweetsOfUsers: Join get() = Tweets.join(Users, JoinType.INNER, Tweets.author, Users.id)

    private suspend fun tweets() {
        val (ann, bob) = listOf("ann", "bob").map { user -> Users.insertAndGetId { it[name] = user } }
        Tweets.batchInsert(listOf(ann to "a1", ann to "a2", bob to "b1")) { (user, words) ->
            this[Tweets.author] = user
            this[Tweets.text] = words
        }
    }

    private suspend fun texts() = Tweets.selectAll().orderBy(Tweets.id).toList().map { it[Tweets.text] }

    @Test
    public fun `an update of a join counts the rows that match, changed or not`(): Unit = test {
        needs(can.joinChanges, "UPDATE of a join")
        tweets()
        assertEquals(2, tweetsOfUsers.update({ Users.name eq "ann" }) { it[Tweets.text] = "new" })
        assertEquals(2, tweetsOfUsers.update({ Users.name eq "ann" }) { it[Tweets.text] = "new" })
        assertEquals(listOf("new", "new", "b1"), texts())
        assertEquals(3, tweetsOfUsers.update { it[Tweets.text] = Users.name.upperCase() })
        assertEquals(listOf("ANN", "ANN", "BOB"), texts())
    }

    @Test
    public fun `a delete from a join deletes from the tables that are named`(): Unit = test {
        needs(can.joinChanges, "DELETE from a join")
        tweets()
        assertEquals(2, tweetsOfUsers.delete(Tweets) { Users.name eq "ann" })
        assertEquals(listOf("b1"), texts())
        assertEquals(2, Users.selectAll().count())
        assertEquals(1, tweetsOfUsers.delete(Tweets))
    }

    @Test
    public fun `changes of a join are refused where there are none`(): Unit = test {
        needs(!can.joinChanges, "want of changes of a join")
        val statements = statementsOf {
            assertFails<UnsupportedByDialectException> { tweetsOfUsers.update({ Users.name eq "ann" }) { it[Tweets.text] = "new" } }
            assertFails<UnsupportedByDialectException> { tweetsOfUsers.delete(Tweets) { Users.name eq "ann" } }
        }
        assertEquals(emptyList<String>(), statements)
    }

    @Test
    public fun `a limit bounds how many rows are changed, or is refused`(): Unit = test {
        tweets()
        if (can.updateLimit) {
            assertEquals(2, Tweets.update({ Tweets.text like "%" }, limit = 2) { it[text] = "new" })
            assertEquals(1, texts().count { it != "new" })
            assertEquals(1, Tweets.update(limit = 1) { it[text] = "newer" })
            assertEquals(2, Tweets.deleteWhere(limit = 2) { text like "%" })
            assertEquals(1, texts().size)
        } else {
            val statements = statementsOf {
                assertFails<UnsupportedByDialectException> { Tweets.update({ Tweets.text like "%" }, limit = 2) { it[text] = "new" } }
                assertFails<UnsupportedByDialectException> { Tweets.update(limit = 2) { it[text] = "new" } }
                assertFails<UnsupportedByDialectException> { Tweets.deleteWhere(limit = 2) { text like "%" } }
            }
            assertEquals(emptyList<String>(), statements)
        }
    }

    @Test
    public fun `a delete leaves out what a constraint protects, or is refused`(): Unit = test {
        tweets()
        Users.insert { it[name] = "silent" }
        if (can.deleteIgnore) {
            Users.deleteIgnoreWhere { name like "%" }
            assertEquals(2, Users.selectAll().count())
        } else {
            assertEquals(0, statementsOf { assertFails<UnsupportedByDialectException> { Users.deleteIgnoreWhere { name like "%" } } }.size)
        }
    }
}
