package dev.kormorant.javatest;

import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.test.ServerKind;
import dev.kormorant.test.TestServers;

/** The suite on a server, in a database of its own; skipped with the reason where there is none. */
abstract class ServerSuite extends AsyncDatabaseSuite {
    private String url;

    abstract ServerKind kind();

    @Override
    String url() {
        if (url == null) url = create(kind(), "java_face");
        return url;
    }

    /** The URL of an empty database of that name. */
    static String create(ServerKind kind, String name) {
        var server = TestServers.of(kind).assumeAvailable();
        try (var admin = AsyncDatabase.open(server.getUrl())) {
            admin.exec("DROP DATABASE IF EXISTS " + name).thenCompose(none -> admin.exec("CREATE DATABASE " + name)).join();
        }
        return server.url(name);
    }
}
