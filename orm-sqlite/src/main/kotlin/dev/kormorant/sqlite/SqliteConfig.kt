package dev.kormorant.sqlite

import dev.kormorant.DatabaseConfig

/** Settings of SQLite, in the block of `Database.open`; other databases pay them no heed. May be called more than once. */
public fun DatabaseConfig.sqlite(block: SqliteSettings.() -> Unit) {
    extra(SqliteSettings::class.java, ::SqliteSettings).block()
}
