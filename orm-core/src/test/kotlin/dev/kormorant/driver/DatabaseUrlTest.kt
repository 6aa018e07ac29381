package dev.kormorant.driver

import dev.kormorant.ConfigurationException
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class DatabaseUrlTest {
    @Test
    fun `a server URL is taken apart`() {
        val url = DatabaseUrl.parse("postgresql://ann:secret@db.example:5433/shop?sslmode=require&application_name=a%20b")
        assertEquals("postgresql", url.scheme)
        assertEquals("ann", url.user)
        assertEquals("secret", url.password)
        assertEquals("db.example", url.host)
        assertEquals(5433, url.port)
        assertEquals("shop", url.database)
        assertEquals(mapOf("sslmode" to "require", "application_name" to "a b"), url.parameters)
    }

    @Test
    fun `what a URL leaves out is null or empty`() {
        val url = DatabaseUrl.parse("mysql://localhost")
        assertNull(url.user)
        assertNull(url.password)
        assertNull(url.port)
        assertEquals("", url.database)
        assertEquals(emptyMap<String, String>(), url.parameters)
    }

    @Test
    fun `a jdbc or r2dbc prefix is tolerated and the scheme is folded to lower case`() {
        assertEquals("postgresql", DatabaseUrl.parse("jdbc:PostgreSQL://h/d").scheme)
        assertEquals("mariadb", DatabaseUrl.parse("r2dbc:mariadb://h/d").scheme)
    }

    @Test
    fun `user, password and database are percent-decoded, and a plus stays a plus`() {
        val url = DatabaseUrl.parse("mysql://a%40b:p%3A%2F%2Bq+r@h/d%20b")
        assertEquals("a@b", url.user)
        assertEquals("p:/+q+r", url.password)
        assertEquals("d b", url.database)
    }

    @Test
    fun `an at sign in the password is part of it`() {
        val url = DatabaseUrl.parse("mysql://a:p@ss@h/d")
        assertEquals("p@ss", url.password)
        assertEquals("h", url.host)
    }

    @Test
    fun `an IPv6 address stands in brackets`() {
        val url = DatabaseUrl.parse("postgresql://[::1]:5432/d")
        assertEquals("::1", url.host)
        assertEquals(5432, url.port)
        assertEquals("postgresql://[::1]:5432/d", url.toString())
    }

    @Test
    fun `a file URL has a path, and its memory form`() {
        assertEquals("data/pages.db", DatabaseUrl.parse("sqlite:data/pages.db").database)
        assertEquals("/var/pages.db", DatabaseUrl.parse("sqlite:/var/pages.db").database)
        val memory = DatabaseUrl.parse("sqlite::memory:")
        assertEquals(":memory:", memory.database)
        assertNull(memory.host)
    }

    @Test
    fun `a URL that is not understood is refused without repeating it`() {
        val bad = listOf("", "no scheme", "://h/d", "postgresql:///d", "postgresql://u:secret@h:port/d", "mysql://u:secret@h:99999/d", "mysql://u:secret%zz@h/d")
        for (text in bad) {
            val error = assertThrows<ConfigurationException>(text) { DatabaseUrl.parse(text) }
            assertFalse("secret" in error.toString(), text)
            assertNotNull(error.hint, text)
        }
    }

    @Test
    fun `a URL never prints its user, password or parameters`() {
        val text = DatabaseUrl.parse("postgresql://ann:secret@h:1/d?password=other").toString()
        assertEquals("postgresql://h:1/d", text)
    }
}
