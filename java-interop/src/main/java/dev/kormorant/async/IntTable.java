package dev.kormorant.async;

import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;
import org.jetbrains.exposed.v1.core.dao.id.IntIdTable;

/** A table whose id is a 4-byte integer that the database makes. Its columns are defined as {@link JavaColumns} shows. */
public abstract class IntTable extends IntIdTable implements JavaColumns {
    /** The id. */
    public final Column<EntityID<Integer>> id = getId();

    /**
     * A table with an id column called {@code id}.
     *
     * @param name name of the table
     */
    protected IntTable(String name) {
        this(name, "id");
    }

    /**
     * A table with an id column of another name.
     *
     * @param name name of the table
     * @param idName name of the id column
     */
    protected IntTable(String name, String idName) {
        super(name, idName, null);
    }
}
