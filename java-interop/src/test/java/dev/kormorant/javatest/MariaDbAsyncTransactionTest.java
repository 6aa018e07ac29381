package dev.kormorant.javatest;

import dev.kormorant.test.ServerKind;

class MariaDbAsyncTransactionTest extends AsyncTransactionSuite {
    private String url;

    @Override
    String url() {
        if (url == null) url = ServerSuite.create(ServerKind.MARIADB, "java_transactions");
        return url;
    }
}
