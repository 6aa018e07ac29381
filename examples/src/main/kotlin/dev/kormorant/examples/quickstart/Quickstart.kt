package dev.kormorant.examples.quickstart

// region quickstart
import dev.kormorant.*
import kotlinx.coroutines.withContext
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable
import org.jetbrains.exposed.v1.core.eq

object Pages : LongIdTable("page_block") {
    val key = varchar("key", 40).uniqueIndex()
    val text = text("text")
}

class Page : LongModel() {
    var key by Pages.key
    var text by Pages.text

    companion object : LongModelClass<Page>(Pages, ::Page)
}

suspend fun main(args: Array<String>) {
    val url = args.firstOrNull() ?: "sqlite::memory:"                  // or sqlite:pages.db, postgresql://…, mysql://…, mariadb://…
    Database.open(url).use { db ->
        withContext(db) {
            Schema.create(Pages)
            Page.create { key = "title"; text = "Async is AWESOME" }
            val title = Page.get { Pages.key eq "title" }
            title.text = "Async is SUPER awesome"
            title.save()                                               // UPDATE of the one column that changed
            println(Page.get(title.id).text)
        }
    }
}
// endregion
