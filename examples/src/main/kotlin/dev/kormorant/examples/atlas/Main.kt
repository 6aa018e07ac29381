package dev.kormorant.examples.atlas

import dev.kormorant.Database
import dev.kormorant.atlas.World
import dev.kormorant.atlas.import
import kotlinx.coroutines.withContext

/**
 * An atlas of the countries, currencies, languages and time zones that the JDK knows: imports them, then answers five questions.
 * Running it again adds nothing and gives the same answers.
 *
 * The argument is the URL of the database, `sqlite:atlas.db` unless given: `postgresql://user:password@host/database`,
 * `mysql://…` and `mariadb://…` do as well.
 */
suspend fun main(args: Array<String>) = Database.open(args.firstOrNull() ?: "sqlite:atlas.db").use { db ->
    withContext(db) {
        println("Importing what this JDK knows of the world into ${db.url}")
        import(World()) { what, total, added -> println("  %-22s %5d, %d new".format(what, total, added)) }
        var number = 0
        for ((question, answer) in questions) {
            println("\n${++number}. $question\n")
            println(answer().toString().prependIndent("   "))
        }
    }
}
