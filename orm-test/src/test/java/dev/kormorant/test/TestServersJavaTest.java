package dev.kormorant.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.Socket;
import org.junit.jupiter.api.Test;

class TestServersJavaTest {
    @Test
    void aServerAndAProxyInFrontOfItAreThreeLines() throws Exception {
        TestServer server = TestServers.postgresql();
        try (FaultProxy proxy = new FaultProxy(server.getHost(), server.getPort());
                Socket socket = new Socket(proxy.getHost(), proxy.getPort())) {
            assertTrue(socket.isConnected());
        }
        assertEquals(ServerKind.POSTGRESQL, server.getKind());
    }
}
