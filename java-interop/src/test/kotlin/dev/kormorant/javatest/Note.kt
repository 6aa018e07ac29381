package dev.kormorant.javatest

import dev.kormorant.LongModel
import dev.kormorant.LongModelClass
import org.jetbrains.exposed.v1.core.dao.id.LongIdTable

/** A table and a model as Kotlin defines them, for Java to use. */
object Notes : LongIdTable("kotlin_notes") {
    val title = varchar("title", 40)
    val parent = optReference("parent_id", this)
}

class Note : LongModel() {
    var title by Notes.title
    var parent by Notes.parent

    companion object : LongModelClass<Note>(Notes, ::Note)
}
