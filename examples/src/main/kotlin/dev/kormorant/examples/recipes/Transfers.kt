package dev.kormorant.examples.recipes

import dev.kormorant.Database
import dev.kormorant.Isolation
import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.Retry
import dev.kormorant.Schema
import dev.kormorant.begin
import dev.kormorant.save
import dev.kormorant.transaction
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

object Wallets : LongIdTable("wallet") {
    val owner = varchar("owner", 40).uniqueIndex()
    val coins = integer("coins")
}

class Wallet : LongModel() {
    var owner by Wallets.owner
    var coins by Wallets.coins

    companion object : LongModelClass<Wallet>(Wallets, ::Wallet)
}

/** Transactions that get in each other's way are run again until each has had its turn. */
// region retry
suspend fun pay(from: String, to: String, amount: Int) =
    transaction(Isolation.SERIALIZABLE, retry = Retry(attempts = 50, backoff = 5.milliseconds), timeout = 30.seconds) {
        val payer = Wallet.get { Wallets.owner eq from }
        val payee = Wallet.get { Wallets.owner eq to }
        payer.coins -= amount
        payee.coins += amount
        payer.save()
        payee.save()
    }
// endregion

suspend fun payAll(db: Database) = withContext(db) {
    Schema.create(Wallets)
    for (name in listOf("Ada", "Grace")) Wallet.create { owner = name; coins = 100 }
    coroutineScope {
        repeat(10) {
            launch(Dispatchers.Default) { pay("Ada", "Grace", 5) }
            launch(Dispatchers.Default) { pay("Grace", "Ada", 3) }
        }
    }
    println("Ada ${Wallet.get { Wallets.owner eq "Ada" }.coins}, Grace ${Wallet.get { Wallets.owner eq "Grace" }.coins}")
}

/** A transaction by hand keeps what was committed when it is closed. */
// region by-hand
suspend fun import(db: Database, names: List<String>) = withContext(db) {
    Schema.create(Wallets)
    db.begin().use { tx ->
        for ((number, name) in names.withIndex()) {
            Wallet.create { owner = name; coins = 0 }
            if (number % 2 == 1) tx.commit()            // keeps them in pairs; the next statement begins again
        }
    }
    println("${Wallet.count()} wallets")                // what came after the last commit is undone
}
// endregion

suspend fun main() {
    Database.open("sqlite::memory:").use { payAll(it) }
    Database.open("sqlite::memory:").use { import(it, listOf("a", "b", "c")) }
}
