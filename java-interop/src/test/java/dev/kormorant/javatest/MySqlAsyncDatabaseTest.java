package dev.kormorant.javatest;

import dev.kormorant.test.ServerKind;

class MySqlAsyncDatabaseTest extends ServerSuite {
    @Override
    ServerKind kind() {
        return ServerKind.MYSQL;
    }

    @Override
    String endlessSql() {
        return "SELECT SLEEP(3600)";
    }

    @Override
    String connectionIdSql() {
        return "SELECT CONNECTION_ID()";
    }
}
