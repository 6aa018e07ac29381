package dev.kormorant

/** What becomes of the rows that refer to a deleted one, as far as its class declares relations to them; those by `via` are unlinked. */
public enum class Cascade {
    /** Nothing: the database decides, by ON DELETE or with an error. */
    NONE,

    /** A row whose reference may be NULL has it set to NULL and keeps what refers to it; others are deleted with what refers to them. */
    NULLIFY,

    /** All are deleted, with what refers to them, all levels down. */
    DELETE,
}
