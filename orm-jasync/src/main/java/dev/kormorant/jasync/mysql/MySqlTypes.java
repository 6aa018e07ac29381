package dev.kormorant.jasync.mysql;

import org.jetbrains.exposed.v1.core.Expression;
import org.jetbrains.exposed.v1.core.LiteralOp;
import org.jetbrains.exposed.v1.core.TextColumnType;
import org.jetbrains.exposed.v1.core.vendors.MysqlDataTypeProvider;

/**
 * The column types of MySQL as Exposed writes them, but for the default of a TEXT column: MySQL takes it as an expression in
 * parentheses only, which any other character column takes as well.
 *
 * Written in Java because Kotlin does not see the superclass.
 */
final class MySqlTypes extends MysqlDataTypeProvider {
    @Override
    public String processForDefaultValue(Expression<?> expression) {
        String sql = super.processForDefaultValue(expression);
        return expression instanceof LiteralOp<?> literal && literal.getColumnType() instanceof TextColumnType ? "(" + sql + ")" : sql;
    }
}
