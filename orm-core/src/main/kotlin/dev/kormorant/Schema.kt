package dev.kormorant

import dev.kormorant.driver.SqlStatement
import dev.kormorant.internal.ExposedBridge
import org.jetbrains.exposed.v1.core.Table

/** Tables as objects of the database. Every function runs on the database of the calling coroutine. */
public object Schema {
    /**
     * Creates what is missing of [tables], with their sequences, indices and constraints, referenced tables first whatever the order
     * of the arguments. Tables that are there already are left alone, indices included. Where the database has transactional DDL, all of it or nothing.
     */
    public suspend fun create(vararg tables: Table): Unit = runAll { bridge -> createStatements(bridge, missing(bridge, tables)) }

    /** Drops [tables] if they are there, referencing tables first whatever the order of the arguments. */
    public suspend fun drop(vararg tables: Table): Unit = runAll { bridge -> dropStatements(bridge, tables.asList()) }

    /** The statements [create] would run, in order; none of them is run. */
    public suspend fun createStatements(vararg tables: Table): List<String> {
        val bridge = Database.current().openBridge()
        return createStatements(bridge, missing(bridge, tables))
    }

    /** The statements [drop] would run, in order; none of them is run. */
    public suspend fun dropStatements(vararg tables: Table): List<String> =
        dropStatements(Database.current().openBridge(), tables.asList())

    private suspend fun runAll(statements: suspend (ExposedBridge) -> List<String>) {
        val database = Database.current()
        val bridge = database.openBridge()
        val all = statements(bridge)
        suspend fun run() = all.forEach { database.run(SqlStatement(it, reusable = false)) }
        if (bridge.dialect.transactionalDdl && all.size > 1) database.transaction { run() } else run()
    }

    /** Those of [tables] that are not there: they are asked for rows, because no two databases have the same catalogue. */
    private suspend fun missing(bridge: ExposedBridge, tables: Array<out Table>): List<Table> {
        val database = Database.current()
        suspend fun isThere(table: Table): Boolean {
            val probe = SqlStatement("SELECT 1 FROM ${bridge.render { it.identity(table) }} WHERE 1 = 0", reusable = false)
            return try {
                // A savepoint, so that a table that is missing does not abort the caller's transaction.
                if (database.currentScope() == null) database.run(probe) else database.transaction { database.run(probe) }
                true
            } catch (_: SyntaxException) {
                false
            }
        }
        return tables.filterNot { isThere(it) }
    }

    /** Foreign keys of a cycle come by ALTER TABLE, after all tables are there. */
    private fun createStatements(bridge: ExposedBridge, tables: List<Table>): List<String> = bridge.render {
        val (creating, altering) = inReferenceOrder(tables).flatMap { it.ddl }.partition { it.startsWith("CREATE ") }
        creating + tables.flatMap { table -> table.indices.flatMap { it.createStatement() } } + altering
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
