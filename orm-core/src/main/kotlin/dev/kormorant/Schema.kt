package dev.kormorant

import dev.kormorant.driver.Access
import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.driver.StoredColumn
import dev.kormorant.driver.TablePart
import dev.kormorant.driver.TruncatedTable
import dev.kormorant.internal.DeclaredIndex
import dev.kormorant.internal.DeclaredTable
import dev.kormorant.internal.ExposedBridge
import dev.kormorant.internal.creation
import dev.kormorant.internal.ddl
import dev.kormorant.internal.difference
import dev.kormorant.internal.haveCircle
import dev.kormorant.internal.inReferenceOrder
import dev.kormorant.internal.isInTransaction
import dev.kormorant.internal.read
import dev.kormorant.internal.readSchema
import dev.kormorant.internal.refuseImplicitCommit
import dev.kormorant.internal.runRebuild
import dev.kormorant.internal.runSchema
import org.jetbrains.exposed.v1.core.Index
import org.jetbrains.exposed.v1.core.Sequence
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.autoIncColumnType
import org.jetbrains.exposed.v1.core.Schema as DatabaseSchema
import org.jetbrains.exposed.v1.core.Transaction as Rendering

/**
 * Tables, sequences and schemas as objects of the database, and what differs between those in code and those in the database.
 *
 * Every function runs on the database of the calling coroutine, in its transaction if it is in one. Where the database has
 * transactional DDL, what one call does is done as a whole or not at all, also if the caller is cancelled. MySQL and MariaDB commit
 * after each statement: there a call inside a transaction is an [UnsupportedByDialectException] before anything is sent, unless
 * [DatabaseConfig.allowImplicitCommit] is set, and a call that fails or is cancelled leaves what it has done so far.
 */
public object Schema {
    // ---- Tables

    /**
     * Creates what is missing of [tables], with their enum types, sequences, indices and constraints, referenced tables first whatever
     * the order of the arguments; foreign keys of tables that refer to one another are added at the end. Tables that are there are
     * left alone, see [createMissing].
     *
     * @throws UnsupportedByDialectException if a table has an index or a referential action that the database does not have.
     */
    public suspend fun create(vararg tables: Table): Unit = changing { database, bridge ->
        database.runSchema(bridge, creation(database, bridge, tables.asList()))
    }

    /**
     * Drops [tables] if they are there, with the sequences they number their rows by, referencing tables first whatever the order of
     * the arguments. Enum types stay, as other tables may use them.
     *
     * @throws DatabaseException if another table refers to one of them; nothing is dropped then on PostgreSQL and SQLite.
     */
    public suspend fun drop(vararg tables: Table): Unit = changing { database, bridge ->
        if (haveCircle(tables.asList())) {
            // The references in the circle are not checked, so those from outside have to be.
            withReferring(database, bridge, tables.asList(), cascade = false)
            database.runSchema(bridge, dropping(bridge, tables.asList()), bridge.dialect.schema.keyChecks)
        } else {
            database.runSchema(bridge, dropping(bridge, tables.asList()))
        }
    }

    /** The statements [create] would run, in order; none of them is run. */
    public suspend fun createStatements(vararg tables: Table): List<String> {
        val database = Database.current()
        return creation(database, database.openBridge(), tables.asList())
    }

    /** The statements [drop] would run, in order; none of them is run. */
    public suspend fun dropStatements(vararg tables: Table): List<String> {
        val bridge = Database.current().openBridge()
        val statements = dropping(bridge, tables.asList())
        val setting = bridge.dialect.schema.keyChecks?.takeIf { haveCircle(tables.asList()) } ?: return statements
        return listOf(setting.assignment(setting.needed)) + statements + setting.assignment(setting.usual)
    }

    /** Whether [table] is in the database. */
    public suspend fun exists(table: Table): Boolean {
        val database = Database.current()
        val bridge = database.openBridge()
        return bareName(bridge, table).lowercase() in presentTables(database, bridge, table.schemaName)
    }

    /** Names of the tables in [schema], without views and in no particular order; `null` is the schema that names without one are in. */
    public suspend fun listTables(schema: String? = null): List<String> {
        val database = Database.current()
        return tableNames(database, database.openBridge(), schema)
    }

    /** The columns that [table] has in the database, in their order; empty if it is not there. */
    public suspend fun columns(table: Table): List<TableColumn> {
        val database = Database.current()
        val bridge = database.openBridge()
        val name = bareName(bridge, table)
        return database.read(bridge.dialect.schema.columns, table.schemaName).filter { it.table.equals(name, ignoreCase = true) }.map(::TableColumn)
    }

    /**
     * Deletes all rows of [tables], whatever the order of the arguments. Inside a transaction of MySQL or MariaDB it works without
     * [restartIdentity] only, and inside one of SQLite not for rows that refer to each other with RESTRICT.
     *
     * @param restartIdentity whether the next row is numbered 1 again.
     * @param cascade also empties the tables that refer to [tables], those that refer to them, and so on.
     * @throws ConstraintViolationException if another table refers to one of them and [cascade] is not given; nothing is deleted.
     */
    public suspend fun truncate(vararg tables: Table, restartIdentity: Boolean = false, cascade: Boolean = false) {
        if (tables.isEmpty()) return
        val database = Database.current()
        val bridge = database.openBridge()
        val emptied = withReferring(database, bridge, tables.asList(), cascade)
        database.runSchema(bridge, bridge.dialect.schema.truncate(emptied, restartIdentity), bridge.dialect.schema.keyChecks)
    }

    // ---- Indices and sequences

    /**
     * Creates [indices].
     *
     * @throws UnsupportedByDialectException if the database does not have such an index.
     */
    public suspend fun createIndex(vararg indices: Index): Unit = changing { database, bridge ->
        database.runSchema(bridge, bridge.render { transaction -> indices.flatMap { declared(bridge, transaction, it).create(bridge.dialect.name) } })
    }

    /** Drops [indices], which must be there. */
    public suspend fun dropIndex(vararg indices: Index): Unit = changing { database, bridge ->
        val statements = bridge.render { transaction ->
            indices.map { index ->
                val part = if (declared(bridge, transaction, index).isConstraint) TablePart.UNIQUE_CONSTRAINT else TablePart.INDEX
                bridge.dialect.schema.drop(part, transaction.identity(index.table), quoted(bridge, declared(bridge, transaction, index).name))
            }
        }
        database.runSchema(bridge, statements)
    }

    /**
     * Creates [sequences] that are not there yet.
     *
     * @throws UnsupportedByDialectException if the database has no sequences.
     */
    public suspend fun createSequence(vararg sequences: Sequence): Unit = changing { database, bridge ->
        database.runSchema(bridge, bridge.render { sequences.flatMap { it.createStatement() } })
    }

    /**
     * Drops [sequences] that are there.
     *
     * @throws UnsupportedByDialectException if the database has no sequences.
     */
    public suspend fun dropSequence(vararg sequences: Sequence): Unit = changing { database, bridge ->
        database.runSchema(bridge, bridge.render { sequences.flatMap { it.dropStatement() } })
    }

    /** Names of the sequences in [schema], those that belong to a column left out; empty where the database has none. */
    public suspend fun listSequences(schema: String? = null): List<String> {
        val database = Database.current()
        return database.read(database.openBridge().dialect.schema.sequences, schema)
    }

    /** Whether a sequence of this name is in [schema]; one of another schema does not count. */
    public suspend fun sequenceExists(name: String, schema: String? = null): Boolean = listSequences(schema).any { it.equals(name, ignoreCase = true) }

    // ---- What differs

    /**
     * Compares [tables] with the database: columns, their types, nullability, defaults, numbering and comments, primary keys, indices,
     * foreign keys, checks, enum types and sequences. Changes nothing. The metadata is read in one query per kind, whatever the number
     * of tables.
     *
     * Of a check, an index on an expression and a partial index what is compared is the columns, the literals and the comparisons in
     * it, as databases rewrite the rest. Collations, storage options and triggers are not compared.
     */
    public suspend fun difference(vararg tables: Table): SchemaDifference = compare(tables.asList(), onlyMissing = false)

    private suspend fun compare(tables: List<Table>, onlyMissing: Boolean): SchemaDifference {
        val database = Database.current()
        val bridge = database.openBridge()
        val stored = (tables.map { it.schemaName } + null).distinct().associateWith { database.readSchema(bridge.dialect.schema, it) }
        return bridge.difference(tables, stored, onlyMissing)
    }

    /**
     * Makes the changes of [difference], and with [dropExcess] drops what the code does not have. Rows stay, but for the columns that
     * are dropped.
     *
     * On PostgreSQL labels of enum types are added before everything else, in a transaction of their own unless the caller has one: they
     * can be used after it only.
     *
     * On SQLite a change that ALTER TABLE cannot make is made by a new table in place of the old one: that runs in one transaction of
     * its own and so cannot be inside another.
     *
     * @throws UnsupportedByDialectException inside a transaction that cannot hold the changes; nothing is sent.
     * @throws ConstraintViolationException if the rows do not fit.
     */
    public suspend fun apply(difference: SchemaDifference, dropExcess: Boolean = false): Unit = changing { database, bridge ->
        val changes = if (dropExcess) difference.changes + difference.excess else difference.changes
        run(database, bridge, changes)
    }

    /**
     * Adds what [tables] lack in the database: whole tables, columns, keys, indices, checks, sequences. What is there is left as it
     * is, even if it differs; only where SQLite takes a new table for something missing the rest of that table is mended with it.
     */
    public suspend fun createMissing(vararg tables: Table): Unit = changing { database, bridge ->
        run(database, bridge, compare(tables.asList(), onlyMissing = true).changes)
    }

    private suspend fun run(database: Database, bridge: ExposedBridge, changes: List<SchemaChange>) {
        // A label of an enum type can be used after the transaction that adds it.
        val (labels, others) = changes.partition { it.kind == ChangeKind.EXTEND_TYPE }
        database.runSchema(bridge, labels.flatMap { it.statements })
        val statements = others.flatMap { it.statements }
        val rebuilder = bridge.dialect.schema.rebuild?.takeIf { changes.any { change -> change.kind == ChangeKind.REBUILD_TABLE } }
        if (rebuilder == null) database.runSchema(bridge, statements) else database.runRebuild(bridge, rebuilder, statements)
    }

    // ---- Schemas and databases

    /**
     * Creates [schemas] that are not there yet; on MySQL and MariaDB a schema is a database.
     *
     * @throws UnsupportedByDialectException if the database has no schemas.
     */
    public suspend fun createSchema(vararg schemas: DatabaseSchema): Unit = changing { database, bridge ->
        database.runSchema(bridge, bridge.render { schemas.flatMap { it.createStatement() } })
    }

    /**
     * Drops [schemas] that are there.
     *
     * @param cascade drops what is in them as well; MySQL and MariaDB always do.
     * @throws UnsupportedByDialectException if the database has no schemas.
     */
    public suspend fun dropSchema(vararg schemas: DatabaseSchema, cascade: Boolean = false): Unit = changing { database, bridge ->
        database.runSchema(bridge, bridge.render { schemas.flatMap { it.dropStatement(cascade) } })
    }

    /**
     * Makes names without a schema mean those of [schema] up to the end of the transaction or pinned connection the caller is in. A
     * connection that cannot be reset afterwards is closed then and not given back to the pool.
     *
     * @throws IllegalStateException outside of both, where the next statement may run on another connection.
     * @throws UnsupportedByDialectException if the database has no schemas.
     */
    public suspend fun setSchema(schema: DatabaseSchema) {
        val database = Database.current()
        val level = checkNotNull(database.currentLevel()) { "setSchema() must be called inside transaction { } or db.connection { }." }
        val bridge = database.openBridge()
        val name = bridge.render { schema.setSchemaStatement(); schema.identifier }
        val facts = bridge.dialect.schema
        val local = if (database.isInTransaction()) facts.setSchemaInTransaction(name) else null
        if (local == null) level.session.isAltered = true
        database.run(ddl(local ?: facts.setSchema(name) ?: throw UnsupportedByDialectException("${bridge.dialect.name} has no schemas.")))
    }

    /**
     * Creates databases that are not there yet.
     *
     * @throws UnsupportedByDialectException if the dialect has one database only, or inside a transaction that cannot hold it.
     */
    public suspend fun createDatabase(vararg names: String): Unit = changing { database, bridge ->
        outsideTransaction(database, bridge)
        val present = listDatabases().mapTo(HashSet()) { it.lowercase() }
        val statements = bridge.render { names.filter { it.lowercase() !in present }.map { bridge.dialect.exposed.createDatabase(quoted(bridge, it)) } }
        statements.forEach { database.run(ddl(it)) }
    }

    /**
     * Drops databases that are there, with all that is in them.
     *
     * @throws UnsupportedByDialectException if the dialect has one database only, or inside a transaction that cannot hold it.
     */
    public suspend fun dropDatabase(vararg names: String): Unit = changing { database, bridge ->
        outsideTransaction(database, bridge)
        val present = listDatabases().mapTo(HashSet()) { it.lowercase() }
        val statements = bridge.render { names.filter { it.lowercase() in present }.map { bridge.dialect.exposed.dropDatabase(quoted(bridge, it)) } }
        statements.forEach { database.run(ddl(it)) }
    }

    /**
     * Names of all databases of the server.
     *
     * @throws UnsupportedByDialectException if the dialect has one database only.
     */
    public suspend fun listDatabases(): List<String> {
        val database = Database.current()
        val dialect = database.openBridge().dialect
        val names = dialect.schema.databaseNames
            ?: throw UnsupportedByDialectException("${dialect.name} has one database only.", "Open a Database for each.")
        return database.run(SqlStatement(names), Access.READ).rows.map { "${it[0]}" }
    }

    private suspend fun outsideTransaction(database: Database, bridge: ExposedBridge) {
        if (!database.isInTransaction() || !bridge.dialect.exposed.requiresAutoCommitOnCreateDrop) return
        throw UnsupportedByDialectException("${bridge.dialect.name} cannot create or drop a database inside a transaction.", "Do it outside of transactions.")
    }

    // ---- The way there

    /** Runs [block], unless the caller is in a transaction that the database would commit. */
    private suspend fun changing(block: suspend (Database, ExposedBridge) -> Unit) {
        val database = Database.current()
        val bridge = database.openBridge()
        database.refuseImplicitCommit(bridge)
        block(database, bridge)
    }

    private suspend fun creation(database: Database, bridge: ExposedBridge, tables: List<Table>): List<String> {
        val schemas = tables.map { it.schemaName }.distinct()
        val present = schemas.associateWith { presentTables(database, bridge, it) }
        val hasEnums = tables.any { table -> table.columns.any { it.columnType is NativeEnumColumnType<*> } }
        val types = if (hasEnums) schemas.associateWith { schema -> database.read(bridge.dialect.schema.enums, schema).mapTo(HashSet()) { it.name } } else emptyMap()
        return bridge.creation(tables, { it.name.lowercase() in present.getValue(it.table.schemaName) }, { schema, name -> name in types[schema].orEmpty() })
    }

    private fun dropping(bridge: ExposedBridge, tables: List<Table>): List<String> = bridge.render { transaction ->
        val ordered = inReferenceOrder(tables).asReversed()
        val names = ordered.map { transaction.identity(it) }
        val dropped = if (haveCircle(tables)) bridge.dialect.schema.dropCircle(names) else names.map { "DROP TABLE IF EXISTS $it" }
        dropped + ordered.flatMap { table -> table.columns.mapNotNull { it.autoIncColumnType?.sequence } }.distinctBy { it.name }.flatMap { it.dropStatement() }
    }

    private suspend fun tableNames(database: Database, bridge: ExposedBridge, schema: String?): List<String> =
        database.run(SqlStatement(bridge.dialect.tableNames, listOf(SqlType.TEXT), listOf(schema))).rows.map { "${it[0]}" }

    /** In lower case. */
    private suspend fun presentTables(database: Database, bridge: ExposedBridge, schema: String?): Set<String> =
        tableNames(database, bridge, schema).mapTo(HashSet()) { it.lowercase() }

    private fun bareName(bridge: ExposedBridge, table: Table): String = bridge.render { DeclaredTable(table, bridge, it).name }

    private fun declared(bridge: ExposedBridge, transaction: Rendering, index: Index): DeclaredIndex =
        DeclaredTable(index.table, bridge, transaction).index(index)

    private fun quoted(bridge: ExposedBridge, name: String): String = bridge.render { it.db.identifierManager.quoteIfNecessary(name) }

    /** [tables], those that refer first, and with [cascade] also all that refer to them. */
    private suspend fun withReferring(database: Database, bridge: ExposedBridge, tables: List<Table>, cascade: Boolean): List<TruncatedTable> {
        val schemas = tables.map { it.schemaName }.distinct()
        val keys = schemas.flatMap { schema -> database.read(bridge.dialect.schema.foreignKeys, schema).map { schema to it } }
        val numbered = if (cascade) schemas.flatMap { database.read(bridge.dialect.schema.columns, it) }.filter { it.autoIncrement }.mapTo(HashSet()) { it.table } else emptySet()
        return bridge.render { transaction ->
            val emptied = LinkedHashMap<String, TruncatedTable>()
            for (table in inReferenceOrder(tables)) {
                val declared = DeclaredTable(table, bridge, transaction)
                emptied[declared.name.lowercase()] = TruncatedTable(declared.identity, declared.name, table.autoIncColumn != null)
            }
            var added = true
            while (added) {
                val outside = keys.filter { (_, key) -> key.targetTable.lowercase() in emptied && key.table.lowercase() !in emptied }
                if (outside.isNotEmpty() && !cascade) {
                    val key = outside.first().second
                    throw ConstraintViolationException(
                        ConstraintKind.FOREIGN_KEY,
                        "${key.targetTable} cannot be emptied or dropped, as ${key.table} refers to it.",
                        ErrorDetails(constraint = key.name, table = key.table),
                        null,
                        "Name ${key.table} in the same call; when truncating, cascade does that.",
                    )
                }
                for ((schema, key) in outside) {
                    val identity = listOfNotNull(schema, key.table).joinToString(".") { transaction.db.identifierManager.quoteIfNecessary(it) }
                    emptied[key.table.lowercase()] = TruncatedTable(identity, key.table, key.table in numbered)
                }
                added = outside.isNotEmpty()
            }
            emptied.values.reversed()
        }
    }
}

/** A column as it is in the database. */
public class TableColumn internal constructor(stored: StoredColumn) {
    /** Its name. */
    public val name: String = stored.name

    /** Its type as the server writes it. */
    public val type: String = stored.type

    /** Whether it takes NULL. */
    public val nullable: Boolean = stored.nullable

    /** Its default as the server writes it; `null` where there is none. */
    public val default: String? = stored.default

    /** Whether the database numbers the rows by it. */
    public val autoIncrement: Boolean = stored.autoIncrement

    /** Its comment, where the database keeps comments. */
    public val comment: String? = stored.comment?.ifEmpty { null }

    override fun toString(): String = "$name $type${if (nullable) "" else " NOT NULL"}"
}

/** Whether the table is in the database of the calling coroutine. */
public suspend fun Table.exists(): Boolean = Schema.exists(this)

/** Whether the sequence is in the database of the calling coroutine, in the schema that names without one are in. */
public suspend fun Sequence.exists(): Boolean = Schema.sequenceExists(name)
