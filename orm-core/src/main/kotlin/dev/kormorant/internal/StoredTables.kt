package dev.kormorant.internal

import dev.kormorant.Database
import dev.kormorant.driver.Access
import dev.kormorant.driver.MetadataQuery
import dev.kormorant.driver.SchemaDialect
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.driver.StoredCheck
import dev.kormorant.driver.StoredColumn
import dev.kormorant.driver.StoredDefinition
import dev.kormorant.driver.StoredEnum
import dev.kormorant.driver.StoredForeignKey
import dev.kormorant.driver.StoredIndex
import dev.kormorant.driver.StoredPrimaryKey

/** One schema of a database as it is, read in one query per kind of metadata. */
internal class StoredSchema(
    private val columns: Map<String, List<StoredColumn>>,
    private val primaryKeys: Map<String, StoredPrimaryKey>,
    private val indices: Map<String, List<StoredIndex>>,
    val foreignKeys: Map<String, List<StoredForeignKey>>,
    private val checks: Map<String, List<StoredCheck>>,
    private val definitions: Map<String, StoredDefinition>,
    val sequences: List<String>,
    val enums: List<StoredEnum>,
) {
    /** In lower case. */
    val tableNames: Set<String> get() = columns.keys

    /** The table called [name], in whatever case; `null` if it is not there. */
    fun table(name: String): StoredTable? {
        val key = name.lowercase()
        return StoredTable(
            columns[key] ?: return null,
            primaryKeys[key],
            indices[key].orEmpty(),
            foreignKeys[key].orEmpty(),
            checks[key].orEmpty(),
            definitions[key],
        )
    }
}

/** A table as it is. */
internal class StoredTable(
    val columns: List<StoredColumn>,
    val primaryKey: StoredPrimaryKey?,
    val indices: List<StoredIndex>,
    val foreignKeys: List<StoredForeignKey>,
    val checks: List<StoredCheck>,
    val definition: StoredDefinition?,
)

/** Reads [schema]; `null` is the one that names without a schema are in. */
internal suspend fun Database.readSchema(facts: SchemaDialect, schema: String?): StoredSchema = StoredSchema(
    read(facts.columns, schema).groupBy { it.table.lowercase() },
    read(facts.primaryKeys, schema).associateBy { it.table.lowercase() },
    read(facts.indices, schema).groupBy { it.table.lowercase() },
    read(facts.foreignKeys, schema).groupBy { it.table.lowercase() },
    read(facts.checks, schema).groupBy { it.table.lowercase() },
    read(facts.rebuild?.definitions, schema).associateBy { it.table.lowercase() },
    read(facts.sequences, schema),
    read(facts.enums, schema),
)

internal suspend fun <T> Database.read(query: MetadataQuery<T>?, schema: String?): List<T> =
    if (query == null) emptyList() else query.read(run(SqlStatement(query.sql, listOf(SqlType.TEXT), listOf(schema)), Access.READ).rows)
