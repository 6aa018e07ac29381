package dev.kormorant.test

import dev.kormorant.ConfigurationException
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.opentest4j.TestAbortedException

class TestServerTest {
    private fun given(url: String) = TestServer(ServerKind.MYSQL, TestServers.endpointOf(ServerKind.MYSQL, url), null)

    @Test
    fun `a server that is not there skips the test with its reason`() {
        val server = TestServer(ServerKind.MYSQL, null, "no libaio")
        assertFalse(server.isAvailable)
        assertEquals("no libaio", server.reason)
        for (use in listOf({ server.url }, { server.port }, { server.url("x") }, { server.certificate }, { server.assumeAvailable() })) {
            assertEquals("No MySQL server: no libaio", assertThrows(TestAbortedException::class.java) { use() }.message)
        }
        assertEquals("no MySQL server: no libaio", server.toString())
    }

    @Test
    fun `the parts of a given URL are decoded`() {
        val server = given("mysql://us%40er:p%3Aa+s%2Fs@db.example:3307/shop?sslmode=require")
        assertTrue(server.isAvailable)
        assertNull(server.reason)
        assertSame(server, server.assumeAvailable())
        assertEquals("db.example", server.host)
        assertEquals(3307, server.port)
        assertEquals("us@er", server.user)
        assertEquals("p:a+s/s", server.password)
        assertEquals("shop", server.database)
    }

    @Test
    fun `the URL of another database keeps address, account and parameters`() {
        val server = given("mysql://us%40er:p%3Aa+s%2Fs@db.example:3307/shop?sslmode=require")
        assertEquals("mysql://us%40er:p%3Aa%2Bs%2Fs@db.example:3307/shop?sslmode=require", server.url)
        assertEquals("mysql://us%40er:p%3Aa%2Bs%2Fs@db.example:3307/t%20%C3%A9?sslmode=require", server.url("t é"))
        assertEquals("mysql://other:p%3Aa%2Bs%2Fs@db.example:3307/x?sslmode=require", server.url("x", "other"))
    }

    @Test
    fun `a URL without port means the usual one and IPv6 keeps its brackets`() {
        assertEquals("mysql://root:@[::1]:3306/x", given("jdbc:mysql://root@[::1]/x").url)
    }

    @Test
    fun `the text has neither account nor parameters`() {
        assertEquals("mysql://db.example:3306/shop", given("mysql://me:secret@db.example/shop?sslpassword=secret").toString())
    }

    @Test
    fun `a URL that names no user is an error that names the variable and not the URL`() {
        val error = assertThrows(ConfigurationException::class.java) { given("mysql://db.example/shop?password=secret") }
        assertTrue("KORMORANT_TEST_MYSQL" in error.message.orEmpty(), error.message)
        assertFalse("secret" in error.message.orEmpty())
    }
}
