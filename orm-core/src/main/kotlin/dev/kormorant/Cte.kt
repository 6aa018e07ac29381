package dev.kormorant

import dev.kormorant.internal.nameInSql
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.IColumnType
import org.jetbrains.exposed.v1.core.IExpressionAlias
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.Table

/**
 * A query under a name, `WITH name AS (…)`: a table for the length of a statement. Select from it, join it, give it an alias. A query
 * that reads it brings the WITH clause along by itself, once, before everything else; so does one that reads it in a sub-query only.
 *
 * ```
 * val large = cte("large", Orders.select(Orders.id, Orders.customer).where { Orders.total greater 1000 })
 * large.innerJoin(Customers, { large[Orders.customer] }, { Customers.id }).select(Customers.name, large[Orders.id])
 * ```
 *
 * Its columns have the names and types of the query's columns and aliases.
 */
public class Cte internal constructor(name: String, private val base: RowQuery<*>, internal val isRecursive: Boolean, private val operator: String) :
    Table(name) {
    private lateinit var step: RowQuery<*>

    private val origins: List<Expression<*>> = base.set.realFields

    override val columns: List<Column<*>> = origins.map { Column<Any?>(this, nameOf(it), typeOf(it)) }

    init {
        val names = columns.map { it.name.lowercase() }
        require(names.distinct().size == names.size) { "The columns of the query for $name must have different names: ${names.joinToString()}." }
    }

    /**
     * The column that holds [original], a column or alias of the query.
     *
     * @throws IllegalArgumentException if the query does not select it.
     */
    @Suppress("UNCHECKED_CAST")
    public operator fun <T> get(original: Expression<T>): Column<T> {
        val position = origins.indexOfFirst { it === original || (it is Column<*> && it == original) || (it is IExpressionAlias<*> && it.delegate === original) }
        require(position >= 0) { "The query for $tableName does not select that expression." }
        return columns[position] as Column<T>
    }

    internal fun recursion(query: (Cte) -> RowQuery<*>): Cte = apply {
        step = query(this)
        require(step.set.realFields.size == columns.size) { "Both queries for $tableName must have the same number of columns." }
    }

    private fun sources(): List<Table> = if (isRecursive) base.sources() + step.sources() else base.sources()

    private fun appendTo(builder: QueryBuilder): Unit = builder {
        append("${nameInSql(columns[0])}(")
        columns.appendTo { append(it.nameInSql()) }
        append(") AS (")
        base.prepareSQL(this)
        if (isRecursive) {
            append(" $operator ")
            step.prepareSQL(this)
        }
        append(")")
    }

    override fun createStatement(): List<String> = notAnObject()

    override fun modifyStatement(): List<String> = notAnObject()

    override fun dropStatement(): List<String> = notAnObject()

    private fun notAnObject(): Nothing = throw UnsupportedOperationException("$tableName is a query under a name, not a table of the database.")

    internal companion object {
        /** What can be read where the statement that is being rendered on this thread has got to. */
        private val DECLARED = ThreadLocal<Set<Cte>>()

        /** Appends by [body] a query that reads [sources], after a WITH clause for those among them that no query around it has. */
        inline fun declaring(builder: QueryBuilder, sources: List<Table>, body: () -> Unit) {
            if (sources.none { it is Cte }) return body()
            val outer = DECLARED.get().orEmpty()
            val added = LinkedHashSet<Cte>().also { collect(sources, outer, it) }
            if (added.isEmpty()) return body()
            var visible = outer
            try {
                builder.append(if (added.any { it.isRecursive }) "WITH RECURSIVE " else "WITH ")
                builder {
                    added.appendTo { cte ->
                        // Itself and those before it: one that comes later has to be declared within, where a condition reads it.
                        visible = visible + cte
                        DECLARED.set(visible)
                        cte.appendTo(this)
                    }
                }
                builder.append(" ")
                body()
            } finally {
                if (outer.isEmpty()) DECLARED.remove() else DECLARED.set(outer)
            }
        }

        /** Those that others read come before them. */
        private fun collect(sources: List<Table>, declared: Set<Cte>, into: LinkedHashSet<Cte>, visiting: Set<Cte> = emptySet()) {
            for (cte in sources.filterIsInstance<Cte>()) {
                if (cte in declared || cte in into || cte in visiting) continue
                collect(cte.sources(), declared, into, visiting + cte)
                into += cte
            }
        }

        private fun nameOf(field: Expression<*>): String = when (field) {
            is Column<*> -> field.name
            is IExpressionAlias<*> -> field.alias
            else -> throw IllegalArgumentException("An expression in a common table expression needs an alias.")
        }

        @Suppress("UNCHECKED_CAST")
        private fun typeOf(field: Expression<*>): IColumnType<Any> = when (field) {
            is ExpressionWithColumnType<*> -> field.columnType as IColumnType<Any>
            is IExpressionAlias<*> -> typeOf(field.delegate)
            else -> throw IllegalArgumentException("An expression in a common table expression needs a column type.")
        }
    }
}

/**
 * [query] under [name], as a table; see [Cte]. The query is copied: later changes of it do not matter.
 *
 * @throws IllegalArgumentException if an expression of it has no alias or no column type, or if two columns have one name.
 */
public fun cte(name: String, query: RowQuery<*>): Cte = Cte(name, query.copy(), isRecursive = false, "")

/**
 * A table that grows out of itself: [base] gives the first rows, and [step], which reads the table, is repeated on the rows of the time
 * before until it gives none.
 *
 * ```
 * val depth = intLiteral(0).alias("depth")
 * val tree = recursiveCte("tree", Staff.select(Staff.id, depth).where { Staff.boss.isNull() }) { tree ->
 *     Staff.innerJoin(tree, { boss }, { tree[Staff.id] }).select(Staff.id, tree[depth] + 1)
 * }
 * ```
 *
 * The columns are those of [base]. MySQL and MariaDB take their types, lengths included, from it as well.
 *
 * @param distinct leaves out rows that are there already, which ends a walk in a circle.
 * @throws IllegalArgumentException as [cte] does, or if the two queries have different numbers of columns.
 */
public fun recursiveCte(name: String, base: RowQuery<*>, distinct: Boolean = false, step: (Cte) -> RowQuery<*>): Cte =
    Cte(name, base.copy(), isRecursive = true, if (distinct) "UNION" else "UNION ALL").recursion(step)
