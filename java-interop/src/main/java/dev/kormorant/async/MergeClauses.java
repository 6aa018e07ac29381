package dev.kormorant.async;

import static dev.kormorant.async.KotlinFunctions.unit;

import java.util.function.Consumer;
import org.jetbrains.exposed.v1.core.Op;
import org.jetbrains.exposed.v1.core.statements.MergeStatement;

/** What a MERGE does with the rows; the first clause that fits a row is the one that holds. Valid only inside the function it is handed to. */
public final class MergeClauses {
    private final MergeStatement statement;

    MergeClauses(MergeStatement statement) {
        this.statement = statement;
    }

    /**
     * Changes rows that have a match.
     *
     * @param values gives the values, of which expressions may use columns of both sides
     * @return this
     */
    public MergeClauses whenMatchedUpdate(Consumer<Assignments> values) {
        return whenMatchedUpdate(null, values);
    }

    /**
     * Changes rows that have a match.
     *
     * @param and a further condition, or {@code null}
     * @param values gives the values
     * @return this
     */
    public MergeClauses whenMatchedUpdate(Op<Boolean> and, Consumer<Assignments> values) {
        statement.whenMatchedUpdate(and, null, unit(update -> values.accept(new Assignments(update))));
        return this;
    }

    /**
     * Deletes rows that have a match.
     *
     * @param and a further condition, or {@code null}
     * @return this
     */
    public MergeClauses whenMatchedDelete(Op<Boolean> and) {
        statement.whenMatchedDelete(and);
        return this;
    }

    /**
     * Leaves rows that have a match.
     *
     * @param and a further condition, or {@code null}
     * @return this
     */
    public MergeClauses whenMatchedDoNothing(Op<Boolean> and) {
        statement.whenMatchedDoNothing(and);
        return this;
    }

    /**
     * Inserts a row for each one of the source that has no match.
     *
     * @param values gives the values
     * @return this
     */
    public MergeClauses whenNotMatchedInsert(Consumer<Assignments> values) {
        return whenNotMatchedInsert(null, values);
    }

    /**
     * Inserts a row for each one of the source that has no match.
     *
     * @param and a further condition, or {@code null}
     * @param values gives the values
     * @return this
     */
    public MergeClauses whenNotMatchedInsert(Op<Boolean> and, Consumer<Assignments> values) {
        statement.whenNotMatchedInsert(and, false, false, unit(insert -> values.accept(new Assignments(insert))));
        return this;
    }

    /**
     * Leaves out rows of the source that have no match.
     *
     * @param and a further condition, or {@code null}
     * @return this
     */
    public MergeClauses whenNotMatchedDoNothing(Op<Boolean> and) {
        statement.whenNotMatchedDoNothing(and);
        return this;
    }
}
