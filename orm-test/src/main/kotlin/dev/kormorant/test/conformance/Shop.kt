package dev.kormorant.test.conformance

import org.jetbrains.exposed.v1.core.ReferenceOption
import org.jetbrains.exposed.v1.core.Table
import org.jetbrains.exposed.v1.core.dao.id.IntIdTable
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.javatime.CurrentDateTime
import org.jetbrains.exposed.v1.javatime.date
import org.jetbrains.exposed.v1.javatime.datetime
import java.math.BigDecimal

// Twelve tables as a shop has them: a tree, a circle, links with two keys, and a key of two columns that another table refers to.

internal object Customers : LongIdTable("customer") {
    val email = varchar("email", 120).uniqueIndex()
    val name = varchar("name", 80).index()
    val active = bool("active").default(true)

    /** Addresses belong to a customer: the two tables refer to each other. */
    val billing = optReference("billing_id", Addresses, onDelete = ReferenceOption.SET_NULL)
    val since = datetime("since").defaultExpression(CurrentDateTime)
}

internal object Addresses : LongIdTable("address") {
    val customer = reference("customer_id", Customers, onDelete = ReferenceOption.CASCADE)
    val street = varchar("street", 120)
    val postcode = char("postcode", 8)
    val country = char("country", 2).default("AT")
}

internal object Categories : IntIdTable("category") {
    val parent = optReference("parent_id", Categories)
    val title = varchar("title", 60)

    init {
        uniqueIndex("category_path", parent, title)
    }
}

internal object Products : LongIdTable("product") {
    val sku = varchar("sku", 32).uniqueIndex("product_sku")
    val category = reference("category_id", Categories, onDelete = ReferenceOption.RESTRICT).index()
    val title = varchar("title", 200)
    val description = text("description").nullable()
    val weight = double("weight").nullable()
}

internal object Prices : LongIdTable("price") {
    val product = reference("product_id", Products, onDelete = ReferenceOption.CASCADE)
    val from = date("valid_from")
    val amount = decimal("amount", 12, 2).default(BigDecimal("0.00"))
    val currency = char("currency", 3).default("EUR")

    init {
        uniqueIndex(product, from)
    }
}

internal object Labels : IntIdTable("label") {
    val name = varchar("name", 40).uniqueIndex()
}

internal object ProductLabels : Table("product_label") {
    val product = reference("product_id", Products, onDelete = ReferenceOption.CASCADE)
    val label = reference("label_id", Labels, onDelete = ReferenceOption.CASCADE)
    override val primaryKey = PrimaryKey(product, label)
}

internal object Warehouses : IntIdTable("warehouse") {
    val name = varchar("name", 60)
    val capacity = integer("capacity").nullable()
}

internal object Stock : Table("stock") {
    val warehouse = reference("warehouse_id", Warehouses)
    val product = reference("product_id", Products)
    val amount = integer("amount").default(0)
    override val primaryKey = PrimaryKey(warehouse, product, name = "stock_key")
}

internal object Orders : LongIdTable("orders") {
    val customer = reference("customer_id", Customers)
    val shipTo = reference("ship_to", Addresses)
    val state = enumerationByName<State>("state", 12).default(State.OPEN).index()
    val placed = datetime("placed").defaultExpression(CurrentDateTime)

    enum class State { OPEN, PAID, SHIPPED }
}

internal object OrderLines : Table("order_line") {
    val order = reference("order_id", Orders, onDelete = ReferenceOption.CASCADE)
    val line = integer("line")
    val product = reference("product_id", Products)
    val quantity = integer("quantity").default(1)
    val price = decimal("price", 12, 2)
    override val primaryKey = PrimaryKey(order, line)
}

internal object Returns : LongIdTable("returned") {
    val order = long("order_id")
    val line = integer("line")
    val reason = text("reason").default("")

    init {
        foreignKey(order to OrderLines.order, line to OrderLines.line, onDelete = ReferenceOption.CASCADE)
    }
}

/** In no order. */
internal val SHOP: Array<Table> =
    arrayOf(Returns, OrderLines, ProductLabels, Prices, Stock, Orders, Products, Addresses, Customers, Labels, Categories, Warehouses)
