package dev.kormorant.javatest;

import dev.kormorant.async.AsyncDatabase;
import dev.kormorant.test.ServerKind;
import dev.kormorant.test.TestServers;

class MySqlAsyncModelsTest extends AsyncModelsSuite {
    private static final String DATABASE = "java_models";

    private String url;

    @Override
    String url() {
        if (url == null) {
            var server = TestServers.of(ServerKind.MYSQL).assumeAvailable();
            try (var admin = AsyncDatabase.open(server.getUrl())) {
                admin.exec("DROP DATABASE IF EXISTS " + DATABASE).thenCompose(none -> admin.exec("CREATE DATABASE " + DATABASE)).join();
            }
            url = server.url(DATABASE);
        }
        return url;
    }
}
