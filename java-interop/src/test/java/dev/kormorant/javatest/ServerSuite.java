package dev.kormorant.javatest;

import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.test.ServerKind;
import dev.kormorant.test.TestServers;

/** The suite on a server, in a database of its own; skipped with the reason where there is none. */
abstract class ServerSuite extends AsyncDatabaseSuite {
    private static final String DATABASE = "java_face";

    private String url;

    abstract ServerKind kind();

    @Override
    String url() {
        if (url == null) url = create();
        return url;
    }

    private String create() {
        var server = TestServers.of(kind()).assumeAvailable();
        try (var admin = AsyncDatabase.open(server.getUrl())) {
            admin.exec("DROP DATABASE IF EXISTS " + DATABASE).thenCompose(none -> admin.exec("CREATE DATABASE " + DATABASE)).join();
        }
        return server.url(DATABASE);
    }
}
