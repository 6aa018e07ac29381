package dev.kormorant.javatest;

import dev.kormorant.test.ServerKind;

class PostgresqlAsyncDatabaseTest extends ServerSuite {
    @Override
    ServerKind kind() {
        return ServerKind.POSTGRESQL;
    }

    @Override
    String endlessSql() {
        return "SELECT pg_sleep(3600)";
    }

    @Override
    String connectionIdSql() {
        return "SELECT pg_backend_pid()";
    }
}
