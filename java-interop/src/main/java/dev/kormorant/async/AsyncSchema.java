package dev.kormorant.async;

import dev.kormorant.Schema;
import dev.kormorant.SchemaKt;
import dev.kormorant.async.internal.Funnel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Table;

/** Tables as objects of the database. Futures behave as {@link AsyncStatements} says. */
public final class AsyncSchema {
    private final Funnel funnel;

    AsyncSchema(Funnel funnel) {
        this.funnel = funnel;
    }

    /**
     * Creates what is missing of the tables, with their sequences, indices and constraints, referenced tables first whatever the order
     * of the arguments. Where the database has transactional DDL, all of it or nothing.
     *
     * @param tables the tables
     * @return complete when they are there
     */
    public CompletableFuture<Void> create(Table... tables) {
        return funnel.run(next -> Schema.INSTANCE.create(tables, next));
    }

    /**
     * Drops the tables if they are there, referencing tables first whatever the order of the arguments.
     *
     * @param tables the tables
     * @return complete when they are gone
     */
    public CompletableFuture<Void> drop(Table... tables) {
        return funnel.run(next -> Schema.INSTANCE.drop(tables, next));
    }

    /**
     * Looks for a table.
     *
     * @param table the table
     * @return whether it is there
     */
    public CompletableFuture<Boolean> exists(Table table) {
        return funnel.call(next -> SchemaKt.exists(table, next));
    }

    /**
     * Names of the tables, without views, in the schema that names without one are in.
     *
     * @return the names, in no particular order
     */
    public CompletableFuture<List<String>> listTables() {
        return funnel.call(next -> Schema.INSTANCE.listTables(null, next));
    }

    /**
     * The statements that {@link #create} would run; none of them is run.
     *
     * @param tables the tables
     * @return the statements in order
     */
    public CompletableFuture<List<String>> createStatements(Table... tables) {
        return funnel.call(next -> Schema.INSTANCE.createStatements(tables, next));
    }

    /**
     * The statements that {@link #drop} would run; none of them is run.
     *
     * @param tables the tables
     * @return the statements in order
     */
    public CompletableFuture<List<String>> dropStatements(Table... tables) {
        return funnel.call(next -> Schema.INSTANCE.dropStatements(tables, next));
    }
}
