package dev.kormorant.javatest;

import dev.kormorant.test.ServerKind;

class MySqlAsyncTransactionTest extends AsyncTransactionSuite {
    private String url;

    @Override
    String url() {
        if (url == null) url = ServerSuite.create(ServerKind.MYSQL, "java_transactions");
        return url;
    }
}
