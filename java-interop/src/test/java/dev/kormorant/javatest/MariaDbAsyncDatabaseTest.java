package dev.kormorant.javatest;

import dev.kormorant.test.ServerKind;

class MariaDbAsyncDatabaseTest extends ServerSuite {
    @Override
    ServerKind kind() {
        return ServerKind.MARIADB;
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
