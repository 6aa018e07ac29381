package dev.kormorant.async;

import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.Table;

/** A table without an id, such as a link table. Its columns are defined as {@link JavaColumns} shows. */
public abstract class JavaTable extends Table implements JavaColumns {
    private PrimaryKey key;

    /**
     * A table.
     *
     * @param name name of the table
     */
    protected JavaTable(String name) {
        super(name);
    }

    /**
     * Makes columns the primary key; called in the constructor.
     *
     * @param first a column of this table
     * @param more further ones
     */
    protected final void primaryKey(Column<?> first, Column<?>... more) {
        key = new PrimaryKey(first, more, null);
    }

    @Override
    public PrimaryKey getPrimaryKey() {
        return key;
    }
}
