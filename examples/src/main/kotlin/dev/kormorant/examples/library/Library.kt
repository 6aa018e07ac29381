package dev.kormorant.examples.library

import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import dev.kormorant.referencedOn
import dev.kormorant.referrersOn
import kotlinx.serialization.Serializable
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

object Authors : LongIdTable("library_author") {
    val name = varchar("name", 80).uniqueIndex()
}

object Books : LongIdTable("library_book") {
    val author = reference("author_id", Authors)
    val title = varchar("title", 200)
    val published = integer("published")
}

class Author : LongModel() {
    var name by Authors.name
    val books by Book referrersOn Books.author

    companion object : LongModelClass<Author>(Authors, ::Author)
}

class Book : LongModel() {
    var title by Books.title
    var published by Books.published
    val author by Author referencedOn Books.author

    companion object : LongModelClass<Book>(Books, ::Book)
}

/** An author as clients see it. */
@Serializable
data class AuthorView(val id: Long, val name: String, val books: List<BookView>)

@Serializable
data class BookView(val id: Long, val title: String, val published: Int)

/** A part of a list, and how long the whole list is. */
@Serializable
data class AuthorList(val page: Int, val size: Int, val total: Long, val items: List<AuthorView>)

/** What a client says of an author or a book. */
@Serializable
data class AuthorInput(val name: String)

@Serializable
data class BookInput(val title: String, val published: Int)

/** The author with its books, which must be loaded: this does no I/O. */
fun Author.view() = AuthorView(id.value, name, books.value.map { it.view() })

fun Book.view() = BookView(id.value, title, published)
