package dev.kormorant.async;

import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable;

/** A table whose id is an 8-byte integer that the database makes. Its columns are defined as {@link JavaColumns} shows. */
public abstract class LongTable extends LongIdTable implements JavaColumns {
    /** The id. */
    public final Column<EntityID<Long>> id = getId();

    /**
     * A table with an id column called {@code id}.
     *
     * @param name name of the table
     */
    protected LongTable(String name) {
        this(name, "id");
    }

    /**
     * A table with an id column of another name.
     *
     * @param name name of the table
     * @param idName name of the id column
     */
    protected LongTable(String name, String idName) {
        super(name, idName, null);
    }
}
