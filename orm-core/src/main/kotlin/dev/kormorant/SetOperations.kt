package dev.kormorant

import dev.kormorant.internal.nameInSql
import org.jetbrains.exposed.v1.core.AbstractQuery
import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Expression
import org.jetbrains.exposed.v1.core.ExpressionAlias
import org.jetbrains.exposed.v1.core.ExpressionWithColumnType
import org.jetbrains.exposed.v1.core.FieldSet
import org.jetbrains.exposed.v1.core.IExpressionAlias
import org.jetbrains.exposed.v1.core.QueryBuilder
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.alias
import org.jetbrains.exposed.v1.core.vendors.ForUpdateOption
import org.jetbrains.exposed.v1.core.vendors.currentDialect

/**
 * Two queries made one: [union], [unionAll], [intersect], [except]. Its rows have the fields of the first; an expression without alias
 * is read by the expression itself all the same. A chain of operations is written without parentheses, as Exposed does, so the
 * database's own precedence decides: INTERSECT binds more tightly everywhere but on SQLite. It is sorted by columns and expressions that
 * the first query selects.
 *
 * @property operationName the SQL keyword.
 * @property secondStatement the query on the right.
 */
public sealed class SetOperation(public val operationName: String, first: AbstractQuery<*>, public val secondStatement: AbstractQuery<*>) :
    RowQuery<SetOperation>((first.targets + secondStatement.targets).distinct()) {
    /** The query on the left; its expressions have aliases, so that they have names outside. */
    public val firstStatement: AbstractQuery<*> = if (first is Query) first.copy().onFields(first.set.fields.mapIndexed(::named)) else first

    final override val set: FieldSet = firstStatement.set

    private val statements = listOf(firstStatement, secondStatement)

    init {
        for (statement in statements) {
            require(statement is RowQuery<*>) { "$operationName takes queries of this library, not ${statement.javaClass.name}." }
            require(!statement.isForUpdate()) { "FOR UPDATE is not allowed within $operationName." }
        }
        require(statements.map { it.set.realFields.size }.distinct().size == 1) { "Both queries of $operationName must have the same number of columns." }
    }

    /**
     * A set operation cannot lock rows.
     *
     * @throws IllegalArgumentException always.
     */
    override fun forUpdate(option: ForUpdateOption): SetOperation = throw IllegalArgumentException("FOR UPDATE is not allowed with $operationName.")

    override fun notForUpdate(): SetOperation = this

    override fun sources(): List<Table> = statements.flatMap { (it as RowQuery<*>).sources() }

    override fun appendTo(builder: QueryBuilder): Unit = builder {
        if (count) append("SELECT COUNT(*) FROM (")
        statements.appendTo(separator = " $operationName ") { appendOperand(it) }
        if (orderByExpressions.isNotEmpty()) {
            append(" ORDER BY ")
            orderByExpressions.appendTo { (expression, order) -> currentDialect.dataTypeProvider.precessOrderByClause(this, sortable(expression), order) }
        }
        if (limit != null || offset > 0) append(" ${currentDialect.functionProvider.queryLimitAndOffset(limit, offset, true)}")
        if (count) append(") subquery")
    }

    /** Outside the parts their tables are not known: a column goes by its bare name, an expression by the alias it was given. */
    private fun sortable(expression: Expression<*>): Expression<*> = when {
        expression is Column<*> && expression in set.fields -> BareName(expression)
        else -> set.fields.firstOrNull { it is IExpressionAlias<*> && (it.delegate === expression || expression is Column<*> && it.delegate == expression) } ?: expression
    }

    private fun QueryBuilder.appendOperand(statement: AbstractQuery<*>) {
        val isBounded = statement.orderByExpressions.isNotEmpty() || statement.limit != null || statement.offset > 0
        if (isBounded && !currentDialect.supportsSubqueryUnions) {
            throw UnsupportedByDialectException(
                "${currentDialect.name} cannot sort or limit a query within $operationName.",
                "Use it through an alias: query.alias(\"q\").selectAll().",
            )
        }
        if (isBounded) append("(")
        statement.prepareSQL(this)
        if (isBounded) append(")")
    }

    /** The same operation on [first] in place of the first query, without the clauses of the whole. */
    internal abstract fun on(first: AbstractQuery<*>): SetOperation

    override fun toCount(): SetOperation = withDistinctNames().also { it.count = true }

    /** Every field under a name of its own, as a derived table requires; the first query gives the names. */
    private fun withDistinctNames(): SetOperation = on(
        when (val first = firstStatement) {
            is Query -> first.aliased()
            is SetOperation -> first.withDistinctNames()
            else -> first
        },
    ).also { copyTo(it) }

    private class BareName(private val column: Column<*>) : Expression<Any?>() {
        override fun toQueryBuilder(queryBuilder: QueryBuilder) {
            queryBuilder.append(column.nameInSql())
        }
    }

    private companion object {
        fun named(position: Int, field: Expression<*>): Expression<*> = when (field) {
            is Column<*>, is IExpressionAlias<*> -> field
            is ExpressionWithColumnType<*> -> field.alias("exp$position")
            else -> ExpressionAlias(field, "exp$position")
        }
    }
}

/** The rows of both queries, each once. */
public class Union(first: AbstractQuery<*>, second: AbstractQuery<*>) : SetOperation("UNION", first, second) {
    /** With `false` the rows of both with their duplicates. */
    override fun withDistinct(value: Boolean): SetOperation = if (value) this else UnionAll(firstStatement, secondStatement).also { copyTo(it) }

    override fun copy(): Union = on(firstStatement).also { copyTo(it) }

    override fun on(first: AbstractQuery<*>): Union = Union(first, secondStatement)
}

/** The rows of both queries with their duplicates. */
public class UnionAll(first: AbstractQuery<*>, second: AbstractQuery<*>) : SetOperation("UNION ALL", first, second) {
    /** With `true` each row once. */
    override fun withDistinct(value: Boolean): SetOperation = if (value) Union(firstStatement, secondStatement).also { copyTo(it) } else this

    override fun copy(): UnionAll = on(firstStatement).also { copyTo(it) }

    override fun on(first: AbstractQuery<*>): UnionAll = UnionAll(first, secondStatement)
}

/** The rows that both queries return, each once. */
public class Intersect(first: AbstractQuery<*>, second: AbstractQuery<*>) : SetOperation("INTERSECT", first, second) {
    /** Changes nothing: the rows are distinct. */
    override fun withDistinct(value: Boolean): SetOperation = this

    override fun copy(): Intersect = on(firstStatement).also { copyTo(it) }

    override fun on(first: AbstractQuery<*>): Intersect = Intersect(first, secondStatement)
}

/** The rows that the first query returns and the second does not, each once. */
public class Except(first: AbstractQuery<*>, second: AbstractQuery<*>) : SetOperation("EXCEPT", first, second) {
    /** Changes nothing: the rows are distinct. */
    override fun withDistinct(value: Boolean): SetOperation = this

    override fun copy(): Except = on(firstStatement).also { copyTo(it) }

    override fun on(first: AbstractQuery<*>): Except = Except(first, secondStatement)
}

/** The rows of this query and of [other], each once. */
public fun AbstractQuery<*>.union(other: Query): Union = Union(this, other)

/** The rows of this query and of [other] with their duplicates. */
public fun AbstractQuery<*>.unionAll(other: Query): UnionAll = UnionAll(this, other)

/** The rows that this query and [other] return, each once. */
public fun AbstractQuery<*>.intersect(other: Query): Intersect = Intersect(this, other)

/** The rows that this query returns and [other] does not, each once. */
public fun AbstractQuery<*>.except(other: Query): Except = Except(this, other)
