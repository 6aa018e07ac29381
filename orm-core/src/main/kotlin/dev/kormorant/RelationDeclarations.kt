package dev.kormorant

import org.jetbrains.exposed.v1.core.Column
import org.jetbrains.exposed.v1.core.Table

// How relations are declared. A column must be a foreign key, of any unique column of the other table. Where the key is several
// columns, the table takes the place of the column if it has one such key only; else the columns are named.

/** `val author by User referencedOn Posts.author`: the one model that a column refers to. */
public infix fun <ID : Any, M : Model<ID>, K : Any> ModelClass<ID, M>.referencedOn(column: Column<K>): Reference<ID, M> = Reference(itself, listOf(column))

/** The one model that a foreign key of [table] refers to, the only one to this class. */
public infix fun <ID : Any, M : Model<ID>> ModelClass<ID, M>.referencedOn(table: Table): Reference<ID, M> = Reference(itself, table.keyTo(this))

/** The one model that a foreign key of several columns refers to. */
public fun <ID : Any, M : Model<ID>> ModelClass<ID, M>.referencedOn(vararg columns: Column<*>): Reference<ID, M> = Reference(itself, columns.asList())

/** `val editor by User optionalReferencedOn Posts.editor`: the model that a nullable column refers to, or none. */
public infix fun <ID : Any, M : Model<ID>, K : Any> ModelClass<ID, M>.optionalReferencedOn(column: Column<K?>): OptionalReference<ID, M> =
    OptionalReference(itself, listOf(column))

/** The model that a foreign key of [table] refers to, the only one to this class, or none if one of its columns is NULL. */
public infix fun <ID : Any, M : Model<ID>> ModelClass<ID, M>.optionalReferencedOn(table: Table): OptionalReference<ID, M> =
    OptionalReference(itself, table.keyTo(this))

/** The model that a foreign key of several columns refers to, or none if one of them is NULL. */
public fun <ID : Any, M : Model<ID>> ModelClass<ID, M>.optionalReferencedOn(vararg columns: Column<*>): OptionalReference<ID, M> =
    OptionalReference(itself, columns.asList())

/** `val posts by Post referrersOn Posts.author`: the models whose column refers to this one. */
public infix fun <M : Model<*>> ModelClass<*, M>.referrersOn(column: Column<*>): Referrers<M> = Referrers(itself, listOf(column))

/** The models whose foreign key of several [columns] refers to this one. */
public fun <M : Model<*>> ModelClass<*, M>.referrersOn(vararg columns: Column<*>): Referrers<M> = Referrers(itself, columns.asList())

/** `val edited by Post optionalReferrersOn Posts.editor`: the models whose nullable column refers to this one. */
public infix fun <M : Model<*>, K : Any> ModelClass<*, M>.optionalReferrersOn(column: Column<K?>): Referrers<M> = Referrers(itself, listOf(column))

/** `val profile by Profile backReferencedOn Profiles.user`: the one model whose column refers to this one; the column should be unique. */
public infix fun <M : Model<*>> ModelClass<*, M>.backReferencedOn(column: Column<*>): BackReference<M> = BackReference(itself, listOf(column))

/** The one model whose foreign key of several [columns] refers to this one. */
public fun <M : Model<*>> ModelClass<*, M>.backReferencedOn(vararg columns: Column<*>): BackReference<M> = BackReference(itself, columns.asList())

/** `val profile by Profile optionalBackReferencedOn Profiles.user`: the one model whose column refers to this one, or none. */
public infix fun <M : Model<*>> ModelClass<*, M>.optionalBackReferencedOn(column: Column<*>): OptionalBackReference<M> = OptionalBackReference(itself, listOf(column))

/** The one model whose foreign key of several [columns] refers to this one, or none. */
public fun <M : Model<*>> ModelClass<*, M>.optionalBackReferencedOn(vararg columns: Column<*>): OptionalBackReference<M> =
    OptionalBackReference(itself, columns.asList())

/**
 * `val tags by Tag via ArticleTags`: the models linked to this one by the rows of [link], which has one foreign key to each side.
 *
 * @throws IllegalArgumentException if [link] does not have just one foreign key to the target and one to another table; name the
 * columns then.
 */
public infix fun <M : Model<*>> ModelClass<*, M>.via(link: Table): ManyToMany<M> {
    val (toTarget, toSource) = link.foreignKeys.partition { it.targetTable == table }
    require(toTarget.size == 1 && toSource.size == 1) {
        "${link.tableName} must have one foreign key to ${table.tableName} and one to another table; otherwise use via(source, target)."
    }
    return ManyToMany(itself, toSource.single().from.toList(), toTarget.single().from.toList())
}

/** [via] with the columns of the link table named: [source] refers to the model that has the property, [target] to the others. */
public fun <M : Model<*>> ModelClass<*, M>.via(source: Column<*>, target: Column<*>): ManyToMany<M> {
    require(source.table == target.table) { "Both columns must be of the link table." }
    require(source.referee != null && target.referee != null) { "Both columns must be foreign keys." }
    return ManyToMany(itself, listOf(source), listOf(target))
}

/** The columns of the only foreign key of this table to that of [target]. */
private fun Table.keyTo(target: ModelClass<*, *>): List<Column<*>> {
    val keys = foreignKeys.filter { it.targetTable == target.table }
    require(keys.size == 1) { "$tableName has ${keys.size} foreign keys to ${target.table.tableName}, not one: name the columns." }
    return keys.single().from.toList()
}
