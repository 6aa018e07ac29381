package dev.kormorant

import dev.kormorant.driver.SqlStatement
import dev.kormorant.internal.ExposedBridge
import org.jetbrains.exposed.v1.core.Table

/** Tables as objects of the database. Every function runs on the database of the calling coroutine. */
public object Schema {
    /**
     * Creates what is missing of [tables], with their sequences, indices and constraints, referenced tables first whatever the order
     * of the arguments. Tables that are there already are left alone. Where the database has transactional DDL, all of it or nothing.
     */
    public suspend fun create(vararg tables: Table): Unit = runAll { bridge -> createStatements(bridge, tables.asList()) }

    /** Drops [tables] if they are there, referencing tables first whatever the order of the arguments. */
    public suspend fun drop(vararg tables: Table): Unit = runAll { bridge -> dropStatements(bridge, tables.asList()) }

    /** The statements [create] would run, in order; none of them is run. */
    public suspend fun createStatements(vararg tables: Table): List<String> =
        createStatements(Database.current().openBridge(), tables.asList())

    /** The statements [drop] would run, in order; none of them is run. */
    public suspend fun dropStatements(vararg tables: Table): List<String> =
        dropStatements(Database.current().openBridge(), tables.asList())

    private suspend fun runAll(statements: (ExposedBridge) -> List<String>) {
        val database = Database.current()
        val bridge = database.openBridge()
        val all = statements(bridge)
        suspend fun run() = all.forEach { database.run(SqlStatement(it, reusable = false)) }
        if (bridge.dialect.transactionalDdl && all.size > 1) database.transaction { run() } else run()
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
