package dev.kormorant

/** Isolation levels of the SQL standard. A database may give more than asked for; SQLite is always serializable. */
public enum class Isolation(
    /** The level as SQL spells it. */
    public val sql: String,
) {
    READ_UNCOMMITTED("READ UNCOMMITTED"),
    READ_COMMITTED("READ COMMITTED"),
    REPEATABLE_READ("REPEATABLE READ"),
    SERIALIZABLE("SERIALIZABLE"),
}
