package dev.kormorant.examples.atlas

/** A table for reading: text to the left, numbers to the right, each column as wide as its widest cell. */
class TextTable(private vararg val headings: String) {
    private val rows = ArrayList<List<Any>>()

    fun row(vararg cells: Any): TextTable = apply {
        require(cells.size == headings.size) { "A row of this table has ${headings.size} cells, not ${cells.size}." }
        rows += cells.asList()
    }

    override fun toString(): String {
        val widths = headings.indices.map { column -> maxOf(headings[column].length, rows.maxOfOrNull { "${it[column]}".length } ?: 0) }
        fun line(cells: List<Any>) = cells.indices.joinToString("  ") { column ->
            val text = "${cells[column]}"
            if (isNumeric(column)) text.padStart(widths[column]) else text.padEnd(widths[column])
        }.trimEnd()
        return (listOf(line(headings.asList()), widths.joinToString("  ") { "-".repeat(it) }) + rows.map(::line)).joinToString("\n")
    }

    private fun isNumeric(column: Int) = rows.isNotEmpty() && rows.all { it[column] is Number }
}
