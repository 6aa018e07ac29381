package dev.kormorant.javatest;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class SqliteAsyncDatabaseTest extends AsyncDatabaseSuite {
    @TempDir
    Path directory;

    @Override
    String url() {
        return "sqlite:" + directory.resolve("test.db");
    }

    @Override
    String endlessSql() {
        return "WITH RECURSIVE endless(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless) SELECT COUNT(*) FROM endless";
    }

    @Override
    String connectionIdSql() {
        return "SELECT 1";
    }
}
