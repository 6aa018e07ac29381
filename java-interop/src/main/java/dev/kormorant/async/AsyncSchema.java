package dev.kormorant.async;

import dev.kormorant.Schema;
import dev.kormorant.SchemaDifference;
import dev.kormorant.TableColumn;
import dev.kormorant.async.internal.Funnel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.exposed.v1.core.Index;
import org.jetbrains.exposed.v1.core.Sequence;
import org.jetbrains.exposed.v1.core.Table;

/**
 * Tables, sequences and schemas as objects of the database, and what differs between those in code and those in the database. Futures
 * behave as {@link AsyncStatements} says.
 *
 * <p>Where the database has transactional DDL, what one call does is done as a whole or not at all. MySQL and MariaDB commit after each
 * statement: there a call inside a transaction completes with an {@link dev.kormorant.UnsupportedByDialectException} before anything is
 * sent, unless {@link AsyncConfig#allowImplicitCommit} is set.
 */
public final class AsyncSchema {
    private final Funnel funnel;

    AsyncSchema(Funnel funnel) {
        this.funnel = funnel;
    }

    /**
     * Creates what is missing of the tables, with their enum types, sequences, indices and constraints, referenced tables first whatever
     * the order of the arguments. Tables that are there are left alone, see {@link #createMissing}.
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
     * Deletes all rows of the tables, whatever the order of the arguments, and goes on numbering.
     *
     * @param tables the tables
     * @return complete when they are empty; with a {@link dev.kormorant.ConstraintViolationException} if another table refers to one of them
     */
    public CompletableFuture<Void> truncate(Table... tables) {
        return truncate(false, false, tables);
    }

    /**
     * Deletes all rows of the tables, whatever the order of the arguments.
     *
     * @param restartIdentity whether the next row is numbered 1 again; not inside a transaction of MySQL or MariaDB
     * @param cascade whether to empty the tables that refer to them as well
     * @param tables the tables
     * @return complete when they are empty
     */
    public CompletableFuture<Void> truncate(boolean restartIdentity, boolean cascade, Table... tables) {
        return funnel.run(next -> Schema.INSTANCE.truncate(tables, restartIdentity, cascade, next));
    }

    /**
     * Looks for a table.
     *
     * @param table the table
     * @return whether it is there
     */
    public CompletableFuture<Boolean> exists(Table table) {
        return funnel.call(next -> Schema.INSTANCE.exists(table, next));
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
     * Names of the tables of a schema, without views.
     *
     * @param schema name of the schema
     * @return the names, in no particular order
     */
    public CompletableFuture<List<String>> listTables(String schema) {
        return funnel.call(next -> Schema.INSTANCE.listTables(schema, next));
    }

    /**
     * The columns that a table has in the database.
     *
     * @param table the table
     * @return the columns in their order; empty if the table is not there
     */
    public CompletableFuture<List<TableColumn>> columns(Table table) {
        return funnel.call(next -> Schema.INSTANCE.columns(table, next));
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

    /**
     * Compares the tables with the database and changes nothing.
     *
     * @param tables the tables
     * @return what would make the database what the code says, and what the code does not have
     */
    public CompletableFuture<SchemaDifference> difference(Table... tables) {
        return funnel.call(next -> Schema.INSTANCE.difference(tables, next));
    }

    /**
     * Makes the changes of a difference and drops nothing. Rows stay.
     *
     * @param difference what {@link #difference} found
     * @return complete when the changes are made
     */
    public CompletableFuture<Void> apply(SchemaDifference difference) {
        return apply(difference, false);
    }

    /**
     * Makes the changes of a difference.
     *
     * @param difference what {@link #difference} found
     * @param dropExcess whether to drop what the code does not have
     * @return complete when the changes are made
     */
    public CompletableFuture<Void> apply(SchemaDifference difference, boolean dropExcess) {
        return funnel.run(next -> Schema.INSTANCE.apply(difference, dropExcess, next));
    }

    /**
     * Adds what the tables lack in the database: whole tables, columns, keys, indices, checks, sequences. What is there is left as it is.
     *
     * @param tables the tables
     * @return complete when nothing is missing
     */
    public CompletableFuture<Void> createMissing(Table... tables) {
        return funnel.run(next -> Schema.INSTANCE.createMissing(tables, next));
    }

    /**
     * Creates indices.
     *
     * @param indices the indices
     * @return complete when they are there
     */
    public CompletableFuture<Void> createIndex(Index... indices) {
        return funnel.run(next -> Schema.INSTANCE.createIndex(indices, next));
    }

    /**
     * Drops indices, which must be there.
     *
     * @param indices the indices
     * @return complete when they are gone
     */
    public CompletableFuture<Void> dropIndex(Index... indices) {
        return funnel.run(next -> Schema.INSTANCE.dropIndex(indices, next));
    }

    /**
     * Creates sequences that are not there yet.
     *
     * @param sequences the sequences
     * @return complete when they are there
     */
    public CompletableFuture<Void> createSequence(Sequence... sequences) {
        return funnel.run(next -> Schema.INSTANCE.createSequence(sequences, next));
    }

    /**
     * Drops sequences that are there.
     *
     * @param sequences the sequences
     * @return complete when they are gone
     */
    public CompletableFuture<Void> dropSequence(Sequence... sequences) {
        return funnel.run(next -> Schema.INSTANCE.dropSequence(sequences, next));
    }

    /**
     * Names of the sequences in the schema that names without one are in, those that belong to a column left out.
     *
     * @return the names; empty where the database has no sequences
     */
    public CompletableFuture<List<String>> listSequences() {
        return funnel.call(next -> Schema.INSTANCE.listSequences(null, next));
    }

    /**
     * Looks for a sequence in the schema that names without one are in.
     *
     * @param name its name
     * @return whether it is there
     */
    public CompletableFuture<Boolean> sequenceExists(String name) {
        return funnel.call(next -> Schema.INSTANCE.sequenceExists(name, null, next));
    }

    /**
     * Creates a schema if it is not there yet; on MySQL and MariaDB a schema is a database.
     *
     * @param name its name
     * @return complete when it is there
     */
    public CompletableFuture<Void> createSchema(String name) {
        return funnel.run(next -> Schema.INSTANCE.createSchema(schemas(name), next));
    }

    /**
     * Drops a schema if it is there.
     *
     * @param name its name
     * @param cascade whether what is in it goes as well; on MySQL and MariaDB it always does
     * @return complete when it is gone
     */
    public CompletableFuture<Void> dropSchema(String name, boolean cascade) {
        return funnel.run(next -> Schema.INSTANCE.dropSchema(schemas(name), cascade, next));
    }

    /**
     * Makes names without a schema mean those of another schema up to the end of the transaction or pinned connection.
     *
     * @param name name of the schema
     * @return complete when it is so; with an {@link IllegalStateException} on a handle that is neither of them
     */
    public CompletableFuture<Void> setSchema(String name) {
        return funnel.run(next -> Schema.INSTANCE.setSchema(schemas(name)[0], next));
    }

    /**
     * Creates databases that are not there yet.
     *
     * @param names their names
     * @return complete when they are there; with an {@link dev.kormorant.UnsupportedByDialectException} on SQLite
     */
    public CompletableFuture<Void> createDatabase(String... names) {
        return funnel.run(next -> Schema.INSTANCE.createDatabase(names, next));
    }

    /**
     * Drops databases that are there, with all that is in them.
     *
     * @param names their names
     * @return complete when they are gone; with an {@link dev.kormorant.UnsupportedByDialectException} on SQLite
     */
    public CompletableFuture<Void> dropDatabase(String... names) {
        return funnel.run(next -> Schema.INSTANCE.dropDatabase(names, next));
    }

    /**
     * Names of all databases of the server.
     *
     * @return the names; with an {@link dev.kormorant.UnsupportedByDialectException} on SQLite
     */
    public CompletableFuture<List<String>> listDatabases() {
        return funnel.call(next -> Schema.INSTANCE.listDatabases(next));
    }

    private static org.jetbrains.exposed.v1.core.Schema[] schemas(String name) {
        return new org.jetbrains.exposed.v1.core.Schema[] {
            new org.jetbrains.exposed.v1.core.Schema(name, null, null, null, null, null, null)
        };
    }
}
