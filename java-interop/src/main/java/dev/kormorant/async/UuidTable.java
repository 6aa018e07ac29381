package dev.kormorant.async;

import java.util.UUID;
import org.jetbrains.exposed.v1.core.Column;
import org.jetbrains.exposed.v1.core.dao.id.EntityID;
import org.jetbrains.exposed.v1.core.dao.id.java.UUIDTable;

/** A table whose id is a {@link UUID} made by this program. Its columns are defined as {@link JavaColumns} shows. */
public abstract class UuidTable extends UUIDTable implements JavaColumns {
    /** The id. */
    public final Column<EntityID<UUID>> id = getId();

    /**
     * A table with an id column called {@code id}.
     *
     * @param name name of the table
     */
    protected UuidTable(String name) {
        this(name, "id");
    }

    /**
     * A table with an id column of another name.
     *
     * @param name name of the table
     * @param idName name of the id column
     */
    protected UuidTable(String name, String idName) {
        super(name, idName);
    }
}
