package dev.kormorant.javatest;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class SqliteAsyncTransactionTest extends AsyncTransactionSuite {
    @TempDir
    Path directory;

    @Override
    String url() {
        return "sqlite:" + directory.resolve("test.db");
    }

    @Override
    boolean hasManyWriters() {
        return false;
    }
}
