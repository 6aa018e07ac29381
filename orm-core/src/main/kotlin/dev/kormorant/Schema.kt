package dev.kormorant

import dev.kormorant.driver.SqlStatement
import dev.kormorant.driver.SqlType
import dev.kormorant.internal.ExposedBridge
import org.jetbrains.exposed.v1.core.Table

/** Tables as objects of the database. Every function runs on the database of the calling coroutine. */
public object Schema {
    /**
     * Creates what is missing of [tables], with their sequences, indices and constraints, referenced tables first whatever the order
     * of the arguments. Tables that are there already are left alone. Where the database has transactional DDL, all of it or nothing.
     */
    public suspend fun create(vararg tables: Table) {
        val database = Database.current()
        val bridge = database.openBridge()
        run(database, bridge, createStatements(bridge, missing(database, tables)))
    }

    /** Drops [tables] if they are there, referencing tables first whatever the order of the arguments. */
    public suspend fun drop(vararg tables: Table) {
        val database = Database.current()
        val bridge = database.openBridge()
        run(database, bridge, dropStatements(bridge, tables.asList()))
    }

    /** The statements [create] would run, in order; none of them is run. */
    public suspend fun createStatements(vararg tables: Table): List<String> {
        val database = Database.current()
        return createStatements(database.openBridge(), missing(database, tables))
    }

    /** The statements [drop] would run, in order; none of them is run. */
    public suspend fun dropStatements(vararg tables: Table): List<String> =
        dropStatements(Database.current().openBridge(), tables.asList())

    /** Names of the tables in [schema], without views and in no particular order; `null` is the schema that names without one are in. */
    public suspend fun listTables(schema: String? = null): List<String> = tableNames(Database.current(), schema)

    private suspend fun run(database: Database, bridge: ExposedBridge, statements: List<String>) {
        suspend fun runAll() = statements.forEach { database.run(SqlStatement(it, reusable = false)) }
        if (bridge.dialect.transactionalDdl && statements.size > 1) database.transaction { runAll() } else runAll()
    }

    private suspend fun tableNames(database: Database, schema: String?): List<String> =
        database.run(SqlStatement(database.openBridge().dialect.tableNames, listOf(SqlType.TEXT), listOf(schema))).rows.map { "${it[0]}" }

    internal suspend fun missing(database: Database, tables: Array<out Table>): List<Table> = tables.groupBy { it.schemaName }.flatMap { (schema, ofSchema) ->
        val present = tableNames(database, schema).mapTo(HashSet()) { it.lowercase() }
        ofSchema.filterNot { it.bareName().lowercase() in present }
    }

    /** The name without schema and quotes. */
    private fun Table.bareName(): String = (if (schemaName == null) tableName else tableName.substringAfterLast('.')).trim('"', '`', '\'')

    /**
     * A table and its indices come together, since a foreign key may refer to the columns of a unique index. Foreign keys of a cycle come
     * by ALTER TABLE, after all tables are there.
     */
    private fun createStatements(bridge: ExposedBridge, tables: List<Table>): List<String> = bridge.render {
        val statements = inReferenceOrder(tables).map { table -> table to table.ddl.partition { it.startsWith("CREATE ") } }
        statements.flatMap { (table, ddl) -> ddl.first + table.indices.flatMap { it.createStatement() } } + statements.flatMap { (_, ddl) -> ddl.second }
    }

    private fun dropStatements(bridge: ExposedBridge, tables: List<Table>): List<String> = bridge.render {
        inReferenceOrder(tables).asReversed().flatMap { it.dropStatement() }
    }

    /** Referenced tables before those that refer to them; within a cycle the order of the arguments. */
    private fun inReferenceOrder(tables: List<Table>): List<Table> {
        val wanted = tables.toSet()
        val ordered = LinkedHashSet<Table>()
        val visiting = HashSet<Table>()
        fun visit(table: Table) {
            if (table in ordered || !visiting.add(table)) return
            table.foreignKeys.map { it.targetTable }.filter { it in wanted }.forEach(::visit)
            ordered += table
        }
        tables.forEach(::visit)
        return ordered.toList()
    }
}

/** Whether the table is in the database of the calling coroutine. */
public suspend fun Table.exists(): Boolean = Schema.missing(Database.current(), arrayOf(this)).isEmpty()
