package dev.kormorant.jasync.postgresql

/**
 * Reads an array literal, `{1,NULL,{…}}`, of any depth; bounds in front of it (`[0:1]={…}`) are dropped, since a list has none.
 *
 * @param delimiter what stands between two elements: a comma for every built-in type but `box`
 * @param element makes the value of an element from its text without quotes and escapes
 */
internal fun parseArray(text: String, delimiter: Char, element: (String) -> Any): List<Any?> = ArrayReader(text, delimiter, element).read()

private class ArrayReader(private val text: String, private val delimiter: Char, private val element: (String) -> Any) {
    private var at = 0

    fun read(): List<Any?> {
        if (text.startsWith('[')) at = text.indexOf('=') + 1
        return list().also { require(at == text.length) { "Not an array." } }
    }

    private fun list(): List<Any?> {
        require(text[at++] == '{') { "Not an array." }
        val elements = ArrayList<Any?>()
        if (text[at] == '}') {
            at++
            return elements
        }
        while (true) {
            elements += when (text[at]) {
                '{' -> list()
                '"' -> element(quoted())
                else -> bare()
            }
            val next = text[at++]
            if (next == '}') return elements
            require(next == delimiter) { "Not an array." }
        }
    }

    private fun quoted(): String = buildString {
        at++
        while (text[at] != '"') {
            if (text[at] == '\\') at++
            append(text[at++])
        }
        at++
    }

    private fun bare(): Any? {
        val start = at
        while (text[at] != delimiter && text[at] != '}') at++
        val word = text.substring(start, at)
        return if (word == "NULL") null else element(word)
    }
}

/** Writes a list as an array literal; a list inside it is a further dimension. */
internal fun formatArray(elements: List<Any?>, element: (Any) -> String): String = buildString { appendArray(elements, element) }

private fun StringBuilder.appendArray(elements: List<Any?>, element: (Any) -> String) {
    append('{')
    elements.forEachIndexed { index, value ->
        if (index > 0) append(',')
        when (value) {
            null -> append("NULL")
            is List<*> -> appendArray(value, element)
            else -> appendQuoted(element(value))
        }
    }
    append('}')
}

private fun StringBuilder.appendQuoted(text: String) {
    append('"')
    for (char in text) {
        if (char == '"' || char == '\\') append('\\')
        append(char)
    }
    append('"')
}
