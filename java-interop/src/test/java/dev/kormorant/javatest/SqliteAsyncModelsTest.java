package dev.kormorant.javatest;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class SqliteAsyncModelsTest extends AsyncModelsSuite {
    @TempDir
    Path directory;

    @Override
    String url() {
        return "sqlite:" + directory.resolve("models.db");
    }
}
