package dev.kormorant.javatest;

import dev.kormorant.test.ServerKind;

class PostgresqlAsyncTransactionTest extends AsyncTransactionSuite {
    private String url;

    @Override
    String url() {
        if (url == null) url = ServerSuite.create(ServerKind.POSTGRESQL, "java_transactions");
        return url;
    }
}
