package dev.kormorant.opentelemetry

/** What a statement is about, in few words: its operation and its tables. The same for all statements of one shape. */
internal class QuerySummary private constructor(val operation: String, private val tables: List<String>) {
    /** The table, if there is one only. */
    val collection: String? get() = tables.singleOrNull()

    val text: String = (listOf(operation) + tables).joinToString(" ").take(MAX_LENGTH)

    companion object {
        private const val MAX_LENGTH = 255
        private val WORD = Regex("""\w+""")
        private val NAME = """(?:"[^"]+"|`[^`]+`|\w+)"""
        private val TABLE = Regex("""\b(?:FROM|JOIN|INTO|UPDATE|TABLE(?: IF (?:NOT )?EXISTS)?)\s+($NAME(?:\.$NAME)*)""", RegexOption.IGNORE_CASE)

        fun of(sql: String): QuerySummary {
            val operation = WORD.find(sql)?.value?.uppercase() ?: "SQL"
            val tables = TABLE.findAll(sql).map { it.groupValues[1].filterNot { char -> char == '"' || char == '`' } }
            return QuerySummary(operation, tables.distinct().toList())
        }
    }
}
